"""The outcomes of a request that fails checks, when no document orders the checks.

A model collects every check that a request fails; a server may answer with any of them. Some checks apply under some
values of an interpretation only; then success is an outcome as well.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.model import Outcome


@dataclass(frozen=True)
class Check:
    """A failed check.

    ``status`` is the status of the refusal, ``clause`` the promise that requires it, ``why`` its reason in prose.
    ``interpretation`` and ``scope`` name the interpretation that decides if the request fails: it does under each of
    ``refusing_values``. A check without an interpretation is certain, unless ``is_undecidable``: then a refusal and a
    success are both allowed, and neither narrows anything.
    """

    status: int
    clause: str
    why: str
    interpretation: str = ""
    refusing_values: tuple[str, ...] = ()
    scope: str = ""
    is_undecidable: bool = False

    def find_refusing_values(self, interpretations: Interpretations) -> tuple[str, ...]:
        """Return the refusing values that are still possible."""
        return tuple(
            value
            for value in interpretations.get_choices(self.interpretation, self.scope)
            if value in self.refusing_values
        )

    def is_certain(self, interpretations: Interpretations) -> bool:
        """Return True if every possible value refuses."""
        if not self.interpretation:
            return not self.is_undecidable
        return self.find_refusing_values(interpretations) == interpretations.get_choices(
            self.interpretation, self.scope
        )

    def is_possible(self, interpretations: Interpretations) -> bool:
        """Return True if some possible value refuses."""
        return not self.interpretation or bool(self.find_refusing_values(interpretations))

    def is_preferred(self, interpretations: Interpretations) -> bool:
        """Return True if the value that the mock follows refuses."""
        return (
            bool(self.interpretation)
            and interpretations.get_choices(self.interpretation, self.scope)[0] in self.refusing_values
        )

    def narrow_by_refusal(self, interpretations: Interpretations) -> Interpretations:
        """Return ``interpretations`` narrowed by a refusal for this check."""
        return (
            interpretations.narrow(self.interpretation, self.refusing_values, self.scope)
            if self.interpretation
            else interpretations
        )

    def narrow_by_success(self, interpretations: Interpretations) -> Interpretations:
        """Return ``interpretations`` narrowed by a success despite this check."""
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
    """Return the outcomes allowed to a request that fails ``checks``, the mock's first.

    ``refuse`` builds the outcome of one check. ``succeed`` builds the outcomes under the values by which none of the
    uncertain checks refuses; it is called only if success is possible. ``order`` lists statuses: refusals are sorted by
    it, other statuses last. Checks of ``exempt_clauses`` are skipped (see `Request`).
    """
    active = [check for check in checks if check.clause not in exempt_clauses and check.is_possible(interpretations)]
    if not active:
        return list(succeed(interpretations))
    active.sort(key=lambda check: order.index(check.status) if check.status in order else len(order))
    refusals = {check: refuse(check, check.narrow_by_refusal(interpretations)) for check in active}
    first = [check for check in active if check.is_certain(interpretations) or check.is_preferred(interpretations)]
    rest = [check for check in active if check not in first]
    if any(check.is_certain(interpretations) or _is_covered(check, active, interpretations) for check in active):
        return [refusals[check] for check in (*first, *rest)]
    narrowed = interpretations
    for check in active:
        narrowed = check.narrow_by_success(narrowed)
    return [*(refusals[check] for check in first), *succeed(narrowed), *(refusals[check] for check in rest)]


def _is_covered(check: Check, active: Sequence[Check], interpretations: Interpretations) -> bool:
    """Return True if the checks that share this one's interpretation refuse under all its possible values together."""
    if not check.interpretation:
        return False
    refusing = {
        value
        for other in active
        if (other.interpretation, other.scope) == (check.interpretation, check.scope)
        for value in other.find_refusing_values(interpretations)
    }
    return refusing == set(interpretations.get_choices(check.interpretation, check.scope))
