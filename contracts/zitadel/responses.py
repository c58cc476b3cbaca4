"""The bodies of successful responses: an object's details, its id, or the object itself."""

import datetime as dt
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.matchers import (
    JSON,
    Constant,
    ForClause,
    Matcher,
    Mismatch,
    ObjectMatcher,
    Satisfies,
    ValuePath,
)
from contract_watch.contracts.outcomes import Interpretations
from contracts.zitadel.configs import SmtpConfig
from contracts.zitadel.rules import ACTIVATE, ADD, DEACTIVATE, GET, LIST, STRING_FIELDS

_DAY = 86_400.0
_REPLY_TO = "replyToAddress"
_OWNER = "317512345678900001"
"""The instance that owns every object of the mock."""
STATES = {True: "SMTP_CONFIG_ACTIVE", False: "SMTP_CONFIG_INACTIVE"}
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True)
class NewConfigId:
    """The matcher of an id that the server generates: unreserved characters, 1 to 100 of them, none of ``used_ids``."""

    used_ids: Collection[str]

    def render(self) -> JSON:
        return str(300_000_000_000_000_000 + secrets.randbelow(10**17))

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if not isinstance(value, str) or not 0 < len(value) <= 100 or not _UNRESERVED.issuperset(value):
            yield Mismatch(path, "value", "an id of 1 to 100 unreserved characters")
        elif value in self.used_ids:
            yield Mismatch(path, "repeated", "an id that was not used before")


@dataclass(frozen=True)
class DetailsMatcher(ObjectMatcher):
    """The matcher of an object's details: an `ObjectMatcher` whose changeDate is not before its creationDate."""

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        yield from super().find_mismatches(value, path)
        if isinstance(value, dict):
            created, changed = parse_time(value.get("creationDate")), parse_time(value.get("changeDate"))
            if created is not None and changed is not None and changed < created:
                yield Mismatch((*path, "changeDate"), "value", "a time not before the creationDate")


def parse_time(text: Any) -> float | None:
    """Parse an RFC 3339 time in UTC to seconds since the epoch; return None for any other value."""
    if not isinstance(text, str) or not text.endswith("Z"):
        return None
    try:
        return dt.datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def format_time(at: float) -> str:
    """Format a time in seconds since the epoch like protojson."""
    text = dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="milliseconds")
    return f"{text.removesuffix('+00:00')}Z"


def parse_integer(text: Any) -> int | None:
    """Parse a 64-bit integer in protojson, a string; return None for any other value."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 20 else None


def get_sequence(body: Any, *path: str) -> int | None:
    """Return the sequence in the details below ``path`` of a response, None if it has none."""
    return parse_integer(get_value(body, *path, "details", "sequence"))


def get_active(body: Any) -> bool | None:
    """Return True if the returned configuration is active, None if its state is unknown."""
    return next((active for active, text in STATES.items() if text == get_value(body, "state")), None)


def get_value(body: Any, *path: str) -> Any:
    """Return the value at ``path`` in a response, None if it does not exist."""
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def match_addition(
    interpretations: Interpretations, used_ids: Collection[str], sequence: int, at: float
) -> ObjectMatcher:
    """Build the matcher of the response to an addition."""
    return ObjectMatcher(
        {
            "details": _match_change_details(interpretations, ADD, _match_new_sequence(sequence, 0), at, at),
            "id": NewConfigId(used_ids),
        }
    )


def match_change(
    interpretations: Interpretations,
    operation: str,
    config: SmtpConfig | None,
    sequence: int,
    at: float,
    *,
    is_unchanged: bool,
) -> ObjectMatcher:
    """Build the matcher of the response to a change of ``config`` (None: unknown); the mock renders ``sequence``.

    ``is_unchanged`` marks a password that equals the previous one, which need not count as a change.
    """
    last = config.sequence if config is not None else 0
    last -= is_unchanged
    if operation == DEACTIVATE and config is not None and config.is_active is not True:
        # A configuration that is already inactive need not change, so its sequence can be the old one.
        last, sequence = last - 1, config.sequence if config.is_active is False else sequence
    created_at = config.created_at if config is not None else at
    new_sequence = _match_new_sequence(sequence, last)
    return ObjectMatcher({"details": _match_change_details(interpretations, operation, new_sequence, at, created_at)})


def match_config_response(
    interpretations: Interpretations, name: str, config: SmtpConfig | None, at: float
) -> ObjectMatcher:
    """Build the matcher of the response to a read: the last settings, only the id for an unknown configuration."""
    return ObjectMatcher(
        {
            "smtpConfig": ObjectMatcher({"id": Constant(name)})
            if config is None
            else match_config(interpretations, config, at, GET)
        }
    )


def match_config(interpretations: Interpretations, config: SmtpConfig, at: float, reader: str) -> ObjectMatcher:
    """Build the matcher of a configuration in the response of ``reader``; the list can omit more than a read."""
    possible = [config.is_active] if config.is_active is not None else [False, True]
    states = [STATES[is_active] for is_active in possible]
    state = Satisfies(states[0], lambda value: value in states, " or ".join(states))
    required: dict[str, Matcher] = {
        "id": Constant(config.id),
        "state": _for_clause(config, config.state_clause, state, reader),
        "details": DetailsMatcher(
            {
                "sequence": _for_clause(config, config.sequence_clause, _match_known_sequence(config), reader),
                "changeDate": _match_time(config.changed_at, config.changed_at - _DAY, at + _DAY),
                "resourceOwner": _match_owner(),
            },
            {"creationDate": _match_time(config.created_at, config.created_at - _DAY, config.created_at + _DAY)},
            rendered_optional=frozenset({"creationDate"}),
        ),
    }
    optional: dict[str, Matcher] = {}
    forbidden: dict[str, str] = {}
    rendered: set[str] = set()
    for setting in STRING_FIELDS:
        expected, clause = config.settings[setting], f"{ADD}/effect/{setting}"
        if expected == "":
            forbidden[setting] = clause  # protojson omits zero values
        elif expected is None or not expected.strip():
            optional[setting] = Satisfies(expected or "unknown", lambda value: isinstance(value, str), "a string")
            rendered |= {setting} if expected and interpretations.get_choices("spaces")[0] == "kept" else set()
        else:
            required[setting] = _for_clause(config, clause, _match_string(interpretations, expected), reader)
    if config.settings["tls"]:
        required["tls"] = _for_clause(config, f"{ADD}/effect/tls", Constant(True), reader)
    else:
        forbidden["tls"] = f"{ADD}/effect/tls"
    if reader == LIST and _REPLY_TO in required:
        optional[_REPLY_TO] = required.pop(_REPLY_TO)
        rendered |= {_REPLY_TO} if interpretations.get_choices("listed-reply-to")[0] == "shown" else set()
    return ObjectMatcher(required, optional, forbidden, frozenset(rendered))


def _match_change_details(
    interpretations: Interpretations, operation: str, sequence: Matcher, at: float, created_at: float
) -> DetailsMatcher:
    """Build the matcher of the details after a change; for activation and deactivation both dates are optional."""
    is_activation = operation in (ACTIVATE, DEACTIVATE)
    # The source sets the creationDate in the response of an activation to the time of the activation.
    dates: Mapping[str, Matcher] = {
        "creationDate": _match_time(at if is_activation else created_at, created_at - _DAY, at + _DAY),
        "changeDate": _match_time(at, at - _DAY, at + _DAY),
    }
    choice = interpretations.get_choices("activation-dates" if is_activation else "change-dates")[0]
    rendered = frozenset(date for date in dates if choice in ("both", date.removesuffix("Date")))
    required: Mapping[str, Matcher] = {
        "sequence": ForClause(f"{operation}/effect/sequence", sequence),
        "resourceOwner": _match_owner(),
    }
    if is_activation:
        return DetailsMatcher(required, dates, rendered_optional=rendered)
    required = {**required, "changeDate": dates["changeDate"]}
    return DetailsMatcher(required, {"creationDate": dates["creationDate"]}, rendered_optional=rendered)


def _for_clause(config: SmtpConfig, clause: str, matcher: Matcher, reader: str) -> ForClause:
    """Require ``matcher`` by ``clause``; the last operation since a read is suspected.

    Without one, a wrong value in the list is the list's own fault.
    """
    if config.last_operation and not clause.startswith(f"{config.last_operation}/"):
        return ForClause(clause, matcher, f"{config.last_operation}/effect/untouched")
    return ForClause(clause, matcher, f"{LIST}/effect/as-read" if reader == LIST else None)


def _match_new_sequence(sample: int, last: int) -> Satisfies:
    def is_later(value: Any) -> bool:
        sequence = parse_integer(value)
        return sequence is not None and sequence > max(last, 0)

    return Satisfies(str(sample), is_later, f"a sequence above {last}" if last > 0 else "a sequence")


def _match_known_sequence(config: SmtpConfig) -> Satisfies:
    last = config.sequence

    def is_possible(value: Any) -> bool:
        sequence = parse_integer(value)
        return sequence is not None and (sequence == last if config.is_sequence_exact else sequence >= last)

    expected = f"the sequence {last}" if config.is_sequence_exact else f"a sequence not below {last}"
    return Satisfies(str(last), is_possible, expected)


def _match_string(interpretations: Interpretations, expected: str) -> Satisfies:
    def is_equal(value: Any) -> bool:
        return isinstance(value, str) and value.strip() == expected.strip()

    sample = expected.strip() if interpretations.get_choices("spaces")[0] == "trimmed" else expected
    return Satisfies(sample, is_equal, f"the string that was set, {sample!r}")


def _match_owner() -> Satisfies:
    return Satisfies(_OWNER, lambda value: isinstance(value, str), "a string")


def _match_time(sample: float, earliest: float, latest: float) -> Satisfies:
    """Build the matcher of a time between two bounds, which callers set a day wide: clocks differ."""

    def is_within(value: Any) -> bool:
        time = parse_time(value)
        return time is not None and earliest < time < latest

    return Satisfies(format_time(sample), is_within, "a time near the change")
