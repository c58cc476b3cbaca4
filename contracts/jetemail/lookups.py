"""What can be wrong with the names in a request: taken, unknown, impossible, or to be sanitised."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from contract_watch.contracts.checks import Check
from contract_watch.contracts.model import Account
from contracts.jetemail import names
from contracts.jetemail.rules import RULES, UPDATE
from contracts.jetemail.users import State, User

_LONGEST = 64
"""A name's length."""
_OWN_NAME = Check(400, f"{UPDATE}/rule/no-updates", "A user already has its own name.", "rename-to-itself", ("400",))


@dataclass(frozen=True)
class Renamed:
    """The user that an update renames. ``scope`` tells a rename alone from one beside other updates."""

    user: User
    scope: str


def new_name_checks(
    state: State, account: Account, operation: str, field: str, name: str, renamed: Renamed | None = None
) -> Iterable[Check]:
    """What can be wrong with the name of a user to be; ``renamed`` is the user that is to have it."""
    clause = f"{operation}/request/{field}"
    if not name:
        yield Check(400, f"{clause}/minLength", "A name has at least one character.")
        return
    if names.well_formed(name):
        if len(name) > _LONGEST:
            yield Check(400, f"{clause}/maxLength", "A name has at most 64 characters.")
        yield from taken(state, account, operation, name, renamed)
        return
    scope = f"{operation}@{names.kind(name)}"
    refusing = ("refused",) if names.kind(name) == "case" else ("refused", "lowered")
    yield Check(400, f"{clause}/pattern", "A name has lower-case letters, digits and hyphens.",
                "names", refusing, scope)  # fmt: skip
    made = sanitised(state, name)
    if made is not None:
        if not 0 < len(made) <= _LONGEST:
            yield Check(400, f"{clause}/maxLength", "A sanitised name has 1 to 64 characters.")
        yield from taken(state, account, operation, made, renamed)
        return
    # Only the vendor knows what the name becomes: whatever could come of it is allowed.
    if len(names.skeleton(name)) > _LONGEST:
        yield Check(400, f"{clause}/maxLength", "A name has at most 64 characters.")
    elif len(name) > _LONGEST or not names.skeleton(name):
        yield Check(400, f"{clause}/maxLength", "A sanitised name has 1 to 64 characters.", maybe=True)
    if any(names.may_meet(name, u.name or u.asked) for u in state.users) or any(
        names.may_meet(name, lost) for lost in state.doubted()
    ) or not state.known_absent(name):  # fmt: skip
        yield Check(409, f"{operation}/rule/name-taken", RULES[f"{operation}/rule/name-taken"], maybe=True)
        if renamed is not None:
            yield Check(400, f"{operation}/rule/no-updates", RULES[f"{operation}/rule/no-updates"], maybe=True)


def taken(state: State, account: Account, operation: str, name: str, renamed: Renamed | None) -> Iterable[Check]:
    check = Check(409, f"{operation}/rule/name-taken", RULES[f"{operation}/rule/name-taken"])
    holder = state.find(account.name, name)
    if holder is not None and renamed is not None and holder is renamed.user:
        yield replace(check, reading="rename-to-itself", refusing=("409",), scope=renamed.scope)
        yield replace(_OWN_NAME, scope=renamed.scope)
    elif holder is not None:
        yield check
    elif any(user.name == name for user in state.users):
        yield replace(check, reading="unique", refusing=("global",), scope=operation)
    elif not state.known_absent(name) or any(
        user.name is None and names.may_meet(user.asked, name) for user in state.users
    ):
        yield replace(check, maybe=True)


def sanitised(state: State, name: str) -> str | None:
    """What an ill-formed name becomes, where that is decided: in the mock."""
    return names.sanitise(name, state.readings.choices("sanitiser")[0]) if state.knows_all else None


def name_stored(state: State, name: str) -> str | None:
    return name if names.well_formed(name) else sanitised(state, name)


def candidates(state: State, account: Account, name: str) -> list[User]:
    """The account's users that ``name`` may find: itself, or what a vendor may make of it before looking."""
    mine = [user for user in state.users if user.account == account.name]
    if names.well_formed(name) and len(name) <= _LONGEST:
        return [user for user in mine if user.name == name or (user.name is None and names.may_meet(user.asked, name))]
    made = sanitised(state, name)
    if made is not None:
        return [user for user in mine if user.name == made]
    return [user for user in mine if names.may_meet(name, user.name or user.asked)]


def look_up(state: State, account: Account, operation: str, name: str) -> tuple[User | None, list[Check]]:
    """The user that ``name`` finds, and what can be wrong with it; None where none is found, or several may be."""
    missing = Check(404, f"{operation}/rule/name-unknown", RULES[f"{operation}/rule/name-unknown"])
    found = candidates(state, account, name)
    if names.well_formed(name) and len(name) <= _LONGEST:
        user = state.find(account.name, name)
        if user is not None:
            return user, []
        return None, [replace(missing, maybe=bool(found) or not state.known_absent(name, account.name))]
    scope = f"{operation}@{names.kind(name)}"
    impossible = Check(400, missing.clause, "No user can have such a name.", "impossible-name", ("400",), scope)
    missing = replace(missing, reading="impossible-name", refusing=("404",), scope=scope)
    refusals = [missing, impossible]
    if not found:
        doubtful = any(names.may_meet(name, lost) for lost in state.doubted(account.name))
        return None, [replace(check, maybe=True, reading="") if doubtful else check for check in refusals]
    exact = state.readings.choices("lookup", scope)
    if exact == ("exact",) or (state.knows_all and exact[0] == "exact"):
        return None, refusals
    # Which user a name finds is sure in the mock, and where only its case is wrong; then it depends on the reading alone.
    if len(found) == 1 and (state.knows_all or found[0].name == name.lower()):
        return found[0], [replace(check, reading="lookup", refusing=("exact",), scope=scope) for check in refusals]
    return found[0] if len(found) == 1 else None, [replace(check, maybe=True, reading="") for check in refusals]


def same_name_checks(current: str, new: str, scope: str) -> Iterable[Check]:
    """A rename to one's own name may be refused before anybody looks whether there is such a user."""
    if new == current:
        yield replace(_OWN_NAME, scope=scope)
    elif names.may_meet(new, current):
        yield replace(_OWN_NAME, reading="", maybe=True)
