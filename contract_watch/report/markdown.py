"""Markdown, fit for a CI job's summary."""

import json
from collections.abc import Iterator, Sequence

from contract_watch.report.coverage_table import build_coverage_rows, format_totals
from contract_watch.report.escaping import escape_markdown, format_code_block
from contract_watch.report.finding import Finding
from contract_watch.report.record import Record

_VERDICT_ICONS = {"none": "✅", "additive": "➕", "inconclusive": "❔", "breaking": "❌"}
_MAX_BODY_LENGTH = 800
_MAX_FINDINGS_BYTES = 300_000
"""How many bytes of findings a vendor gets: a CI job's summary holds a mebibyte."""


def format_markdown(records: Sequence[Record]) -> str:
    """The page: a vendor a section, its verdict first, then its table, then its findings."""
    return "\n".join(line for record in records for line in _format_section(record)) + "\n"


def _format_section(record: Record) -> Iterator[str]:
    word = record.verdict.label
    yield f"## {_VERDICT_ICONS[word]} {escape_markdown(record.name)}: {word}"
    yield ""
    if record.reason:
        yield f"**Why it could not tell everything:** {escape_markdown(record.reason)}"
        yield ""
    where = (
        f"Document {escape_markdown(record.target)}"
        if record.document
        else f"Target {escape_markdown(record.target)}, seed {record.seed}"
    )
    yield f"{escape_markdown(format_totals(record))} {where}."
    yield ""
    rows = list(build_coverage_rows(record))
    if rows:
        yield "| " + " | ".join(rows[0]) + " |"
        yield "|" + "---|" * len(rows[0])
        for row in rows[1:]:
            yield "| " + " | ".join(escape_markdown(cell) for cell in row) + " |"
        yield ""
    size = 0
    findings = record.group_findings()
    for number, (finding, where) in enumerate(findings):
        lines = list(_format_finding(finding, where))
        size += sum(len(line.encode()) for line in lines)
        if size > _MAX_FINDINGS_BYTES:
            yield f"… and {len(findings) - number} more findings: findings.json has them all."
            yield ""
            break
        yield from lines
    yield from _format_details(record)


def _format_finding(finding: Finding, where: str) -> Iterator[str]:
    flapping = " (flapping: asked again, it was not repeated)" if finding.flapping else ""
    yield f"### {finding.severity.value}: {escape_markdown(finding.title)}{where}{flapping}"
    yield ""
    yield f"- Clause: {escape_markdown(finding.promise)} ({escape_markdown(finding.clause)})"
    yield f"- For consumers: {escape_markdown(finding.why)}"
    yield f"- Finding: {escape_markdown(finding.id)}"
    yield ""
    yield from format_code_block(finding.reproduce, "sh")
    response = finding.exchange.get("response")
    if response is not None:
        body = json.dumps(response["body"], ensure_ascii=False)
        cut = (
            body
            if len(body) <= _MAX_BODY_LENGTH
            else f"{body[:_MAX_BODY_LENGTH]}… (the whole of it is in findings.json)"
        )
        yield from format_code_block(f"HTTP {response['status']}\n{cut}", "")
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
        yield f"<details><summary>{len(record.not_exercised)} clauses not exercised</summary>"
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
