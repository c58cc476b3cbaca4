"""The overlay check finds the actions that no longer fit a new document, and suggests an edit for each."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from contract_watch.contracts.matchers import are_equal
from contract_watch.contracts.overlay import apply_overlay, read_overlay
from contract_watch.contracts.registry import load_contracts
from contract_watch.diff.overlay_check import OverlayCheck, OverlayIssue, OverlayIssueKind, check_overlay
from contract_watch.diff.overlay_check.relocate import format_jsonpath
from contract_watch.errors import UsageError

JSON = Any
SLUGS = sorted(load_contracts())
PATH = "/outbound/smarthost"


def _load_overlay(slug: str) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    """Return a vendor's actions, published document and effective document."""
    contract = load_contracts()[slug]
    return read_overlay(contract.directory / "overlay.yaml"), dict(contract.published.raw), dict(contract.effective.raw)


def _check_edited_document(edit: Callable[[dict[str, Any]], object]) -> list[OverlayIssue]:
    """Return the issues after an edit of JetEmail's published document."""
    actions, base, _ = _load_overlay("jetemail")
    revision = copy.deepcopy(base)
    edit(revision)
    return list(check_overlay(actions, base, revision).issues)


def _check_small_document(base: JSON, revision: JSON, *actions: dict[str, Any]) -> OverlayCheck:
    return check_overlay([{"description": "Why", **action} for action in actions], base, revision)


def _list_kinds(issues: Sequence[OverlayIssue]) -> list[tuple[int, OverlayIssueKind]]:
    return [(issue.action, issue.kind) for issue in issues]


@pytest.mark.parametrize("slug", SLUGS)
def test_the_same_document_has_no_issues(slug: str) -> None:
    """Report nothing for the same document, and give the effective one."""
    actions, base, effective = _load_overlay(slug)
    found = check_overlay(actions, base, base)
    assert found.issues == ()
    assert are_equal(found.document, effective)


@pytest.mark.parametrize("slug", SLUGS)
def test_unrelated_edits_are_no_issues(slug: str) -> None:
    """Report nothing for edits next to those of the actions, and keep each edit."""
    actions, base, effective = _load_overlay(slug)
    revision = copy.deepcopy(base)
    revision["info"]["version"] = "9"
    revision["x-more"] = [1]
    revision["components"]["x-more"] = {}
    revision["components"].setdefault("schemas", {})["AllNew"] = {"type": "object"}
    for item in revision["paths"].values():
        for operation in item.values():
            operation["x-more"] = {"a": 1}
            operation["summary"] = "All new"
    found = check_overlay(actions, base, revision)
    assert found.issues == ()
    assert found.document["components"]["schemas"].keys() == effective["components"]["schemas"].keys() | {"AllNew"}
    assert are_equal(found.document, apply_overlay(revision, actions, "it"))


@pytest.mark.parametrize("slug", SLUGS)
def test_what_the_vendor_has_taken_over_is_superfluous(slug: str) -> None:
    """Report every action as superfluous if the vendor publishes our effective document."""
    actions, base, effective = _load_overlay(slug)
    found = check_overlay(actions, base, effective)
    assert _list_kinds(found.issues) == [
        (number, OverlayIssueKind.SUPERFLUOUS) for number in range(1, len(actions) + 1)
    ]
    assert are_equal(found.document, effective)


def test_a_new_name_is_reported() -> None:
    """Suggest the new target if the path has a new name."""
    found = _check_edited_document(lambda raw: raw.update(paths={f"/v2{PATH}": raw["paths"][PATH]}))
    lost = next(issue for issue in found if issue.action == 2)
    assert lost.kind is OverlayIssueKind.LOST
    assert lost.places == ("/paths/~1outbound~1smarthost",)
    assert lost.edit.startswith(f"if `{PATH}` is now `/v2{PATH}`, set the target of action 2 ")
    assert f" to $.paths['/v2{PATH}'].post;" in lost.edit
    assert len(found) == 17


def test_a_new_status_is_reported() -> None:
    """Suggest the new target if 200 became 201, and report no other action."""

    def edit(raw: JSON) -> None:
        responses = raw["paths"][PATH]["post"]["responses"]
        responses["201"] = responses.pop("200")

    found = _check_edited_document(edit)
    assert _list_kinds(found) == [(10, OverlayIssueKind.LOST), (11, OverlayIssueKind.LOST), (19, OverlayIssueKind.LOST)]
    assert found[2].edit.startswith("if `200` is now `201`, set the target of action 19 ")
    assert " to $.paths['/outbound/smarthost'].post.responses['201'];" in found[2].edit


def test_an_operation_that_went_needs_a_drop_or_nothing() -> None:
    """Report the action of a removed operation as lost, and those with other locations as fewer."""
    found = _check_edited_document(lambda raw: raw["paths"][PATH].pop("delete"))
    assert _list_kinds(found) == [
        (4, OverlayIssueKind.LOST),
        *((number, OverlayIssueKind.FEWER) for number in (6, 7, 8, 9)),
    ]
    assert found[0].edit.startswith("drop action 4 ")
    assert (
        "matches 11 of 15 locations: the document no longer has /paths/~1outbound~1smarthost/delete" in found[1].message
    )
    assert found[1].edit.startswith("none, ")


def test_a_schema_moved_to_a_component_is_followed() -> None:
    """Follow a reference to a body that became a component.

    Updates below are to be repeated there. An update that would join the reference is broken, names the component, and is
    not applied.
    """
    actions, base, _ = _load_overlay("jetemail")
    revision = copy.deepcopy(base)
    media = revision["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]
    revision["components"]["schemas"] = {"NewOne": media["schema"]}
    media["schema"] = {"$ref": "#/components/schemas/NewOne"}
    found = check_overlay(actions, base, revision)
    assert _list_kinds(found.issues) == [
        *((number, OverlayIssueKind.FEWER) for number in (12, 13, 14)),
        (15, OverlayIssueKind.BROKEN),
    ]
    assert "moved it to #/components/schemas/NewOne" in found.issues[0].message
    assert "the target $.components.schemas.NewOne.properties.password" in found.issues[0].edit
    assert "correct $.components.schemas.NewOne instead" in found.issues[3].edit
    body = found.document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/NewOne"}


def test_a_component_of_our_name_collides() -> None:
    """Report a component that the vendor named like ours, and not the other component of the same update."""
    found = _check_edited_document(
        lambda raw: raw["components"].update(schemas={"ApiError": {"properties": {"code": {}}}})
    )
    assert _list_kinds(found) == [(5, OverlayIssueKind.COLLIDES)]
    assert found[0].places == ("/components/schemas/ApiError",)
    assert "remove `schemas.ApiError` from the update of action 5" in found[0].edit


PASSWORD = (
    "paths",
    PATH,
    "post",
    "responses",
    "200",
    "content",
    "application/json",
    "schema",
    "properties",
    "password",
)


def _find_request_schema(raw: JSON, *parts: str) -> JSON:
    for part in parts:
        raw = raw[part]
    return raw


def test_part_of_an_update_is_superfluous() -> None:
    """Report two published keys as superfluous, and a third with another value as a collision with both values."""
    found = _check_edited_document(
        lambda raw: _find_request_schema(raw, *PASSWORD).update(format="password", minLength=8, maxLength=99)
    )
    assert _list_kinds(found) == [(11, OverlayIssueKind.COLLIDES), (11, OverlayIssueKind.PARTLY)]
    assert "maxLength is 99, ours is 72" in found[0].message
    assert found[1].keys == (("format",), ("minLength",))
    assert "remove `format`, `minLength` from the update of action 11" in found[1].edit


def test_what_an_action_would_hide_is_reported() -> None:
    """Report the old and the new value that an action would overwrite, and keep our correction."""
    actions, base, _ = _load_overlay("jetemail")
    found = check_overlay(actions, base, {**base, "openapi": "3.1.1"})
    assert _list_kinds(found.issues) == [(1, OverlayIssueKind.COLLIDES)]
    assert '/openapi changed from "3.0.0" to "3.1.1"' in found.issues[0].message
    assert found.document["openapi"] == "3.1.0"


def test_what_an_action_would_remove_is_looked_at() -> None:
    """Report the location and the first difference if one of 15 removed schemas changed."""
    place = ("patch", "responses", "400", "content", "application/json")
    found = _check_edited_document(
        lambda raw: _find_request_schema(raw["paths"][PATH], *place)["schema"].update(type="array")
    )
    assert _list_kinds(found) == [(6, OverlayIssueKind.COLLIDES)]
    assert 'which the vendor changed: /type changed from "object" to "array"' in found[0].message
    assert found[0].places == ("/paths/~1outbound~1smarthost/patch/responses/400/content/application~1json/schema",)


BASE = {"a": {"list": [1], "deep": {"x": 1}, "gone": 1}, "tags": [{"name": "p"}, {"name": "q"}], "b": {"list": [1]}}
A = {"list": [1], "deep": {"x": 1}, "gone": 1}
WRITE = {"target": "$.a", "update": {"deep": {"x": 2, "y": 3}, "list": [7]}}
REMOVE = {"target": "$.a.gone", "remove": True}


@pytest.mark.parametrize(
    ("action", "change", "kind", "document", "words"),
    [
        (
            WRITE,
            {"list": [1, 7]},
            OverlayIssueKind.PARTLY,
            {"deep": {"x": 2, "y": 3}, "list": [1, 7]},
            "remove `list` from",
        ),
        (
            {"target": "$.a", "update": {"list": [7, 8]}},
            {"list": [1, 7]},
            OverlayIssueKind.PARTLY,
            {"list": [1, 7, 8]},
            "remove `list: 7` from",
        ),
        (WRITE, {"list": [1, 9]}, None, {"deep": {"x": 2, "y": 3}, "list": [1, 9, 7]}, ""),
        (
            WRITE,
            {"list": "text"},
            OverlayIssueKind.BROKEN,
            {"deep": {"x": 2, "y": 3}, "list": "text"},
            "remove `list` from",
        ),
        (WRITE, {"deep": []}, OverlayIssueKind.BROKEN, {"deep": [], "list": [1, 7]}, "or rewrite it for an array"),
        (
            WRITE,
            {"deep": {"x": 5}},
            OverlayIssueKind.COLLIDES,
            {"deep": {"x": 2, "y": 3}, "list": [1, 7]},
            "remove `deep.x` from",
        ),
        (WRITE, {"deep": {"x": 2, "y": 3}}, OverlayIssueKind.PARTLY, {"list": [1, 7]}, "remove `deep` from"),
        (
            WRITE,
            {"deep": {"x": 2, "y": 3}, "list": [1, 7]},
            OverlayIssueKind.SUPERFLUOUS,
            {"list": [1, 7]},
            "drop action 1 ($.a)",
        ),
        (REMOVE, {"gone": 2}, OverlayIssueKind.COLLIDES, {}, "review the vendor's version"),
    ],
)
def test_each_part_is_reported(
    action: JSON, change: JSON, kind: OverlayIssueKind | None, document: JSON, words: str
) -> None:
    """Report at most one issue for one change of an object, with the edit, and duplicate no item."""
    found = _check_small_document(BASE, {**BASE, "a": {**A, **change}}, action)
    assert [issue.kind for issue in found.issues] == ([kind] if kind else [])
    wanted = {**A, **change, **document}
    if action is REMOVE:
        del wanted["gone"]
    assert found.document["a"] == wanted
    assert all(words in issue.edit for issue in found.issues)


def test_a_removal_that_the_vendor_has_made_is_superfluous() -> None:
    """Report a removal as superfluous if the vendor made it, and as lost if the surroundings are gone too."""
    gone = _check_small_document(BASE, {**BASE, "a": {"list": [1]}}, REMOVE)
    assert _list_kinds(gone.issues) == [(1, OverlayIssueKind.SUPERFLUOUS)]
    assert gone.issues[0].edit == "drop action 1 ($.a.gone)"
    assert _list_kinds(_check_small_document(BASE, {"b": {}}, REMOVE).issues) == [(1, OverlayIssueKind.LOST)]


def test_an_item_said_at_some_locations_needs_a_split() -> None:
    """Suggest a split if an action extends two arrays and the vendor extended one; each array has the item once."""
    action = {"target": "$['a','b']", "update": {"list": [7]}}
    found = _check_small_document(BASE, {**BASE, "b": {"list": [1, 7]}}, action)
    assert _list_kinds(found.issues) == [(1, OverlayIssueKind.PARTLY)]
    assert found.issues[0].edit.startswith("split action 1 ")
    assert [found.document[name]["list"] for name in "ab"] == [[1, 7], [1, 7]]


def test_items_are_known_by_name_and_new_locations_are_reported() -> None:
    """Recognise items by name when a new one comes first, and report only the new one, as wider."""
    action = {"target": "$.tags[*]", "update": {"kind": "k"}}
    found = _check_small_document(
        BASE, {**BASE, "tags": [{"name": "n"}, {"name": "p", "new": 1}, {"name": "q"}]}, action
    )
    assert _list_kinds(found.issues) == [(1, OverlayIssueKind.WIDER)]
    assert found.issues[0].places == ("/tags/0",)
    assert found.document["tags"] == [
        {"name": "n", "kind": "k"},
        {"name": "p", "new": 1, "kind": "k"},
        {"name": "q", "kind": "k"},
    ]


def test_a_reference_is_not_mixed_with_other_things() -> None:
    """Report a collision, and keep the vendor's schema alone, if our update would add a reference to it."""
    action = {"target": "$.a", "update": {"schema": {"$ref": "#/b"}}}
    found = _check_small_document(BASE, {**BASE, "a": {"schema": {"type": "object"}}}, action)
    assert _list_kinds(found.issues) == [(1, OverlayIssueKind.COLLIDES)]
    assert found.document["a"]["schema"] == {"type": "object"}


def test_containers_made_elsewhere_too_are_filled_again() -> None:
    """Keep an action whose result another action removes.

    One action empties two objects, and one action each fills them; the vendor filled one in the same way. The strict overlay
    gives the same document.
    """
    base = {"a": {"s": {"old": 1}}, "b": {"s": {"old": 2}}}
    actions: list[Any] = [
        {"target": "$.*.s", "description": "Room", "remove": True},
        {"target": "$.a", "description": "One", "update": {"s": {"$ref": "#/x"}}},
        {"target": "$.b", "description": "Other", "update": {"s": {"$ref": "#/y"}}},
    ]
    revision = {**base, "a": {"s": {"$ref": "#/x"}}}
    found = check_overlay(actions, base, revision)
    assert OverlayIssueKind.SUPERFLUOUS not in {issue.kind for issue in found.issues}
    assert are_equal(found.document, apply_overlay(revision, actions, "it"))


def test_a_vendor_who_says_more_than_ours_has_said_it() -> None:
    """Report our component as superfluous if the vendor's contains it and more."""
    action = {"target": "$.components", "update": {"schemas": {"E": {"required": ["a"], "type": "object"}}}}
    theirs = {"schemas": {"E": {"required": ["b", "a"], "type": "object", "title": "E"}}}
    found = _check_small_document({"components": {}}, {"components": theirs}, action)
    assert _list_kinds(found.issues) == [(1, OverlayIssueKind.SUPERFLUOUS)]
    assert found.document["components"] == theirs


def test_what_is_settled_at_one_location_is_broken_where_others_need_it() -> None:
    """Report an action as broken where the strict overlay would refuse it.

    A later action sets a string, as the vendor does now; another object still needs the earlier action.
    """
    actions: list[Any] = [
        {"target": "$.*.s", "description": "Why", "update": {"t": 1}},
        {"target": "$.a", "description": "Why", "update": {"s": "text"}},
    ]
    found = check_overlay(actions, {"a": {"s": {}}, "b": {"s": {}}}, {"a": {"s": "text"}, "b": {"s": {}}})
    assert _list_kinds(found.issues) == [(1, OverlayIssueKind.BROKEN), (2, OverlayIssueKind.SUPERFLUOUS)]
    assert found.document == {"a": {"s": "text"}, "b": {"s": {"t": 1}}}


def test_faults_of_the_overlay_are_usage_errors() -> None:
    """Name an action that is not a JSONPath or does not fit the old document."""
    for target, words in (("$.a[", "is not a JSONPath"), ("$.z", "matches nothing")):
        with pytest.raises(UsageError, match=rf"overlay\.yaml: action 1 .*{words}"):
            _check_small_document(BASE, BASE, {"target": target, "remove": True})


@pytest.mark.parametrize("name", ["a", "a b", "it's", 'say "so"', "back\\slash", "\\'", "\n", "ü", "/x/{id}", ""])
def test_a_path_leads_to_its_location(name: str) -> None:
    """Format a JSONPath that matches only its location, for names of all kinds."""
    base = {"x": {name: {"y": [0, {}]}, "other": {"y": [0, {}]}}}
    target = format_jsonpath(("x", name, "y", 1))
    found = apply_overlay(base, [{"target": target, "description": "Why", "update": {"z": 1}}], "it")
    assert found["x"] == {**base["x"], name: {"y": [0, {"z": 1}]}}
