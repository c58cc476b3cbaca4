"""The comparison of documents with unusual shapes ends soon, and finds the change at the far end."""

import copy
import gc
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from contract_watch.diff.document import ChangeLevel, compare, operations
from contract_watch.diff.document.normalized_schema import Conjunction
from contract_watch.diff.document.schemas import SchemaComparison

CHAIN_LENGTH = 1500
_NOTHING_ELSE: dict[str, Any] = {"type": "integer"}


def _make_referring_schema(shape: str, reference: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that refers to ``reference``."""
    return {
        "alias": reference,
        "allOf": {"allOf": [reference, {"description": "that"}]},
        "anyOf": {"anyOf": [reference, _NOTHING_ELSE, {"type": "object", "properties": {"z": reference}}]},
        "oneOf": {"oneOf": [{"type": "object", "required": ["a"], "properties": {"a": reference}},
                            {"type": "object", "properties": {"b": reference}}]},
        "not": {"not": reference},
        "items": {"type": "array", "items": reference},
        "properties": {"type": "object", "properties": {"x": reference, "y": reference}},
    }[shape]  # fmt: skip


def _make_chained_document(shape: str, last: dict[str, Any], links: int = CHAIN_LENGTH) -> dict[str, Any]:
    """Return a document with a body at one end of a chain of references, and ``last`` at the other."""
    schemas = {f"S{n}": _make_referring_schema(shape, {"$ref": f"#/components/schemas/S{n + 1}"}) for n in range(links)}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}
    operation = {"requestBody": {"content": content}, "responses": {"200": {"description": "", "content": content}}}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"post": operation}},
            "components": {"schemas": {**schemas, f"S{links}": last}}}  # fmt: skip


@pytest.mark.parametrize("shape", ["alias", "allOf", "anyOf", "oneOf", "not", "items", "properties"])
def test_chain_of_references_is_followed_to_its_end(shape: str) -> None:
    """Neither depth nor the number of paths to a schema stops a comparison or hides a change.

    A schema 1,500 references away, over paths that double at each step, loses values: requests and responses report it.
    """
    found = compare(
        _make_chained_document(shape, {"type": "string"}),
        _make_chained_document(shape, {"type": "string", "maxLength": 3}),
    )
    assert found.level.rank >= ChangeLevel.WARNING.rank
    assert {change.direction for change in found.changes} == {"request", "response"}


def test_a_chain_without_an_end_in_sight_is_told_as_too_deep() -> None:
    """Each location behind a chain names all of its links: what lies beyond 2,000 of them is a warning without them."""
    found = compare(
        _make_chained_document("items", {"type": "string"}, links=2100),
        _make_chained_document("items", {"type": "integer"}, links=2100),
    )
    assert {change.rule for change in found.changes} == {"too-deep"}
    assert found.level is ChangeLevel.WARNING
    assert max(len(change.location) for change in found.changes) < 1000


@pytest.mark.parametrize("shape", ["allOf", "anyOf", "oneOf", "not", "items", "properties"])
def test_circle_of_references_ends(shape: str) -> None:
    """A change of a schema in a cycle of references is reported, and nothing else."""

    def circle(most: int) -> dict[str, Any]:
        end = {"anyOf": [{"$ref": "#/components/schemas/S0"}, {"type": "string", "maxLength": most}]}
        return _make_chained_document(shape, end, links=5)

    assert compare(circle(5), circle(5)).level is ChangeLevel.NONE
    found = compare(circle(5), circle(3))
    assert found.level.rank >= ChangeLevel.WARNING.rank, found.changes


def test_each_reference_is_a_location_of_use() -> None:
    """A change of a component is reported at each place of use, and a cycle is followed once.

    A schema that three properties and the schema itself use loses a property: four locations, one through itself.
    """

    def document(*names: str) -> dict[str, Any]:
        reference = {"$ref": "#/components/schemas/S0"}
        own = {name: {"type": "string"} for name in names}
        schema = {"type": "object", "properties": {"a": dict(reference), "b": dict(reference),
                                                   "list": {"type": "array", "items": dict(reference)}}}  # fmt: skip
        found = _make_chained_document("alias", {}, links=0)
        used = {"type": "object", "properties": {"children": {"type": "array", "items": dict(reference)}, **own}}
        found["components"]["schemas"] = {"S0": used}
        found["paths"]["/a"]["post"] = {"responses": {"200": {"description": "", "content": {
            "application/json": {"schema": schema}}}}}  # fmt: skip
        return found

    (place,) = compare(document("x", "y"), document("x")).changes
    assert place.place == "/components/schemas/S0/properties/y"
    found = compare(document("x", "y"), document("x"), with_uses=True)
    root = "/paths/~1a/post/responses/200/content/application~1json/schema/properties"
    assert [change.location.removeprefix(root) for change in found.changes] == [
        "/a/properties/y", "/b/properties/y", "/list/items/properties/y", "/a/properties/children/items/properties/y",
    ]  # fmt: skip


def test_a_web_of_references_is_reported_once_where_it_is_far() -> None:
    """In a chain of schemas distant roots do not report the same change.

    Of 300 bodies, each refers to the next one, and the last loses values: the near roots report it, and one distant root.
    The place itself counts all of them.
    """

    def document(end: dict[str, Any]) -> dict[str, Any]:
        found = _make_chained_document("items", end, links=300)
        found["paths"] = {
            f"/a{n}": {"post": {"requestBody": {"content": {"application/json": {"schema": {
                "$ref": f"#/components/schemas/S{n}"}}}}, "responses": {}}}
            for n in range(300)
        }  # fmt: skip
        return found

    pair = document({"type": "string"}), document({"type": "string", "maxLength": 3})
    (place,) = compare(*pair).changes
    assert len(place.operations) == 300
    reported = compare(*pair, with_uses=True).changes
    paths = {change.location.split("/")[2] for change in reported}
    assert "~1a299" in paths
    assert "~1a0" in paths
    assert 20 < len(paths) < 50


def test_what_is_muted_on_one_way_is_reported_on_another() -> None:
    """A schema that is read-only in one place of a body is assessed separately in another.

    A body uses a schema twice, first read-only, and it loses values: compatible in the first place, breaking in the other.
    """

    def document(most: int) -> dict[str, Any]:
        user = {"type": "object", "properties": {"name": {"$ref": "#/components/schemas/Name"}}}
        read_only = {"type": "object", "readOnly": True, "properties": {"u": {"$ref": "#/components/schemas/User"}}}
        body = {"type": "object", "properties": {"a": read_only, "b": {"$ref": "#/components/schemas/User"}}}
        found = _make_chained_document("alias", {}, links=0)
        found["components"]["schemas"] = {"S0": body, "User": user, "Name": {"type": "string", "maxLength": most}}
        del found["paths"]["/a"]["post"]["responses"]["200"]["content"]
        return found

    assert [change.level for change in compare(document(5), document(3)).changes] == [ChangeLevel.BREAKING]
    found = compare(document(5), document(3), with_uses=True)
    assert {(change.level, change.location.rpartition("schema/properties/")[2]) for change in found.changes} == {
        (ChangeLevel.COMPATIBLE, "a/properties/u/properties/name"), (ChangeLevel.BREAKING, "b/properties/name"),
    }  # fmt: skip


_BRANCHES: dict[str, Callable[[str, int], dict[str, Any]]] = {
    "kinds": lambda side, n: {"type": "object", "required": ["kind"],
                              "properties": {"kind": {"const": f"{side}{n}"}, "said": {"type": "string"}}},
    "names": lambda side, n: {"type": "object", "required": [f"{side}{n}"], "properties": {f"{side}{n}": {}}},
    "patterns": lambda side, n: {"type": "string", "pattern": f"^{side}{n}$"},
    "ranges": lambda side, n: {"type": "integer", "minimum": 20 * n + ord(side), "maximum": 20 * n + ord(side) + 1},
    "sizes": lambda side, n: {"type": "array", "minItems": n + 1, "maxItems": n + 1,
                              "items": {"type": {"a": "string", "r": "integer"}[side]}},
    "excluded": lambda side, n: {"not": {"const": f"{side}{n}"}},
}  # fmt: skip
"""Members of a combinator, by side and number; no two accept the same values."""
_REPORTED = ("kinds", "names", "patterns", "ranges")
"""Kinds of members whose outlines show that they have nothing in common."""


@pytest.mark.parametrize("kind", ["anyOf", "oneOf"])
@pytest.mark.parametrize("members", _BRANCHES)
def test_long_groups_with_nothing_in_common_are_not_compared_member_by_member(
    members: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time for a combinator is linear in its length, and an unfinished comparison hides nothing.

    Of 300 members on each side none is on both, which makes 90,000 pairs: few are compared, and none if the outlines
    suffice. Every member is reported, and the change breaks wherever that is known.
    """
    requested = list[Conjunction]()
    ask = SchemaComparison.is_subset

    def counted(schemas: SchemaComparison, base: Conjunction, revision: Conjunction) -> bool:
        requested.append(base)
        return ask(schemas, base, revision)

    monkeypatch.setattr(SchemaComparison, "is_subset", counted)
    group = [{kind: [_BRANCHES[members](side, n) for n in range(300)]} for side in "ar"]
    found = compare(
        _make_chained_document("alias", group[0], links=1), _make_chained_document("alias", group[1], links=1)
    )
    reported = Counter(change.direction for change in found.changes if "-member-" in change.rule)
    assert reported == {"request": 600, "response": 600}
    assert found.level is ChangeLevel.BREAKING
    assert len(requested) <= (0 if members in _REPORTED else 10_000)
    warned = {change.rule for change in found.changes if change.level is ChangeLevel.WARNING}
    assert members not in _REPORTED or warned <= {"one-of-overlap-changed"}


@pytest.mark.parametrize("kind", ["anyOf", "oneOf"])
def test_the_matches_in_long_groups_are_found(kind: str) -> None:
    """Of 300 reordered members, the changed one and the removed one are found, and nothing else."""
    base = [_BRANCHES["kinds"]("a", n) for n in range(300)]
    revision = copy.deepcopy(base[:-1])
    revision[7]["properties"]["said"]["maxLength"] = 3
    groups = {kind: base}, {kind: revision[::-1]}
    found = compare(
        _make_chained_document("alias", groups[0], links=1), _make_chained_document("alias", groups[1], links=1)
    )
    word = {"anyOf": "any-of", "oneOf": "one-of"}[kind]
    assert {change.rule for change in found.changes if change.direction == "request"} == {
        "max-length-introduced", f"{word}-member-removed",
    }  # fmt: skip


@pytest.mark.parametrize("levels", [90, 300, 2000])
@pytest.mark.parametrize("shape", ["allOf", "anyOf", "oneOf", "not", "items", "default", "enum"])
def test_deep_schemas_neither_stop_a_comparison_nor_hide_what_differs(shape: str, levels: int) -> None:
    """Schemas or values that are nested too deeply to compare are reported as such if they differ, without an error."""
    others = {"anyOf": [_NOTHING_ELSE], "oneOf": [{"type": "boolean", "x": 1}]}

    def deep(end: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = end
        for _ in range(levels):
            found = {shape: found} if shape in ("not", "items") else {shape: [found, *others.get(shape, [])]}
        return found

    base, revision, again = (
        _make_chained_document("alias", {"type": "object", "properties": {"x": deep(end)}}, links=1)
        for end in ({"type": "string"}, {"type": "string", "maxLength": 3}, {"type": "string"})
    )
    assert compare(base, revision).level is not ChangeLevel.NONE
    assert compare(base, again).changes == ()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_has_not_are_passed_over(number: float) -> None:
    """NaN and infinite numbers, which other parsers accept, cause no error and no change between equal documents."""
    schemas: list[dict[str, Any]] = [
        {"enum": [number, 1], "minimum": 0},
        {"const": number, "multipleOf": 2},
        {"type": "number", "minimum": number, "default": number, "multipleOf": number},
        {"type": "array", "contains": {}, "minContains": number, "maxItems": number},
        {"type": "integer", "maximum": 3},
    ]
    for base in schemas:
        assert (
            compare(
                _make_chained_document("alias", base, links=1), _make_chained_document("alias", dict(base), links=1)
            ).changes
            == ()
        )
        for revision in schemas:
            if revision is not base:
                assert compare(
                    _make_chained_document("alias", base, links=1), _make_chained_document("alias", revision, links=1)
                ).changes


@pytest.mark.parametrize("is_enabled", [True, False])
def test_the_collector_of_cycles_is_left_as_it_was(is_enabled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison pauses it, also one that fails, and turns on nothing that was off."""
    was = gc.isenabled()

    def fail(*_: Any, **__: Any) -> None:
        assert not gc.isenabled()
        raise ZeroDivisionError

    try:
        (gc.enable if is_enabled else gc.disable)()
        compare({"paths": {}}, {"paths": {}})
        assert gc.isenabled() is is_enabled
        monkeypatch.setattr(operations, "compare", fail)
        with pytest.raises(ZeroDivisionError):
            compare({"paths": {}}, {"paths": {}})
        assert gc.isenabled() is is_enabled
    finally:
        (gc.enable if was else gc.disable)()
