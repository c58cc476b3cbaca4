"""An overlay corrects a document exactly as written, and anything doubtful in one is an error in one line."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.overlay import apply_overlay, read_overlay
from contract_watch.errors import UsageError

DOCUMENT = {
    "info": {"title": "Things", "contact": {"name": "A"}},
    "tags": [{"name": "a"}, {"name": "b", "old": True}, {"name": "c"}, {"name": "d", "old": True}],
    "limits": {"free": {"most": 1}, "paid": {"most": 1}},
}

HEAD = "overlay: 1.0.0\nactions:\n  - {target: $.info, description: Says who, update: {summary: Good}}\n  - "


def _read_refusal(path: Path, text: str) -> str:
    """Return the error of the overlay ``text``, from its parser or its application."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as refusal:
        apply_overlay(DOCUMENT, read_overlay(path), str(path))
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("action", "target", "problem"),
    [
        ("{target: $.nowhere, description: Why, remove: true}", "$.nowhere", "matches nothing"),
        ("{target: '$.tags[9]', description: Why, update: {name: z}}", "$.tags[9]", "matches nothing"),
        ("{target: $.info, description: Why, update: {title: Things}}", "$.info", "changes nothing"),
        ("{target: $.info, update: {title: X}}", "$.info", "description"),
        ("{target: $.info, description: ' ', update: {title: X}}", "$.info", "description"),
        ("{target: $.info, description: Why, update: {title: X}, remove: true}", "$.info", "either"),
        ("{target: $.info, description: Why}", "$.info", "either"),
        ("{target: $.info, description: Why, update: {title: X}, upsert: 1}", "$.info", "'upsert'"),
        ("{target: '$.info[', description: Why, remove: true}", "$.info[", "not a JSONPath"),
        ("{target: info, description: Why, remove: true}", "(info)", "not a JSONPath"),
        ("{target: $.info.title, description: Why, update: {x: 1}}", "$.info.title", "an object or an array"),
        ("{target: $.info, description: Why, update: X}", "$.info", "an object or an array"),
        ("{target: $, description: Why, remove: true}", "($)", "whole document"),
        ("{description: Why, remove: true}", "", "needs a `target`"),
        ("{target: 3, description: Why, remove: true}", "", "needs a `target`"),
        ("just a text", "", "needs a `target`"),
    ],
)
def test_doubtful_action_is_named(tmp_path: Path, action: str, target: str, problem: str) -> None:
    """The second action is doubtful.

    The error names the file, the action's number, its target if any, and the problem.
    """
    line = _read_refusal(tmp_path / "overlay.yaml", HEAD + action)
    assert line.startswith(f"{tmp_path / 'overlay.yaml'}: action 2")
    assert target in line
    assert problem in line


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("overlay: 1.0.0\nactions: [\n", ":3: is not YAML"),
        ("a: b: c", ":1: is not YAML"),
        ("- target: $", ": is not an OpenAPI Overlay"),
        ("actions: []", ": is not an OpenAPI Overlay"),
        ("overlay: 2.0.0\nactions: []", ": is not an OpenAPI Overlay"),
        ("", ": is not an OpenAPI Overlay"),
        ("overlay: 1.0.0", ": has no list `actions`; add one"),
        ("overlay: 1.0.0\nactions: []", ": has no list `actions`"),
        ("overlay: 1.0.0\nactions: {target: $}", ": has no list `actions`"),
    ],
)
def test_file_that_is_no_overlay_is_named(tmp_path: Path, text: str, problem: str) -> None:
    """A file that is no YAML, no overlay or has no actions is refused in one line."""
    assert f"{tmp_path / 'overlay.yaml'}{problem}" in _read_refusal(tmp_path / "overlay.yaml", text)


def test_missing_file_corrects_nothing(tmp_path: Path) -> None:
    """A document that needs no correction needs no overlay."""
    assert read_overlay(tmp_path / "overlay.yaml") == []


@pytest.mark.parametrize("break_file", [lambda path: path.mkdir(), lambda path: path.write_bytes(b"\xff")])
def test_unreadable_file_is_named(tmp_path: Path, break_file: Callable[[Path], object]) -> None:
    """A directory and bytes that are no UTF-8 are usage errors that name the path."""
    break_file(tmp_path / "overlay.yaml")
    with pytest.raises(UsageError, match=r"overlay\.yaml: .+$") as refusal:
        read_overlay(tmp_path / "overlay.yaml")
    assert "\n" not in str(refusal.value)


def _apply_actions(*actions: dict[str, Any]) -> dict[str, Any]:
    return apply_overlay(DOCUMENT, [{"description": "Why", **action} for action in actions], "an overlay")


def test_update_merges_objects_in_depth() -> None:
    """Properties that the update omits stay as they were."""
    found = _apply_actions({"target": "$.info", "update": {"contact": {"mail": "m"}, "title": "New"}})
    assert found["info"] == {"title": "New", "contact": {"name": "A", "mail": "m"}}


def test_update_appends_to_arrays() -> None:
    """New items follow the old ones, for an array that is the target or lies below it."""
    assert [tag["name"] for tag in _apply_actions({"target": "$.tags", "update": {"name": "e"}})["tags"]] == [*"abcde"]
    assert [tag["name"] for tag in _apply_actions({"target": "$", "update": {"tags": [{"name": "e"}]}})["tags"]] == [
        *"abcde"
    ]


@pytest.mark.parametrize(("target", "left"), [("$.tags[?@.old]", "ac"), ("$.tags[0,1,3]", "c"), ("$.tags[1:]", "a")])
def test_remove_takes_several_items_at_once(target: str, left: str) -> None:
    """Removing several items of one array removes the right ones: earlier removals do not shift later ones."""
    assert [tag["name"] for tag in _apply_actions({"target": target, "remove": True})["tags"]] == [*left]


@pytest.mark.parametrize(("target", "left"), [("$.tags[2,0]", "bd"), ("$.tags[::-2]", "ac"), ("$.tags[0,0]", "bcd")])
def test_remove_takes_items_in_any_order(target: str, left: str) -> None:
    """A JSONPath may name items backwards or twice; exactly the named ones are removed."""
    assert [tag["name"] for tag in _apply_actions({"target": target, "remove": True})["tags"]] == [*left]


def test_each_action_sees_what_the_earlier_did() -> None:
    """An object that one action removes and the next one adds has only the new content."""
    found = _apply_actions(
        {"target": "$.info.contact", "remove": True}, {"target": "$.info", "update": {"contact": {"mail": "m"}}}
    )
    assert found["info"]["contact"] == {"mail": "m"}


def test_input_and_overlay_are_not_changed() -> None:
    """Each match of one update gets its own copy: a later change to one affects neither the other nor the inputs."""
    before = copy.deepcopy(DOCUMENT)
    shared: dict[str, Any] = {"target": "$.limits[*]", "description": "Why", "update": {"rate": {"per": [1]}}}
    later = {"target": "$.limits.free.rate.per", "description": "Why", "update": 2}
    found = apply_overlay(DOCUMENT, [shared, later], "an overlay")
    assert found["limits"] == {"free": {"most": 1, "rate": {"per": [1, 2]}}, "paid": {"most": 1, "rate": {"per": [1]}}}
    assert before == DOCUMENT
    assert shared["update"] == {"rate": {"per": [1]}}


def test_true_in_place_of_one_is_a_change() -> None:
    """JSON distinguishes true from 1, so replacing one with the other is no empty update."""
    assert _apply_actions({"target": "$.limits.free", "update": {"most": True}})["limits"]["free"]["most"] is True


def test_remove_that_is_not_true_is_refused(tmp_path: Path) -> None:
    """`remove: false` is a usage error that names the action."""
    path = tmp_path / "overlay.yaml"
    path.write_text(HEAD + "{target: $.tags, description: Why, remove: false}", encoding="utf-8")
    with pytest.raises(UsageError, match="action 2"):
        apply_overlay(DOCUMENT, read_overlay(path), str(path))
