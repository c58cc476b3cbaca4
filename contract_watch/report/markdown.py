"""Markdown, fit for a CI job's summary."""

import json
from collections.abc import Iterator, Sequence

from contract_watch.report.coverage_table import table, totals
from contract_watch.report.escaping import fenced, markdown
from contract_watch.report.finding import Finding
from contract_watch.report.record import Record

_MARKS = {"none": "✅", "additive": "➕", "inconclusive": "❔", "breaking": "❌"}
_LONGEST = 800
_PAGE = 300_000
"""How many bytes of findings a vendor gets: a CI job's summary holds a mebibyte."""


def report(records: Sequence[Record]) -> str:
    """The page: a vendor a section, its verdict first, then its table, then its findings."""
    return "\n".join(line for record in records for line in _section(record)) + "\n"


def _section(record: Record) -> Iterator[str]:
    word = record.verdict.word
    yield f"## {_MARKS[word]} {markdown(record.name)}: {word}"
    yield ""
    if record.reason:
        yield f"**Why it could not tell everything:** {markdown(record.reason)}"
        yield ""
    where = (
        f"Document {markdown(record.target)}"
        if record.document
        else f"Target {markdown(record.target)}, seed {record.seed}"
    )
    yield f"{markdown(totals(record))} {where}."
    yield ""
    rows = list(table(record))
    if rows:
        yield "| " + " | ".join(rows[0]) + " |"
        yield "|" + "---|" * len(rows[0])
        for row in rows[1:]:
            yield "| " + " | ".join(markdown(cell) for cell in row) + " |"
        yield ""
    size = 0
    findings = record.grouped()
    for number, (finding, where) in enumerate(findings):
        lines = list(_finding(finding, where))
        size += sum(len(line.encode()) for line in lines)
        if size > _PAGE:
            yield f"… and {len(findings) - number} more findings: findings.json has them all."
            yield ""
            break
        yield from lines
    yield from _rest(record)


def _finding(finding: Finding, where: str) -> Iterator[str]:
    flapping = " (flapping: asked again, it was not repeated)" if finding.flapping else ""
    yield f"### {finding.severity.value}: {markdown(finding.title)}{where}{flapping}"
    yield ""
    yield f"- Clause: {markdown(finding.promise)} ({markdown(finding.clause)})"
    yield f"- For consumers: {markdown(finding.why)}"
    yield f"- Finding: {markdown(finding.id)}"
    yield ""
    yield from fenced(finding.reproduce, "sh")
    response = finding.exchange.get("response")
    if response is not None:
        body = json.dumps(response["body"], ensure_ascii=False)
        cut = body if len(body) <= _LONGEST else f"{body[:_LONGEST]}… (the whole of it is in findings.json)"
        yield from fenced(f"HTTP {response['status']}\n{cut}", "")
    else:
        yield from fenced(str(finding.exchange.get("trouble", "")), "")
    yield ""


def _rest(record: Record) -> Iterator[str]:
    if record.waived:
        yield "<details><summary>Waived</summary>"
        yield ""
        for finding, waiver in record.waived:
            yield f"- {markdown(finding.id)} until {waiver.expires}: {markdown(waiver.reason)}"
        yield ""
        yield "</details>"
        yield ""
    if record.not_exercised:
        yield f"<details><summary>{len(record.not_exercised)} clauses not exercised</summary>"
        yield ""
        for why in dict.fromkeys(record.not_exercised.values()):
            names = [markdown(name) for name, reason in record.not_exercised.items() if reason == why]
            yield f"- {markdown(why)}: {', '.join(names)}"
        yield ""
        yield "</details>"
        yield ""
    for name in record.left_behind:
        yield f"**Left behind:** {markdown(name)}: delete it by hand."
        yield ""
    for note in record.notes:
        yield f"Note: {markdown(note)}"
        yield ""
