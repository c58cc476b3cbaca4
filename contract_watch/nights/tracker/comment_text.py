"""Comments of an issue: each says one thing that happened, and ends with the hidden key that makes it unique."""

from collections.abc import Iterator

from contract_watch.nights.tracker.decisions import CommentKind, CommentPlan
from contract_watch.nights.tracker.issue_text import format_known
from contract_watch.nights.tracker.marker import KnownCause, format_comment_marker
from contract_watch.nights.tracker.safe_text import MAX_CHARACTERS, count_characters, format_run, join_within
from contract_watch.nights.tracker.vendor_night import NightCause, VendorNight

_RESERVE = 300


def format_comment(night: VendorNight, plan: CommentPlan) -> str:
    """Return the comment that ``plan`` asks for, below 60,000 characters."""
    end = f"\n{night.night}, {format_run(night.run_url, 'run and report')}.\n\n{format_comment_marker(plan.key)}"
    lines = [line for block in _format_blocks(night, plan) for line in block.split("\n")]
    text, left_out = join_within(lines, MAX_CHARACTERS - _RESERVE - count_characters(end))
    return f"{text.lstrip()}\n" + (f"- … and {left_out} more lines: see the report\n" if left_out else "") + end


def format_duplicate_comment(kept: int, key: str) -> str:
    """Return the comment that closes a second issue."""
    return f"Two runs opened an issue at once. #{kept} stays; this one is closed.\n\n{format_comment_marker(key)}"


def _format_blocks(night: VendorNight, plan: CommentPlan) -> Iterator[str]:
    if plan.kind is CommentKind.STILL_OPEN:
        oldest = min((one.first_seen for one in night.causes), default=night.night)
        yield f"Still open: {len(night.causes)} causes, the oldest since {oldest}. Nothing changed for seven days."
    elif plan.kind is CommentKind.UNKNOWN:
        yield (f"Nobody knows: {night.unknown_nights} nights in a row ended inconclusive. "
               "This issue stays as it is until a night comes to an end. contract-watch says so once.")  # fmt: skip
    elif plan.kind is CommentKind.CLOSED:
        yield "Closed: two nights in a row found no drift."
    elif plan.kind is CommentKind.REOPENED:
        yield "Flaky: the drift came back within ten days after this issue was closed."
    elif plan.kind is CommentKind.CLOSED_BY_HAND:
        yield "Reopened: the drift goes on. To silence a known cause, waive it (docs/reference.md, Waivers)."
    if plan.new:
        yield from ("", f"New: {len(plan.new)}", "", *format_known(_shorten(plan.new)))
    if plan.gone:
        yield from ("", f"Gone, or waived: {len(plan.gone)}", "", *format_known(plan.gone))


def _shorten(causes: tuple[NightCause, ...]) -> list[KnownCause]:
    return [
        KnownCause(one.key, one.axis, one.severity, one.first_seen, one.title or "(without a title)") for one in causes
    ]
