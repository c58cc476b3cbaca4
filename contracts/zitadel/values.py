"""Values of ZITADEL's own: operations, states, errors with ids, and the history of an object."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from contract_watch.contracts.matchers import JSON, ForClause, Matcher, Mismatch, ObjectMatcher, Satisfies, ValuePath
from contract_watch.contracts.outcomes import Interpretations
from contract_watch.contracts.resource import fixed_values
from contract_watch.contracts.resource.matchers import match_anything, match_time
from contract_watch.contracts.resource.pages import PageMatcher
from contract_watch.contracts.resource.seen import Seen
from contract_watch.contracts.resource.state import Item
from contract_watch.contracts.resource.stored_values import format_time, parse_time

ADD, GET, LIST = "addSmtpConfig", "getSmtpConfigById", "listSmtpConfigs"
ACTIVATE, DEACTIVATE = "activateSmtpConfig", "deactivateSmtpConfig"
PASSWORDS = ("updateSmtpConfigPassword", "updateEmailProviderSmtpPassword")
"""The deprecated operation and its successor, which do the same."""
ACTIVE, INACTIVE = "SMTP_CONFIG_ACTIVE", "SMTP_CONFIG_INACTIVE"
OTHERS, AS_READ = f"{ACTIVATE}/effect/others", f"{LIST}/effect/as-read"
OWNER = "317512345678900001"
"""The instance that owns every object of the mock."""
_CREATED = "creationDate"
_FIXED = frozenset({_CREATED, "resourceOwner"})
"""The details that stay: the date of an object's first event, and the instance that owns it."""
_HISTORY = "changeDate"
_RESOLUTION = 0.001
"""Seconds between a read and a later change that its date shows."""
_DETAIL = "type.googleapis.com/zitadel.v1.ErrorDetail"
_ERROR_ID = re.compile(r"(.*) \(([A-Z0-9]+-[A-Za-z0-9]+)\)", re.DOTALL)
"""The message of one of the vendor's own errors, and its id."""


def get_value(body: Any, *path: str) -> Any:
    """Return the value at ``path`` in a response, None if it does not exist."""
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def get_sequence(body: Any) -> int | None:
    """Return the sequence in a response's details, a quoted 64-bit integer; None if it has none."""
    text = get_value(body, "details", "sequence")
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 20 else None


@dataclass(frozen=True)
class ErrorMatcher(ObjectMatcher):
    """The matcher of an error: an `ObjectMatcher` whose details, if any, contain the id after the message.

    ``choices`` are the possible values of the interpretation ``error-details``.
    """

    choices: tuple[str, ...] = ()

    @classmethod
    def build(cls, error: ObjectMatcher, message: str, interpretations: Interpretations) -> "ErrorMatcher":
        """Build the matcher of ``error`` with any message; the mock shows ``message``."""
        choices = interpretations.get_choices("error-details", str(error.required["code"].render()))
        found = _ERROR_ID.fullmatch(message)
        details = [{"@type": _DETAIL, "id": found[2], "message": found[1]}] if found else []
        is_shown = found is not None and choices[0] == "shown"
        return cls(
            {**error.required, "message": Satisfies(message, lambda value: isinstance(value, str), "a string")},
            {"details": Satisfies(details, lambda value: isinstance(value, list), "a list")},
            rendered_optional=frozenset({"details"} if is_shown else ()),
            choices=choices,
        )

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        yield from super().find_mismatches(value, path)
        found = find_error_id(value)
        if found is None or ("details" not in value and "omitted" in self.choices):
            return
        details = value.get("details")
        objects = [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []
        if [
            one.get("id") for one in objects if one.get("@type") == _DETAIL and isinstance(one.get("message"), str)
        ] != [found]:
            yield Mismatch((*path, "details"), "value", f"one ErrorDetail with the id {found} and a message")

    def narrow(self, interpretations: Interpretations, answer: Any) -> Interpretations:
        """Narrow the interpretation ``error-details``: all errors with an id and the same code are alike."""
        choice = "shown" if get_value(answer, "details") is not None else "omitted"
        if find_error_id(answer) is None or choice not in self.choices:
            return interpretations  # an earlier response has decided it
        return interpretations.narrow("error-details", (choice,), str(self.required["code"].render()))


def find_error_id(body: Any) -> str | None:
    """Return the id after the message of an error; None if it has none."""
    message = get_value(body, "message")
    found = _ERROR_ID.fullmatch(message) if isinstance(message, str) else None
    return found[2] if found else None


@dataclass(frozen=True)
class DetailsMatcher(ObjectMatcher):
    """The matcher of an object's details: an `ObjectMatcher` whose changeDate is not before its creationDate.

    ``before`` are the sequence and the changeDate of an earlier response: a later sequence has a later changeDate, else one
    of the clauses ``candidates`` is broken.
    """

    before: tuple[int, str] | None = None
    candidates: tuple[str, ...] = ()

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        yield from super().find_mismatches(value, path)
        try:
            created, changed = (parse_time(get_value(value, name), "") for name in ("creationDate", "changeDate"))
        except (TypeError, ValueError, OverflowError):
            return
        if changed < created:
            yield Mismatch((*path, "changeDate"), "value", "a time not before the creationDate")
        sequence = get_sequence({"details": value})
        is_later = self.before is not None and sequence is not None and sequence > self.before[0]
        if self.before is not None and is_later and changed <= parse_time(self.before[1], ""):
            expected, clause = f"a later time than {self.before[1]}", next(iter(self.candidates[-1:]), None)
            yield Mismatch((*path, "changeDate"), "value", expected, clause, candidates=self.candidates)


def match_details(sequence: Matcher, created_at: float, changed_at: float, shown: str, due: str = "") -> DetailsMatcher:
    """Build the matcher of an object's details.

    The mock shows the dates ``shown``: `creation`, `change` or `both`; the date ``due`` must be there.
    """
    moments = {"creation": created_at, "change": changed_at}
    dates = {
        name: match_time(format_time(moment, {}), moment, lambda value: parse_time(value, ""))
        for name, moment in moments.items()
    }
    required = {f"{name}Date": date for name, date in dates.items() if name == due}
    optional = {f"{name}Date": date for name, date in dates.items() if name != due}
    rendered = frozenset(f"{name}Date" for name in dates if shown in ("both", name))
    owner = Satisfies(OWNER, lambda value: isinstance(value, str), "a string")
    return DetailsMatcher({"sequence": sequence, "resourceOwner": owner, **required}, optional, {}, rendered)


def remember_details(item: Item, row: Any, at: float) -> tuple[Seen, ...]:
    """Return what later responses about ``item`` are compared with, after a read at a time has shown ``row``."""
    details = get_value(row, "details")
    seen = fixed_values.remember(item, details, _FIXED, "", at).seen
    sequence, changed = get_sequence(row), get_value(details, "changeDate")
    if sequence is None or not isinstance(changed, str):
        return seen
    return (*(one for one in seen if one.prop != _HISTORY), Seen(_HISTORY, (sequence, changed), at))


def match_history(details: DetailsMatcher, item: Item) -> DetailsMatcher:
    """Return ``details`` with what a response has shown of ``item``."""
    required, optional = (
        {
            prop: fixed_values.match_fixed(
                item, prop, "" if prop == _CREATED else None, item.unread_operations, matcher
            )
            if prop in _FIXED
            else matcher
            for prop, matcher in part.items()
        }
        for part in (details.required, details.optional)
    )
    history = fixed_values.find_seen(item, _HISTORY)
    is_due = history is not None and item.changed_at - history.at > _RESOLUTION and _is_time(history.value[1])
    before = history.value if history is not None and is_due else None
    # Had any operation moved the date, it would be later: the last one failed to, whatever the others did.
    candidates = tuple(f"{operation}/effect/sequence" for operation in item.unread_operations[-1:])
    return replace(details, required=required, optional=optional, before=before, candidates=candidates)


def _is_time(text: str) -> bool:
    try:
        parse_time(text, "")
    except (ValueError, OverflowError):
        return False
    return True


def match_sequence(sample: int, least: int, most: int | None = None) -> Satisfies:
    """Build the matcher of a sequence between two bounds, inclusive."""

    def is_within(value: Any) -> bool:
        found = get_sequence({"details": {"sequence": value}})
        return found is not None and found >= least and (most is None or found <= most)

    return Satisfies(str(sample), is_within, f"the sequence {most}" if most else f"a sequence not below {least}")


def suspect(matcher: Matcher, clause: str) -> Matcher:
    """Return ``matcher``, whose mismatches are likelier to break ``clause`` unless another is suspected already."""
    if isinstance(matcher, ForClause) and matcher.suspected_clause is None:
        return ForClause(matcher.clause, matcher.inner, clause)
    return matcher


@dataclass(frozen=True, kw_only=True)
class InstancePage(PageMatcher):
    """The matcher of a page of the instance's configurations, of which at most one is active.

    ``active_id`` is the id of the configuration that is known to be active, if any.
    """

    active_id: str | None

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        yield from super().find_mismatches(value, path)
        active, rows = {self.active_id} - {None}, get_value(value, "result")
        for index, row in enumerate(rows if isinstance(rows, list) else ()):
            if get_value(row, "state") != ACTIVE:
                continue
            name = str(get_value(row, "id"))
            if not active <= {name}:
                expected = "SMTP_CONFIG_INACTIVE, because another configuration is active"
                yield Mismatch((*path, "result", index, "state"), "value", expected, OTHERS, self.active_id)
            active.add(name)


def match_list_details(count: int, sequence: int, at: float) -> ObjectMatcher:
    """Build the matcher of a list's details; only the total is promised, which `PageMatcher` checks."""
    details: dict[str, Matcher] = {"viewTimestamp": match_anything(format_time(at, {}))}
    if count:
        details |= {"totalResult": match_anything(str(count)), "processedSequence": match_anything(str(sequence or 1))}
    return ObjectMatcher({}, details, rendered_optional=frozenset(details))
