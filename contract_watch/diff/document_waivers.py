"""Waivers of changes of a document: reading them, and applying them to a record."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from contract_watch.diff.document.rules import load_rules, suggest_rule_id
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.report.record import Record
from contract_watch.report.waivers import Waiver, apply_waivers, read_waivers


def read_document_waivers(path: Path) -> list[Waiver]:
    """Read the waivers in ``path`` and refuse those that name an unknown rule."""
    waivers = read_waivers(path)
    for number, waiver in enumerate(waivers, 1):
        if waiver.rule and waiver.rule not in load_rules():
            suggestion = suggest_rule_id(waiver.rule)
            fix = f'use "{escape_text(suggestion)}"' if suggestion else "see docs/rules.md"
            raise UsageError(f'{path}: waiver {number}: unknown rule "{escape_text(waiver.rule)}"; {fix}')
    return waivers


def apply_document_waivers(record: Record, waivers: Sequence[Waiver], today: dt.date) -> list[str]:
    """Move waived findings of ``record``; return a line for each waiver that has expired or that no change needs."""
    mine = [one for one in waivers if one.rule]
    every = record.findings
    result = apply_waivers(every, mine, today)
    record.findings, record.waived = result.counted, result.waived
    if record.reason is not None:
        return result.expired  # without a comparison no waiver is known to be unused
    unused = [one for one in mine if one.expires >= today and not any(one.matches(finding) for finding in every)]
    return [*result.expired, *(f"waiver {one.label} waives nothing that changed: delete it" for one in unused)]
