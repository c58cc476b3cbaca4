"""The outcomes that a contract allows to a request: interpretations, failed checks, and what follows from them.

Interpretations are the possible meanings of what a vendor's documents leave open. A model collects every check that a
request fails; where no document orders the checks, a server may answer with any of them. Some checks apply under some
values of an interpretation only; then success is an outcome as well.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from contract_watch.contracts.matchers import Matcher
from contract_watch.errors import UsageError

ModelState = Any
MAX_POSSIBLE_STATES = 64
"""States that are followed at most."""


@dataclass(frozen=True)
class Interpretations:
    """The values that each interpretation can still have.

    ``declared`` maps every interpretation of a model to its values; the mock follows the first possible one.
    ``narrowed`` holds the values that remain after a choice for the mock or after a response of the target. An
    interpretation can be narrowed within one scope (an operation, a kind of input), because a vendor need not treat all
    of them alike; its key is then ``name@scope``.
    """

    declared: Mapping[str, tuple[str, ...]]
    narrowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def get_choices(self, name: str, scope: str = "") -> tuple[str, ...]:
        """Return the possible values of ``name`` within ``scope``, the mock's first."""
        if not self.narrowed:
            return self.declared[name]
        everywhere = self.narrowed.get(name, self.declared[name])
        if not scope:
            return everywhere
        here = self.narrowed.get(f"{name}@{scope}", everywhere)
        return tuple(value for value in here if value in everywhere)

    def narrow(self, name: str, values: Collection[str], scope: str = "") -> "Interpretations":
        """Return a copy in which ``name`` has one of ``values`` within ``scope``."""
        before = self.get_choices(name, scope)
        after = tuple(value for value in before if value in values)
        if after == before:
            return self
        return replace(self, narrowed={**self.narrowed, f"{name}@{scope}" if scope else name: after})

    def decide(self, values: Mapping[str, str]) -> "Interpretations":
        """Return a copy with one value for each name in ``values``; raise `UsageError` for an unknown name or value."""
        for name, value in values.items():
            if name not in self.declared:
                raise UsageError(f"unknown interpretation {name!r}; choose from {', '.join(sorted(self.declared))}")
            if value not in self.declared[name]:
                choices = ", ".join(self.declared[name])
                raise UsageError(f"interpretation {name!r} must be one of {choices}, got {value!r}")
        return replace(self, narrowed={**self.narrowed, **{name: (value,) for name, value in values.items()}})


@dataclass(frozen=True)
class Outcome:
    """A response that the contract allows to a request, and the state that follows it.

    ``clause`` is the id of the promise that requires this response, ``why`` its reason in prose. ``body`` is None if no
    body is promised. ``next_state`` is a state, or a function from the actual response body to a state, for values that
    only the response contains (an id, a name that the vendor generated).
    """

    status: int
    clause: str
    why: str
    body: Matcher | None
    next_state: ModelState | Callable[[Any], ModelState]

    def resolve_next_state(self, body: Any) -> ModelState:
        """Return the state after a response with ``body``."""
        return self.next_state(body) if callable(self.next_state) else self.next_state


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


def is_definite(check: Check) -> bool:
    """Return True if ``check`` refuses under every interpretation."""
    return not check.interpretation and not check.is_undecidable


def keep_one_interpretation(checks: Sequence[Check], interpretations: Interpretations) -> list[Check]:
    """Return ``checks`` such that a response narrows one interpretation at most, and the right one.

    If several interpretations can explain a response, it narrows none: the checks become undecidable. An interpretation
    whose every value refuses is certain; beside a certain check, no other interpretation is narrowed. Without this, each
    of them leaves a possible state of its own, and states multiply in vendors that leave much open.
    """
    possible = [check for check in checks if check.is_possible(interpretations)]
    refusing: dict[tuple[str, str], set[str]] = {}
    for check in possible:
        if check.interpretation:
            key = (check.interpretation, check.scope)
            refusing.setdefault(key, set()).update(check.find_refusing_values(interpretations))
    covered = [key for key, values in refusing.items() if values == set(interpretations.get_choices(*key))]
    kept = covered[:1] or (list(refusing) if len(refusing) == 1 else [])
    if any(is_definite(check) for check in possible):
        kept = []
    return [
        check
        if not check.interpretation or (check.interpretation, check.scope) in kept
        else replace(check, interpretation="", is_undecidable=True)
        for check in possible
    ]


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


def deduplicate_states(states: Iterator[ModelState]) -> list[ModelState]:
    """Return the first `MAX_POSSIBLE_STATES` different ones of ``states``."""
    found: list[ModelState] = []
    for state in states:
        if state not in found:
            found.append(state)
        if len(found) == MAX_POSSIBLE_STATES:
            break
    return found
