"""The checks of names in a request: taken, unknown, impossible, or to be sanitised."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Check
from contracts.jetemail import names
from contracts.jetemail.rules import RULES, UPDATE
from contracts.jetemail.users import JetEmailState, JetEmailUser

_LONGEST = 64
"""The maximum length of a name, in characters."""
_OWN_NAME = Check(400, f"{UPDATE}/rule/no-updates", "A user already has its own name.", "rename-to-itself", ("400",))


@dataclass(frozen=True)
class RenameTarget:
    """The user that an update renames; ``scope`` tells if the request also changes other settings."""

    user: JetEmailUser
    scope: str


def check_new_name(
    state: JetEmailState, account: Account, operation: str, field: str, name: str, target: RenameTarget | None = None
) -> Iterable[Check]:
    """Yield the failed checks of a new name; ``target`` is the user that an update gives it to."""
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
    sanitised = predict_sanitised_name(state, name)
    if sanitised is not None:
        if not 0 < len(sanitised) <= _LONGEST:
            yield Check(400, f"{clause}/maxLength", "A sanitised name has 1 to 64 characters.")
        yield from check_name_taken(state, account, operation, sanitised, target)
        return
    # Only the vendor knows the sanitised name, so every possible one is allowed.
    if len(names.get_skeleton(name)) > _LONGEST:
        yield Check(400, f"{clause}/maxLength", "A name has at most 64 characters.")
    elif len(name) > _LONGEST or not names.get_skeleton(name):
        yield Check(400, f"{clause}/maxLength", "A sanitised name has 1 to 64 characters.", is_undecidable=True)
    if any(names.may_collide(name, u.name or u.requested_name) for u in state.users) or any(
        names.may_collide(name, unknown) for unknown in state.get_unknown_names()
    ) or not state.is_known_absent(name):  # fmt: skip
        yield Check(409, f"{operation}/rule/name-taken", RULES[f"{operation}/rule/name-taken"], is_undecidable=True)
        if target is not None:
            yield Check(400, f"{operation}/rule/no-updates", RULES[f"{operation}/rule/no-updates"], is_undecidable=True)


def check_name_taken(
    state: JetEmailState, account: Account, operation: str, name: str, target: RenameTarget | None
) -> Iterable[Check]:
    """Yield the failed checks of a well-formed new name against the names that exist."""
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
    """Return the sanitised name in the mock, None in the suite, which cannot know it."""
    return names.sanitise_name(name, state.interpretations.get_choices("sanitiser")[0]) if state.is_complete else None


def predict_stored_name(state: JetEmailState, name: str) -> str | None:
    """Return the name that the vendor stores for ``name``, None if only the list will tell."""
    return name if names.is_well_formed(name) else predict_sanitised_name(state, name)


def find_candidates(state: JetEmailState, account: Account, name: str) -> list[JetEmailUser]:
    """Return the account's users that ``name`` can find, as it is or sanitised first."""
    mine = [user for user in state.users if user.account == account.name]
    if names.is_well_formed(name) and len(name) <= _LONGEST:
        return [
            user
            for user in mine
            if user.name == name or (user.name is None and names.may_collide(user.requested_name, name))
        ]
    sanitised = predict_sanitised_name(state, name)
    if sanitised is not None:
        return [user for user in mine if user.name == sanitised]
    return [user for user in mine if names.may_collide(name, user.name or user.requested_name)]


def look_up_user(
    state: JetEmailState, account: Account, operation: str, name: str
) -> tuple[JetEmailUser | None, list[Check]]:
    """Return the user that ``name`` finds and the failed checks; the user is None if none or several are possible."""
    missing = Check(404, f"{operation}/rule/name-unknown", RULES[f"{operation}/rule/name-unknown"])
    candidates = find_candidates(state, account, name)
    if names.is_well_formed(name) and len(name) <= _LONGEST:
        user = state.find_user(account.name, name)
        if user is not None:
            return user, []
        is_unknown = bool(candidates) or not state.is_known_absent(name, account.name)
        return None, [replace(missing, is_undecidable=is_unknown)]
    scope = f"{operation}@{names.classify_name(name)}"
    impossible = Check(400, missing.clause, "No user can have such a name.", "impossible-name", ("400",), scope)
    missing = replace(missing, interpretation="impossible-name", refusing_values=("404",), scope=scope)
    refusals = [missing, impossible]
    if not candidates:
        is_unknown = any(names.may_collide(name, unknown) for unknown in state.get_unknown_names(account.name))
        return None, [
            replace(check, is_undecidable=True, interpretation="") if is_unknown else check for check in refusals
        ]
    exact = state.interpretations.get_choices("lookup", scope)
    if exact == ("exact",) or (state.is_complete and exact[0] == "exact"):
        return None, refusals
    # In the mock, or if only the case is wrong, the user is certain and the interpretation alone decides.
    if len(candidates) == 1 and (state.is_complete or candidates[0].name == name.lower()):
        return candidates[0], [
            replace(check, interpretation="lookup", refusing_values=("exact",), scope=scope) for check in refusals
        ]
    return candidates[0] if len(candidates) == 1 else None, [
        replace(check, is_undecidable=True, interpretation="") for check in refusals
    ]


def check_same_name(current: str, new: str, scope: str) -> Iterable[Check]:
    """Yield the checks of a rename to the current name, which a vendor can reject before it looks up the user."""
    if new == current:
        yield replace(_OWN_NAME, scope=scope)
    elif names.may_collide(new, current):
        yield replace(_OWN_NAME, interpretation="", is_undecidable=True)
