"""The Markdown report, fit for the summary of a CI job."""

import json
from collections.abc import Iterator, Sequence

from contract_watch.escaping import escape_markdown, format_code_block, format_commands
from contract_watch.report.coverage_table import build_coverage_rows
from contract_watch.report.finding import Finding
from contract_watch.report.record import Record
from contract_watch.report.summary import format_headline, format_rerun, format_totals

_VERDICT_ICONS = {"none": "✅", "additive": "➕", "warning": "⚠️", "inconclusive": "❔", "breaking": "❌"}
_MAX_BODY_LENGTH = 800
_MAX_LINE_LENGTH = 4000
_MAX_FINDINGS_BYTES = 300_000
"""The bytes of findings for each vendor: the summary of a CI job holds one mebibyte."""


def format_markdown(records: Sequence[Record]) -> str:
    """Return the page: a section for each vendor with its result, its table and its findings."""
    return "\n".join(line for record in records for line in _format_section(record)) + "\n"


def _format_section(record: Record) -> Iterator[str]:
    yield f"## {_VERDICT_ICONS[record.verdict.label]} {escape_markdown(record.name)}: {format_headline(record)}"
    yield ""
    if record.reason:
        yield f"**Incomplete:** {escape_markdown(record.reason)}"
        yield ""
    totals = escape_markdown(format_totals(record))
    if record.document:
        yield f"Document: {escape_markdown(record.target)}, {totals}"
    else:
        yield f"Target: {escape_markdown(record.target)}, seed {record.seed}, {totals}"
    yield ""
    yield from _format_table(record)
    size = 0
    findings = record.group_findings()
    for number, (finding, surfaces) in enumerate(findings):
        lines = list(_format_finding(record, finding, surfaces))
        size += sum(len(line.encode()) for line in lines)
        if size > _MAX_FINDINGS_BYTES:
            yield f"… and {len(findings) - number} more findings: see findings.json"
            yield ""
            break
        yield from lines
    yield from _format_details(record)


def _format_table(record: Record) -> Iterator[str]:
    rows = list(build_coverage_rows(record))
    if not rows:
        return
    yield "| " + " | ".join(rows[0]) + " |"
    yield "|" + "---|" * len(rows[0])
    for row in rows[1:]:
        yield "| " + " | ".join(escape_markdown(cell) for cell in row) + " |"
    yield ""


def _format_finding(record: Record, finding: Finding, surfaces: str) -> Iterator[str]:
    flaky = " (flaky: not reproduced on retry)" if finding.flapping else ""
    yield f"### {finding.severity.value}: {escape_markdown(finding.title)}{surfaces}{flaky}"
    yield ""
    yield f"- Clause: {escape_markdown(finding.promise)} ({escape_markdown(finding.clause)})"
    yield f"- Impact: {escape_markdown(finding.why)}"
    yield f"- Finding: {escape_markdown(finding.id)}"
    if rerun := format_rerun(record, finding):
        yield f"- Again: {escape_markdown(rerun)}"
    yield ""
    yield from format_code_block("\n".join(format_commands(finding.reproduce, _MAX_LINE_LENGTH)), "sh")
    response = finding.exchange.get("response")
    if response is not None:
        body = json.dumps(response["body"], ensure_ascii=False)
        if len(body) > _MAX_BODY_LENGTH:
            body = f"{body[:_MAX_BODY_LENGTH]}… (findings.json has the whole body)"
        yield from format_code_block(f"HTTP {response['status']}\n{body}", "")
    else:
        yield from format_code_block(str(finding.exchange.get("trouble", "")), "")
    yield ""


def _format_details(record: Record) -> Iterator[str]:
    if record.waived:
        yield "<details><summary>Waived</summary>"
        yield ""
        for finding, waiver in record.waived:
            yield f"- {escape_markdown(finding.id)} until {waiver.expires}: {escape_markdown(waiver.reason)}"
        yield ""
        yield "</details>"
        yield ""
    if record.not_exercised:
        yield f"<details><summary>{len(record.not_exercised)} clauses not checked</summary>"
        yield ""
        for why in dict.fromkeys(record.not_exercised.values()):
            names = [escape_markdown(name) for name, reason in record.not_exercised.items() if reason == why]
            yield f"- {escape_markdown(why)}: {', '.join(names)}"
        yield ""
        yield "</details>"
        yield ""
    for name in record.left_behind:
        yield f"**Left behind:** {escape_markdown(name)}: delete it by hand."
        yield ""
    for note in record.notes:
        yield f"Note: {escape_markdown(note)}"
        yield ""
