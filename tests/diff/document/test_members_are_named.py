"""A change of a group says which member it is about, and tells what was no group as what it was."""

from typing import Any

import pytest

from contract_watch.diff import compare

_COMPONENTS = {
    "Cat": {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["cat"]}, "x": {"type": "string"}}},
    "Dog": {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["dog"]}}},
}
_CAT, _DOG = ({"$ref": f"#/components/schemas/{name}"} for name in ("Cat", "Dog"))


def _make_document(schema: Any, components: Any = _COMPONENTS) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object", "properties": {"p": schema}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"post": {"requestBody": {"content": content}, "responses": {"204": {"description": "x"}}}}},
        "components": {"schemas": components},
    }


def _list_messages(base: Any, revision: Any) -> list[tuple[str, str]]:
    found = compare(_make_document(base), _make_document(revision))
    return [(change.rule, change.message) for change in found.changes]


@pytest.mark.parametrize(
    ("member", "name"),
    [
        (_DOG, "Dog"),
        ({"allOf": [{"description": "x"}, _DOG, {"required": ["name"]}]}, "Dog"),
        ({"title": "a dog", "type": "object", "required": ["legs"]}, "a dog"),
        ({"type": "integer", "minimum": 1}, "integer"),
        ({"enum": ["a", 1]}, "integer or string"),
        ({"type": "object", "required": ["kind"], "properties": {"kind": {"const": "dog"}}}, "kind: 'dog'"),
        ({"type": "object", "required": ["legs"], "properties": {"legs": {"type": "integer"}}}, "member 2"),
    ],
)
def test_member_has_a_name(member: Any, name: str) -> None:
    """A member is named by its reference, its title, its type or its tag, or else by its position."""
    base, revision = {"oneOf": [_CAT, {"type": "boolean"}]}, {"oneOf": [_CAT, {"type": "boolean"}, member]}
    added, removed = (
        ("one-of-member-added", f"{name} added to oneOf"),
        (
            "one-of-member-removed",
            f"{name} removed from oneOf",
        ),
    )
    assert added in _list_messages(base, revision)
    assert removed in _list_messages(revision, base)


def test_what_is_no_group_is_named_as_what_it_is() -> None:
    """An object that becomes a group was no member of one."""
    single = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    group = {"oneOf": [{"type": "array", "minItems": 1}, {"type": "string"}]}
    assert ("one-of-member-removed", "object became oneOf of array, string") in _list_messages(single, group)
    assert ("one-of-member-added", "oneOf of array, string became object") in _list_messages(group, single)


def test_annotations_next_to_a_single_member_stay() -> None:
    """A default and a deprecation next to a group are not those of its members."""
    notes = {"default": {"kind": "cat"}, "deprecated": True}
    base, revision = {"oneOf": [_CAT], **notes}, {"oneOf": [_CAT, _DOG], **notes}
    assert _list_messages(base, revision) == [("one-of-member-added", "Dog added to oneOf")]
    assert _list_messages(revision, base) == [("one-of-member-removed", "Dog removed from oneOf")]
    assert _list_messages({"type": "string", **notes}, {"oneOf": [{"type": "string"}, _DOG], **notes}) == [
        ("one-of-member-added", "Dog added to oneOf")
    ]


@pytest.mark.parametrize("others", [{}, {"type": "object"}, {"minProperties": 1}])
@pytest.mark.parametrize("wrap", [lambda schema: schema, lambda schema: {"allOf": [schema, {"description": "x"}]}])
def test_edit_of_a_wrapped_member_is_told_once_at_the_member(others: Any, wrap: Any) -> None:
    """A schema that becomes a member of a group, where keywords stand next to the group, is compared with the member."""
    narrowed = {
        **_COMPONENTS["Cat"],
        "properties": {"kind": {"enum": ["cat"]}, "x": {"type": "string", "minLength": 3}},
    }
    found = compare(
        _make_document(_CAT),
        _make_document(wrap({**others, "oneOf": [_DOG, _CAT]}), {**_COMPONENTS, "Cat": narrowed}),
    )
    told = {(change.rule, change.place) for change in found.changes if change.rule.startswith("min-length")}
    assert told == {("min-length-introduced", "/components/schemas/Cat/properties/x")}
    assert not {change.rule for change in found.changes} & {"one-of-introduced", "property-removed"}


def test_null_next_to_a_group_is_the_only_change() -> None:
    """A group behind a reference is a whole member of a group that adds null to it."""
    for kind in ("anyOf", "oneOf"):
        for inner in ("anyOf", "oneOf"):
            components = {**_COMPONENTS, "Pet": {inner: [_CAT, _DOG]}}
            pet = {"$ref": "#/components/schemas/Pet"}
            documents = [_make_document(one, components) for one in (pet, {kind: [pet, {"type": "null"}]})]
            assert [one.rule for one in compare(*documents).changes] == ["nullable-gained"]
            assert [one.rule for one in compare(*documents[::-1]).changes] == ["nullable-lost"]


def test_write_only_is_told_in_the_common_form() -> None:
    """A form with keywords next to the group, and one with them in each member, hide no edit of a member."""
    bare = {"oneOf": [_CAT, _DOG]}
    components = {**_COMPONENTS, "Cat": {**_COMPONENTS["Cat"], "properties": {"kind": {"enum": ["cat"]}, "x": {"writeOnly": True, "type": "string"}, "y": {}}}}  # fmt: skip
    for after in (bare, {**bare, "type": "object"}, {**bare, "required": ["kind"]}):
        found = compare(_make_document(bare), _make_document(after, components))
        assert {change.rule for change in found.changes} == {"write-only-set", "property-added"}
