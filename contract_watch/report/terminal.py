"""The report on a terminal: what happened, what it means, what to do next."""

import json
from collections.abc import Iterator

from contract_watch.report.coverage_table import build_coverage_rows, format_totals
from contract_watch.report.escaping import escape_text
from contract_watch.report.finding import Finding
from contract_watch.report.record import Record

_MEANINGS = {
    "none": "The target keeps its contract.",
    "additive": "The target does more than its contract says; nobody who relies on the contract breaks.",
    "inconclusive": "The run cannot tell whether the target keeps its contract.",
    "breaking": "The target broke its contract: consumers who rely on it break.",
}
_NEXT_STEPS = {
    "none": "",
    "additive": "Next: extend the contract (overlay, model), or waive the finding in the contract's waivers.toml.",
    "inconclusive": "Next: remove the cause and run again.",
    "breaking": "Next: reproduce it with the curl lines, tell the vendor, or waive it in the contract's waivers.toml.",
}
_DOCUMENT_MEANINGS = {
    "none": "The vendor's document means what the stored one means.",
    "additive": "The vendor's document says other things than the stored one; nobody who relies on that breaks for certain.",
    "inconclusive": "It cannot be told whether the vendor's document has changed.",
    "breaking": "The vendor's document breaks consumers who rely on the stored one.",
}
_DOCUMENT_NEXT_STEPS = {
    "none": "",
    "additive": "Next: make accept VENDOR={} takes the new document over, or waive changes by rule and location in waivers.toml.",
    "inconclusive": "Next: remove the cause and run again.",
    "breaking": "Next: tell the consumers, then make accept VENDOR={} takes the new document over, or waive changes by rule and "
    "location in waivers.toml.",
}
_OVERLAY_NEXT_STEPS = {
    "none": "Next: the overlay does not fit the new document as it did: do what the notes on overlay.yaml say, then make accept "
    "VENDOR={} takes it over.",
    "additive": "Next: do what the notes on overlay.yaml say, then make accept VENDOR={} takes the new document over.",
    "inconclusive": "Next: remove the cause and run again.",
    "breaking": "Next: tell the consumers, do what the notes on overlay.yaml say, then make accept VENDOR={} takes the new document "
    "over.",
}
_COLOURS = {"none": "32", "additive": "33", "inconclusive": "33", "breaking": "31"}
_MAX_FINDINGS = 12
_MAX_LINE_LENGTH = 600


def format_terminal(record: Record, *, colour: bool) -> str:
    """The report on one vendor as lines of text; every word of a server's is made plain first."""
    return "\n".join(_format_lines(record, colour))


def _format_lines(record: Record, colour: bool) -> Iterator[str]:
    yield from _format_table(record)
    findings = record.group_findings()
    for finding, where in findings[:_MAX_FINDINGS]:
        yield ""
        yield from _format_finding(finding, where)
    if len(findings) > _MAX_FINDINGS:
        yield f"\n… and {len(findings) - _MAX_FINDINGS} more findings: see findings.json"
    yield ""
    yield from (f"waived until {w.expires}: {escape_text(f.id)} ({escape_text(w.reason)})" for f, w in record.waived)
    yield from (f"note: {escape_text(note)}" for note in record.notes)
    yield from (f"left behind: {escape_text(name)}: delete it by hand" for name in record.left_behind)
    word = record.verdict.label
    verdict = f"\x1b[1;{_COLOURS[word]}m{word}\x1b[0m" if colour else word
    meaning, steps = (_DOCUMENT_MEANINGS, _DOCUMENT_NEXT_STEPS) if record.document else (_MEANINGS, _NEXT_STEPS)
    steps = _OVERLAY_NEXT_STEPS if record.document.get("overlay") else steps
    yield f"{record.name} at {escape_text(record.target)}: {verdict}. {meaning[word]}"
    if record.reason:
        yield f"Because: {escape_text(record.reason)}"
    yield format_totals(record)
    if steps[word]:
        yield steps[word].format(record.contract)


def _format_table(record: Record) -> Iterator[str]:
    rows = [tuple(escape_text(cell) for cell in row) for row in build_coverage_rows(record)]
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _format_finding(finding: Finding, where: str) -> Iterator[str]:
    flapping = " [flapping: asked again, it was not repeated]" if finding.flapping else ""
    yield f"{finding.severity.value}: {escape_text(finding.title)}{where}{flapping}"
    yield f"  promised: {escape_text(finding.promise)}"
    response = finding.exchange.get("response")
    if response is not None and finding.id.startswith("document/"):
        body = response["body"]
        yield f"  now:      {'nothing' if body is None else escape_text(json.dumps(body, ensure_ascii=False), 300)}"
    elif response is None:
        yield f"  came:     no answer: {escape_text(str(finding.exchange.get('trouble', '')))}"
    else:
        yield f"  came:     {response['status']} {escape_text(json.dumps(response['body'], ensure_ascii=False), 300)}"
    yield f"  means:    {escape_text(finding.why)}"
    yield f"  id:       {escape_text(finding.id)}"
    yield from (f"  {escape_text(line, _MAX_LINE_LENGTH)}" for line in finding.reproduce.split("\n"))
