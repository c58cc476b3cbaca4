"""Keeping of the issues: list, decide, write. Races of two runs end with one open issue for each vendor."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.errors import InconclusiveError
from contract_watch.nights.tracker.comment_text import format_comment, format_duplicate_comment
from contract_watch.nights.tracker.connections import OtherServerError
from contract_watch.nights.tracker.decisions import IssueDecision, Step, TrackedIssue, decide
from contract_watch.nights.tracker.github_tracker import GitHubTracker
from contract_watch.nights.tracker.issue_text import format_body, format_title
from contract_watch.nights.tracker.marker import format_marker
from contract_watch.nights.tracker.retrying import TrackerRefusalError
from contract_watch.nights.tracker.settings import TrackerSettings
from contract_watch.nights.tracker.vendor_night import VendorNight, read_vendor_nights

_MAX_ROUNDS = 8


def keep_issues(night: Mapping[str, Any], tracker: GitHubTracker, settings: TrackerSettings) -> list[str]:
    """Bring the issue of each vendor to the state that ``night`` asks for; return a line for each vendor.

    Raises:
        InconclusiveError: the tracker cannot be reached, refuses, or holds issues of a later version. A repetition goes on
            where this one ended.
    """
    try:
        issues = tracker.list_issues()
        lines = [
            _keep_vendor(vendor, [one for one in issues if one.marker.vendor == vendor.vendor], tracker)
            for vendor in read_vendor_nights(night, settings.run_number, settings.run_attempt)
            if vendor.vendor not in tracker.newer
        ]
    except OtherServerError as error:
        raise InconclusiveError(
            f"{settings.api_url}: {error}, and the token goes there alone; correct GITHUB_API_URL"
        ) from error
    except TrackerRefusalError as error:
        raise InconclusiveError(_describe_refusal(error.status, settings)) from error
    if tracker.newer:
        raise InconclusiveError(f"{settings.repository}: a later version of contract-watch keeps the issues of "
                                f"{', '.join(sorted(tracker.newer))}; update contract-watch")  # fmt: skip
    return lines


def _describe_refusal(status: int, settings: TrackerSettings) -> str:
    if status == 401:
        return f"GITHUB_TOKEN: {settings.api_url} rejects it; renew it"
    if status == 403:
        return (
            f"GITHUB_TOKEN: may not write issues of {settings.repository}; grant the job the permission issues: write"
        )
    if status in (404, 410):
        return f"GITHUB_REPOSITORY: {settings.repository} is unknown to this token, or has no issues; correct it, or allow issues"
    return f"{settings.api_url}: answers {status}, which was not expected; report it"


def _keep_vendor(night: VendorNight, issues: Sequence[TrackedIssue], tracker: GitHubTracker) -> str:
    """Apply decisions until nothing is left to do. Each round sees the tracker as the last one left it."""
    done = ""
    for _ in range(_MAX_ROUNDS):
        issue = _choose_issue(issues, tracker)
        decision = decide(night, issue)
        if decision.step is Step.NOTHING:
            is_kept = issue is not None and done.endswith(f" #{issue.number}")
            return done if is_kept else _format_line(night, issue, decision)
        number = issue.number if issue else 0
        if decision.step is Step.CREATE:
            number = _create(night, decision, tracker)
        elif issue is not None and not _apply(night, issue, decision, tracker):
            issues = _list_again(night, tracker)  # somebody was faster
            continue
        done = f"{night.name}: {decision.step.value} #{number}"
        if decision.step is not Step.CREATE:
            return done
        # Another run may have created one at the same moment: the lowest number stays, and the other takes over its night.
        issues = [one for one in tracker.list_issues_with(number) if one.marker.vendor == night.vendor]
    raise InconclusiveError(f"{night.name}: its issue changes faster than it can be written; run make keep-issue again")


def _list_again(night: VendorNight, tracker: GitHubTracker) -> list[TrackedIssue]:
    return [one for one in tracker.list_issues() if one.marker.vendor == night.vendor]


def _format_line(night: VendorNight, issue: TrackedIssue | None, decision: IssueDecision) -> str:
    where = f"#{issue.number}: " if issue else ""
    return f"{night.name}: {where}{decision.why or Step.NOTHING.value} ({night.state})"


def _choose_issue(issues: Sequence[TrackedIssue], tracker: GitHubTracker) -> TrackedIssue | None:
    """Return the open issue with the lowest number, else the newest closed one; close the other open ones."""
    ours = sorted((one for one in issues if not one.marker.duplicate_of), key=lambda one: one.number)
    if not (opened := [one for one in ours if one.is_open]):
        return ours[-1] if ours else None
    for other in opened[1:]:
        _close_duplicate(other, opened[0].number, tracker)
    return opened[0]


def _close_duplicate(issue: TrackedIssue, kept: int, tracker: GitHubTracker) -> None:
    marker = replace(issue.marker, duplicate_of=kept)
    text = format_duplicate_comment(kept, f"{kept:016x}")
    tracker.comment(issue.number, text, issue.marker.night)
    body = f"Duplicate of #{kept}.\n\n{format_marker(marker)}"
    tracker.write(issue, issue.title, body, is_open=False, reason="not_planned")


def _create(night: VendorNight, decision: IssueDecision, tracker: GitHubTracker) -> int:
    assert decision.marker is not None
    body = format_body(night, decision.marker, previous=decision.previous)
    return tracker.create(night.vendor, format_title(night, decision.marker), body)


def _apply(night: VendorNight, issue: TrackedIssue, decision: IssueDecision, tracker: GitHubTracker) -> bool:
    """Comment, then write; return False if the issue changed meanwhile. The comment comes first: a repetition finds it."""
    now = tracker.read(issue.number)
    if now is None or (now.marker, now.is_open) != (issue.marker, issue.is_open):
        return False
    if decision.comment is not None:
        tracker.comment(issue.number, format_comment(night, decision.comment), issue.marker.night)
    if decision.marker is None:
        return True
    marker = decision.marker
    if decision.step is Step.RECORD:
        # Only who wrote last changes: the reader of a closed issue finds it as it was closed.
        body = issue.body[: issue.body.rindex("<!-- contract-watch-issue")] + format_marker(marker)
        return tracker.write(issue, issue.title, body, is_open=False)
    body = format_body(night, marker, carried=decision.carried, previous=decision.previous)
    is_open = decision.step is not Step.CLOSE
    return tracker.write(issue, format_title(night, marker), body, is_open=is_open)
