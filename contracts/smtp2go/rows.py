"""The rows of users in responses: settings that were set are required, others can be absent or empty."""

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
"""Settings that no response must contain: a deprecated one, and one that only the page of patch has in responses."""
_RESPONSE_NAMES = {"ip_pool": "ippool"}


@dataclass(frozen=True)
class ReplacementSecret(FreshSecret):
    """The matcher of fresh secrets that differ from ``previous``."""

    previous: str = field(default="", repr=False)

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        yield from super().find_mismatches(value, path)
        if value == self.previous:
            yield Mismatch(path, "value", "a password that differs from the previous one")


def match_fresh_password(previous: Any = UNKNOWN) -> FreshSecret:
    """Build the matcher of a generated password, which differs from ``previous`` if that is known."""
    bounds = (passwords.SHORTEST_GENERATED, passwords.LONGEST, 24)
    return ReplacementSecret(*bounds, previous) if isinstance(previous, str) else FreshSecret(*bounds)


def match_changed_user(
    state: Smtp2goState, user: Smtp2goUser, operation: str, password: Matcher | None = None
) -> ListMatcher:
    """Build the matcher of the rows after a change of ``user``: this user with its new settings, and no other."""
    clause = user.clause_by_setting["username"] if operation == ADD else f"{operation}/response/200"
    row = match_user(state, user, operation, password)
    known = {user.name: ExpectedRow(row, clause)}
    return ListMatcher("username", known, get_absence_clause=lambda _name: clause)


def match_unnamed_user(state: Smtp2goState, user: Smtp2goUser, password: Matcher | None) -> ListMatcher:
    """Build the matcher of the rows after an addition whose stored name only the response tells."""
    accepts: Callable[[str], bool] = lambda name: may_collide(user.name, name)  # noqa: E731
    row = match_user(state, user, ADD, password, name=Satisfies(user.name, lambda _name: True, "a name"))
    return ListMatcher("username", {}, [ExpectedRow(row, f"{ADD}/effect/username", accepts)])


def match_users(state: Smtp2goState, account: str, requested_name: str | None) -> ListMatcher:
    """Build the matcher of a view: each of the account's users once, or the requested one alone."""
    if requested_name is None:
        users = state.list_users(account)
    else:
        user = state.find_user(account, requested_name)
        users = [user] if user is not None else []
    known = {
        user.name: ExpectedRow(
            match_user(state, user, VIEW),
            user.clause_by_setting["username"],
            suspected_clause=state.find_suspected_clause(user, "username"),
        )
        for user in users
    }

    def get_absence_clause(name: str) -> str | None:
        if requested_name is not None and not _may_be_shown_for(requested_name, name):
            return f"{VIEW}/rule/only-named"
        if any(user.name == name for user in state.users) or not state.is_known_absent(name, account):
            return None
        return state.removed_names.get(name, f"{ADD}/rule/refused-changes-nothing")

    return ListMatcher("username", known, get_absence_clause=get_absence_clause)


def _may_be_shown_for(requested_name: str, name: str) -> bool:
    """Return True if a view of ``requested_name`` can contain ``name``; no page rules out a search by part of a name."""
    return fold_name(requested_name) in fold_name(name) or may_collide(requested_name, name)


def match_user(
    state: Smtp2goState, user: Smtp2goUser, operation: str, password: Matcher | None = None, name: Matcher | None = None
) -> ObjectMatcher:
    """Build the matcher of a user's row in a response of ``operation``.

    ``password`` and ``name`` are matchers of values that only the response tells.
    """
    required: dict[str, Matcher] = {"username": name or Constant(user.name)}
    optional: dict[str, Matcher] = {}
    rendered = set[str]()
    for setting in PROPERTIES:
        matcher = _match_setting(state, user, setting, password)
        if matcher is None:
            continue
        property_name, clause = _RESPONSE_NAMES.get(setting, setting), user.clause_by_setting.get(setting)
        if clause is not None:
            matcher = ForClause(clause, matcher, state.find_suspected_clause(user, setting))
        (required if _is_required(user, setting) else optional)[property_name] = matcher
        if state.is_complete and _is_rendered(state, user, setting, operation):
            rendered.add(property_name)
    sending_allowed = Satisfies(True, lambda value: isinstance(value, bool), "true or false")
    if operation == PATCH:
        optional["sending_allowed"] = sending_allowed
        return _match_patched_user(state, user, required, optional, rendered | {"sending_allowed"})
    if "custom_ratelimit" in optional:
        required["custom_ratelimit"] = optional.pop("custom_ratelimit")
    required["sending_allowed"] = sending_allowed
    return ObjectMatcher(required, optional, rendered_optional=frozenset(rendered & optional.keys()))


def _match_patched_user(
    state: Smtp2goState,
    user: Smtp2goUser,
    required: dict[str, Matcher],
    optional: dict[str, Matcher],
    rendered_optional: set[str],
) -> ObjectMatcher:
    """Build the matcher of a row in a response of patch: only the name is required, as in the page's example.

    The mock renders the same properties as elsewhere, or only those of the request.
    """
    properties = {**optional, **required}
    if "custom_ratelimit" in properties:
        properties["custom_rate_limit"] = properties["custom_ratelimit"]  # the page's name in responses
    name = {"username": properties.pop("username")}
    if not state.is_complete:
        return ObjectMatcher(name, properties)
    sent = {_RESPONSE_NAMES.get(setting, setting) for setting in user.unviewed_changes}
    rendered = sent if state.get_choice("patched-rows") == "sent" else rendered_optional | required.keys()
    return ObjectMatcher(name, properties, rendered_optional=frozenset(rendered & properties.keys()))


def _is_required(user: Smtp2goUser, setting: str) -> bool:
    """Return True if a request gave the setting a known value, which responses must then contain."""
    was_sent = setting in user.sent_settings and setting not in _NEVER_REQUIRED
    return was_sent and user.settings[setting] is not None and user.settings[setting] is not UNKNOWN


def _is_rendered(state: Smtp2goState, user: Smtp2goUser, setting: str, operation: str) -> bool:
    """Return True if the mock renders an optional setting."""
    if setting == "email_password":
        return state.get_choice("shown-passwords") == "shown"
    if setting == "click_tracking_enabled":
        choice = state.get_choice("shown-clicks")
        return choice == "always" or (choice == "patched" and operation == PATCH)
    if setting == "ip_pool":
        return user.settings[setting] is not None
    return user.settings[setting] is not None or state.get_choice("omitted-text") != "absent" or setting in RATELIMIT


def _match_setting(state: Smtp2goState, user: Smtp2goUser, setting: str, password: Matcher | None) -> Matcher | None:
    """Build the matcher of a setting's value; None if any value is allowed."""
    if setting == "email_password":
        return password or _match_password(user.password)
    expected = user.settings[setting]
    if expected is UNKNOWN:
        return None
    if expected is None:
        return _match_empty(state, setting)
    if not isinstance(expected, str):
        return Constant(expected)
    if setting == "custom_ratelimit_period":
        as_clock = state.is_complete and state.get_choice("shown-periods") == "clock"
        return Satisfies(
            periods.format_as_clock(expected) if as_clock else expected,
            lambda value: isinstance(value, str) and periods.may_be_equal(value, expected),
            f"the period {expected}",
        )
    if setting in ("audit_email", "bounce_notifications", "feedback_domain"):
        folded = expected.casefold()
        return Satisfies(expected, lambda value: isinstance(value, str) and value.casefold() == folded, expected)
    return Constant(expected)


def _match_password(expected: Any) -> Matcher | None:
    if expected is UNKNOWN:
        return None
    if expected is None:
        return Satisfies("", lambda value: value in _EMPTY_VALUES, "no password")
    return Satisfies(expected, lambda value: value == expected, "the password that was set")


def _match_empty(state: Smtp2goState, setting: str) -> Matcher:
    """Build the matcher of an empty setting; an absent rate limit is null and `0:00:00`, empty strings are open."""
    if setting == "custom_ratelimit_period":
        return Satisfies(_EMPTY_PERIOD, lambda value: value in (*_EMPTY_VALUES, _EMPTY_PERIOD), _EMPTY_PERIOD)
    if setting in ("custom_ratelimit_value", "ip_pool"):
        return Satisfies(None, lambda value: value is None or (value == 0 and value is not False), "null")
    allowed: tuple[Any, ...] = (*_EMPTY_VALUES, "default") if setting == "feedback_domain" else _EMPTY_VALUES
    samples: Mapping[str, Any] = {"audit_email": None, "feedback_domain": "default"}
    sample = None if state.is_complete and state.get_choice("omitted-text") == "null" else samples.get(setting, "")
    return Satisfies(sample, lambda value: value in allowed, "an empty value")
