"""The report on a terminal: the findings, the result, and the next step."""

import json
from collections.abc import Iterator

from contract_watch.escaping import escape_text, format_commands
from contract_watch.report.coverage_table import build_coverage_rows
from contract_watch.report.finding import Finding
from contract_watch.report.record import Record
from contract_watch.report.summary import format_headline, format_rerun, format_totals

_CONSEQUENCES = {
    "none": "",
    "additive": "The target does more than the contract says. Code that relies on the contract still works.",
    "warning": "The target may break code that relies on the contract.",
    "inconclusive": "The run could not check whether the target keeps the contract.",
    "breaking": "The target breaks the contract. Code that relies on the contract will fail.",
}
_NEXT_STEPS = {
    "none": "",
    "additive": "Next: extend the contract (overlay, model), or waive the finding in the contract's waivers.toml.",
    "warning": "Next: ask the vendor, or waive the finding in the contract's waivers.toml.",
    "inconclusive": "Next: remove the cause and run again.",
    "breaking": "Next: reproduce it with the curl lines; report it to the vendor, or waive it in the contract's waivers.toml.",
}
_DOCUMENT_CONSEQUENCES = {
    "none": "The published document means what the stored one means.",
    "additive": "The published document differs from the stored one. No code breaks.",
    "warning": "The published document may break code that relies on the stored one, or users of the client.",
    "inconclusive": "The published document could not be compared with the stored one.",
    "breaking": "The published document breaks code that relies on the stored one.",
}
_ACCEPT = "run make accept VENDOR={} to store the new document"
_WAIVE = "or waive changes by rule and location in waivers.toml."
_FIX_OVERLAY = "apply the edits in the notes on overlay.yaml"
_DOCUMENT_NEXT_STEPS = {
    "none": "",
    "additive": f"Next: {_ACCEPT}, {_WAIVE}",
    "warning": f"Next: check what consumers use, then {_ACCEPT}, {_WAIVE}",
    "inconclusive": "Next: remove the cause and run again.",
    "breaking": f"Next: warn the consumers, then {_ACCEPT}, {_WAIVE}",
}
_OVERLAY_NEXT_STEPS = {
    "none": f"Next: the overlay does not fit the new document: {_FIX_OVERLAY}, then {_ACCEPT}.",
    "additive": f"Next: {_FIX_OVERLAY}, then {_ACCEPT}.",
    "warning": f"Next: check what consumers use, {_FIX_OVERLAY}, then {_ACCEPT}.",
    "inconclusive": "Next: remove the cause and run again.",
    "breaking": f"Next: warn the consumers, {_FIX_OVERLAY}, then {_ACCEPT}.",
}
_COLOURS = {"none": "32", "additive": "33", "warning": "33", "inconclusive": "33", "breaking": "31"}
_MAX_FINDINGS = 12
_MAX_LINE_LENGTH = 1000
_MAX_BODY_LENGTH = 300


def format_terminal(record: Record, *, colour: bool) -> str:
    """Return the report on one vendor as lines; strings from a server are escaped."""
    return "\n".join(_format_lines(record, colour))


def _format_lines(record: Record, colour: bool) -> Iterator[str]:
    yield from _format_table(record)
    findings = record.group_findings()
    for finding, surfaces in findings[:_MAX_FINDINGS]:
        yield ""
        yield from _format_finding(record, finding, surfaces)
    if len(findings) > _MAX_FINDINGS:
        yield f"\n… and {len(findings) - _MAX_FINDINGS} more findings: see findings.json"
    yield ""
    yield from (f"waived until {w.expires}: {escape_text(f.id)} ({escape_text(w.reason)})" for f, w in record.waived)
    yield from (f"note: {escape_text(note)}" for note in record.notes)
    yield from (f"left behind: {escape_text(name)}: delete it by hand" for name in record.left_behind)
    verdict = record.verdict.label
    headline = format_headline(record)
    yield f"{record.name}: " + (f"\x1b[1;{_COLOURS[verdict]}m{headline}\x1b[0m" if colour else headline)
    consequences, steps = (
        (_DOCUMENT_CONSEQUENCES, _DOCUMENT_NEXT_STEPS) if record.document else (_CONSEQUENCES, _NEXT_STEPS)
    )
    steps = _OVERLAY_NEXT_STEPS if record.document.get("overlay") else steps
    if consequences[verdict]:
        yield consequences[verdict]
    if record.reason:
        yield f"Incomplete: {escape_text(record.reason)}"
    yield f"{'Document' if record.document else 'Target'}: {escape_text(record.target)}, {format_totals(record)}"
    if steps[verdict]:
        yield steps[verdict].format(record.contract)


def _format_table(record: Record) -> Iterator[str]:
    rows = [tuple(escape_text(cell) for cell in row) for row in build_coverage_rows(record)]
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _format_finding(record: Record, finding: Finding, surfaces: str) -> Iterator[str]:
    flaky = " [flaky: not reproduced on retry]" if finding.flapping else ""
    yield f"{finding.severity.value}: {escape_text(finding.title)}{surfaces}{flaky}"
    response = finding.exchange.get("response")
    if finding.id.startswith("document/") and response is not None:
        yield f"  before:  {escape_text(finding.promise)}"
        yield f"  after:   {'removed' if response['body'] is None else _format_body(response['body'])}"
    else:
        yield f"  clause:  {escape_text(finding.promise)}"
        yield f"  actual:  {_format_response(finding)}"
    yield f"  impact:  {escape_text(finding.why)}"
    yield f"  id:      {escape_text(finding.id)}"
    if rerun := format_rerun(record, finding):
        yield f"  again:   {rerun}"
    yield from (f"  {line}" for line in format_commands(finding.reproduce, _MAX_LINE_LENGTH))


def _format_response(finding: Finding) -> str:
    response = finding.exchange.get("response")
    if response is None:
        return f"no response: {escape_text(str(finding.exchange.get('trouble', '')))}"
    return f"{response['status']} {_format_body(response['body'])}"


def _format_body(body: object) -> str:
    return escape_text(json.dumps(body, ensure_ascii=False), _MAX_BODY_LENGTH)
