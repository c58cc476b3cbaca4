"""The check of an overlay against a newly published document: the actions that no longer fit, and the edit for each.

It is a three-way comparison of every location that an action touches: in the old document, in the new document, and in
the result of the whole overlay. `relocate` finds the locations of the old document in the new one (items by name,
references, likely new names), `diff` compares an update part by part, `match` checks one action and applies it as far as
possible, `issue` defines an issue, `describe` words the problem and the edit, and `notes` lists the issues for people.

Actions are matched and applied by the functions of `contract_watch.contracts.overlay`, so the lenient application here
agrees with the strict one. Without lost, broken and colliding actions, the strict overlay without its superfluous parts
gives the same document.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.overlay import apply_action, apply_overlay, find_matches
from contract_watch.diff.overlay_check.describe import describe_issues
from contract_watch.diff.overlay_check.issue import OverlayIssue, OverlayIssueKind
from contract_watch.diff.overlay_check.match import check_action

__all__ = ["OverlayCheck", "OverlayIssue", "OverlayIssueKind", "check_overlay"]


@dataclass(frozen=True)
class OverlayCheck:
    """The new ``document`` with each action applied as far as possible, and the issues of the actions."""

    document: dict[str, Any]
    issues: tuple[OverlayIssue, ...]


def check_overlay(
    actions: Sequence[Mapping[str, Any]],
    base: Mapping[str, Any],
    revision: Mapping[str, Any],
    source: str = "overlay.yaml",
    numbers: Sequence[int] | None = None,
) -> OverlayCheck:
    """Apply ``actions``, which fit ``base``, to ``revision``, any JSON object of at most 100 levels.

    Each action is checked on both documents as the earlier actions left them. Values that it removes or overwrites are
    compared with the old ones, and the vendor's new values with those of the action and of the whole overlay. Only ``..``
    and filters can match nested locations; each of these is checked in its state before the action, so the result may
    differ from the strict overlay there. ``numbers`` are those of the actions in their file, from one on by default.

    Raises:
        UsageError: the overlay does not fit ``base``; ``source`` names it.
    """
    end = apply_overlay(base, list(actions), source)
    old, new = copy.deepcopy(dict(base)), _copy_tree(dict(revision))
    issues: list[OverlayIssue] = []
    for number, action in zip(numbers or range(1, len(actions) + 1), actions, strict=True):
        check = check_action(number, action, old, new, end)
        issues += describe_issues(check)
        check.apply(new)
        for location in find_matches(old, check.target, source):
            apply_action(old, location, action, source)
    return OverlayCheck(new, tuple(issues))


def _copy_tree(value: Any) -> Any:
    """Copy a value so that no object occurs at two locations; an action then changes only the location that it matches."""
    if isinstance(value, dict):
        return {name: _copy_tree(inner) for name, inner in value.items()}
    return [_copy_tree(inner) for inner in value] if isinstance(value, list) else value
