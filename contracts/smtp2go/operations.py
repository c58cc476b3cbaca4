"""The successful outcomes of each operation: the next state and the body."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.matchers import ForClause, Matcher, ObjectMatcher, Satisfies
from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Outcome
from contracts.smtp2go import names
from contracts.smtp2go.lookups import find_candidates, look_up_user, predict_stored_name
from contracts.smtp2go.responses import wrap_in_envelope
from contracts.smtp2go.rows import match_changed_user, match_fresh_password, match_unnamed_user, match_user, match_users
from contracts.smtp2go.rules import ADD, EDIT, PATCH, REMOVE, RULES, VIEW
from contracts.smtp2go.settings import build_added_user, build_edited_user, build_patched_user
from contracts.smtp2go.users import GENERATED, UNKNOWN, Smtp2goState, Smtp2goUser

_ROWS = Satisfies([], lambda value: isinstance(value, list), "a list of users")


def add_user(state: Smtp2goState, account: Account, body: Mapping[str, Any]) -> Sequence[Outcome]:
    """Add a user; a name that is taken replaces or keeps the user, as the interpretation ``name-taken`` says."""
    name = body["username"]
    if may_concern_other_account(state, body):
        return [_build_unknown_user_outcome(state, account, ADD, name)]
    user = build_added_user(state, account.name, predict_stored_name(state, name), body)
    holder = state.find_user(account.name, user.name)
    if holder is None:
        outcomes = [_build_addition_outcome(state, user)]
        if not state.is_complete and (
            find_candidates(state, account, name) or not state.is_known_absent(name, account.name)
        ):
            outcomes.append(_build_unknown_user_outcome(state, account, ADD, name))
        return outcomes
    choices = [one for one in state.interpretations.get_choices("name-taken") if one in ("replaced", "kept")]
    outcomes = []
    for choice in choices or ["replaced"]:
        narrowed = replace(state, interpretations=state.interpretations.narrow("name-taken", [choice]))
        if choice == "replaced":
            outcomes.append(_build_change_outcome(narrowed, ADD, replace(user, name=holder.name), holder))
        else:
            outcomes.append(_build_change_outcome(narrowed, ADD, holder, holder))
    return outcomes


def edit_user(state: Smtp2goState, account: Account, body: Mapping[str, Any]) -> Sequence[Outcome]:
    """Set a user anew: omitted settings get their default, except the password, which no page documents."""
    user, _ = look_up_user(state, account, EDIT, body["username"])
    if user is None or may_concern_other_account(state, body):
        return [_build_unknown_user_outcome(state, account, EDIT, body["username"])]
    new = build_edited_user(state, user, body)
    if "email_password" in body or user.password is UNKNOWN:
        return [_build_change_outcome(state, EDIT, new, user)]
    outcomes = []
    for choice in state.interpretations.get_choices("omitted-password"):
        narrowed = replace(state, interpretations=state.interpretations.narrow("omitted-password", [choice]))
        password = {"kept": user.password, "generated": GENERATED, "emptied": None}[choice]
        outcomes.append(_build_change_outcome(narrowed, EDIT, replace(new, password=password), user))
    return outcomes


def patch_user(state: Smtp2goState, account: Account, body: Mapping[str, Any]) -> Sequence[Outcome]:
    """Change the settings of a user that the request names, and nothing else."""
    user, _ = look_up_user(state, account, PATCH, body["username"])
    if user is None or may_concern_other_account(state, body):
        return [_build_unknown_user_outcome(state, account, PATCH, body["username"])]
    return [_build_change_outcome(state, PATCH, build_patched_user(state, user, body), user)]


def remove_user(state: Smtp2goState, account: Account, body: Mapping[str, Any]) -> Sequence[Outcome]:
    """Remove a user; the response can contain its last row."""
    name = body["username"]
    user, _ = look_up_user(state, account, REMOVE, name)
    if user is None and not find_candidates(state, account, name) and state.is_known_absent(name, account.name):
        rule = f"{REMOVE}/rule/name-unknown"
        return [Outcome(200, rule, RULES[rule], _wrap_rows(_ROWS), state)]
    if user is None or may_concern_other_account(state, body):
        return [_build_unknown_user_outcome(state, account, REMOVE, name)]
    why = "A user that exists is removed."
    rows = [match_user(state, user, REMOVE).render()] if state.is_complete else []
    response = _wrap_rows(replace(_ROWS, sample=rows))
    return [Outcome(200, f"{REMOVE}/response/200", why, response, state.drop_user(user))]


def view_users(state: Smtp2goState, account: Account, body: Mapping[str, Any]) -> Sequence[Outcome]:
    """Return the account's users, or the requested one."""
    name = body.get("username")
    if may_concern_other_account(state, body) or (
        isinstance(name, str) and not names.fold_name(name) and not state.is_complete
    ):
        why = "The account of these users is unknown."
        return [Outcome(200, f"{VIEW}/response/200", why, _wrap_rows(_ROWS), state)]
    name = name if isinstance(name, str) and names.fold_name(name) else None
    limits = {"default_ratelimit_value": _match_anything(0), "default_ratelimit_period": _match_anything("unlimited")}
    data = ObjectMatcher(
        {"results": match_users(state, account.name, name)}, limits, rendered_optional=frozenset(limits)
    )
    why = "The response contains the account's users with their last settings."
    user = state.find_user(account.name, name) if name is not None else None
    after = state if name is not None and user is None else state.mark_viewed(user)
    return [Outcome(200, f"{VIEW}/response/200", why, wrap_in_envelope(data), after)]


def may_concern_other_account(state: Smtp2goState, body: Mapping[str, Any]) -> bool:
    """Return True if the request can concern a subaccount; the mock has none."""
    return "subaccount_id" in body and not state.is_complete


def _build_addition_outcome(state: Smtp2goState, user: Smtp2goUser) -> Outcome:
    """Build the outcome of a new user; only the response tells the stored form of an odd name."""
    if state.is_complete or names.is_plain(user.name):
        return _build_change_outcome(state, ADD, user, None)
    password = _match_generated_password(user, ADD)
    response = _wrap_rows(match_unnamed_user(state, user, password))

    def after(answer: Any) -> Smtp2goState:
        stored_name = get_single_row(answer).get("username")
        name = stored_name if isinstance(stored_name, str) else user.name
        if state.find_user(user.account, name) is not None:  # the vendor treats the two names as one
            return state.forget_users({name, user.name})
        return state.put_user(replace(learn_password(user, answer), name=name))

    return Outcome(200, f"{ADD}/response/200", "A valid new user is added.", response, after)


def _build_change_outcome(state: Smtp2goState, operation: str, user: Smtp2goUser, old: Smtp2goUser | None) -> Outcome:
    """Build the outcome in which ``user`` replaces ``old``; the response tells a generated password."""
    password = _match_generated_password(user, operation, old)
    after = state.put_user(user, old, operation)
    rows = match_changed_user(after, user, operation, password)
    clause, why = f"{operation}/response/200", "A valid request succeeds, and its response contains the user."
    response = _wrap_rows(rows) if operation != PATCH else wrap_in_envelope(rows)
    if password is None:
        return Outcome(200, clause, why, response, after)
    return Outcome(
        200, clause, why, response, lambda answer: state.put_user(learn_password(user, answer), old, operation)
    )


def _match_generated_password(user: Smtp2goUser, operation: str, old: Smtp2goUser | None = None) -> Matcher | None:
    """Build the matcher of a password that the vendor has to generate; None if it has not."""
    if user.password is not GENERATED:
        return None
    previous = old.password if old is not None else UNKNOWN
    return ForClause(f"{operation}/effect/password-generated", match_fresh_password(previous))


def learn_password(user: Smtp2goUser, body: Any) -> Smtp2goUser:
    """Return ``user`` with the generated password in the response ``body``."""
    if user.password is not GENERATED:
        return user
    password = get_single_row(body).get("email_password")
    return replace(user, password=password if isinstance(password, str) and password else UNKNOWN)


def get_single_row(body: Any) -> Mapping[str, Any]:
    """Return the only row of a response; empty if it has none or several."""
    data = body.get("data") if isinstance(body, dict) else None
    rows = data.get("results") if isinstance(data, dict) else data
    row = rows[0] if isinstance(rows, list) and len(rows) == 1 else None
    return row if isinstance(row, dict) else {}


def _build_unknown_user_outcome(state: Smtp2goState, account: Account, operation: str, name: str) -> Outcome:
    """Build the outcome of a change of an unknown user: forget every candidate."""
    candidates = {name, *(user.name for user in find_candidates(state, account, name))}
    why = "The request can succeed for a user that the suite does not know."
    response = wrap_in_envelope(_ROWS) if operation == PATCH else _wrap_rows(_ROWS)
    return Outcome(200, f"{operation}/response/200", why, response, state.forget_users(candidates))


def _wrap_rows(rows: Matcher) -> ObjectMatcher:
    return wrap_in_envelope(ObjectMatcher({"results": rows}))


def _match_anything(sample: Any) -> Satisfies:
    return Satisfies(sample, lambda _value: True, "anything")
