"""Checks that stand between a request and its success, in whatever order a vendor makes them.

Documents say what is refused, seldom in which order. So a model collects the checks that a request fails; a server may
answer any of them. A check may hold only under some readings: then success without it is allowed as well.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from contract_watch.contracts.interpretations import Readings
from contract_watch.contracts.model import Outcome


@dataclass(frozen=True)
class Check:
    """A failed check: the ``status`` it is refused with, the ``clause`` that says so, and ``why`` in words.

    ``reading`` and ``scope`` name the reading that decides whether it is a failure at all: the values in ``refusing``
    refuse. Without a reading it is certain, unless it is ``maybe``: what nothing knowable decides.
    """

    status: int
    clause: str
    why: str
    reading: str = ""
    refusing: tuple[str, ...] = ()
    scope: str = ""
    maybe: bool = False

    def refusing_left(self, readings: Readings) -> tuple[str, ...]:
        """The refusing values that are still possible."""
        return tuple(value for value in readings.choices(self.reading, self.scope) if value in self.refusing)

    def certain(self, readings: Readings) -> bool:
        """Whether every reading still possible refuses."""
        if not self.reading:
            return not self.maybe
        return self.refusing_left(readings) == readings.choices(self.reading, self.scope)

    def possible(self, readings: Readings) -> bool:
        """Whether some reading still possible refuses."""
        return not self.reading or bool(self.refusing_left(readings))

    def preferred(self, readings: Readings) -> bool:
        """Whether the mock's reading refuses."""
        return bool(self.reading) and readings.choices(self.reading, self.scope)[0] in self.refusing

    def shown(self, readings: Readings) -> Readings:
        """What a refusal by this check shows."""
        return readings.narrow(self.reading, self.refusing, self.scope) if self.reading else readings

    def passed(self, readings: Readings) -> Readings:
        """What a success in spite of this check shows."""
        if not self.reading:
            return readings
        others = [value for value in readings.choices(self.reading, self.scope) if value not in self.refusing]
        return readings.narrow(self.reading, others, self.scope)


def judge(
    checks: Iterable[Check],
    readings: Readings,
    refuse: Callable[[Check, Readings], Outcome],
    succeed: Callable[[Readings], Sequence[Outcome]],
    order: Sequence[int] = (),
    excused: Collection[str] = (),
) -> list[Outcome]:
    """The outcomes allowed to a request that fails ``checks``, the mock's first.

    Refusals come in ``order`` of their statuses. ``succeed`` gives the outcomes under the readings by which none of
    the uncertain checks refused; it is asked only where no check is certain. Checks of the clauses in ``excused``
    (see `Request`) are passed over.
    """
    live = [check for check in checks if check.clause not in excused and check.possible(readings)]
    if not live:
        return list(succeed(readings))
    live.sort(key=lambda check: order.index(check.status) if check.status in order else len(order))
    outcomes = {check: refuse(check, check.shown(readings)) for check in live}
    first = [check for check in live if check.certain(readings) or check.preferred(readings)]
    ordered = [*first, *(check for check in live if check not in first)]
    if any(check.certain(readings) or _covered(check, live, readings) for check in live):
        return [outcomes[check] for check in ordered]
    shown = readings
    for check in live:
        shown = check.passed(shown)
    return [
        *(outcomes[check] for check in first),
        *succeed(shown),
        *(outcomes[check] for check in ordered if check not in first),
    ]


def _covered(check: Check, live: Sequence[Check], readings: Readings) -> bool:
    """Whether this check and others on its reading refuse under every value that is left."""
    if not check.reading:
        return False
    refusing = {
        value
        for other in live
        if (other.reading, other.scope) == (check.reading, check.scope)
        for value in other.refusing_left(readings)
    }
    return refusing == set(readings.choices(check.reading, check.scope))
