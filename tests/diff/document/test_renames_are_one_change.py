"""A removed and an added name of the same schema in one place are one change, a rename; ambiguous cases stay two."""

from typing import Any

import pytest

from contract_watch.diff import compare
from tests.support.documents.pairs import FRAGMENT_KINDS, complete_document

TEXT, NUMBER = {"type": "string", "maxLength": 64}, {"type": "integer"}


def _compare(kind: str, base: Any, revision: Any) -> list[tuple[str, str, str]]:
    """Return rule, level and location of each change, without the location of the fragment."""
    documents = [complete_document(FRAGMENT_KINDS[kind].wrap(one), "3.1.0") for one in (base, revision)]
    return [(one.rule, one.level.value, one.location.rpartition("/")[2]) for one in compare(*documents).changes]


def _object(*names: str, required: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    properties = {name.removesuffix("#"): NUMBER if name.endswith("#") else TEXT for name in names}
    return {"type": "object", "properties": properties, "required": list(required), **more}


@pytest.mark.parametrize(
    ("base", "revision", "in_request", "in_response"),
    [
        (("username",), ("user_name",), "warning", "warning"),
        (("username",), ("user_name", "!"), "breaking", "warning"),
        (("username", "!"), ("user_name",), "warning", "breaking"),
        (("username", "!"), ("user_name", "!"), "breaking", "breaking"),
    ],
)
def test_a_renamed_property_is_one_rename(
    base: tuple[str, ...], revision: tuple[str, ...], in_request: str, in_response: str
) -> None:
    """The old name may have lost its effect in requests; readers of a required one fail. ``!`` marks a required one."""
    sides = [_object(side[0], "port#", required=side[:1] if "!" in side else ()) for side in (base, revision)]
    for kind, level in (("request-body", in_request), ("response-body", in_response)):
        found = _compare(kind, *sides)
        assert [one for one in found if "renamed" in one[0]] == [found[0]]
        assert not any("removed" in rule or "added" in rule for rule, _, _ in found)
        assert {location for _, _, location in found} == {"user_name"}
        assert level in {one[1] for one in found}
        assert level == "breaking" or "breaking" not in {one[1] for one in found}


def test_a_rename_names_both_names_and_locations() -> None:
    """The message is a sentence; the location is that of the new name, and the old one is known too."""
    documents = [complete_document(FRAGMENT_KINDS["request-body"].wrap(_object(name)), "3.1.0")
                 for name in ("username", "user_name")]  # fmt: skip
    (change,) = compare(*documents).changes
    assert (change.rule, change.message) == ("property-renamed", "`username` was renamed to `user_name`")
    assert change.location.endswith("/properties/user_name")
    assert change.previous_location.endswith("/properties/username")


@pytest.mark.parametrize(
    ("base", "revision"),
    [
        (("a",), ("b", "c")),
        (("a", "b"), ("c",)),
        (("a",), ("b#",)),
        (tuple(f"a{n}" for n in range(20)), tuple(f"b{n}" for n in range(20))),
    ],
    ids=["two candidates", "two origins", "another schema", "rewritten"],
)
def test_what_is_ambiguous_stays_two_changes(base: tuple[str, ...], revision: tuple[str, ...]) -> None:
    """Nobody knows which name replaces which."""
    rules = [rule for rule, _, _ in _compare("request-body", _object(*base), _object(*revision))]
    assert sorted(rules) == sorted(["property-removed"] * len(base) + ["property-added"] * len(revision))


def test_each_of_several_renames_is_found() -> None:
    """Two properties of different schemas are renamed at once, behind references and in another spelling of the schema."""
    base = _object("a", "b#")
    revision = {"allOf": [{"type": "object", "properties": {"c": {"allOf": [TEXT], "description": "x"}, "d": NUMBER}}]}
    found = _compare("request-schemas", {"Thing": base}, {"Thing": revision})
    assert [(rule, location) for rule, _, location in found] == [("property-renamed", "c"), ("property-renamed", "d")]


def test_a_name_that_is_refused_now_breaks_its_senders() -> None:
    """In a closed object the old name is rejected, and the new one was impossible."""
    sides = [_object(name, additionalProperties=False) for name in ("a", "b")]
    for kind in ("request-body", "response-body"):
        assert _compare(kind, *sides) == [("property-renamed-and-refused", "breaking", "b")]


def test_a_read_only_property_is_renamed_in_responses_alone() -> None:
    """No request contains it under any name."""
    sides = [{"type": "object", "properties": {name: {**TEXT, "readOnly": True}}} for name in ("a", "b")]
    assert _compare("request-body", *sides) == [("property-renamed", "compatible", "b")]
    assert _compare("response-body", *sides) == [("property-renamed", "warning", "b")]


def test_schemas_that_contain_themselves_are_compared() -> None:
    """Two renamed properties that refer to a schema in a cycle, which changed too, end in a report of all changes."""

    def make(name: str, other: str) -> dict[str, Any]:
        reference = {"$ref": "#/components/schemas/Thing"}
        return {
            "Thing": {"type": "object", "properties": {name: reference, other: {"type": "array", "items": reference}}}
        }

    rules = {rule for rule, _, _ in _compare("request-schemas", make("parent", "children"), make("owner", "members"))}
    assert rules
    assert rules <= {"property-renamed", "property-removed", "property-added"}


@pytest.mark.parametrize("location", ["query", "header", "cookie"])
@pytest.mark.parametrize(
    ("required", "expected"),
    [
        ((False, False), [("renamed", "warning")]),
        ((False, True), [("renamed", "warning"), ("became-required", "breaking")]),
        ((True, False), [("renamed", "warning"), ("became-optional", "compatible")]),
        ((True, True), [("required-renamed", "breaking")]),
    ],
)
def test_a_renamed_parameter_is_one_rename(
    location: str, required: tuple[bool, bool], expected: list[tuple[str, str]]
) -> None:
    """Parameters in the same location with the same schema and style are one parameter under another name."""
    sides = [[{"in": location, "name": name, "required": needed, "schema": TEXT}]
             for name, needed in zip(("first", "second"), required, strict=True)]  # fmt: skip
    found = [(rule, level) for rule, level, _ in _compare("parameters", *sides)]
    assert found == [(f"{location}-parameter-{kind}", level) for kind, level in expected]


def test_a_parameter_that_moved_or_is_encoded_anew_is_not_renamed() -> None:
    """Another location or style is another request."""
    old = {"in": "query", "name": "a", "schema": {"type": "array", "items": TEXT}}
    for new in ({**old, "in": "cookie", "name": "b"}, {**old, "name": "b", "style": "pipeDelimited"}):
        rules = [rule for rule, _, _ in _compare("parameters", [old], [new])]
        assert rules == ["query-parameter-removed", f"{new['in']}-parameter-added"]
