"""How answers show users: what was set has to stand in them, what was not may be shown as nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contract_watch.contracts.matchers import (
    JSON,
    Constant,
    ExpectedRow,
    ForClause,
    FreshSecret,
    ListMatcher,
    Matcher,
    Mismatch,
    ObjectMatcher,
    Satisfies,
    ValuePath,
)
from contracts.smtp2go import passwords, periods
from contracts.smtp2go.names import fold_name, may_collide
from contracts.smtp2go.rules import ADD, PATCH, PROPERTIES, VIEW
from contracts.smtp2go.users import RATELIMIT, UNKNOWN, Smtp2goState, Smtp2goUser

_EMPTY_VALUES = (None, "")
_EMPTY_PERIOD = "0:00:00"
_NEVER_REQUIRED = ("email_password", "click_tracking_enabled")
"""What was set and need not be shown: a deprecated property, and one that only the patch's page knows in answers."""
_RESPONSE_NAMES = {"ip_pool": "ippool"}


@dataclass(frozen=True)
class ReplacementSecret(FreshSecret):
    """A fresh secret that is not ``old``."""

    previous: str = field(default="", repr=False)

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        yield from super().find_mismatches(value, path)
        if value == self.previous:
            yield Mismatch(path, "value", "another password than before")


def match_fresh_password(previous: Any = UNKNOWN) -> FreshSecret:
    """A password that the vendor generates, in place of ``old`` where that is known."""
    bounds = (passwords.SHORTEST_GENERATED, passwords.LONGEST, 24)
    return ReplacementSecret(*bounds, previous) if isinstance(previous, str) else FreshSecret(*bounds)


def match_changed_user(
    state: Smtp2goState, user: Smtp2goUser, operation: str, password: Matcher | None = None
) -> ListMatcher:
    """The rows of an answer to a change of ``user``: that user, as it is now, and nobody else."""
    clause = user.clause_by_setting["username"] if operation == ADD else f"{operation}/response/200"
    row = match_user(state, user, operation, password)
    known = {user.name: ExpectedRow(row, clause)}
    return ListMatcher("username", known, get_absence_clause=lambda _name: clause)


def match_unnamed_user(state: Smtp2goState, user: Smtp2goUser, password: Matcher | None) -> ListMatcher:
    """The same where only the answer tells what the vendor made of an odd name."""
    accepts: Callable[[str], bool] = lambda name: may_collide(user.name, name)  # noqa: E731
    row = match_user(state, user, ADD, password, name=Satisfies(user.name, lambda _name: True, "a name"))
    return ListMatcher("username", {}, [ExpectedRow(row, f"{ADD}/effect/username", accepts)])


def match_users(state: Smtp2goState, account: str, requested_name: str | None) -> ListMatcher:
    """What a view shows: the account's users, each once, as they were last set; or the one asked for."""
    found = state.find_user(account, requested_name) if requested_name is not None else None
    wanted = state.list_users(account) if requested_name is None else [found] if found is not None else []
    known = {u.name: ExpectedRow(match_user(state, u, VIEW), u.clause_by_setting["username"], suspected_clause=state.find_suspected_clause(u, "username"))
             for u in wanted}  # fmt: skip

    def absent(name: str) -> str | None:
        if requested_name is not None and not _may_be_shown_for(requested_name, name):
            return f"{VIEW}/rule/only-named"
        if any(user.name == name for user in state.users) or not state.is_known_absent(name, account):
            return None
        return state.removed_names.get(name, f"{ADD}/rule/refused-changes-nothing")

    return ListMatcher("username", known, get_absence_clause=absent)


def _may_be_shown_for(requested_name: str, name: str) -> bool:
    """Whether a view of ``asked`` may show ``name``: how a name is looked for no page says, part of it may do."""
    return fold_name(requested_name) in fold_name(name) or may_collide(requested_name, name)


def match_user(
    state: Smtp2goState, user: Smtp2goUser, operation: str, password: Matcher | None = None, name: Matcher | None = None
) -> ObjectMatcher:
    """One user as ``operation`` shows it; ``password`` and ``name`` are their patterns where the answer is to tell them."""
    required: dict[str, Matcher] = {"username": name or Constant(user.name)}
    optional: dict[str, Matcher] = {}
    said = set[str]()
    for setting in PROPERTIES:
        pattern = _match_setting(state, user, setting, password)
        if pattern is None:
            continue
        shown, clause = _RESPONSE_NAMES.get(setting, setting), user.clause_by_setting.get(setting)
        if clause is not None:
            pattern = ForClause(clause, pattern, state.find_suspected_clause(user, setting))
        (required if _is_required(user, setting) else optional)[shown] = pattern
        if state.is_complete and _is_rendered(state, user, setting, operation):
            said.add(shown)
    allowed = Satisfies(True, lambda value: isinstance(value, bool), "true or false")
    if operation == PATCH:
        return _match_patched_user(
            state, user, required, {**optional, "sending_allowed": allowed}, said | {"sending_allowed"}
        )
    if "custom_ratelimit" in optional:
        required["custom_ratelimit"] = optional.pop("custom_ratelimit")
    return ObjectMatcher(
        {**required, "sending_allowed": allowed}, optional, rendered_optional=frozenset(said & optional.keys())
    )


def _match_patched_user(
    state: Smtp2goState,
    user: Smtp2goUser,
    required: dict[str, Matcher],
    optional: dict[str, Matcher],
    rendered_optional: set[str],
) -> ObjectMatcher:
    """The row of a patch's answer: its page's example leaves most out, so only the name has to be there.

    The mock says all that it would say elsewhere, or only what the patch named.
    """
    every = {**optional, **required}
    if "custom_ratelimit" in every:
        every["custom_rate_limit"] = every["custom_ratelimit"]  # as the page spells it in answers
    named = {"username": every.pop("username")}
    if not state.is_complete:
        return ObjectMatcher(named, every)
    sent = {_RESPONSE_NAMES.get(setting, setting) for setting in user.unviewed_changes}
    shown = sent if state.get_choice("patched-rows") == "sent" else rendered_optional | required.keys()
    return ObjectMatcher(named, every, rendered_optional=frozenset(shown & every.keys()))


def _is_required(user: Smtp2goUser, setting: str) -> bool:
    """Whether a request set it to something."""
    named = setting in user.sent_settings and setting not in _NEVER_REQUIRED
    return named and user.settings[setting] is not None and user.settings[setting] is not UNKNOWN


def _is_rendered(state: Smtp2goState, user: Smtp2goUser, setting: str, operation: str) -> bool:
    """Whether the mock says a setting that need not be shown."""
    if setting == "email_password":
        return state.get_choice("shown-passwords") == "shown"
    if setting == "click_tracking_enabled":
        shown = state.get_choice("shown-clicks")
        return shown == "always" or (shown == "patched" and operation == PATCH)
    if setting == "ip_pool":
        return user.settings[setting] is not None
    return user.settings[setting] is not None or state.get_choice("omitted-text") != "absent" or setting in RATELIMIT


def _match_setting(state: Smtp2goState, user: Smtp2goUser, setting: str, password: Matcher | None) -> Matcher | None:
    """What a setting must be shown as; None where anything will do."""
    if setting == "email_password":
        return password or _match_password(user.password)
    wanted = user.settings[setting]
    if wanted is UNKNOWN:
        return None
    if wanted is None:
        return _match_empty(state, setting)
    if not isinstance(wanted, str):
        return Constant(wanted)
    if setting == "custom_ratelimit_period":
        said = (
            periods.format_as_clock(wanted)
            if state.is_complete and state.get_choice("shown-periods") == "clock"
            else wanted
        )
        return Satisfies(
            said, lambda value: isinstance(value, str) and periods.may_be_equal(value, wanted), f"the period {wanted}"
        )
    if setting in ("audit_email", "bounce_notifications", "feedback_domain"):
        same = wanted.casefold()
        return Satisfies(wanted, lambda value: isinstance(value, str) and value.casefold() == same, wanted)
    return Constant(wanted)


def _match_password(wanted: Any) -> Matcher | None:
    if wanted is UNKNOWN:
        return None
    if wanted is None:
        return Satisfies("", lambda value: value in _EMPTY_VALUES, "no password")
    return Satisfies(wanted, lambda value: value == wanted, "the password that was set")


def _match_empty(state: Smtp2goState, setting: str) -> Matcher:
    """How nothing is shown: of texts no page says it; a custom rate limit that there is not is null and `0:00:00`."""
    if setting == "custom_ratelimit_period":
        return Satisfies(_EMPTY_PERIOD, lambda value: value in (*_EMPTY_VALUES, _EMPTY_PERIOD), _EMPTY_PERIOD)
    if setting in ("custom_ratelimit_value", "ip_pool"):
        return Satisfies(None, lambda value: value is None or (value == 0 and value is not False), "null")
    nothing: tuple[Any, ...] = (*_EMPTY_VALUES, "default") if setting == "feedback_domain" else _EMPTY_VALUES
    empty: Mapping[str, Any] = {"audit_email": None, "feedback_domain": "default"}
    said = None if state.is_complete and state.get_choice("omitted-text") == "null" else empty.get(setting, "")
    return Satisfies(said, lambda value: value in nothing, "nothing")
