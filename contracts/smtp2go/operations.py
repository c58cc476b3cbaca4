"""What a success does, and how its answer shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.matchers import ForClause, Matcher, ObjectMatcher, Satisfies
from contract_watch.contracts.model import Account, Outcome
from contracts.smtp2go import names
from contracts.smtp2go.lookups import find_candidates, look_up_user, predict_stored_name
from contracts.smtp2go.responses import wrap_in_envelope
from contracts.smtp2go.rows import match_changed_user, match_fresh_password, match_unnamed_user, match_user, match_users
from contracts.smtp2go.rules import ADD, EDIT, PATCH, REMOVE, RULES, VIEW
from contracts.smtp2go.settings import build_added_user, build_edited_user, build_patched_user
from contracts.smtp2go.users import GENERATED, UNKNOWN, Smtp2goState, Smtp2goUser

_ROWS = Satisfies([], lambda value: isinstance(value, list), "a list of users")


def add_user(state: Smtp2goState, account: Account, body: Mapping[str, Any]) -> Sequence[Outcome]:
    """A new user; or what the vendor makes of a name that is taken."""
    asked = body["username"]
    if may_concern_other_account(state, body):
        return [_build_unknown_user_outcome(state, account, ADD, asked)]
    user = build_added_user(state, account.name, predict_stored_name(state, asked), body)
    holder = state.find_user(account.name, user.name)
    if holder is None:
        found = [_build_addition_outcome(state, user)]
        if not state.is_complete and (
            find_candidates(state, account, asked) or not state.is_known_absent(asked, account.name)
        ):
            found.append(_build_unknown_user_outcome(state, account, ADD, asked))
        return found
    ways = [way for way in state.interpretations.get_choices("name-taken") if way in ("replaced", "kept")] or [
        "replaced"
    ]
    outcomes = []
    for way in ways:
        shown = state.with_interpretations(state.interpretations.narrow("name-taken", [way]))
        if way == "replaced":
            outcomes.append(_build_change_outcome(shown, ADD, replace(user, name=holder.name), holder))
        else:
            outcomes.append(_build_change_outcome(shown, ADD, holder, holder))
    return outcomes


def edit_user(state: Smtp2goState, account: Account, body: Mapping[str, Any]) -> Sequence[Outcome]:
    """A user set anew: what is not named falls back to its default, but for the password, of which no page says so."""
    user, _ = look_up_user(state, account, EDIT, body["username"])
    if user is None or may_concern_other_account(state, body):
        return [_build_unknown_user_outcome(state, account, EDIT, body["username"])]
    new = build_edited_user(state, user, body)
    if "email_password" in body or user.password is UNKNOWN:
        return [_build_change_outcome(state, EDIT, new, user)]
    outcomes = []
    for how in state.interpretations.get_choices("omitted-password"):
        shown = state.with_interpretations(state.interpretations.narrow("omitted-password", [how]))
        password = {"kept": user.password, "generated": GENERATED, "emptied": None}[how]
        outcomes.append(_build_change_outcome(shown, EDIT, replace(new, password=password), user))
    return outcomes


def patch_user(state: Smtp2goState, account: Account, body: Mapping[str, Any]) -> Sequence[Outcome]:
    """A user with what the request names changed, and nothing else."""
    user, _ = look_up_user(state, account, PATCH, body["username"])
    if user is None or may_concern_other_account(state, body):
        return [_build_unknown_user_outcome(state, account, PATCH, body["username"])]
    return [_build_change_outcome(state, PATCH, build_patched_user(state, user, body), user)]


def remove_user(state: Smtp2goState, account: Account, body: Mapping[str, Any]) -> Sequence[Outcome]:
    """A user less; its last row may be shown."""
    name = body["username"]
    user, _ = look_up_user(state, account, REMOVE, name)
    if user is None and not find_candidates(state, account, name) and state.is_known_absent(name, account.name):
        rule = f"{REMOVE}/rule/name-unknown"
        return [Outcome(200, rule, RULES[rule], _wrap_rows(_ROWS), state)]
    if user is None or may_concern_other_account(state, body):
        return [_build_unknown_user_outcome(state, account, REMOVE, name)]
    why = "A user that exists is removed."
    said = [match_user(state, user, REMOVE).render()] if state.is_complete else []
    answer = _wrap_rows(replace(_ROWS, sample=said))
    return [Outcome(200, f"{REMOVE}/response/200", why, answer, state.drop_user(user))]


def view_users(state: Smtp2goState, account: Account, body: Mapping[str, Any]) -> Sequence[Outcome]:
    """The account's users, or the one that is asked for."""
    asked = body.get("username")
    if may_concern_other_account(state, body) or (
        isinstance(asked, str) and not names.fold_name(asked) and not state.is_complete
    ):
        return [Outcome(200, f"{VIEW}/response/200", "Whose users these are is not known.", _wrap_rows(_ROWS), state)]
    asked = asked if isinstance(asked, str) and names.fold_name(asked) else None
    limits = {"default_ratelimit_value": _match_anything(0), "default_ratelimit_period": _match_anything("unlimited")}
    data = ObjectMatcher(
        {"results": match_users(state, account.name, asked)}, limits, rendered_optional=frozenset(limits)
    )
    why = "The account's users are shown as they were last set."
    found = state.find_user(account.name, asked) if asked is not None else None
    after = state if asked is not None and found is None else state.mark_viewed(found)
    return [Outcome(200, f"{VIEW}/response/200", why, wrap_in_envelope(data), after)]


def may_concern_other_account(state: Smtp2goState, body: Mapping[str, Any]) -> bool:
    """Whether the request may be about another account's users: the mock has no subaccounts."""
    return "subaccount_id" in body and not state.is_complete


def _build_addition_outcome(state: Smtp2goState, user: Smtp2goUser) -> Outcome:
    """A new user. What the vendor makes of an odd name, only the answer tells."""
    if state.is_complete or names.is_plain(user.name):
        return _build_change_outcome(state, ADD, user, None)
    password = _match_generated_password(user, ADD)
    answer = _wrap_rows(match_unnamed_user(state, user, password))

    def after(shown: Any) -> Smtp2goState:
        told = get_single_row(shown).get("username")
        name = told if isinstance(told, str) else user.name
        if state.find_user(user.account, name) is not None:  # the vendor takes the two names for one
            return state.forget_users({name, user.name})
        return state.put_user(replace(learn_password(user, shown), name=name))

    return Outcome(200, f"{ADD}/response/200", "A valid new user is added.", answer, after)


def _build_change_outcome(state: Smtp2goState, operation: str, user: Smtp2goUser, old: Smtp2goUser | None) -> Outcome:
    """The outcome by which ``user`` is what ``old`` was; a generated password is what the answer says."""
    password = _match_generated_password(user, operation, old)
    after = state.put_user(user, old, operation)
    rows = match_changed_user(after, user, operation, password)
    clause, why = f"{operation}/response/200", "A valid request is done, and its answer shows the user."
    answer = _wrap_rows(rows) if operation != PATCH else wrap_in_envelope(rows)
    if password is None:
        return Outcome(200, clause, why, answer, after)
    return Outcome(200, clause, why, answer, lambda shown: state.put_user(learn_password(user, shown), old, operation))


def _match_generated_password(user: Smtp2goUser, operation: str, old: Smtp2goUser | None = None) -> Matcher | None:
    """The pattern of a password that the vendor is to generate; None where it is not."""
    if user.password is not GENERATED:
        return None
    before = old.password if old is not None else UNKNOWN
    return ForClause(f"{operation}/effect/password-generated", match_fresh_password(before))


def learn_password(user: Smtp2goUser, body: Any) -> Smtp2goUser:
    """``user`` with the generated password that an answer tells."""
    if user.password is not GENERATED:
        return user
    told = get_single_row(body).get("email_password")
    return replace(user, password=told if isinstance(told, str) and told else UNKNOWN)


def get_single_row(body: Any) -> Mapping[str, Any]:
    """The one row of an answer; empty where there is none, or several."""
    data = body.get("data") if isinstance(body, dict) else None
    rows = data.get("results") if isinstance(data, dict) else data
    one = rows[0] if isinstance(rows, list) and len(rows) == 1 else None
    return one if isinstance(one, dict) else {}


def _build_unknown_user_outcome(state: Smtp2goState, account: Account, operation: str, name: str) -> Outcome:
    """The outcome where it is not known which user was changed, if any."""
    meant = {name, *(user.name for user in find_candidates(state, account, name))}
    why = "It may have been done to a user of whom nothing is known."
    answer = wrap_in_envelope(_ROWS) if operation == PATCH else _wrap_rows(_ROWS)
    return Outcome(200, f"{operation}/response/200", why, answer, state.forget_users(meant))


def _wrap_rows(rows: Matcher) -> ObjectMatcher:
    return wrap_in_envelope(ObjectMatcher({"results": rows}))


def _match_anything(sample: Any) -> Satisfies:
    return Satisfies(sample, lambda _value: True, "anything")
