"""The report on a terminal: the result, the causes, worst first, and the next step."""

import json
from collections.abc import Iterator, Sequence

from contract_watch.escaping import escape_text, format_commands
from contract_watch.report.causes import Cause
from contract_watch.report.coverage_table import COLUMNS, split_coverage_rows
from contract_watch.report.finding import Finding, Severity
from contract_watch.report.record import Record
from contract_watch.report.summary import (
    describe_flaky,
    describe_suspects,
    describe_waived,
    format_affected,
    format_broken,
    format_consequence,
    format_headline,
    format_next_step,
    format_rerun,
    format_since,
    format_surfaces,
    format_totals,
    is_document_change,
)
from contract_watch.report.verdict import Verdict

_COLOURS = {"none": "32", "additive": "33", "warning": "33", "inconclusive": "33", "breaking": "31"}
_MAX_LINES_OF_CAUSES = 24
_MAX_ROWS = 6
_MAX_NOTES = 8
_MAX_COMMANDS = 4
_MAX_LINE_LENGTH = 1000
_MAX_TEXT_LENGTH = 300


def format_terminal(record: Record, *, colour: bool) -> str:
    """Return the report on one vendor as lines; strings from a server are escaped."""
    return "\n".join(_format_lines(record, colour))


def format_past(records: Sequence[Record]) -> str:
    """Return a line for each vendor that says since when its causes are there; empty without a history."""
    return "\n".join(
        f"{record.name} ({record.axis}): {record.past.summary}" for record in records if record.past is not None
    )


def format_closing(records: Sequence[Record]) -> str:
    """Return, for each vendor that is not green, its verdict, what broke, whom that concerns, and what to do.

    A CI job's log ends with these lines, however many vendors there are.
    """
    return "\n".join(line for record in records for line in _format_closing(record))


def _format_closing(record: Record) -> Iterator[str]:
    if record.verdict is Verdict.NONE:
        return
    cause = escape_text(record.reason or "") if record.verdict is Verdict.INCONCLUSIVE else format_broken(record)
    yield f"{record.name}: {record.verdict.label}: {cause}"
    if affected := format_affected(record):
        yield f"  whom: {affected}"
    if step := format_next_step(record):
        yield f"  next: {step}"


def _format_lines(record: Record, colour: bool) -> Iterator[str]:
    verdict, headline = record.verdict.label, format_headline(record)
    yield f"{record.name}: " + (f"\x1b[1;{_COLOURS[verdict]}m{headline}\x1b[0m" if colour else headline)
    if record.verdict is not Verdict.NONE or record.document:
        yield format_consequence(record)
    if record.reason:
        yield f"Incomplete: {escape_text(record.reason)}"
    yield f"{'Document' if record.document else 'Target'}: {escape_text(record.target)}, {format_totals(record)}"
    if affected := format_affected(record):
        yield f"Whom: {affected}"
    if record.findings and (since := format_since(record)):
        yield f"Since: {since}"
    yield from _format_causes(record)
    if record.findings:
        yield from _format_table(record)
    yield from (f"waived: {line}" for line in describe_waived(record))
    notes = [f"note: {escape_text(note)}" for note in record.notes]
    yield from notes[:_MAX_NOTES]
    if len(notes) > _MAX_NOTES:
        yield f"… and {len(notes) - _MAX_NOTES} more notes: see report.md"
    yield from (f"left behind: {escape_text(name)}: delete it by hand" for name in record.left_behind)
    if step := format_next_step(record):
        yield f"Next: {step}"


def _format_causes(record: Record) -> Iterator[str]:
    """Yield the causes: the worst in detail, as long as there is room, then titles. No breaking cause is left out."""
    causes, room, left_out = record.find_causes(), _MAX_LINES_OF_CAUSES, 0
    for number, cause in enumerate(causes, 1):
        flaky = f" [{describe_flaky(cause.findings)}]" if cause.is_flaky else ""
        title = (
            f"{number}. {cause.severity.value}: {escape_text(cause.title, _MAX_LINE_LENGTH)}"
            f"{format_surfaces(record, cause)}{flaky}"
        )
        details = list(_format_details(record, cause))
        if number == 1 or len(details) < room:
            yield ""
            yield title
            yield from details
            room -= len(details) + 2
        elif room > 0 or cause.severity is Severity.BREAKING:
            yield title
            room -= 1
        else:
            left_out += 1
    if left_out:
        yield f"… and {left_out} more causes, none of them breaking: see report.md"


def _format_details(record: Record, cause: Cause) -> Iterator[str]:
    finding = cause.representative
    if cause.count > 1:
        yield f"  example: {escape_text(finding.title, _MAX_TEXT_LENGTH)}"
    if is_document_change(finding):
        yield from _format_change(finding)
    else:
        yield f"  clause:  {escape_text(finding.promise, _MAX_TEXT_LENGTH)}"
        yield f"  actual:  {_format_response(finding)}"
    if suspects := describe_suspects(finding):
        yield f"  fault:   {suspects}"
    yield f"  impact:  {escape_text(cause.consequence)}"
    yield f"  {'cause:   ' if cause.hypothesis else 'id:      '}{escape_text(cause.id)}"
    if rerun := format_rerun(record, finding):
        yield f"  again:   {rerun}"
    commands = format_commands(finding.reproduce, _MAX_LINE_LENGTH)
    yield from (f"  {line}" for line in commands[:_MAX_COMMANDS])
    if len(commands) > _MAX_COMMANDS:
        yield f"  # {len(commands) - _MAX_COMMANDS} more commands: see report.md"


def _format_change(finding: Finding) -> Iterator[str]:
    after = finding.exchange["response"]["body"]
    yield f"  before:  {escape_text(finding.promise)}"
    yield f"  after:   {'removed' if after is None else _format_body(after)}"


def _format_response(finding: Finding) -> str:
    response = finding.exchange.get("response")
    if response is None:
        return f"no response: {escape_text(str(finding.exchange.get('trouble', '')))}"
    return f"{response['status']} {_format_body(response['body'])}"


def _format_body(body: object) -> str:
    return escape_text(json.dumps(body, ensure_ascii=False), _MAX_TEXT_LENGTH)


def _format_table(record: Record) -> Iterator[str]:
    """Yield the rows of the table that drifted, and the number of the others."""
    drifted, others = split_coverage_rows(record)
    if not drifted and not others:
        return
    yield ""
    rows = [tuple(escape_text(cell) for cell in row[:-1]) for row in (COLUMNS, *drifted[:_MAX_ROWS])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows if drifted else ():
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if len(drifted) > _MAX_ROWS:
        yield f"… and {len(drifted) - _MAX_ROWS} more rows with drift: see report.md"
    yield f"{len(others)} other rows of operation and status have no drift."
