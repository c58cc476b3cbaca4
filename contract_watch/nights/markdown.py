"""The night as Markdown, for the summary of a CI job: a table, what changed, then each vendor's causes."""

from collections.abc import Iterator, Mapping
from typing import Any

from contract_watch.escaping import escape_markdown, format_code_span, format_prose
from contract_watch.nights.night_file import AXES

_MAX_CAUSES = 20
_LOUD = ("warning", "inconclusive", "breaking")


def format_night(night: Mapping[str, Any]) -> str:
    """Return the page."""
    return "\n".join(_format_lines(night)) + "\n"


def _format_lines(night: Mapping[str, Any]) -> Iterator[str]:
    yield f"# Night of {night['night']}"
    yield ""
    for vendor in night["vendors"]:
        for axis in AXES:
            one = vendor["axes"][axis]
            if one["verdict"] is not None:
                yield f"- {escape_markdown(vendor['name'])} ({axis}): {escape_markdown(one['summary'])}"
    yield ""
    for problem in night["history"]["problems"]:
        yield f"**History:** {escape_markdown(problem)}"
        yield ""
    yield f"| vendor | {' | '.join(AXES)} |"
    yield "|---" * (len(AXES) + 1) + "|"
    for vendor in night["vendors"]:
        cells = (_format_cell(vendor["axes"][axis]) for axis in AXES)
        yield f"| {escape_markdown(vendor['name'])} | {' | '.join(cells)} |"
    yield ""
    for vendor in night["vendors"]:
        yield from _format_vendor(vendor)


def _format_cell(axis: Mapping[str, Any]) -> str:
    verdict = axis["verdict"]
    if verdict is None:
        return escape_markdown(axis["not_checked"])
    return f"**{verdict}**" if verdict in _LOUD else str(verdict)


def _format_vendor(vendor: Mapping[str, Any]) -> Iterator[str]:
    for name in AXES:
        axis = vendor["axes"][name]
        if axis["verdict"] is None or (axis["verdict"] == "none" and not axis["gone"]):
            continue
        yield f"## {escape_markdown(vendor['name'])}: {name}"
        yield ""
        if axis["reason"]:
            yield f"Incomplete: {format_prose(axis['reason'])}"
            yield ""
        for cause in axis["causes"][:_MAX_CAUSES]:
            flaky = ", flaky" if cause["flapping"] else ""
            clean = f", last clean {cause['last_clean']}" if cause["last_clean"] else ""
            yield f"- **{cause['severity']}** ({cause['state']}, since {cause['first_seen']}{clean}{flaky}): {format_prose(cause['title'])}; {format_code_span(cause['id'])}"
        if len(axis["causes"]) > _MAX_CAUSES:
            yield f"- … and {len(axis['causes']) - _MAX_CAUSES} more: see index.html"
        for one in axis["gone"]:
            yield f"- gone ({one['severity']}, {one['first_seen']} to {one['last_seen']}): {format_prose(one['title'])}"
        yield ""
        if axis.get("next_step"):
            yield f"Next: {format_prose(axis['next_step'])}"
            yield ""
