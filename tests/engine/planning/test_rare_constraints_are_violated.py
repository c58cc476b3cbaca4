"""Constraints that few documents have get a value on each side, and nested objects one for each property."""

import re
from typing import Any

import pytest

from contract_watch.contracts.schema import Schema
from contract_watch.engine.planning.nested_values import generate_nested
from contract_watch.engine.planning.values import generate_invalid, generate_valid
from contract_watch.engine.planning.variants import SchemaSet, Variant

NEW, OLD = {"openapi": "3.1.0"}, {"openapi": "3.0.3"}
ADDRESS = {
    "type": "object", "required": ["street"],
    "properties": {
        "street": {"type": "string", "maxLength": 5, "example": "a"},
        "geo": {"type": "object", "properties": {"lat": {"type": "number", "maximum": 90}}},
    },
}  # fmt: skip


def _generate(document: dict[str, Any], schema: dict[str, Any], *, accepted: bool) -> list[Variant]:
    judges = SchemaSet([Schema(document, schema)])
    items = SchemaSet([Schema(document, schema["items"])]) if "items" in schema else None
    found = list((generate_valid if accepted else generate_invalid)(schema, judges, items))
    assert found
    check = judges.all_accept if accepted else judges.all_reject
    assert [one for one in found if not check(one.value)] == []
    return found


@pytest.mark.parametrize(
    ("document", "schema", "violated"),
    [
        (NEW, {"type": "integer", "exclusiveMinimum": 3}, {"exclusiveMinimum": 3}),
        (OLD, {"type": "integer", "minimum": 3, "exclusiveMinimum": True}, {"exclusiveMinimum": 3}),
        (NEW, {"type": "number", "exclusiveMaximum": 1, "minimum": 0}, {"exclusiveMaximum": 1, "minimum": -1}),
        (NEW, {"type": "integer", "minimum": 1, "maximum": 20, "multipleOf": 5}, {"multipleOf": 6, "maximum": 25}),
        (NEW, {"type": "number", "multipleOf": 0.5}, {"multipleOf": 0.25}),
        (NEW, {"const": "fixed"}, {"const": "fixed-not"}),
        (NEW, {"type": ["integer", "null"], "minimum": 1}, {"minimum": 0, "type": "10"}),
        (OLD, {"type": "string", "nullable": True, "maxLength": 2, "example": "ab"}, {"maxLength": "aba"}),
        (NEW, {"type": "array", "minItems": 2, "items": {"type": "string", "example": "ab"}}, {"minItems": ["aa"]}),
        (NEW, {"type": "array", "uniqueItems": True, "items": {"type": "integer"}}, {"uniqueItems": [0, 0]}),
        (NEW, {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 3}}, {"minimum": [0], "type": ["10"]}),
        (NEW, {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}, {"enum": ["a", "B"]}),
    ],
)  # fmt: skip
def test_each_constraint_has_a_value_on_each_side(
    document: dict[str, Any], schema: dict[str, Any], violated: dict[str, Any]
) -> None:
    """The schema accepts the ones and rejects the others."""
    found = {one.keyword: one.value for one in _generate(document, schema, accepted=False)}
    assert violated.items() <= found.items()
    valid = [one.value for one in _generate(document, schema, accepted=True)]
    assert (None in valid) == ("null" in schema.get("type", ()) or schema.get("nullable") is True)


@pytest.mark.parametrize(
    ("pattern", "example", "most"),
    [
        ("^https://", "https://hooks.acme.example/lantern", 6),  # open: it says nothing of the end
        ("^https://.+$", "https://hooks.acme.example/lantern", 6),  # closed, but nearly all that is tried fits
        ("^[a-z]{2,9}-[a-z]{2,9}$", "ab-cd", 34),
    ],
)
def test_a_loose_pattern_takes_few_requests(pattern: str, example: str, most: int) -> None:
    """Each edit of the example costs a request: the few are from all over the text, the example first."""
    schema = {"type": "string", "pattern": pattern, "example": example}
    texts = [one.value for one in _generate(NEW, schema, accepted=True)]
    assert 6 <= len(texts) <= most
    assert len(set(texts)) == len(texts)
    assert (len(texts) > 6) is (most > 6)
    assert texts[0] == example
    for part in re.findall("[A-Za-z]+", example)[1:]:
        assert any(part not in re.findall("[A-Za-z]+", text) for text in texts), part
    assert len(_generate(NEW, schema, accepted=False)) <= 7  # one of them has another type


def test_nested_properties_are_violated_one_at_a_time() -> None:
    """The pointer leads to the property, at any depth, and the rest of the object is valid."""
    found = {(one.pointer, one.keyword): one.value for one in generate_nested(NEW, ADDRESS, accepted=False)}
    assert found["", "type"] == "text"
    assert found["/street", "required"] == {}
    assert found["/street", "maxLength"] == {"street": "aaaaaa"}
    assert found["/geo/lat", "maximum"] == {"street": "a", "geo": {"lat": 91}}
    granted = list(generate_nested(NEW, ADDRESS, accepted=True))
    valid = [one.value for one in granted]
    assert {"street": "aaaa-"} in valid
    simpler = [one for variant in granted for one in variant.simpler]
    assert [(one.pointer, one.value) for one in simpler] == [
        ("/street", {"street": "aaaaa"}),
        ("/street", {"street": "a-"}),
    ]
    assert {"street": "a", "geo": {"lat": 90}} in valid
