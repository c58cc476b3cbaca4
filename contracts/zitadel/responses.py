"""What ZITADEL answers to what it does: a history of the object, its id, or the object itself."""

import datetime as dt
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.interpretations import Readings
from contract_watch.contracts.matchers import JSON, Constant, Fields, Mismatch, Path, Pattern, Promised, Where
from contracts.zitadel.configs import Config
from contracts.zitadel.rules import ACTIVATE, ADD, DEACTIVATE, GET, LIST, TEXTS

_DAY = 86_400.0
_REPLY_TO = "replyToAddress"
_OWNER = "317512345678900001"
"""The instance that the mock says everything belongs to."""
STATES = {True: "SMTP_CONFIG_ACTIVE", False: "SMTP_CONFIG_INACTIVE"}
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True)
class NewId:
    """An id that the server makes: safe in a path, of 1 to 100 characters, and none of ``taken``."""

    taken: Collection[str]

    def render(self) -> JSON:
        return str(300_000_000_000_000_000 + secrets.randbelow(10**17))

    def mismatches(self, value: JSON, path: Path = ()) -> Iterator[Mismatch]:
        if not isinstance(value, str) or not 0 < len(value) <= 100 or not _UNRESERVED.issuperset(value):
            yield Mismatch(path, "value", "an id of 1 to 100 characters that need no escape in a path")
        elif value in self.taken:
            yield Mismatch(path, "repeated", "an id that was never given before")


@dataclass(frozen=True)
class History(Fields):
    """An object's details: as `Fields`, and never changed before it was made."""

    def mismatches(self, value: JSON, path: Path = ()) -> Iterator[Mismatch]:
        yield from super().mismatches(value, path)
        if isinstance(value, dict):
            made, changed = moment(value.get("creationDate")), moment(value.get("changeDate"))
            if made is not None and changed is not None and changed < made:
                yield Mismatch((*path, "changeDate"), "value", "a time not before the creationDate")


def moment(text: Any) -> float | None:
    """The seconds since the epoch of an RFC 3339 time in UTC; None where it is none."""
    if not isinstance(text, str) or not text.endswith("Z"):
        return None
    try:
        return dt.datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def time(at: float) -> str:
    """The time of so many seconds since the epoch, as protojson writes it."""
    text = dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="milliseconds")
    return f"{text.removesuffix('+00:00')}Z"


def number(text: Any) -> int | None:
    """The value of a 64-bit integer as protojson writes it; None where it is none."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 20 else None


def sequence_in(shown: Any, *way: str) -> int | None:
    """The sequence that an answer says, in the details below ``way``."""
    return number(value_in(shown, *way, "details", "sequence"))


def active_in(shown: Any) -> bool | None:
    """Whether a configuration that was shown is active; None where it does not say."""
    return next((active for active, text in STATES.items() if text == value_in(shown, "state")), None)


def value_in(shown: Any, *way: str) -> Any:
    """What stands in an answer at the end of ``way``; None where it does not lead so far."""
    for name in way:
        shown = shown.get(name) if isinstance(shown, dict) else None
    return shown


def added(readings: Readings, taken: Collection[str], sequence: int, at: float) -> Fields:
    """The answer to an addition."""
    return Fields({"details": _change(readings, ADD, _sequence(sequence, 0), at, at), "id": NewId(taken)})


def changed(
    readings: Readings, operation: str, config: Config | None, sequence: int, at: float, *, unchanged: bool
) -> Fields:
    """The answer to a change of ``config``, None where nothing is known of it; the mock says ``sequence``.

    A password that is ``unchanged`` need not count as a change.
    """
    last = config.sequence if config is not None else 0
    last -= unchanged
    if operation == DEACTIVATE and config is not None and config.active is not True:
        # What is inactive already need not change: its sequence may be the old one.
        last, sequence = last - 1, config.sequence if config.active is False else sequence
    made = config.created if config is not None else at
    return Fields({"details": _change(readings, operation, _sequence(sequence, last), at, made)})


def found(readings: Readings, name: str, config: Config | None, at: float) -> Fields:
    """The answer to reading: the configuration as it was last set; one of which nothing is known has its id at least."""
    return Fields({"smtpConfig": Fields({"id": Constant(name)}) if config is None else row(readings, config, at, GET)})


def row(readings: Readings, config: Config, at: float, reader: str) -> Fields:
    """A configuration as it was last set, as ``reader`` shows it: of the two that read, the list may leave more out."""
    states = [config.active] if config.active is not None else [False, True]
    shown = [STATES[active] for active in states]
    state = Where(shown[0], lambda value: value in shown, " or ".join(shown))
    required: dict[str, Pattern] = {
        "id": Constant(config.id),
        "state": _owed(config, config.state_by, state, reader),
        "details": History(
            {
                "sequence": _owed(config, config.sequence_by, _seen(config), reader),
                "changeDate": _time(config.changed, config.changed - _DAY, at + _DAY),
                "resourceOwner": _owner(),
            },
            {"creationDate": _time(config.created, config.created - _DAY, config.created + _DAY)},
            said=frozenset({"creationDate"}),
        ),
    }
    optional: dict[str, Pattern] = {}
    never: dict[str, str] = {}
    said: set[str] = set()
    for setting in TEXTS:
        wanted, clause = config.settings[setting], f"{ADD}/effect/{setting}"
        if wanted == "":
            never[setting] = clause  # protojson omits zero values
        elif wanted is None or not wanted.strip():
            optional[setting] = Where(wanted or "unknown", lambda value: isinstance(value, str), "a text")
            said |= {setting} if wanted and readings.choices("spaces")[0] == "kept" else set()
        else:
            required[setting] = _owed(config, clause, _text(readings, wanted), reader)
    if config.settings["tls"]:
        required["tls"] = _owed(config, f"{ADD}/effect/tls", Constant(True), reader)
    else:
        never["tls"] = f"{ADD}/effect/tls"
    if reader == LIST and _REPLY_TO in required:
        optional[_REPLY_TO] = required.pop(_REPLY_TO)
        said |= {_REPLY_TO} if readings.choices("listed-reply-to")[0] == "shown" else set()
    return Fields(required, optional, never, frozenset(said))


def _change(readings: Readings, operation: str, sequence: Pattern, at: float, made: float) -> History:
    """The details that answer a change: activation and deactivation need not say when that was."""
    activation = operation in (ACTIVATE, DEACTIVATE)
    # The source fills the creationDate of an activation with the time of the activation.
    dates: Mapping[str, Pattern] = {
        "creationDate": _time(at if activation else made, made - _DAY, at + _DAY),
        "changeDate": _time(at, at - _DAY, at + _DAY),
    }
    told = readings.choices("activation-dates" if activation else "change-dates")[0]
    said = frozenset(date for date in dates if told in ("both", date.removesuffix("Date")))
    required: Mapping[str, Pattern] = {
        "sequence": Promised(f"{operation}/effect/sequence", sequence),
        "resourceOwner": _owner(),
    }
    if activation:
        return History(required, dates, said=said)
    return History({**required, "changeDate": dates["changeDate"]}, {"creationDate": dates["creationDate"]}, said=said)


def _owed(config: Config, clause: str, pattern: Pattern, reader: str) -> Promised:
    """The pattern, owed to ``clause``; what was well set may have been spoilt by the last change since it was read.

    Where there was none, the list shows otherwise what reading shows well.
    """
    if config.since and not clause.startswith(f"{config.since}/"):
        return Promised(clause, pattern, f"{config.since}/effect/untouched")
    return Promised(clause, pattern, f"{LIST}/effect/as-read" if reader == LIST else None)


def _sequence(said: int, last: int) -> Where:
    def holds(value: Any) -> bool:
        found = number(value)
        return found is not None and found > max(last, 0)

    return Where(str(said), holds, f"a sequence above {last}" if last > 0 else "a sequence")


def _seen(config: Config) -> Where:
    last = config.sequence

    def holds(value: Any) -> bool:
        found = number(value)
        return found is not None and (found == last if config.exact else found >= last)

    return Where(str(last), holds, f"the sequence {last}" if config.exact else f"a sequence not below {last}")


def _text(readings: Readings, wanted: str) -> Where:
    said = wanted.strip() if readings.choices("spaces")[0] == "trimmed" else wanted
    same: Callable[[Any], bool] = lambda value: isinstance(value, str) and value.strip() == wanted.strip()  # noqa: E731
    return Where(said, same, f"the text that was set, {said!r}")


def _owner() -> Where:
    return Where(_OWNER, lambda value: isinstance(value, str), "a text")


def _time(said: float, earliest: float, latest: float) -> Where:
    """A time in bounds that are a day wide on both sides: clocks differ, but a wrong year shows."""

    def holds(value: Any) -> bool:
        found = moment(value)
        return found is not None and earliest < found < latest

    return Where(time(said), holds, "a time near the change")
