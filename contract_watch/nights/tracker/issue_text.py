"""Title and body of an issue: what differs comes first, the marker last, and the whole stays below 60,000 characters."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contract_watch.escaping import escape_text, format_code_block, format_code_span, format_commands
from contract_watch.nights.tracker.marker import KnownCause, Marker, format_marker
from contract_watch.nights.tracker.safe_text import (
    MAX_CHARACTERS,
    count_characters,
    format_run,
    format_safe_prose,
    join_within,
)
from contract_watch.nights.tracker.vendor_night import NightCause, VendorNight
from contract_watch.nights.vendor_states import CHECKED_AXES

_AXES = {"live": "live behaviour", "document": "published document"}
_MAX_BODY = 600
_MAX_BLOCK = 2_000
_MAX_NAME = 80
_MAX_LINES = 400
"""Lines that one list holds at most: no more would fit."""
_RESERVE = 600
"""Characters for the lines between the causes and the marker."""


def format_title(night: VendorNight, marker: Marker) -> str:
    """Return the title: it holds no text of a server."""
    since = min((one.first_seen for one in marker.causes), default=night.night)
    flaky = ", flaky" if marker.is_flaky else ""
    return f"{escape_text(night.name, _MAX_NAME)}: drift since {since}{flaky}"


def format_body(night: VendorNight, marker: Marker, *, carried: Sequence[KnownCause] = (), previous: int = 0) -> str:
    """Return the body of an issue.

    Args:
        night: the night that the body describes.
        marker: the state that the body ends with.
        carried: known causes that this night does not list again.
        previous: the number of an earlier issue to link.
    """
    end = format_marker(marker)
    head = "\n".join([*_format_head(night, marker), ""])
    tail = "\n".join(_format_tail(night, marker, previous))
    budget = MAX_CHARACTERS - _RESERVE - sum(map(count_characters, (head, tail, end)))
    parts = [head, *_format_causes(night.causes, budget)]
    rest = budget - sum(count_characters(part) + 1 for part in parts[1:])
    if carried:
        parts.append(_format_carried(night, carried, rest))
    return "\n".join([*parts, tail, "", end])


def _format_head(night: VendorNight, marker: Marker) -> Iterator[str]:
    breaking = sum(one.severity == "breaking" for one in night.causes)
    counts = ", ".join(f"{count} {word}" for count, word in (
        (breaking, "breaking"), (len(night.causes) - breaking, "warning")) if count)  # fmt: skip
    if marker.closed:
        yield f"**Closed on {marker.closed}, after {marker.clean_nights} clean nights.**"
    elif marker.clean_nights:
        yield f"**No drift on {marker.night}.** A second clean night closes this issue."
    else:
        yield f"**Drift: {counts or 'see the report'}.**"
    if marker.is_flaky:
        yield ""
        yield "This drift is flaky: it was gone for two nights and came back."
    yield ""
    for axis in CHECKED_AXES:
        reason = f" ({format_safe_prose(night.reasons[axis])})" if night.reasons[axis] else ""
        yield f"- {_AXES[axis]}: {night.verdicts[axis] or 'not checked'}{reason}"


def _format_tail(night: VendorNight, marker: Marker, previous: int) -> Iterator[str]:
    if night.minor:
        yield f"{night.minor} more are additive or flaky, and decide nothing: see the report."
        yield ""
    if previous:
        yield f"Earlier drift of this vendor: #{previous}."
        yield ""
    yield (f"Last checked: {marker.night}, {format_run(night.run_url, 'run and report')}. contract-watch writes this text anew every "
           "night: write comments, not edits. docs/red-night.md says how to read it.")  # fmt: skip


def _format_causes(causes: Sequence[NightCause], budget: int) -> Iterator[str]:
    """Yield causes in detail while they fit, then titles, then the number of the others."""
    used = detailed = 0
    for cause in causes:
        text = "\n".join(_format_cause(cause, detailed + 1))
        # A quarter of the space is for the lines of the causes that follow.
        if used + count_characters(text) + 1 > budget * 3 // 4:
            break
        used += count_characters(text) + 1
        detailed += 1
        yield text
    rest = causes[detailed:]
    if rest:
        lines = [f"- {_format_line(one.axis, one.severity, one.title, one.first_seen)}" for one in rest[:_MAX_LINES]]
        text, left_out = join_within(lines, budget - used - 200)
        left_out += max(len(rest) - _MAX_LINES, 0)
        yield text
        yield f"\n… and {left_out} more: see the report.\n" if left_out else ""


def _format_cause(cause: NightCause, number: int) -> Iterator[str]:
    content = cause.content
    yield f"### {number}. {cause.severity}: {format_safe_prose(cause.title)}"
    yield ""
    nights = "1 night" if content["nights"] == 1 else f"{content['nights']} nights"
    yield f"- Seen: {_AXES[cause.axis]}, since {cause.first_seen}, on {nights}"
    for label, text in (("Impact", content["consequence"]), ("Who", content["affected"])):
        if text:
            yield f"- {label}: {format_safe_prose(text, 500)}"
    yield f"- Cause: {format_code_span(escape_text(content['id'], 200))}"
    if content["rerun"]:
        yield f"- Again: {format_code_span(content['rerun'])}"
    yield ""
    yield from _format_change(content)
    for text, language in ((content["example"].get("reproduce", ""), "sh"), (content["snippet"], "python")):
        if isinstance(text, str) and text:
            lines = "\n".join(format_commands(text, _MAX_BLOCK))
            yield from format_code_block(lines if len(lines) <= _MAX_BLOCK else "# too long: see the report", language)
            yield ""


def _format_change(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield both sides of a document's change, or the request and the response."""
    if content.get("before") or content.get("after"):
        lines = [f"before: {_cut(content.get('before', ''))}", f"after:  {_cut(content.get('after', ''))}"]
    else:
        exchange = content["example"].get("exchange") or {}
        request, response = exchange.get("request") or {}, exchange.get("response") or {}
        if not response:
            return
        lines = [f"{request.get('method', '')} {request.get('url', '')}", *_format_json(request.get("body")),
                 f"HTTP {response.get('status', '')}", *_format_json(response.get("body"))]  # fmt: skip
    yield from format_code_block("\n".join(map(_cut, lines)), "")
    yield ""


def _format_json(body: Any) -> list[str]:
    return [] if body is None else [json.dumps(body, ensure_ascii=False)]


def _cut(text: str) -> str:
    return escape_text(text, _MAX_BODY)


def _format_line(axis: str, severity: str, title: str, first_seen: str) -> str:
    return f"{severity} ({_AXES.get(axis, axis)}, since {first_seen}): {format_safe_prose(title, 150)}"


def format_known(causes: Sequence[KnownCause]) -> list[str]:
    """Return a line for each cause that has a title, then one for the others."""
    titled = [one for one in causes if one.title][:_MAX_LINES]
    lines = [f"- {_format_line(one.axis, one.severity, one.title, one.first_seen)}" for one in titled]
    rest = len(causes) - len(titled)
    return [*lines, *([f"- {rest} more"] if rest else [])]


def _format_carried(night: VendorNight, carried: Sequence[KnownCause], budget: int) -> str:
    label = "Found before" if night.state == "clean" else "Not checked this night, and open before"
    text, left_out = join_within([f"{label}:", "", *format_known(carried)], max(budget, 0))
    return f"{text}\n" if text and not left_out else f"{text}\n- … and {left_out} more\n"
