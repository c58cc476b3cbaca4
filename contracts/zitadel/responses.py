"""What ZITADEL answers to what it does: a history of the object, its id, or the object itself."""

import datetime as dt
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.interpretations import Interpretations
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
from contracts.zitadel.configs import SmtpConfig
from contracts.zitadel.rules import ACTIVATE, ADD, DEACTIVATE, GET, LIST, STRING_FIELDS

_DAY = 86_400.0
_REPLY_TO = "replyToAddress"
_OWNER = "317512345678900001"
"""The instance that the mock says everything belongs to."""
STATES = {True: "SMTP_CONFIG_ACTIVE", False: "SMTP_CONFIG_INACTIVE"}
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True)
class NewConfigId:
    """An id that the server makes: safe in a path, of 1 to 100 characters, and none of ``taken``."""

    used_ids: Collection[str]

    def render(self) -> JSON:
        return str(300_000_000_000_000_000 + secrets.randbelow(10**17))

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if not isinstance(value, str) or not 0 < len(value) <= 100 or not _UNRESERVED.issuperset(value):
            yield Mismatch(path, "value", "an id of 1 to 100 characters that need no escape in a path")
        elif value in self.used_ids:
            yield Mismatch(path, "repeated", "an id that was never given before")


@dataclass(frozen=True)
class DetailsMatcher(ObjectMatcher):
    """An object's details: as `ObjectMatcher`, and never changed before it was made."""

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        yield from super().find_mismatches(value, path)
        if isinstance(value, dict):
            made, changed = parse_time(value.get("creationDate")), parse_time(value.get("changeDate"))
            if made is not None and changed is not None and changed < made:
                yield Mismatch((*path, "changeDate"), "value", "a time not before the creationDate")


def parse_time(text: Any) -> float | None:
    """The seconds since the epoch of an RFC 3339 time in UTC; None where it is none."""
    if not isinstance(text, str) or not text.endswith("Z"):
        return None
    try:
        return dt.datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def format_time(at: float) -> str:
    """The time of so many seconds since the epoch, as protojson writes it."""
    text = dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="milliseconds")
    return f"{text.removesuffix('+00:00')}Z"


def parse_integer(text: Any) -> int | None:
    """The value of a 64-bit integer as protojson writes it; None where it is none."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 20 else None


def get_sequence(body: Any, *path: str) -> int | None:
    """The sequence that an answer says, in the details below ``way``."""
    return parse_integer(get_value(body, *path, "details", "sequence"))


def get_active(body: Any) -> bool | None:
    """Whether a configuration that was shown is active; None where it does not say."""
    return next((active for active, text in STATES.items() if text == get_value(body, "state")), None)


def get_value(body: Any, *path: str) -> Any:
    """What stands in an answer at the end of ``way``; None where it does not lead so far."""
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def match_addition(
    interpretations: Interpretations, used_ids: Collection[str], sequence: int, at: float
) -> ObjectMatcher:
    """The answer to an addition."""
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
    """The answer to a change of ``config``, None where nothing is known of it; the mock says ``sequence``.

    A password that is ``unchanged`` need not count as a change.
    """
    last = config.sequence if config is not None else 0
    last -= is_unchanged
    if operation == DEACTIVATE and config is not None and config.is_active is not True:
        # What is inactive already need not change: its sequence may be the old one.
        last, sequence = last - 1, config.sequence if config.is_active is False else sequence
    made = config.created_at if config is not None else at
    return ObjectMatcher(
        {"details": _match_change_details(interpretations, operation, _match_new_sequence(sequence, last), at, made)}
    )


def match_config_response(
    interpretations: Interpretations, name: str, config: SmtpConfig | None, at: float
) -> ObjectMatcher:
    """The answer to reading: the configuration as it was last set; one of which nothing is known has its id at least."""
    return ObjectMatcher(
        {
            "smtpConfig": ObjectMatcher({"id": Constant(name)})
            if config is None
            else match_config(interpretations, config, at, GET)
        }
    )


def match_config(interpretations: Interpretations, config: SmtpConfig, at: float, reader: str) -> ObjectMatcher:
    """A configuration as it was last set, as ``reader`` shows it: of the two that read, the list may leave more out."""
    states = [config.is_active] if config.is_active is not None else [False, True]
    shown = [STATES[active] for active in states]
    state = Satisfies(shown[0], lambda value: value in shown, " or ".join(shown))
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
    never: dict[str, str] = {}
    said: set[str] = set()
    for setting in STRING_FIELDS:
        wanted, clause = config.settings[setting], f"{ADD}/effect/{setting}"
        if wanted == "":
            never[setting] = clause  # protojson omits zero values
        elif wanted is None or not wanted.strip():
            optional[setting] = Satisfies(wanted or "unknown", lambda value: isinstance(value, str), "a text")
            said |= {setting} if wanted and interpretations.get_choices("spaces")[0] == "kept" else set()
        else:
            required[setting] = _for_clause(config, clause, _match_string(interpretations, wanted), reader)
    if config.settings["tls"]:
        required["tls"] = _for_clause(config, f"{ADD}/effect/tls", Constant(True), reader)
    else:
        never["tls"] = f"{ADD}/effect/tls"
    if reader == LIST and _REPLY_TO in required:
        optional[_REPLY_TO] = required.pop(_REPLY_TO)
        said |= {_REPLY_TO} if interpretations.get_choices("listed-reply-to")[0] == "shown" else set()
    return ObjectMatcher(required, optional, never, frozenset(said))


def _match_change_details(
    interpretations: Interpretations, operation: str, sequence: Matcher, at: float, created_at: float
) -> DetailsMatcher:
    """The details that answer a change: activation and deactivation need not say when that was."""
    activation = operation in (ACTIVATE, DEACTIVATE)
    # The source fills the creationDate of an activation with the time of the activation.
    dates: Mapping[str, Matcher] = {
        "creationDate": _match_time(at if activation else created_at, created_at - _DAY, at + _DAY),
        "changeDate": _match_time(at, at - _DAY, at + _DAY),
    }
    told = interpretations.get_choices("activation-dates" if activation else "change-dates")[0]
    said = frozenset(date for date in dates if told in ("both", date.removesuffix("Date")))
    required: Mapping[str, Matcher] = {
        "sequence": ForClause(f"{operation}/effect/sequence", sequence),
        "resourceOwner": _match_owner(),
    }
    if activation:
        return DetailsMatcher(required, dates, rendered_optional=said)
    return DetailsMatcher(
        {**required, "changeDate": dates["changeDate"]}, {"creationDate": dates["creationDate"]}, rendered_optional=said
    )


def _for_clause(config: SmtpConfig, clause: str, matcher: Matcher, reader: str) -> ForClause:
    """The pattern, owed to ``clause``; what was well set may have been spoilt by the last change since it was read.

    Where there was none, the list shows otherwise what reading shows well.
    """
    if config.last_operation and not clause.startswith(f"{config.last_operation}/"):
        return ForClause(clause, matcher, f"{config.last_operation}/effect/untouched")
    return ForClause(clause, matcher, f"{LIST}/effect/as-read" if reader == LIST else None)


def _match_new_sequence(sample: int, last: int) -> Satisfies:
    def holds(value: Any) -> bool:
        found = parse_integer(value)
        return found is not None and found > max(last, 0)

    return Satisfies(str(sample), holds, f"a sequence above {last}" if last > 0 else "a sequence")


def _match_known_sequence(config: SmtpConfig) -> Satisfies:
    last = config.sequence

    def holds(value: Any) -> bool:
        found = parse_integer(value)
        return found is not None and (found == last if config.is_sequence_exact else found >= last)

    return Satisfies(
        str(last), holds, f"the sequence {last}" if config.is_sequence_exact else f"a sequence not below {last}"
    )


def _match_string(interpretations: Interpretations, wanted: str) -> Satisfies:
    said = wanted.strip() if interpretations.get_choices("spaces")[0] == "trimmed" else wanted
    same: Callable[[Any], bool] = lambda value: isinstance(value, str) and value.strip() == wanted.strip()  # noqa: E731
    return Satisfies(said, same, f"the text that was set, {said!r}")


def _match_owner() -> Satisfies:
    return Satisfies(_OWNER, lambda value: isinstance(value, str), "a text")


def _match_time(sample: float, earliest: float, latest: float) -> Satisfies:
    """A time in bounds that are a day wide on both sides: clocks differ, but a wrong year shows."""

    def holds(value: Any) -> bool:
        found = parse_time(value)
        return found is not None and earliest < found < latest

    return Satisfies(format_time(sample), holds, "a time near the change")
