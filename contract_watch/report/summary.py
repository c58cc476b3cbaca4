"""The result of one vendor in a few words, as the terminal and the Markdown report begin with it."""

from collections.abc import Iterable, Iterator, Sequence

from contract_watch.escaping import escape_text, format_commands, quote_shell
from contract_watch.report.causes import Cause
from contract_watch.report.finding import Finding
from contract_watch.report.hypothesis import join_operations
from contract_watch.report.record import Record
from contract_watch.report.verdict import Verdict

_MAX_RERUN_LENGTH = 1000
_MAX_NAMED = 3
_MAX_PHRASE_LENGTH = 300
FLAKY = "flaky: not reproduced on retry"
_CONSEQUENCES = {
    "none": "The target keeps the contract.",
    "additive": "The target does more than the contract says. Code that relies on the contract still works.",
    "inconclusive": "The run could not check whether the target keeps the contract.",
    "breaking": "The target breaks the contract. Code that relies on what changed will fail.",
}
_DOCUMENT_CONSEQUENCES = {
    "none": "The published document means what the stored one means.",
    "additive": "The published document differs from the stored one. No change certainly breaks code.",
    "warning": "The published document differs from the stored one in a way that may break code.",
    "inconclusive": "The published document could not be compared with the stored one.",
    "breaking": "The published document breaks code that relies on the stored one.",
}
_RETRY = "remove the reason and run again."
_NEXT_STEPS = {
    "additive": "extend the contract (overlay, model), or waive it in contracts/{0}/waivers.toml by its {1}.",
    "inconclusive": _RETRY,
    "breaking": "warn the callers; reproduce it with the curl lines, which need the keys in the environment, and report it "
    "to {2}; if it is to stay, waive it in contracts/{0}/waivers.toml by its {1}.",
}
_ACCEPT = "run make accept VENDOR={} to store the new document"
_WAIVE = "or waive changes by rule and location in waivers.toml."
_FIX_OVERLAY = "apply the edits in the notes on overlay.yaml"
_DOCUMENT_NEXT_STEPS = {
    "additive": f"{_ACCEPT}, {_WAIVE}",
    "warning": f"ask the consumers, then {_ACCEPT}, {_WAIVE}",
    "inconclusive": _RETRY,
    "breaking": f"warn the consumers, then {_ACCEPT}, {_WAIVE}",
}
_PAIR_NEXT_STEPS = {
    "additive": "nothing has to be done.",
    "warning": "ask the consumers, or waive changes by rule and place in the file that WAIVERS= names.",
    "breaking": "warn the consumers, or waive changes by rule and place in the file that WAIVERS= names.",
}
"""The next steps after a comparison of two files, which belong to no contract."""
_OVERLAY_NEXT_STEPS = {
    "none": f"the overlay does not fit the new document: {_FIX_OVERLAY}, then {_ACCEPT}.",
    "additive": f"{_FIX_OVERLAY}, then {_ACCEPT}.",
    "warning": f"ask the consumers, {_FIX_OVERLAY}, then {_ACCEPT}.",
    "inconclusive": _RETRY,
    "breaking": f"warn the consumers, {_FIX_OVERLAY}, then {_ACCEPT}.",
}


def format_headline(record: Record) -> str:
    """Return the result and how much was checked, such as ``no drift (153 of 153 clauses checked)``."""
    total = len(record.documented)
    checked = f"{total - len(record.not_exercised)} of {total}"
    unit = "operations compared" if record.document else "clauses checked"
    return f"{_format_result(record)} ({checked} {unit})"


def format_consequence(record: Record) -> str:
    """Return what the verdict means for code that relies on the contract."""
    table = _DOCUMENT_CONSEQUENCES if record.document else _CONSEQUENCES
    return table[record.verdict.label]


def format_next_step(record: Record) -> str:
    """Return what to do; empty if there is nothing."""
    table = _DOCUMENT_NEXT_STEPS if record.document else _NEXT_STEPS
    table = _OVERLAY_NEXT_STEPS if record.document.get("overlay") else table
    table = _PAIR_NEXT_STEPS if "base" in record.document else table
    name = "cause" if any(cause.hypothesis is not None for cause in list_deciding_causes(record)) else "id"
    is_live = record.target_option == "live"
    whom = record.name if is_live else f"whoever runs this target, {record.name} if it is theirs"
    step = table.get(record.verdict.label, "").format(record.contract, name, whom)
    client = record.document.get("client") or {}
    needs_major = client.get("step") == "major" and record.verdict is not Verdict.NONE
    return f"{step} The client package then becomes {client['next']}." if step and needs_major else step


def list_deciding_causes(record: Record) -> list[Cause]:
    """Return the causes of the worst severity, the widest one first."""
    causes = record.find_causes()
    return [cause for cause in causes if cause.severity is causes[0].severity and cause.is_flaky == causes[0].is_flaky]


def format_broken(record: Record) -> str:
    """Return what broke: the titles of the causes that decide the verdict; empty without any."""
    deciding = list_deciding_causes(record)
    named = [escape_text(cause.title, _MAX_PHRASE_LENGTH) for cause in deciding[:_MAX_NAMED]]
    more = len(record.find_causes()) - len(named)
    return "; ".join(named) + (f"; and {_format_count(more, 'more cause')}" if more else "")


def format_affected(record: Record) -> str:
    """Return whom the causes concern that decide the verdict: callers of operations, code that uses the client."""
    return format_affected_by(list_deciding_causes(record))


def format_affected_by(deciding: Sequence[Cause]) -> str:
    """Return whom causes concern; a comparison of documents knows the code that uses the client."""
    operations = list(dict.fromkeys(name for cause in deciding for name in cause.operations))
    lines = dict.fromkeys(line for cause in deciding for one in cause.findings for line in one.symbols or ())
    symbols = sorted(lines, key=lambda line: line.endswith(" added"))  # what is new breaks nobody
    if not operations:
        return ""
    callers = f"callers of {escape_text(join_operations(operations), _MAX_PHRASE_LENGTH)}"
    if not symbols:
        return callers
    more = f" and {len(symbols) - _MAX_NAMED} more" if len(symbols) > _MAX_NAMED else ""
    named = "; ".join(escape_text(line, _MAX_PHRASE_LENGTH) for line in symbols[:_MAX_NAMED])
    return f"{callers}; in the client: {named}{more}"


def iterate_summary(record: Record) -> Iterator[tuple[str, str]]:
    """Yield the summary of a vendor that is not green, a label and a text for each line; it is escaped for a terminal."""
    yield "Verdict", f"{record.verdict.label}. {format_consequence(record)}"
    if record.reason:
        yield "Incomplete", escape_text(record.reason)
    if record.findings:
        yield "What broke" if record.verdict is Verdict.BREAKING else "What changed", format_broken(record)
        yield "Whom", format_affected(record)
        if since := format_since(record):
            yield "Since", since
    if waived := [line for is_breaking, line in _iterate_waived(record) if is_breaking]:
        yield "Waived", "; ".join(waived)
    if record.left_behind:
        yield "Left behind", f"{_format_count(len(record.left_behind), 'object')}: delete by hand"
    if step := format_next_step(record):
        yield "Next", step


def format_since(record: Record) -> str:
    """Return since when the change is there, escaped for a terminal; empty if nobody knows."""
    ages = record.past.ages if record.past is not None else {}
    known = [ages[cause.id] for cause in list_deciding_causes(record) if cause.id in ages]
    if known:
        first = min(known, key=lambda age: age.first_seen)
        clean = f"; last seen without it on {first.last_clean}" if first.last_clean else ""
        return f"{first.first_seen}, {_format_count(first.nights, 'night')}{clean}"
    if not record.since:
        return ""
    return f"some time after {escape_text(record.since)}, which the contract is written for"


def describe_waived(record: Record) -> list[str]:
    """Return a line for each waiver that was needed: the findings that it accepts, until when, and why."""
    return [line for _, line in _iterate_waived(record)]


def _iterate_waived(record: Record) -> Iterator[tuple[bool, str]]:
    """Yield, for each waiver that was needed, if it accepts a breaking finding, and a line about it."""
    groups: dict[int, list[int]] = {}
    for number, (_, waiver) in enumerate(record.waived):
        groups.setdefault(id(waiver), []).append(number)
    for numbers in groups.values():
        findings = [record.waived[number][0] for number in numbers]
        waiver = record.waived[numbers[0]][1]
        breaking = [finding for finding in findings if finding.severity.value == "breaking"]
        first = (breaking or findings)[0]
        more = len({finding.id for finding in findings}) - 1
        rest = f" and {_format_count(more, 'more finding')}" if more else ""
        title = escape_text(first.title, _MAX_PHRASE_LENGTH)
        reason = escape_text(waiver.reason, _MAX_PHRASE_LENGTH)
        yield (
            bool(breaking),
            (f"{first.severity.value}: {title}{rest} until {waiver.expires} ({reason}) [{escape_text(waiver.label)}]"),
        )


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


def describe_suspects(finding: Finding) -> str:
    """Return which operations can be at fault, if the run cannot tell; empty if it can."""
    if not finding.suspects:
        return ""
    names = [escape_text(name, _MAX_PHRASE_LENGTH) for name in dict.fromkeys((finding.operation, *finding.suspects))]
    return f"{', '.join(names[:-1])} or {names[-1]}; no further request of the run could tell"


def format_surfaces(record: Record, cause: Cause) -> str:
    """Return a phrase that names the protocols of a cause; empty for a vendor with one protocol."""
    return f" (over {', '.join(cause.surfaces)})" if len(record.surfaces) > 1 else ""


def describe_flaky(findings: Iterable[Finding]) -> str:
    """Return a phrase for findings that decide nothing: in how many rechecks they were seen, if there were any."""
    counts = [one.rechecks for one in findings if one.rechecks is not None]
    if not counts:
        return FLAKY
    best = max(counts, key=lambda count: count.seen)
    return f"flaky: seen in {best.seen} of {best.of} rechecks" if best.of else "not rechecked"


def is_document_change(finding: Finding) -> bool:
    """Return True for a change of a document, which has a before and an after instead of an exchange."""
    return finding.id.startswith("document/") and finding.exchange.get("response") is not None


def _format_result(record: Record) -> str:
    if record.verdict is Verdict.NONE:
        return "no drift"
    if record.verdict is Verdict.INCONCLUSIVE:
        return "inconclusive"
    if not record.findings:
        return f"{record.verdict.label}: the client needs a major version"
    findings, causes = len(record.group_findings()), len(record.find_causes())
    grouped = f"{_format_count(causes, 'cause')}, " if causes != findings else ""
    return f"{record.verdict.label} drift, {grouped}{_format_count(findings, 'finding')}"


def _format_count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
