"""Our overlay against a document that the vendor has published anew: what no longer fits, and the edit that each needs."""

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
    """The new ``document`` with each action applied as far as it can be, and what of them is to be told.

    Where nothing is lost, broken or colliding it is what the strict overlay makes of the new document, once the
    superfluous is taken out of it.
    """

    document: dict[str, Any]
    issues: tuple[OverlayIssue, ...]


def check_overlay(
    actions: Sequence[Mapping[str, Any]],
    base: Mapping[str, Any],
    revision: Mapping[str, Any],
    source: str = "overlay.yaml",
) -> OverlayCheck:
    """Apply ``actions``, which fit ``base``, to ``revision``, which may be any JSON object up to 100 levels deep.

    Each action is measured on both documents as the actions before it have left them: what it takes away or writes over is
    compared with what that was, and what the vendor says now with what the action says, and with what the whole overlay
    makes of that place in the end. Of places within each other, which only ``..`` and filters can match at once, each is
    measured as it was before the action came to any: there the strict overlay may make something else.

    Raises:
        UsageError: the overlay does not fit ``base``; ``source`` names it.
    """
    end = apply_overlay(base, list(actions), source)
    old, new = copy.deepcopy(dict(base)), _copy_tree(dict(revision))
    told: list[OverlayIssue] = []
    for number, action in enumerate(actions, 1):
        fit = check_action(number, action, old, new, end)
        told += describe_issues(fit)
        fit.apply(new)
        for location in find_matches(old, fit.target, source):
            apply_action(old, location, action, source)
    return OverlayCheck(new, tuple(told))


def _copy_tree(value: Any) -> Any:
    """A copy in which nothing stands at two places at once, so that an action changes the place that it matches alone."""
    if isinstance(value, dict):
        return {name: _copy_tree(inner) for name, inner in value.items()}
    return [_copy_tree(inner) for inner in value] if isinstance(value, list) else value
