"""The checks of names in a request: too short or long, taken, unknown, or with undocumented characters."""

from collections.abc import Iterator
from dataclasses import replace

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Check
from contracts.smtp2go import names
from contracts.smtp2go.rules import ADD, REMOVE, RULES
from contracts.smtp2go.users import Smtp2goState, Smtp2goUser
from contracts.smtp2go.validation import list_possible_refusals, mark_uncertain


def predict_stored_name(state: Smtp2goState, requested_name: str) -> str:
    """Return the name that the vendor stores; the suite keeps the requested name, until a response tells another."""
    return (
        names.fold_name(requested_name)
        if state.is_complete and state.get_choice("stored-names") == "lowered"
        else requested_name
    )


def find_candidates(state: Smtp2goState, account: Account, name: str) -> list[Smtp2goUser]:
    """Return the account's users that ``name`` can mean if the vendor normalises names."""
    return [user for user in state.list_users(account.name) if names.may_collide(name, user.name)]


def check_new_name(state: Smtp2goState, account: Account, requested_name: str) -> Iterator[Check]:
    """Yield the failed checks of a new user's name."""
    for keyword, wrong in (
        ("minLength", len(requested_name) < names.SHORTEST),
        ("maxLength", len(requested_name) > names.LONGEST),
    ):
        if wrong:
            why = f"A name has {names.SHORTEST} to {names.LONGEST} characters."
            check = Check(400, f"{ADD}/request/username/{keyword}", why)
            yield (
                check
                if state.is_complete or names.has_definite_length(requested_name)
                else replace(check, is_undecidable=True)
            )
    if not names.is_plain(requested_name):
        undocumented = Check(400, f"{ADD}/response/400", "No page documents the characters of a name.")
        yield mark_uncertain(state, undocumented, "odd-names", ("refused",))
    yield from _check_name_taken(state, account, predict_stored_name(state, requested_name))


def _check_name_taken(state: Smtp2goState, account: Account, name: str) -> Iterator[Check]:
    check = Check(400, f"{ADD}/rule/name-taken", RULES[f"{ADD}/rule/name-taken"])
    if state.find_user(account.name, name) is not None:
        yield from list_possible_refusals(check, "name-taken")
    elif any(user.name == name for user in state.users):
        for refusal in list_possible_refusals(check, "name-taken"):
            yield replace(refusal, interpretation="unique", refusing_values=("global",))
    elif name in state.removed_names:
        for refusal in list_possible_refusals(check, "name-taken"):
            yield replace(refusal, interpretation="removed-name", refusing_values=("taken",))
    elif find_candidates(state, account, name) or not state.is_known_absent(name, account.name):
        for refusal in list_possible_refusals(check, "name-taken"):
            yield replace(refusal, interpretation="", is_undecidable=True)


def look_up_user(
    state: Smtp2goState, account: Account, operation: str, name: str
) -> tuple[Smtp2goUser | None, list[Check]]:
    """Return the user that ``name`` finds and the failed checks; the user is None if none or an unknown one is found."""
    user = state.find_user(account.name, name)
    if user is not None:
        return user, []
    clause = f"{operation}/rule/name-unknown"
    interpretation = "unknown-removal" if operation == REMOVE else "unknown-user"
    kind = "removed" if name in state.removed_names else "plain" if names.is_plain(name) else "odd"
    missing = list(list_possible_refusals(Check(400, clause, RULES[clause]), interpretation, f"{operation}/{kind}"))
    if not state.is_complete and (
        find_candidates(state, account, name) or not state.is_known_absent(name, account.name)
    ):
        missing = [replace(check, interpretation="", is_undecidable=True) for check in missing]
    return None, missing
