"""The result of one vendor in a few words, as the terminal and the Markdown report begin with it."""

from contract_watch.escaping import format_commands, quote_shell
from contract_watch.report.finding import Finding
from contract_watch.report.record import Record
from contract_watch.report.verdict import Verdict

_MAX_RERUN_LENGTH = 1000


def format_headline(record: Record) -> str:
    """Return the result and how much was checked, such as ``no drift (153 of 153 clauses checked)``."""
    total = len(record.documented)
    checked = f"{total - len(record.not_exercised)} of {total}"
    unit = "operations compared" if record.document else "clauses checked"
    return f"{_format_result(record)} ({checked} {unit})"


def format_rerun(record: Record, finding: Finding) -> str:
    """Return the command that runs again what it takes to show a finding; empty if there is none.

    Ids hold a server's words, so nobody should have to quote them by hand.
    """
    if record.document or "\0" in finding.id:
        return ""
    target = "" if record.target_option in ("", "mock") else f" TARGET={quote_shell(record.target_option)}"
    command = f"make contract VENDOR={quote_shell(record.contract)}{target} ONLY={quote_shell(finding.id)}"
    return format_commands(command, _MAX_RERUN_LENGTH)[0]


def format_totals(record: Record) -> str:
    """Return how many requests were sent, by stage, and how many seconds the run took."""
    seconds = f"{record.seconds:.1f} s"
    total = sum(record.requests.values())
    if record.document:
        return f"{_format_count(total, 'request')} in {seconds}" if total else seconds
    parts = ", ".join(f"{count} {stage}" for stage, count in record.requests.items())
    return f"{_format_count(total, 'request')} ({parts}) in {seconds}"


def _format_result(record: Record) -> str:
    if record.verdict is Verdict.NONE:
        return "no drift"
    if record.verdict is Verdict.INCONCLUSIVE:
        return "inconclusive"
    if not record.findings:
        return f"{record.verdict.label}: the client needs a major version"
    return f"{record.verdict.label} drift, {_format_count(len(record.group_findings()), 'finding')}"


def _format_count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
