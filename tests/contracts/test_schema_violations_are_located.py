"""Schemas locate violations and undocumented properties, and no regular expression makes them slow."""

import subprocess
import sys
from typing import Any

import pytest

from contract_watch.contracts.registry import ROOT
from contract_watch.contracts.schema import Schema, resolve_reference
from tests.support.patience import PATIENCE

COMPONENTS = {
    "Pet": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string", "maxLength": 3}, "tags": {"type": "array", "items": {"$ref": "#/components/schemas/Tag"}}},
    },
    "Tag": {"type": "object", "properties": {"text": {"type": "string", "pattern": "^[a-z]+$"}}},
    "Alias": {"$ref": "#/components/schemas/Pet"},
    "Loop": {"$ref": "#/components/schemas/Loop"},
}  # fmt: skip


def _make_schema(schema: dict[str, Any], version: str = "3.1.0") -> Schema:
    return Schema({"openapi": version, "components": {"schemas": COMPONENTS}}, schema)


PET = {"$ref": "#/components/schemas/Alias"}


@pytest.mark.parametrize("version", ["3.0.0", "3.1.0"])
@pytest.mark.parametrize(
    ("value", "path", "keyword", "pointer"),
    [
        (3, (), "type", ""),
        ({}, ("name",), "required", "name"),
        ({"name": 3}, ("name",), "type", "name"),
        ({"name": "abcd"}, ("name",), "maxLength", "name"),
        ({"name": "a", "tags": {}}, ("tags",), "type", "tags"),
        ({"name": "a", "tags": [{}, {"text": "A"}]}, ("tags", 1, "text"), "pattern", "tags/*/text"),
    ],
)
def test_violation_says_where_and_what(
    version: str, value: Any, path: tuple[str | int, ...], keyword: str, pointer: str
) -> None:
    """A violation has a path, a keyword, a pointer for ids and a description, behind references and in both versions.

    A missing property has its own path.
    """
    schema = _make_schema(PET, version)
    [found] = schema.find_violations(value)
    assert (found.path, found.keyword, found.pointer) == (path, keyword, pointer)
    assert found.expected
    assert not schema.accepts(value)


def test_every_violation_is_reported() -> None:
    """Two wrong items and a missing name give three violations: none hides another."""
    value = {"tags": [{"text": "A"}, {"text": 1}]}
    found = {(violation.path, violation.keyword) for violation in _make_schema(PET).find_violations(value)}
    assert found == {(("name",), "required"), (("tags", 0, "text"), "pattern"), (("tags", 1, "text"), "type")}


def test_violations_do_not_repeat_the_value() -> None:
    """The description of a violation omits the value sent, which may be a secret."""
    for value in (
        {"name": "correct horse"},
        {"name": ["correct horse"]},
        {"name": "a", "tags": [{"text": "correct horse"}]},
    ):
        [found] = _make_schema(PET).find_violations(value)
        assert "horse" not in found.expected


def test_good_value_has_no_violations() -> None:
    """An undocumented property is no violation."""
    schema = _make_schema(PET)
    assert schema.find_violations({"name": "abc", "tags": [{"text": "a"}], "more": 1}) == []
    assert schema.accepts({"name": "abc", "more": 1})


ONE = {"properties": {"kind": {"const": 1}, "one": {"type": "string"}}, "required": ["kind"]}
TWO = {"properties": {"kind": {"const": 2}, "two": {"properties": {"x": {}}}}, "required": ["kind"]}


@pytest.mark.parametrize(
    ("schema", "value", "found"),
    [
        (PET, {"name": "a", "tags": [{"text": "a"}]}, []),
        (PET, {"name": "a", "new": {"deep": 1}}, [("new",)]),
        (PET, {"name": "a", "tags": [{}, {"text": "a", "hue": 1}]}, [("tags", 1, "hue")]),
        ({"type": "array", "items": PET}, [{"name": "a", "new": 1}], [(0, "new")]),
        ({"oneOf": [ONE, TWO]}, {"kind": 1, "one": "a"}, []),
        ({"oneOf": [ONE, TWO]}, {"kind": 1, "two": {}}, [("two",)]),
        ({"oneOf": [ONE, TWO]}, {"kind": 2, "two": {"x": 1, "y": 2}}, [("two", "y")]),
        ({"anyOf": [ONE, {"properties": {"more": {}}}]}, {"kind": 1, "one": "", "more": 1}, []),
        ({"allOf": [PET, {"properties": {"age": {}}}]}, {"name": "a", "age": 1, "new": 1}, [("new",)]),
        ({"type": "object"}, {"any": {"thing": 1}}, []),
        ({"properties": {"free": {"type": "object"}}}, {"free": {"any": 1}}, []),
        ({"properties": {"a": {}}, "additionalProperties": True}, {"b": 1}, []),
        ({"properties": {"a": {}}, "additionalProperties": PET}, {"b": {"name": "a", "new": 1}}, [("b", "new")]),
        ({"properties": {}}, {"a": 1}, [("a",)]),
        ({"type": "string"}, "text", []),
        ({"type": "array"}, [{"any": 1}], []),
    ],
)
def test_undocumented_properties_are_found(
    schema: dict[str, Any], value: Any, found: list[tuple[str | int, ...]]
) -> None:
    """References, arrays and alternatives are searched for undocumented properties; free-form objects have none."""
    assert list(_make_schema(schema).find_undocumented(value)) == found


def test_reference_to_itself_is_an_error() -> None:
    """A cycle of references is a ValueError; a plain reference resolves to its target."""
    document = {"components": {"schemas": COMPONENTS}}
    with pytest.raises(ValueError, match="leads to itself"):
        resolve_reference(document, {"$ref": "#/components/schemas/Loop"})
    assert resolve_reference(document, PET) is COMPONENTS["Pet"]
    assert resolve_reference({"a/b": {"c~d": 1}}, {"$ref": "#/a~1b/c~0d"}) == 1


def _nest_value(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [{"name": "a", "tags": [{"text": "\ud800"}]}, {"\ud800": 1}, {"name": _nest_value(300)}],
    ids=["text", "name", "deep"],
)
def test_every_json_value_can_be_judged(value: Any) -> None:
    """Any value from the network is judged without an exception, even half a surrogate pair or 300 nested lists."""
    assert _make_schema(PET).find_violations(value) is not None


_HOSTILE = """
import time
from contract_watch.contracts.registry import Contract
contract = Contract("jetemail")
documents = {"published": contract.published, "effective": contract.effective}
bodies = {name: document.find_operation("/outbound/smarthost", "POST").body for name, document in documents.items()}
value = {"username": "a", "approvedDomains": ["a" * 64 + "!"]}
begun = time.process_time()
for name, body in bodies.items():
    assert [found.keyword for found in body.find_violations(value)] == ["pattern"], name
assert time.process_time() - begun < 1
"""


def test_exponential_pattern_is_judged_at_once() -> None:
    """The published domain pattern would take a backtracking engine years for 64 letters and "!".

    A subprocess with a time limit checks that it is rejected within a second.
    """
    subprocess.run([sys.executable, "-c", _HOSTILE], check=True, timeout=PATIENCE, cwd=ROOT)  # noqa: S603 (our own code)


def test_a_violation_is_one_line() -> None:
    """The validator's text about a name has more lines, with the whole schema."""
    schema = Schema({}, {"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}})
    (found,) = schema.find_violations({"a\r\nb": 1})
    assert "\n" not in found.expected
    assert "does not match" in found.expected
