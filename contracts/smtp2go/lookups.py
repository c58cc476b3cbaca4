"""What can be wrong with the names in a request: too short, taken, unknown, or not as anybody writes them."""

from collections.abc import Iterator
from dataclasses import replace

from contract_watch.contracts.checks import Check
from contract_watch.contracts.model import Account
from contracts.smtp2go import names
from contracts.smtp2go.rules import ADD, REMOVE, RULES
from contracts.smtp2go.users import State, User
from contracts.smtp2go.validation import any_refusal, doubt


def name_made(state: State, asked: str) -> str:
    """What becomes of a name, where that is decided: in the mock. Elsewhere only plain names stay as they are."""
    return names.fold(asked) if state.knows_all and state.told("stored-names") == "lowered" else asked


def kin(state: State, account: Account, name: str) -> list[User]:
    """The account's users that ``name`` may mean, if names are not read as they are written."""
    return [user for user in state.mine(account.name) if names.may_meet(name, user.name)]


def new_name_checks(state: State, account: Account, asked: str) -> Iterator[Check]:
    """What can be wrong with the name of a user to be."""
    for keyword, wrong in (("minLength", len(asked) < names.SHORTEST), ("maxLength", len(asked) > names.LONGEST)):
        if wrong:
            why = f"A name has {names.SHORTEST} to {names.LONGEST} characters."
            check = Check(400, f"{ADD}/request/username/{keyword}", why)
            yield check if state.knows_all or names.measurable(asked) else replace(check, maybe=True)
    if not names.plain(asked):
        odd = Check(400, f"{ADD}/response/400", "Which characters a name may have, no page says.")
        yield doubt(state, odd, "odd-names", ("refused",))
    yield from _taken(state, account, name_made(state, asked))


def _taken(state: State, account: Account, name: str) -> Iterator[Check]:
    check = Check(400, f"{ADD}/rule/name-taken", RULES[f"{ADD}/rule/name-taken"])
    if state.find(account.name, name) is not None:
        yield from any_refusal(check, "name-taken")
    elif any(user.name == name for user in state.users):
        for refused in any_refusal(check, "name-taken"):
            yield replace(refused, reading="unique", refusing=("global",))
    elif name in state.gone:
        for refused in any_refusal(check, "name-taken"):
            yield replace(refused, reading="removed-name", refusing=("taken",))
    elif kin(state, account, name) or not state.known_absent(name, account.name):
        for refused in any_refusal(check, "name-taken"):
            yield replace(refused, reading="", maybe=True)


def look_up(state: State, account: Account, operation: str, name: str) -> tuple[User | None, list[Check]]:
    """The user that ``name`` finds, and what can be wrong with it; None where none is found, or some may be."""
    user = state.find(account.name, name)
    if user is not None:
        return user, []
    clause = f"{operation}/rule/name-unknown"
    reading = "unknown-removal" if operation == REMOVE else "unknown-user"
    how = "removed" if name in state.gone else "plain" if names.plain(name) else "odd"
    missing = list(any_refusal(Check(400, clause, RULES[clause]), reading, f"{operation}/{how}"))
    if not state.knows_all and (kin(state, account, name) or not state.known_absent(name, account.name)):
        missing = [replace(check, reading="", maybe=True) for check in missing]
    return None, missing
