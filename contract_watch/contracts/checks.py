"""Checks that stand between a request and its success, in whatever order a vendor makes them.

Documents say what is refused, seldom in which order. So a model collects the checks that a request fails; a server may
answer any of them. A check may hold only under some readings: then success without it is allowed as well.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from contract_watch.contracts.interpretations import Interpretations
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
    interpretation: str = ""
    refusing_values: tuple[str, ...] = ()
    scope: str = ""
    is_undecidable: bool = False

    def find_refusing_values(self, interpretations: Interpretations) -> tuple[str, ...]:
        """The refusing values that are still possible."""
        return tuple(
            value
            for value in interpretations.get_choices(self.interpretation, self.scope)
            if value in self.refusing_values
        )

    def is_certain(self, interpretations: Interpretations) -> bool:
        """Whether every reading still possible refuses."""
        if not self.interpretation:
            return not self.is_undecidable
        return self.find_refusing_values(interpretations) == interpretations.get_choices(
            self.interpretation, self.scope
        )

    def is_possible(self, interpretations: Interpretations) -> bool:
        """Whether some reading still possible refuses."""
        return not self.interpretation or bool(self.find_refusing_values(interpretations))

    def is_preferred(self, interpretations: Interpretations) -> bool:
        """Whether the mock's reading refuses."""
        return (
            bool(self.interpretation)
            and interpretations.get_choices(self.interpretation, self.scope)[0] in self.refusing_values
        )

    def narrow_by_refusal(self, interpretations: Interpretations) -> Interpretations:
        """What a refusal by this check shows."""
        return (
            interpretations.narrow(self.interpretation, self.refusing_values, self.scope)
            if self.interpretation
            else interpretations
        )

    def narrow_by_success(self, interpretations: Interpretations) -> Interpretations:
        """What a success in spite of this check shows."""
        if not self.interpretation:
            return interpretations
        others = [
            value
            for value in interpretations.get_choices(self.interpretation, self.scope)
            if value not in self.refusing_values
        ]
        return interpretations.narrow(self.interpretation, others, self.scope)


def build_outcomes(
    checks: Iterable[Check],
    interpretations: Interpretations,
    refuse: Callable[[Check, Interpretations], Outcome],
    succeed: Callable[[Interpretations], Sequence[Outcome]],
    order: Sequence[int] = (),
    exempt_clauses: Collection[str] = (),
) -> list[Outcome]:
    """The outcomes allowed to a request that fails ``checks``, the mock's first.

    Refusals come in ``order`` of their statuses. ``succeed`` gives the outcomes under the readings by which none of
    the uncertain checks refused; it is asked only where no check is certain. Checks of the clauses in ``excused``
    (see `Request`) are passed over.
    """
    live = [check for check in checks if check.clause not in exempt_clauses and check.is_possible(interpretations)]
    if not live:
        return list(succeed(interpretations))
    live.sort(key=lambda check: order.index(check.status) if check.status in order else len(order))
    outcomes = {check: refuse(check, check.narrow_by_refusal(interpretations)) for check in live}
    first = [check for check in live if check.is_certain(interpretations) or check.is_preferred(interpretations)]
    ordered = [*first, *(check for check in live if check not in first)]
    if any(check.is_certain(interpretations) or _is_covered(check, live, interpretations) for check in live):
        return [outcomes[check] for check in ordered]
    shown = interpretations
    for check in live:
        shown = check.narrow_by_success(shown)
    return [
        *(outcomes[check] for check in first),
        *succeed(shown),
        *(outcomes[check] for check in ordered if check not in first),
    ]


def _is_covered(check: Check, live: Sequence[Check], interpretations: Interpretations) -> bool:
    """Whether this check and others on its reading refuse under every value that is left."""
    if not check.interpretation:
        return False
    refusing = {
        value
        for other in live
        if (other.interpretation, other.scope) == (check.interpretation, check.scope)
        for value in other.find_refusing_values(interpretations)
    }
    return refusing == set(interpretations.get_choices(check.interpretation, check.scope))
