"""Of the issues of an overlay, those that hide a change of the vendor are serious; notes list them all."""

from typing import Any

import pytest

from contract_watch.diff.overlay_check import check_overlay
from contract_watch.diff.overlay_check.notes import format_overlay_notes, list_serious_issues

BASE: dict[str, Any] = {"a": {"x": {"max": 1, "list": [1]}}}


@pytest.mark.parametrize(
    ("action", "revision", "kinds", "is_serious"),
    [
        ({"target": "$.a.*", "update": {"max": 2}}, {"a": {"x": {"max": 3, "list": [1]}}}, ["collides"], True),
        ({"target": "$.a.*", "update": {"max": 2}}, {"a": {**BASE["a"], "y": {}}}, ["wider"], False),
        ({"target": "$.a.*", "update": {"max": 2}}, {"a": {**BASE["a"], "y": {"max": 9}}}, ["wider"], True),
        ({"target": "$.a.*", "update": {"list": [2]}}, {"a": {**BASE["a"], "y": {"list": [1]}}}, ["wider"], False),
        ({"target": "$.a.*.list", "update": 2}, {"a": {**BASE["a"], "y": {"list": [1]}}}, ["wider"], False),
        ({"target": "$.a.*.max", "remove": True}, {"a": {**BASE["a"], "y": {"max": 9}}}, ["wider"], True),
        ({"target": "$.a.*", "update": {"max": 2, "min": 0}}, {"a": {"x": {"max": 2, "list": [1]}}}, ["partly superfluous"], False),
        ({"target": "$.a.x.list", "update": 2}, {"a": {"x": {"max": 1, "list": {}}}}, ["broken"], True),
    ],
)  # fmt: skip
def test_an_issue_is_serious_if_it_hides_values(
    action: dict[str, Any], revision: dict[str, Any], kinds: list[str], is_serious: bool
) -> None:
    """An action that adds something at a new location hides nothing; one that removes or overwrites does."""
    issues = check_overlay([action], BASE, revision, numbers=[7]).issues
    assert [one.kind.value for one in issues] == kinds
    assert list_serious_issues(issues) == (list(issues) if is_serious else [])
    assert all(note.startswith("overlay.yaml, action 7 ") for note in format_overlay_notes(issues))
