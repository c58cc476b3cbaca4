"""What can be wrong with the names in a request: taken, unknown, impossible, or to be sanitised."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from contract_watch.contracts.checks import Check
from contract_watch.contracts.model import Account
from contracts.jetemail import names
from contracts.jetemail.rules import RULES, UPDATE
from contracts.jetemail.users import JetEmailState, JetEmailUser

_LONGEST = 64
"""A name's length."""
_OWN_NAME = Check(400, f"{UPDATE}/rule/no-updates", "A user already has its own name.", "rename-to-itself", ("400",))


@dataclass(frozen=True)
class RenameTarget:
    """The user that an update renames. ``scope`` tells a rename alone from one beside other updates."""

    user: JetEmailUser
    scope: str


def check_new_name(
    state: JetEmailState, account: Account, operation: str, field: str, name: str, target: RenameTarget | None = None
) -> Iterable[Check]:
    """What can be wrong with the name of a user to be; ``renamed`` is the user that is to have it."""
    clause = f"{operation}/request/{field}"
    if not name:
        yield Check(400, f"{clause}/minLength", "A name has at least one character.")
        return
    if names.is_well_formed(name):
        if len(name) > _LONGEST:
            yield Check(400, f"{clause}/maxLength", "A name has at most 64 characters.")
        yield from check_name_taken(state, account, operation, name, target)
        return
    scope = f"{operation}@{names.classify_name(name)}"
    refusing = ("refused",) if names.classify_name(name) == "case" else ("refused", "lowered")
    yield Check(400, f"{clause}/pattern", "A name has lower-case letters, digits and hyphens.",
                "names", refusing, scope)  # fmt: skip
    made = predict_sanitised_name(state, name)
    if made is not None:
        if not 0 < len(made) <= _LONGEST:
            yield Check(400, f"{clause}/maxLength", "A sanitised name has 1 to 64 characters.")
        yield from check_name_taken(state, account, operation, made, target)
        return
    # Only the vendor knows what the name becomes: whatever could come of it is allowed.
    if len(names.get_skeleton(name)) > _LONGEST:
        yield Check(400, f"{clause}/maxLength", "A name has at most 64 characters.")
    elif len(name) > _LONGEST or not names.get_skeleton(name):
        yield Check(400, f"{clause}/maxLength", "A sanitised name has 1 to 64 characters.", is_undecidable=True)
    if any(names.may_collide(name, u.name or u.requested_name) for u in state.users) or any(
        names.may_collide(name, lost) for lost in state.get_unknown_names()
    ) or not state.is_known_absent(name):  # fmt: skip
        yield Check(409, f"{operation}/rule/name-taken", RULES[f"{operation}/rule/name-taken"], is_undecidable=True)
        if target is not None:
            yield Check(400, f"{operation}/rule/no-updates", RULES[f"{operation}/rule/no-updates"], is_undecidable=True)


def check_name_taken(
    state: JetEmailState, account: Account, operation: str, name: str, target: RenameTarget | None
) -> Iterable[Check]:
    check = Check(409, f"{operation}/rule/name-taken", RULES[f"{operation}/rule/name-taken"])
    holder = state.find_user(account.name, name)
    if holder is not None and target is not None and holder is target.user:
        yield replace(check, interpretation="rename-to-itself", refusing_values=("409",), scope=target.scope)
        yield replace(_OWN_NAME, scope=target.scope)
    elif holder is not None:
        yield check
    elif any(user.name == name for user in state.users):
        yield replace(check, interpretation="unique", refusing_values=("global",), scope=operation)
    elif not state.is_known_absent(name) or any(
        user.name is None and names.may_collide(user.requested_name, name) for user in state.users
    ):
        yield replace(check, is_undecidable=True)


def predict_sanitised_name(state: JetEmailState, name: str) -> str | None:
    """What an ill-formed name becomes, where that is decided: in the mock."""
    return names.sanitise_name(name, state.interpretations.get_choices("sanitiser")[0]) if state.is_complete else None


def predict_stored_name(state: JetEmailState, name: str) -> str | None:
    return name if names.is_well_formed(name) else predict_sanitised_name(state, name)


def find_candidates(state: JetEmailState, account: Account, name: str) -> list[JetEmailUser]:
    """The account's users that ``name`` may find: itself, or what a vendor may make of it before looking."""
    mine = [user for user in state.users if user.account == account.name]
    if names.is_well_formed(name) and len(name) <= _LONGEST:
        return [
            user
            for user in mine
            if user.name == name or (user.name is None and names.may_collide(user.requested_name, name))
        ]
    made = predict_sanitised_name(state, name)
    if made is not None:
        return [user for user in mine if user.name == made]
    return [user for user in mine if names.may_collide(name, user.name or user.requested_name)]


def look_up_user(
    state: JetEmailState, account: Account, operation: str, name: str
) -> tuple[JetEmailUser | None, list[Check]]:
    """The user that ``name`` finds, and what can be wrong with it; None where none is found, or several may be."""
    missing = Check(404, f"{operation}/rule/name-unknown", RULES[f"{operation}/rule/name-unknown"])
    found = find_candidates(state, account, name)
    if names.is_well_formed(name) and len(name) <= _LONGEST:
        user = state.find_user(account.name, name)
        if user is not None:
            return user, []
        return None, [replace(missing, is_undecidable=bool(found) or not state.is_known_absent(name, account.name))]
    scope = f"{operation}@{names.classify_name(name)}"
    impossible = Check(400, missing.clause, "No user can have such a name.", "impossible-name", ("400",), scope)
    missing = replace(missing, interpretation="impossible-name", refusing_values=("404",), scope=scope)
    refusals = [missing, impossible]
    if not found:
        doubtful = any(names.may_collide(name, lost) for lost in state.get_unknown_names(account.name))
        return None, [
            replace(check, is_undecidable=True, interpretation="") if doubtful else check for check in refusals
        ]
    exact = state.interpretations.get_choices("lookup", scope)
    if exact == ("exact",) or (state.is_complete and exact[0] == "exact"):
        return None, refusals
    # Which user a name finds is sure in the mock, and where only its case is wrong; then it depends on the reading alone.
    if len(found) == 1 and (state.is_complete or found[0].name == name.lower()):
        return found[0], [
            replace(check, interpretation="lookup", refusing_values=("exact",), scope=scope) for check in refusals
        ]
    return found[0] if len(found) == 1 else None, [
        replace(check, is_undecidable=True, interpretation="") for check in refusals
    ]


def check_same_name(current: str, new: str, scope: str) -> Iterable[Check]:
    """A rename to one's own name may be refused before anybody looks whether there is such a user."""
    if new == current:
        yield replace(_OWN_NAME, scope=scope)
    elif names.may_collide(new, current):
        yield replace(_OWN_NAME, interpretation="", is_undecidable=True)
