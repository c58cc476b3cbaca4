"""What can be wrong with the names in a request: taken, unknown, impossible, or to be sanitised."""

from collections.abc import Iterable
from dataclasses import replace

from contracts.checks import Check
from contracts.jetemail import names
from contracts.jetemail.rules import RULES, UPDATE
from contracts.jetemail.users import State, User
from contracts.model import Account


def new_name_checks(
    state: State, account: Account, operation: str, field: str, name: str, itself: User | None = None
) -> Iterable[Check]:
    """What can be wrong with the name of a user to be; ``itself`` is the user that is renamed."""
    clause = f"{operation}/request/{field}"
    if not name:
        yield Check(400, f"{clause}/minLength", "A name has at least one character.")
        return
    if names.well_formed(name):
        if len(name) > 64:
            yield Check(400, f"{clause}/maxLength", "A name has at most 64 characters.")
        yield from taken(state, account, operation, name, itself)
        return
    scope = f"{operation}@{names.kind(name)}"
    refusing = ("refused",) if names.kind(name) == "case" else ("refused", "lowered")
    yield Check(400, f"{clause}/pattern", "A name has lower-case letters, digits and hyphens.",
                "names", refusing, scope)  # fmt: skip
    made = sanitised(state, name)
    if made is not None:
        if not 0 < len(made) <= 64:
            yield Check(400, f"{clause}/maxLength", "A sanitised name has 1 to 64 characters.")
        yield from taken(state, account, operation, made, itself)
        return
    # Only the vendor knows what the name becomes: whatever could come of it is allowed.
    if len(names.skeleton(name)) > 64:
        yield Check(400, f"{clause}/maxLength", "A name has at most 64 characters.")
    elif len(name) > 64 or not names.skeleton(name):
        yield Check(400, f"{clause}/maxLength", "A sanitised name has 1 to 64 characters.", maybe=True)
    if any(names.may_become(name, u.name or u.asked.lower()) for u in state.users) or any(
        names.may_become(name, lost) for lost in state.doubtful
    ) or not state.known_absent(name):  # fmt: skip
        yield Check(409, f"{operation}/rule/name-taken", RULES[f"{operation}/rule/name-taken"], maybe=True)
        if itself is not None:
            yield Check(400, f"{operation}/rule/no-updates", RULES[f"{operation}/rule/no-updates"], maybe=True)


def taken(state: State, account: Account, operation: str, name: str, itself: User | None) -> Iterable[Check]:
    check = Check(409, f"{operation}/rule/name-taken", RULES[f"{operation}/rule/name-taken"])
    holder = state.find(account.name, name)
    if holder is not None and holder is itself:
        yield replace(check, reading="rename-to-itself", refusing=("409",))
        yield Check(400, f"{operation}/rule/no-updates", "A user already has its own name.",
                    "rename-to-itself", ("400",))  # fmt: skip
    elif holder is not None:
        yield check
    elif any(user.name == name for user in state.users):
        yield replace(check, reading="unique", refusing=("global",))
    elif not state.known_absent(name) or any(
        user.name is None and names.may_become(user.asked, name) for user in state.users
    ):
        yield replace(check, maybe=True)


def sanitised(state: State, name: str) -> str | None:
    """What an ill-formed name becomes, where that is decided: in the mock."""
    return names.sanitise(name, state.readings.choices("sanitiser")[0]) if state.knows_all else None


def name_stored(state: State, name: str) -> str | None:
    return name if names.well_formed(name) else sanitised(state, name)


def look_up(state: State, account: Account, operation: str, name: str) -> tuple[User | None, list[Check]]:
    """The user that ``name`` finds, if any, and what can be wrong with it."""
    missing = Check(404, f"{operation}/rule/name-unknown", RULES[f"{operation}/rule/name-unknown"])
    if names.well_formed(name) and len(name) <= 64:
        user = state.find(account.name, name)
        if user is not None:
            return user, []
        unsure = any(u.account == account.name and u.name is None and names.may_become(u.asked, name)
                     for u in state.users)  # fmt: skip
        return None, [replace(missing, maybe=unsure or not state.known_absent(name))]
    impossible = Check(400, f"{operation}/rule/name-unknown", "No user can have such a name.",
                       "impossible-name", ("400",), operation)  # fmt: skip
    missing = replace(missing, reading="impossible-name", refusing=("404",), scope=operation)
    made = sanitised(state, name)
    user = next(
        (
            u
            for u in state.users
            if u.account == account.name
            and (u.name == made if made is not None else names.may_become(name, u.name or u.asked.lower()))
        ),
        None,
    )
    if user is None:
        doubtful = any(names.may_become(name, lost) for lost in state.doubtful)
        return None, [replace(check, maybe=True, reading="") if doubtful else check for check in (missing, impossible)]
    exact = state.readings.choices("lookup", operation)
    if exact == ("exact",) or (state.knows_all and exact[0] == "exact"):
        return None, [missing, impossible]
    return user, [
        replace(check, reading="lookup", refusing=("exact",), scope=operation) for check in (missing, impossible)
    ]


def same_name_checks(current: str, new: str) -> Iterable[Check]:
    """A rename to one's own name may be refused before anybody looks whether there is such a user."""
    check = Check(400, f"{UPDATE}/rule/no-updates", "A user already has its own name.", "rename-to-itself", ("400",))
    if new == current:
        yield check
    elif names.may_become(new, current) or names.may_become(current, new):
        yield replace(check, reading="", maybe=True)
