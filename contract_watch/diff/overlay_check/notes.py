"""The notes on an overlay that `make drift` and `make accept` print, and the issues that forbid to accept a document."""

from collections.abc import Sequence

from contract_watch.diff.overlay_check.issue import OverlayIssue, OverlayIssueKind

_MAX_ACTIONS = 8
"""The number of overlay actions that the notes list one by one."""
_SERIOUS = (OverlayIssueKind.BROKEN, OverlayIssueKind.COLLIDES)
"""The kinds of issues with which an overlay that applies hides a change of the vendor, or no longer corrects anything."""


def format_overlay_notes(issues: Sequence[OverlayIssue]) -> list[str]:
    """Return a line for each action that needs an edit; of many, the number of each kind and the first."""
    lines = [f"overlay.yaml, action {one.action} ({one.target}): {one.message}; {one.edit}" for one in issues]
    if len(lines) <= _MAX_ACTIONS:
        return lines
    kinds = [one.kind.value for one in issues]
    counted = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    more = f"… and {len(lines) - _MAX_ACTIONS} more actions: the findings.json of make drift has them all, under document.overlay"
    return [f"overlay.yaml: {len(lines)} actions do not fit the new document: {counted}", *lines[:_MAX_ACTIONS], more]


def list_serious_issues(issues: Sequence[OverlayIssue]) -> list[OverlayIssue]:
    """Return the issues with which nobody should accept a document unseen; the strict overlay refuses the other bad ones."""
    return [one for one in issues if one.kind in _SERIOUS or one.hides_values]
