"""What a success does, and how its answer shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.matchers import Fields, Pattern, Promised, Where
from contract_watch.contracts.model import Account, Outcome
from contracts.smtp2go import names
from contracts.smtp2go.lookups import kin, look_up, name_made
from contracts.smtp2go.responses import envelope
from contracts.smtp2go.rows import fresh_password, listing, named_by_the_answer, overview, shown_user
from contracts.smtp2go.rules import ADD, EDIT, PATCH, REMOVE, RULES, VIEW
from contracts.smtp2go.settings import added, edited, patched
from contracts.smtp2go.users import GENERATED, UNKNOWN, State, User

_ROWS = Where([], lambda value: isinstance(value, list), "a list of users")


def add(state: State, account: Account, body: Mapping[str, Any]) -> Sequence[Outcome]:
    """A new user; or what the vendor makes of a name that is taken."""
    asked = body["username"]
    if elsewhere(state, body):
        return [_unsure(state, account, ADD, asked)]
    user = added(state, account.name, name_made(state, asked), body)
    holder = state.find(account.name, user.name)
    if holder is None:
        found = [_made(state, user)]
        if not state.knows_all and (kin(state, account, asked) or not state.known_absent(asked, account.name)):
            found.append(_unsure(state, account, ADD, asked))
        return found
    ways = [way for way in state.readings.choices("name-taken") if way in ("replaced", "kept")] or ["replaced"]
    outcomes = []
    for way in ways:
        shown = state.read(state.readings.narrow("name-taken", [way]))
        if way == "replaced":
            outcomes.append(_saved(shown, ADD, replace(user, name=holder.name), holder))
        else:
            outcomes.append(_saved(shown, ADD, holder, holder))
    return outcomes


def edit(state: State, account: Account, body: Mapping[str, Any]) -> Sequence[Outcome]:
    """A user set anew: what is not named falls back to its default, but for the password, of which no page says so."""
    user, _ = look_up(state, account, EDIT, body["username"])
    if user is None or elsewhere(state, body):
        return [_unsure(state, account, EDIT, body["username"])]
    new = edited(state, user, body)
    if "email_password" in body or user.password is UNKNOWN:
        return [_saved(state, EDIT, new, user)]
    outcomes = []
    for how in state.readings.choices("omitted-password"):
        shown = state.read(state.readings.narrow("omitted-password", [how]))
        password = {"kept": user.password, "generated": GENERATED, "emptied": None}[how]
        outcomes.append(_saved(shown, EDIT, replace(new, password=password), user))
    return outcomes


def patch(state: State, account: Account, body: Mapping[str, Any]) -> Sequence[Outcome]:
    """A user with what the request names changed, and nothing else."""
    user, _ = look_up(state, account, PATCH, body["username"])
    if user is None or elsewhere(state, body):
        return [_unsure(state, account, PATCH, body["username"])]
    return [_saved(state, PATCH, patched(state, user, body), user)]


def remove(state: State, account: Account, body: Mapping[str, Any]) -> Sequence[Outcome]:
    """A user less; its last row may be shown."""
    name = body["username"]
    user, _ = look_up(state, account, REMOVE, name)
    if user is None and not kin(state, account, name) and state.known_absent(name, account.name):
        rule = f"{REMOVE}/rule/name-unknown"
        return [Outcome(200, rule, RULES[rule], _results(_ROWS), state)]
    if user is None or elsewhere(state, body):
        return [_unsure(state, account, REMOVE, name)]
    why = "A user that exists is removed."
    said = [shown_user(state, user, REMOVE).render()] if state.knows_all else []
    answer = _results(replace(_ROWS, sample=said))
    return [Outcome(200, f"{REMOVE}/response/200", why, answer, state.drop(user))]


def view(state: State, account: Account, body: Mapping[str, Any]) -> Sequence[Outcome]:
    """The account's users, or the one that is asked for."""
    asked = body.get("username")
    if elsewhere(state, body) or (isinstance(asked, str) and not names.fold(asked) and not state.knows_all):
        return [Outcome(200, f"{VIEW}/response/200", "Whose users these are is not known.", _results(_ROWS), state)]
    asked = asked if isinstance(asked, str) and names.fold(asked) else None
    limits = {"default_ratelimit_value": _any(0), "default_ratelimit_period": _any("unlimited")}
    data = Fields({"results": overview(state, account.name, asked)}, limits, said=frozenset(limits))
    why = "The account's users are shown as they were last set."
    found = state.find(account.name, asked) if asked is not None else None
    after = state if asked is not None and found is None else state.viewed(found)
    return [Outcome(200, f"{VIEW}/response/200", why, envelope(data), after)]


def elsewhere(state: State, body: Mapping[str, Any]) -> bool:
    """Whether the request may be about another account's users: the mock has no subaccounts."""
    return "subaccount_id" in body and not state.knows_all


def _made(state: State, user: User) -> Outcome:
    """A new user. What the vendor makes of an odd name, only the answer tells."""
    if state.knows_all or names.plain(user.name):
        return _saved(state, ADD, user, None)
    password = _generated(user, ADD)
    answer = _results(named_by_the_answer(state, user, password))

    def after(shown: Any) -> State:
        told = row(shown).get("username")
        name = told if isinstance(told, str) else user.name
        if state.find(user.account, name) is not None:  # the vendor takes the two names for one
            return state.forget({name, user.name})
        return state.put(replace(learned(user, shown), name=name))

    return Outcome(200, f"{ADD}/response/200", "A valid new user is added.", answer, after)


def _saved(state: State, operation: str, user: User, old: User | None) -> Outcome:
    """The outcome by which ``user`` is what ``old`` was; a generated password is what the answer says."""
    password = _generated(user, operation, old)
    after = state.put(user, old, operation)
    rows = listing(after, user, operation, password)
    clause, why = f"{operation}/response/200", "A valid request is done, and its answer shows the user."
    answer = _results(rows) if operation != PATCH else envelope(rows)
    if password is None:
        return Outcome(200, clause, why, answer, after)
    return Outcome(200, clause, why, answer, lambda shown: state.put(learned(user, shown), old, operation))


def _generated(user: User, operation: str, old: User | None = None) -> Pattern | None:
    """The pattern of a password that the vendor is to generate; None where it is not."""
    if user.password is not GENERATED:
        return None
    before = old.password if old is not None else UNKNOWN
    return Promised(f"{operation}/effect/password-generated", fresh_password(before))


def learned(user: User, shown: Any) -> User:
    """``user`` with the generated password that an answer tells."""
    if user.password is not GENERATED:
        return user
    told = row(shown).get("email_password")
    return replace(user, password=told if isinstance(told, str) and told else UNKNOWN)


def row(shown: Any) -> Mapping[str, Any]:
    """The one row of an answer; empty where there is none, or several."""
    data = shown.get("data") if isinstance(shown, dict) else None
    rows = data.get("results") if isinstance(data, dict) else data
    one = rows[0] if isinstance(rows, list) and len(rows) == 1 else None
    return one if isinstance(one, dict) else {}


def _unsure(state: State, account: Account, operation: str, name: str) -> Outcome:
    """The outcome where it is not known which user was changed, if any."""
    meant = {name, *(user.name for user in kin(state, account, name))}
    why = "It may have been done to a user of whom nothing is known."
    answer = envelope(_ROWS) if operation == PATCH else _results(_ROWS)
    return Outcome(200, f"{operation}/response/200", why, answer, state.forget(meant))


def _results(rows: Pattern) -> Fields:
    return envelope(Fields({"results": rows}))


def _any(sample: Any) -> Where:
    return Where(sample, lambda _value: True, "anything")
