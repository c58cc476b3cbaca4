"""The step that a night asks for: a pure function of the night and of the issue as it is."""

import hashlib
from dataclasses import dataclass, replace
from enum import Enum

from contract_watch.nights.tracker.cause_changes import FLAKY_DAYS, compare_causes, count_days, list_known
from contract_watch.nights.tracker.marker import KnownCause, Marker
from contract_watch.nights.tracker.vendor_night import NightCause, VendorNight

CLEAN_NIGHTS_TO_CLOSE = 2
UNKNOWN_NIGHTS_TO_TELL = 3
QUIET_DAYS = 7
_RENUMBERED_DAYS = 31
"""CI counts anew if a workflow is renamed; it repeats no run after 30 days."""


class Step(Enum):
    """A change of the tracker; the value is a word for people."""

    NOTHING = "nothing to do"
    CREATE = "opened"
    UPDATE = "updated"
    CLOSE = "closed"
    REOPEN = "reopened"
    REMARK = "commented"
    RECORD = "still closed"


class CommentKind(Enum):
    """The reason for a comment."""

    CHANGED = "changed"
    STILL_OPEN = "still open"
    UNKNOWN = "unknown"
    CLOSED = "closed"
    REOPENED = "reopened"
    CLOSED_BY_HAND = "closed by hand"


@dataclass(frozen=True)
class CommentPlan:
    """A comment. ``key`` is the same whenever the same comment is planned, so that it is written once."""

    kind: CommentKind
    key: str
    new: tuple[NightCause, ...] = ()
    gone: tuple[KnownCause, ...] = ()


@dataclass(frozen=True)
class TrackedIssue:
    """An issue of ours; ``closed_on`` is the day on which it was closed, empty while it is open."""

    number: int
    is_open: bool
    closed_on: str
    marker: Marker
    body: str = ""
    title: str = ""


@dataclass(frozen=True)
class IssueDecision:
    """A step, with the marker and the comment that belong to it.

    ``previous`` is the number of an earlier issue to link; ``carried`` are causes of an axis that was not checked.
    """

    step: Step
    marker: Marker | None = None
    comment: CommentPlan | None = None
    previous: int = 0
    carried: tuple[KnownCause, ...] = ()
    why: str = ""


def decide(night: VendorNight, issue: TrackedIssue | None) -> IssueDecision:
    """Return the step that ``night`` asks for; ``issue`` is the vendor's open issue, else the last closed one."""
    state = night.state
    if issue is not None:
        if _is_late(night, issue.marker):
            return IssueDecision(
                Step.NOTHING, why=f"{night.run.describe()} is older than {issue.marker.run.describe()}"
            )
        if night.run == issue.marker.run:
            return IssueDecision(Step.NOTHING, why="this run is there already")
        if state == "clean" and any(one.axis not in night.concluded for one in issue.marker.causes):
            state = "unknown"  # nobody looked where the drift was
    if state == "drift":
        return _decide_drift(night, issue)
    if issue is None:
        return IssueDecision(Step.NOTHING)
    return _decide_clean(night, issue) if state == "clean" else _decide_unknown(night, issue)


def _is_late(night: VendorNight, marker: Marker) -> bool:
    if night.run[:2] == marker.run[:2]:
        return night.run.finished < marker.run.finished
    is_renumbered = bool(marker.night) and count_days(marker.night, night.night) >= _RENUMBERED_DAYS
    return night.run < marker.run and not is_renumbered


def _decide_drift(night: VendorNight, issue: TrackedIssue | None) -> IssueDecision:
    fresh = Marker(night.vendor, night.run, night.night, list_known(night), commented=night.night)
    if issue is None:
        return IssueDecision(Step.CREATE, fresh)
    if not issue.is_open:
        return _decide_return(night, issue, fresh)
    changes = compare_causes(night, issue.marker)
    comment = None
    if changes.new or changes.gone:
        keys = [*(one.key for one in changes.new), *(one.key for one in changes.gone)]
        comment = CommentPlan(
            CommentKind.CHANGED, _compute_key(night.vendor, night.night, *keys), changes.new, changes.gone
        )
    elif count_days(issue.marker.commented, night.night) >= QUIET_DAYS:
        comment = CommentPlan(CommentKind.STILL_OPEN, _compute_key(night.vendor, night.night, "open"))
    marker = replace(
        fresh,
        causes=changes.known,
        gone=changes.gone_nights,
        is_flaky=issue.marker.is_flaky,
        commented=night.night if comment else issue.marker.commented,
    )
    return IssueDecision(Step.UPDATE, marker, comment, carried=changes.carried)


def _decide_return(night: VendorNight, issue: TrackedIssue, fresh: Marker) -> IssueDecision:
    """Reopen an issue that was closed a few days ago; open another after that."""
    closed = issue.marker.closed or issue.closed_on
    if count_days(closed, night.night) > FLAKY_DAYS:
        return IssueDecision(Step.CREATE, fresh, previous=issue.number)
    by_hand = not issue.marker.closed
    kind = CommentKind.CLOSED_BY_HAND if by_hand else CommentKind.REOPENED
    comment = CommentPlan(kind, _compute_key(night.vendor, night.night, kind.value), new=night.causes)
    marker = replace(fresh, is_flaky=issue.marker.is_flaky or not by_hand)
    return IssueDecision(Step.REOPEN, marker, comment)


def _decide_clean(night: VendorNight, issue: TrackedIssue) -> IssueDecision:
    before = issue.marker
    if not issue.is_open:
        # Recorded while a late run could still reopen the issue.
        marker = replace(before, run=night.run, night=night.night, closed=before.closed or issue.closed_on)
        is_recent = count_days(marker.closed, night.night) <= FLAKY_DAYS
        return IssueDecision(Step.RECORD, marker) if is_recent else IssueDecision(Step.NOTHING)
    is_another = before.night != night.night or not before.clean_nights
    marker = replace(before, run=night.run, night=night.night, clean_nights=before.clean_nights + is_another)
    if marker.clean_nights < CLEAN_NIGHTS_TO_CLOSE:
        return IssueDecision(Step.UPDATE, marker, carried=before.causes)
    comment = CommentPlan(CommentKind.CLOSED, _compute_key(night.vendor, night.night, "closed"), gone=before.causes)
    closed = replace(marker, closed=night.night, commented=night.night)
    return IssueDecision(Step.CLOSE, closed, comment, carried=before.causes)


def _decide_unknown(night: VendorNight, issue: TrackedIssue) -> IssueDecision:
    """Leave the issue as it is. The comment's key names the last night that ended, so it is written once."""
    if not issue.is_open or night.unknown_nights < UNKNOWN_NIGHTS_TO_TELL:
        return IssueDecision(Step.NOTHING, why="the night ended inconclusive")
    key = _compute_key(night.vendor, *map(str, issue.marker.run), "unknown")
    return IssueDecision(Step.REMARK, comment=CommentPlan(CommentKind.UNKNOWN, key))


def _compute_key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
