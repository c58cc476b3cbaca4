"""The checks of names in a request: taken, unknown, impossible, or to be sanitised."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from contract_watch.contracts.outcomes import Check
from contract_watch.contracts.resource.names import SANITISERS, NamePolicy, fold_name
from contract_watch.contracts.resource.state import REMOVED_NAME, Item, ResourceState

NAMES = "names"
"""The interpretation that says if names outside the pattern are refused, sanitised, or only lowered.

Where names are not sanitised, it says if a name finds an object that is spelled otherwise."""
SANITISER = "sanitiser"
LOOKUP = "lookup"
"""The interpretation that says if a name is sanitised before it is looked up."""
IMPOSSIBLE_NAME = "impossible-name"
"""The interpretation that says how a name that no object can have is refused."""
UNIQUE = "unique"
"""The interpretation that says if a name is unique in its account or everywhere."""
ODD_NAMES = "odd-names"
"""The interpretation that says if a name that a vendor may normalise is refused."""
STORED_NAMES = "stored-names"
"""The interpretation that says if a vendor stores such a name as it is or lowered."""
FOLDED, LOWERED = "folded", "lowered"
"""The values of `NAMES` and `STORED_NAMES` that ignore case and outer white space."""
RENAME_TO_ITSELF = "rename-to-itself"
"""The interpretation that says how a rename to the present name is answered: by its status."""
NAME_INTERPRETATIONS = {
    NAMES: ("refused", "sanitised", "lowered"),
    SANITISER: SANITISERS,
    LOOKUP: ("exact", "sanitised"),
}
"""The interpretations of a vendor that may sanitise names."""


@dataclass(frozen=True)
class RefusalKinds:
    """The clauses and statuses of refusals for names: each list has the likeliest status first."""

    taken: Sequence[Check]
    unknown: Sequence[Check]
    invalid: Sequence[Check]
    unchanged: Sequence[Check] = ()


@dataclass(frozen=True)
class RenameTarget:
    """The object that an update renames; ``scope`` tells if the request also changes other properties."""

    item: Item
    scope: str


class NameChecker:
    """A checker of names that callers choose; ``kinds`` are always the refusals of the operation at hand."""

    def __init__(self, policy: NamePolicy) -> None:
        self.policy = policy

    # -- new names

    def check_new_name(
        self,
        state: ResourceState,
        account: str,
        argument: str,
        name: str,
        kinds: RefusalKinds,
        target: RenameTarget | None = None,
    ) -> Iterator[Check]:
        """Yield the failed checks of a new name; ``target`` is the object that an update gives it to."""
        policy = self.policy
        operation = kinds.invalid[0].clause.split("/")[0]
        clause = f"{operation}/request/{argument}"
        if not name:
            if policy.is_sanitised:
                yield from _with_clause(kinds.invalid, f"{clause}/minLength", "A name has at least one character.")
            return
        if policy.is_well_formed(name):
            if policy.is_sanitised and len(name) > policy.longest:
                yield from _with_clause(kinds.invalid, f"{clause}/maxLength", self._describe_length())
            yield from self.check_taken(state, account, name, kinds, target)
            return
        if policy.is_sanitised:
            sanitised = self.predict_sanitised_name(state, name)
            yield from self._check_ill_formed(name, sanitised, clause, kinds)
            if sanitised is not None:
                yield from self.check_taken(state, account, sanitised, kinds, target)
                return
        else:
            yield from self._check_odd_name(state, operation, kinds)
            if state.is_complete or state.find_item(account, name) is not None:
                yield from self.check_taken(
                    state, account, self.predict_stored_name(state, name) or name, kinds, target
                )
                return
        yield from self._check_open_conflict(state, name, kinds, target)

    @staticmethod
    def _check_odd_name(state: ResourceState, operation: str, kinds: RefusalKinds) -> Iterator[Check]:
        """Yield the checks of a name that some vendors refuse; the mock does under an interpretation."""
        for check in kinds.invalid:
            clause, why = f"{operation}/response/{check.status}", "No document says which characters a name can have."
            if not state.is_complete:
                yield replace(check, clause=clause, why=why, is_undecidable=True)
            elif ODD_NAMES in state.interpretations.declared:
                yield replace(check, clause=clause, why=why, interpretation=ODD_NAMES, refusing_values=("refused",))

    def _check_ill_formed(self, name: str, sanitised: str | None, clause: str, kinds: RefusalKinds) -> Iterator[Check]:
        """Yield the checks of a name that a vendor may refuse or sanitise; ``sanitised`` is known in the mock alone."""
        kind = self.policy.classify(name)
        refusing = ("refused",) if kind == "case" else ("refused", "lowered")
        scope = f"{clause.split('/', maxsplit=1)[0]}@{kind}"
        for check in _with_clause(kinds.invalid, f"{clause}/pattern", "The name does not match the pattern."):
            yield replace(check, interpretation=NAMES, refusing_values=refusing, scope=scope)
        if sanitised is None:
            yield from self._check_open_length(name, clause, kinds)
        elif not 0 < len(sanitised) <= self.policy.longest:
            yield from _with_clause(kinds.invalid, f"{clause}/maxLength", self._describe_length())

    def _describe_length(self) -> str:
        return f"A name has 1 to {self.policy.longest} characters."

    def _check_open_length(self, name: str, clause: str, kinds: RefusalKinds) -> Iterator[Check]:
        """Yield the checks of the length of a name whose sanitised form only the vendor knows."""
        skeleton = self.policy.sanitise(name, "drop").replace("-", "")
        for check in _with_clause(kinds.invalid, f"{clause}/maxLength", self._describe_length()):
            if len(skeleton) > self.policy.longest:
                yield check
            elif len(name) > self.policy.longest or not skeleton:
                yield replace(check, is_undecidable=True)

    def _check_open_conflict(
        self, state: ResourceState, name: str, kinds: RefusalKinds, target: RenameTarget | None
    ) -> Iterator[Check]:
        policy = self.policy
        known = [item.name or item.requested_name for item in state.items]
        if any(policy.may_collide(name, one) for one in (*known, *state.get_unknown_names())) or not (
            state.is_known_absent(name)
        ):
            yield from (replace(check, is_undecidable=True) for check in kinds.taken)
            if target is not None:
                yield from (replace(check, is_undecidable=True) for check in kinds.unchanged)

    def check_taken(
        self, state: ResourceState, account: str, name: str, kinds: RefusalKinds, target: RenameTarget | None
    ) -> Iterator[Check]:
        """Yield the failed checks of a well-formed new name against the names that exist."""
        if not state.is_untouched:
            yield from self._check_existing(state, account, name, kinds, target)

    def _check_existing(
        self, state: ResourceState, account: str, name: str, kinds: RefusalKinds, target: RenameTarget | None
    ) -> Iterator[Check]:
        holder = self.find_item(state, account, name)
        scope = kinds.invalid[0].clause.split("/")[0]
        if holder is not None and target is not None and holder is target.item:
            for check in (*kinds.taken, *kinds.unchanged):
                yield _tie(check, RENAME_TO_ITSELF, target.scope)
        elif holder is not None:
            yield from kinds.taken
        elif state.find_namesakes(name):
            if UNIQUE in state.interpretations.declared:
                for check in kinds.taken:
                    yield replace(check, interpretation=UNIQUE, refusing_values=("global",), scope=scope)
        elif name in state.removed_names and REMOVED_NAME in state.interpretations.declared:
            for check in kinds.taken:
                yield replace(check, interpretation=REMOVED_NAME, refusing_values=("taken",))
        elif not state.is_known_absent(name) or self._find_sharers(state, name):
            yield from (replace(check, is_undecidable=True) for check in kinds.taken)

    def _find_sharers(self, state: ResourceState, name: str) -> list[Item]:
        """Return the objects whose name is unknown or spelled otherwise, and can be a well-formed ``name``."""
        is_certain = self.policy.is_sanitised or state.is_complete
        candidates = state.find_namesakes(None) if is_certain else state.items
        return [item for item in candidates if self.policy.may_collide(item.name or item.requested_name, name)]

    def predict_sanitised_name(self, state: ResourceState, name: str) -> str | None:
        """Return the sanitised name in the mock, None in the suite, which cannot know it."""
        return self.policy.sanitise(name, state.get_choice(SANITISER)) if state.is_complete else None

    def predict_stored_name(self, state: ResourceState, name: str) -> str | None:
        """Return the name that the vendor stores for ``name``, None if only a response will tell."""
        if self.policy.is_well_formed(name):
            return name
        if self.policy.is_sanitised:
            return self.predict_sanitised_name(state, name)
        if not state.is_complete:
            return None
        is_lowered = LOWERED in state.interpretations.declared.get(STORED_NAMES, ()) and (
            state.get_choice(STORED_NAMES) == LOWERED
        )
        return fold_name(name) if is_lowered else name

    # -- existing names

    def find_item(self, state: ResourceState, account: str, name: str) -> Item | None:
        """Return the object of ``account`` that ``name`` finds, if one is known; the mock can ignore its spelling."""
        item = state.find_item(account, name)
        if item is not None or not state.is_complete or FOLDED not in state.interpretations.declared.get(NAMES, ()):
            return item
        if state.get_choice(NAMES) != FOLDED:
            return None
        return state.find_folded(account, name)

    def find_candidates(self, state: ResourceState, account: str, name: str) -> list[Item]:
        """Return the account's objects that ``name`` can find, as it is or normalised first."""
        policy = self.policy
        found: Iterable[Item]
        if policy.is_well_formed(name) and len(name) <= policy.longest:
            named = state.find_namesakes(name)
            found = [*named, *(item for item in self._find_sharers(state, name) if item.name != name)]
        elif state.is_complete:
            found = state.find_namesakes(self.predict_sanitised_name(state, name) if policy.is_sanitised else name)
        else:
            mine = state.list_items(account)
            found = (one for one in mine if policy.may_collide(name, one.name or one.requested_name))
        return [item for item in found if item.account == account]

    def look_up(
        self, state: ResourceState, account: str, name: str, kinds: RefusalKinds
    ) -> tuple[Item | None, list[Check]]:
        """Return the object that ``name`` finds and the failed checks; None if none or several are possible."""
        policy = self.policy
        is_plain = policy.is_well_formed(name) and len(name) <= policy.longest
        item = self.find_item(state, account, name) if is_plain or not policy.is_sanitised else None
        if item is not None:
            return item, []
        candidates = self.find_candidates(state, account, name)
        if is_plain:
            is_unknown = bool(candidates) or not state.is_known_absent(name, account)
            return None, [replace(check, is_undecidable=True) if is_unknown else check for check in kinds.unknown]
        if not policy.is_sanitised:
            return self._look_up_odd(state, candidates, name, kinds)
        scope = f"{kinds.invalid[0].clause.split('/')[0]}@{policy.classify(name)}"
        clause = kinds.unknown[0].clause
        impossible = _with_clause(kinds.invalid, clause, "No object can have such a name.")
        refusals = [_tie(check, IMPOSSIBLE_NAME, scope) for check in (*kinds.unknown, *impossible)]
        open_refusals = [replace(check, is_undecidable=True, interpretation="") for check in refusals]
        if not candidates:
            is_unknown = any(policy.may_collide(name, unknown) for unknown in state.get_unknown_names(account))
            return None, open_refusals if is_unknown else refusals
        exact = state.interpretations.get_choices(LOOKUP, scope)
        if exact == ("exact",) or (state.is_complete and exact[0] == "exact"):
            return None, refusals
        # In the mock, or if only the case is wrong, the object is certain and the interpretation alone decides.
        if len(candidates) == 1 and (state.is_complete or candidates[0].name == name.lower()):
            return candidates[0], [
                replace(check, interpretation=LOOKUP, refusing_values=("exact",), scope=scope) for check in refusals
            ]
        return candidates[0] if len(candidates) == 1 else None, open_refusals

    def _look_up_odd(
        self, state: ResourceState, candidates: list[Item], name: str, kinds: RefusalKinds
    ) -> tuple[Item | None, list[Check]]:
        if state.is_complete:
            return None, list(kinds.unknown)
        is_unknown = any(self.policy.may_collide(name, unknown) for unknown in state.get_unknown_names())
        if candidates or is_unknown or not state.is_known_absent(name):
            return None, [replace(check, is_undecidable=True) for check in (*kinds.unknown, *kinds.invalid)]
        return None, [*kinds.unknown, *kinds.invalid]

    def check_same_name(self, current: str, new: str, scope: str, kinds: RefusalKinds) -> Iterator[Check]:
        """Yield the checks of a rename to the current name, which a vendor can reject before it looks up the object."""
        if new == current:
            for check in kinds.unchanged:
                yield _tie(check, RENAME_TO_ITSELF, scope)
        elif self.policy.may_collide(new, current):
            yield from (replace(check, is_undecidable=True) for check in kinds.unchanged)


def _tie(check: Check, interpretation: str, scope: str) -> Check:
    """Make ``check`` depend on an interpretation whose values are statuses."""
    return replace(check, interpretation=interpretation, refusing_values=(str(check.status),), scope=scope)


def _with_clause(checks: Sequence[Check], clause: str, why: str) -> Iterator[Check]:
    yield from (replace(check, clause=clause, why=why) for check in checks)
