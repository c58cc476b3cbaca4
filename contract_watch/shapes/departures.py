"""Departures: how the shapes of a night differ from the nights before, even where the document permits it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from contract_watch.report.finding import Severity
from contract_watch.shapes.baseline import Baseline, FieldBaseline, ResponseBaseline
from contract_watch.shapes.cusum import BOUND, Presence, follow_presence
from contract_watch.shapes.night_shape import NightShape

_MAX_SHOWN = 60


@dataclass(frozen=True)
class Departure:
    """One departure. ``key`` names operation, status and protocol as the shapes do, ``kind`` ends the finding's id."""

    key: str
    pointer: str
    kind: str
    severity: Severity
    title: str
    consequence: str


def find_departures(baseline: Baseline, nights: Sequence[Mapping[str, NightShape]]) -> list[Departure]:
    """Return the departures of the last of ``nights`` from ``baseline``; the nights before it came after the baseline.

    An operation and status that the baseline does not know, or that the last night did not show, departs from nothing.
    """
    tonight = nights[-1]
    found: list[Departure] = []
    for key, before in baseline.responses.items():
        now = tonight.get(key)
        if now is None or now.is_truncated:
            continue
        history = [night[key] for night in nights if key in night and not night[key].is_truncated]
        found += _compare_fields(key, before, history)
        found += _compare_headers(key, before, history)
    return found


def shows_departure(shape: NightShape, departure: Departure) -> bool:
    """Return True if one response, whose shape is ``shape``, shows a departure by itself."""
    kind, _, detail = departure.kind.partition("/")
    if kind == "header-rarer":
        return departure.pointer.removeprefix("/header/") not in shape.headers
    found = shape.get_field(departure.pointer)
    if found is None:
        return False
    return {
        "field-new": found.seen > 0,
        "field-rarer": found.seen < found.of,
        "type-new": detail in found.types,
        "format-gone": bool(found.types.get("string")) and detail not in found.steady_formats,
        "value-new": found.values is not None and detail in found.values,
    }[kind]


def _compare_fields(key: str, before: ResponseBaseline, history: Sequence[NightShape]) -> Iterator[Departure]:
    now = history[-1]
    for pointer, known in before.fields.items():
        presence = _follow_field(pointer, known, history)
        found = now.get_field(pointer)
        if found is None:
            continue
        if presence.is_alarm and not known.was_present(found):
            yield _build_rarer(key, pointer, presence, is_gone=found.seen == 0)
        if found.seen:
            yield from _compare_values(key, pointer, known, now)
    for pointer in now.fields:
        parent = pointer.rpartition("/")[0]
        if pointer not in before.fields and (not parent or parent in before.fields):
            yield Departure(key, pointer, "field-new", Severity.ADDITIVE, f"has a field {pointer}, which no night before had",
                            "Code that ignores unknown fields still works.")  # fmt: skip


def _follow_field(pointer: str, known: FieldBaseline, history: Sequence[NightShape]) -> Presence:
    nights = [one for shape in history if (one := shape.get_field(pointer)) is not None]
    return follow_presence(known.nights, known.absent, (known.was_present(one) for one in nights))


def _build_rarer(key: str, pointer: str, presence: Presence, *, is_gone: bool) -> Departure:
    nights = f"{presence.nights - presence.absent} of {presence.nights} nights had it, {presence.missed} of the last {presence.excursion} did not"
    word = "lacks" if is_gone else "has less often than before"
    return Departure(key, pointer, "field-rarer", Severity.BREAKING, f"{word} the field {pointer}: {nights}",
                     f"Code that reads it will fail, though the document permits its absence (CUSUM {presence.total:.1f} of {BOUND:.1f}).")  # fmt: skip


def _compare_values(key: str, pointer: str, known: FieldBaseline, now: NightShape) -> Iterator[Departure]:
    found = now.fields[pointer]
    for name in sorted(set(found.types) - set(known.types)):
        yield Departure(key, pointer, f"type-new/{name}", Severity.WARNING, f"has {name} at {pointer}: every night before had {' or '.join(known.types)}",
                        "Code that expects the usual type may fail, though the document permits this one.")  # fmt: skip
    if found.types.get("string"):
        for name in sorted(set(known.formats) - set(found.steady_formats)):
            yield Departure(key, pointer, f"format-gone/{name}", Severity.WARNING, f"has a string at {pointer} that is no {name}: every one before was",
                            f"Code that parses it as {name} will fail.")  # fmt: skip
    if known.values is not None and found.values is not None:
        for text in sorted(set(found.values) - set(known.values)):
            yield Departure(key, pointer, f"value-new/{text}", Severity.WARNING,
                            f"has `{text}` at {pointer}: the nights before had {_list_values(known.values)}",
                            "Code that handles each known value may not handle this one.")  # fmt: skip


def _compare_headers(key: str, before: ResponseBaseline, history: Sequence[NightShape]) -> Iterator[Departure]:
    for name, present in before.headers.items():
        presence = follow_presence(before.nights, before.nights - present, (name in shape.headers for shape in history))
        if presence.is_alarm and name not in history[-1].headers:
            yield Departure(key, f"/header/{name}", "header-rarer", Severity.WARNING,
                            f"lacks the header {name}: {present} of {before.nights} nights had it, {presence.missed} of the last {presence.excursion} did not",
                            "Code that reads the header may fail.")  # fmt: skip


def _list_values(values: Sequence[str]) -> str:
    shown = ", ".join(f"`{text}`" for text in values)
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}…"
