"""The Markdown report, fit for the summary of a CI job; it reads well unrendered too."""

import json
from collections.abc import Iterator, Sequence

from contract_watch.escaping import escape_markdown, format_code_block, format_code_span, format_commands, format_prose
from contract_watch.report.causes import Cause
from contract_watch.report.coverage_table import COLUMNS, split_coverage_rows
from contract_watch.report.finding import Finding, Severity
from contract_watch.report.record import Record
from contract_watch.report.summary import (
    describe_flaky,
    describe_suspects,
    describe_waived,
    format_headline,
    format_rerun,
    format_surfaces,
    format_totals,
    is_document_change,
    iterate_summary,
)
from contract_watch.report.verdict import Verdict

_VERDICT_ICONS = {"none": "✅", "additive": "➕", "warning": "⚠️", "inconclusive": "❔", "breaking": "❌"}
_MAX_BODY_LENGTH = 800
_MAX_LINE_LENGTH = 4000
_MAX_TITLE_LENGTH = 300
_MAX_LISTED = 200
_MAX_CAUSES_BYTES = 200_000
"""The bytes of causes in detail for each vendor: the summary of a CI job holds one mebibyte."""


def format_past_markdown(records: Sequence[Record]) -> str:
    """Return the lines at the top of the page: for each vendor since when its causes are there; empty without a history."""
    known = [(record, record.past) for record in records if record.past is not None]
    lines = [
        f"- {escape_markdown(record.name)} ({record.axis}): {escape_markdown(past.summary)}" for record, past in known
    ]
    return "\n".join([*lines, "", ""]) if lines else ""


def format_markdown(records: Sequence[Record]) -> str:
    """Return the page: a section for each vendor with its summary, its causes and its table."""
    return "\n".join(line for record in records for line in _format_section(record)) + "\n"


def _format_section(record: Record) -> Iterator[str]:
    yield f"## {_VERDICT_ICONS[record.verdict.label]} {escape_markdown(record.name)}: {format_headline(record)}"
    yield ""
    if record.verdict is not Verdict.NONE or record.waived or record.left_behind:
        for label, text in iterate_summary(record):
            yield f"- **{label}:** {format_prose(text)}"
        yield ""
    seed = "" if record.document else f", seed {record.seed}"
    kind = "Document" if record.document else "Target"
    yield f"{kind}: {format_code_span(record.target)}{seed}, {escape_markdown(format_totals(record))}"
    yield ""
    size = 0
    for number, cause in enumerate(record.find_causes(), 1):
        lines = list(_format_cause(record, cause, number))
        size += sum(len(line.encode()) for line in lines)
        # The title of a breaking cause is never left out.
        yield from lines if size <= _MAX_CAUSES_BYTES else lines[: 2 if cause.severity is Severity.BREAKING else 0]
    if size > _MAX_CAUSES_BYTES:
        yield "… findings.json has the rest."
        yield ""
    yield from _format_tables(record)
    yield from _format_details(record)


def _format_cause(record: Record, cause: Cause, number: int) -> Iterator[str]:
    finding = cause.representative
    flaky = f" ({describe_flaky(cause.findings)})" if cause.is_flaky else ""
    title = format_prose(cause.title, _MAX_TITLE_LENGTH)
    yield f"### {number}. {cause.severity.value}: {title}{format_surfaces(record, cause)}{flaky}"
    yield ""
    yield f"- Impact: {format_prose(cause.consequence)}"
    if suspects := describe_suspects(finding):
        yield f"- Fault: {format_prose(suspects)}"
    if cause.count > 1:
        yield f"- Example: {format_prose(finding.title, _MAX_TITLE_LENGTH)}"
    if is_document_change(finding):
        yield f"- Rule: {format_code_span(finding.clause)}"
    else:
        yield f"- Clause: {format_prose(finding.promise)} ({format_code_span(finding.clause)})"
    yield f"- {'Cause' if cause.hypothesis else 'Finding'}: {format_code_span(cause.id)}"
    if rerun := format_rerun(record, finding):
        yield f"- Again: {format_code_span(rerun)}"
    yield ""
    yield from format_code_block("\n".join(format_commands(finding.reproduce, _MAX_LINE_LENGTH)), "sh")
    yield ""
    yield from _format_change(finding) if is_document_change(finding) else _format_exchange(finding)
    yield ""
    if cause.count > 1:
        yield from _format_findings(cause)


def _format_change(finding: Finding) -> Iterator[str]:
    after = finding.exchange["response"]["body"]
    shown = "removed" if after is None else _format_body(after)
    yield from format_code_block(f"before: {finding.promise}\nafter:  {shown}", "")


def _format_exchange(finding: Finding) -> Iterator[str]:
    """Yield the request and the response that show a finding."""
    request, response = finding.exchange.get("request", {}), finding.exchange.get("response")
    sent = request.get("body")
    lines = [f"{request.get('method', '')} {request.get('url', '')}", *([] if sent is None else [_format_body(sent)])]
    if response is None:
        lines += ["", f"no response: {finding.exchange.get('trouble', '')}"]
    else:
        lines += ["", f"HTTP {response['status']}", _format_body(response["body"])]
    yield from format_code_block("\n".join(lines), "")


def _format_body(body: object) -> str:
    text = json.dumps(body, ensure_ascii=False)
    return text if len(text) <= _MAX_BODY_LENGTH else f"{text[:_MAX_BODY_LENGTH]}… (findings.json has the whole body)"


def _format_findings(cause: Cause) -> Iterator[str]:
    yield f"<details><summary>{cause.count} findings</summary>"
    yield ""
    distinct = list({finding.id: finding for finding in cause.findings}.values())
    for finding in distinct[:_MAX_LISTED]:
        flaky = f" ({describe_flaky([finding])})" if finding.flapping else ""
        title = format_prose(finding.title, _MAX_TITLE_LENGTH)
        yield f"- {finding.severity.value}: {title}{flaky}; {format_code_span(finding.id)}"
    if len(distinct) > _MAX_LISTED:
        yield f"- … and {len(distinct) - _MAX_LISTED} more: see findings.json"
    yield ""
    yield "</details>"
    yield ""


def _format_tables(record: Record) -> Iterator[str]:
    """Yield the table: rows that drifted, then the others, folded."""
    drifted, others = split_coverage_rows(record)
    if drifted:
        yield from _format_rows(drifted)
    if others:
        yield f"<details><summary>{len(others)} rows of operation and status without drift</summary>"
        yield ""
        yield from _format_rows(others)
        yield "</details>"
        yield ""


def _format_rows(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(COLUMNS) + " |"
    yield "|" + "---|" * len(COLUMNS)
    for row in rows:
        yield "| " + " | ".join(escape_markdown(cell) for cell in row) + " |"
    yield ""


def _format_details(record: Record) -> Iterator[str]:
    if record.waived:
        yield "<details><summary>Waived</summary>"
        yield ""
        yield from (f"- {format_prose(line)}" for line in describe_waived(record))
        yield ""
        yield "</details>"
        yield ""
    if record.not_exercised:
        yield f"<details><summary>{len(record.not_exercised)} clauses not checked</summary>"
        yield ""
        for why in dict.fromkeys(record.not_exercised.values()):
            names = [format_code_span(name) for name, reason in record.not_exercised.items() if reason == why]
            yield f"- {format_prose(why)}: {', '.join(names)}"
        yield ""
        yield "</details>"
        yield ""
    for name in record.left_behind:
        yield f"**Left behind:** {format_code_span(name)}: delete it by hand."
        yield ""
    for note in record.notes:
        yield f"Note: {format_prose(note)}"
        yield ""
