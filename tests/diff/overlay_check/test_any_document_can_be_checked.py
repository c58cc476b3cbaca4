"""The overlay check accepts every document, and its edits make the overlay fit."""

import copy
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from contract_watch.contracts.matchers import are_equal
from contract_watch.contracts.overlay import apply_overlay, read_overlay
from contract_watch.contracts.registry import load_contracts
from contract_watch.diff.overlay_check import OverlayIssue, OverlayIssueKind, check_overlay
from contract_watch.diff.overlay_check.diff import remove_keys

JSON = Any
SLUGS = sorted(load_contracts())
NEEDS_A_DECISION = {OverlayIssueKind.LOST, OverlayIssueKind.BROKEN, OverlayIssueKind.COLLIDES}


def _load_overlay(slug: str) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    """Return a vendor's actions, published document and effective document."""
    contract = load_contracts()[slug]
    return read_overlay(contract.directory / "overlay.yaml"), dict(contract.published.raw), dict(contract.effective.raw)


def _apply_suggestions(actions: list[Any], issues: Sequence[OverlayIssue]) -> list[Any]:
    """Return the overlay without superfluous actions and keys."""
    dropped = {issue.action for issue in issues if issue.kind is OverlayIssueKind.SUPERFLUOUS}
    left = []
    for number, action in enumerate(actions, 1):
        keys = frozenset(keys for one in issues if one.action == number for keys in one.keys)
        if number not in dropped:
            left.append({**action, "update": remove_keys(action["update"], keys)} if keys else action)
    return left


def _find_request_schema(raw: JSON, *parts: str) -> JSON:
    for part in parts:
        raw = raw[part]
    return raw


JUNK: list[JSON] = [
    None,
    [],
    {},
    "x",
    3,
    True,
    [None],
    {"a": 1},
    {"$ref": "#/paths"},
    {"$ref": "#/nowhere"},
    "\x1b[2J\n",
]


def _walk_positions(node: JSON, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for part in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield (*way, part)
        yield from _walk_positions(node[part], (*way, part))


def _edit_randomly(raw: JSON, effective: JSON, draw: random.Random) -> None:
    """Make one random edit: remove, replace, rename or add a value, or copy one from the effective document."""
    spots = list(_walk_positions(raw))
    *way, part = draw.choice(spots)
    holder = _find_request_schema(raw, *way)
    kind = draw.randrange(6)
    if kind == 0:
        del holder[part]
    elif kind == 1:
        holder[part] = copy.deepcopy(draw.choice(JUNK))
    elif kind == 2:
        holder[part] = copy.deepcopy(_find_request_schema(raw, *draw.choice(spots)))
    elif kind == 3 and isinstance(holder, list):
        holder.insert(0, copy.deepcopy(draw.choice(JUNK)))
    elif kind == 4 and isinstance(holder, dict):
        holder[f"{part}x"] = holder.pop(part)
    elif isinstance(holder, dict):
        for *path, name in draw.choices(list(_walk_positions(effective)), k=9):
            try:
                _find_request_schema(raw, *path)[name] = copy.deepcopy(_find_request_schema(effective, *path, name))
            except (LookupError, TypeError):
                continue


@pytest.mark.parametrize("slug", SLUGS)
def test_following_the_edits_makes_the_overlay_fit(slug: str) -> None:
    """Suggest edits that work, for 50 randomly edited documents of each vendor.

    Every message is one line. If no issue needs a decision, the strict overlay without superfluous parts gives the same
    document.
    """
    actions, base, effective = _load_overlay(slug)
    draw, fitting = random.Random(5), 0
    for _ in range(50):
        revision = copy.deepcopy(draw.choice([base, base, base, effective]))
        for _ in range(draw.choice([1, 1, 2, 5])):
            _edit_randomly(revision, effective, draw)
        found = check_overlay(actions, base, revision)
        lines = [line for issue in found.issues for line in (issue.message, issue.edit)]
        assert all(line.isprintable() and 0 < len(line) < 2000 for line in lines)
        if not any(issue.kind in NEEDS_A_DECISION or issue.edit.startswith("split") for issue in found.issues):
            fitting += 1
            left = _apply_suggestions(actions, found.issues)
            assert are_equal(apply_overlay(revision, left, "it") if left else revision, found.document)
    assert fitting > 10


@pytest.mark.parametrize("slug", SLUGS)
def test_any_json_is_taken(slug: str) -> None:
    """Raise nothing for values of other types at the top and for 100 levels, and report an issue."""
    actions, base, _ = _load_overlay(slug)
    deep: JSON = 1
    for _ in range(98):
        deep = {"a": deep} if isinstance(deep, list) else [deep]
    for junk in (*JUNK, deep):
        for name in ("openapi", "info", "components"):
            check_overlay(actions, base, {**base, name: junk})
        assert check_overlay(actions, base, {**base, "paths": junk}).issues
    assert check_overlay(actions, base, {}).issues


def test_a_search_too_deep_is_reported() -> None:
    """Report an action that searches everywhere as broken in a document that is too deep."""
    deep: JSON = 1
    for _ in range(120):
        deep = [deep]
    found = check_overlay(
        [{"target": "$..b", "description": "Why", "remove": True}], {"a": {"b": 1}}, {"a": {"b": 1}, "c": deep}
    )
    assert [issue.kind for issue in found.issues] == [OverlayIssueKind.BROKEN]


def test_large_documents_take_no_long() -> None:
    """Finish, with short messages, for 3,000 new paths and every name lost.

    The paths are one object, as YAML aliases may be; each is changed separately.
    """
    actions, base, _ = _load_overlay("smtp2go")
    item = base["paths"]["/users/smtp/add"]
    revision = {**base, "paths": {f"/users/smtp/add{'x' * 50}{number}": item for number in range(3000)}}
    found = check_overlay(actions, base, revision)
    assert {OverlayIssueKind.LOST, OverlayIssueKind.FEWER, OverlayIssueKind.WIDER} <= {
        issue.kind for issue in found.issues
    }
    assert max(len(issue.message) for issue in found.issues) < 2000
