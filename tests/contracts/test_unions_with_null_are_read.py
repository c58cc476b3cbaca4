"""A union of one schema and null is read as that schema with null, and means the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_watch.contracts.null_unions import fold_null_unions
from contract_watch.contracts.schema import Schema

_NULL = {"type": "null"}
_COMPONENTS = {
    "State": {"type": "string", "enum": ["on", "off"]},
    "Node": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/components/schemas/Node"}, _NULL]}}},
}
FOLDED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a text": ({"anyOf": [{"type": "string", "maxLength": 9}, _NULL]}, {"type": ["string", "null"], "maxLength": 9}),
    "null first": ({"oneOf": [{"const": None}, {"type": "integer"}]}, {"type": ["integer", "null"]}),
    "an enumeration": (
        {"anyOf": [{"$ref": "#/components/schemas/State"}, _NULL], "title": "State"},
        {"type": ["string", "null"], "enum": ["on", "off", None], "title": "State"},
    ),
    "a note beside it": (
        {"anyOf": [{"type": "array"}, _NULL], "maxItems": 3},
        {"type": ["array", "null"], "maxItems": 3},
    ),
}
KEPT: dict[str, dict[str, Any]] = {
    "two others": {"anyOf": [{"type": "string"}, {"type": "integer"}, _NULL]},
    "no null": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    "no type": {"anyOf": [{"maxLength": 3}, _NULL]},
    "one keyword on both sides": {"anyOf": [{"type": "string", "maxLength": 3}, _NULL], "maxLength": 2},
    "a constant": {"anyOf": [{"type": "string", "const": "a"}, _NULL]},
    "members below": {"anyOf": [{"type": "string", "not": {"maxLength": 1}}, _NULL]},
    "a broken reference": {"anyOf": [{"$ref": "#/components/schemas/None"}, _NULL]},
}


def _build(schema: dict[str, Any]) -> dict[str, Any]:
    return {"openapi": "3.1.0", "components": {"schemas": {**_COMPONENTS, "Tested": schema}}}


@pytest.mark.parametrize("case", FOLDED)
def test_union_is_read_as_its_schema_with_null(case: str) -> None:
    """The union's place has one schema, for which values are made."""
    union, expected = FOLDED[case]
    assert fold_null_unions(_build(union))["components"]["schemas"]["Tested"] == expected


@pytest.mark.parametrize("case", KEPT)
def test_union_stays_where_it_would_mean_something_else(case: str) -> None:
    """The validator alone judges a union whose null cannot be added to one type."""
    assert fold_null_unions(_build(KEPT[case]))["components"]["schemas"]["Tested"] == KEPT[case]


def test_document_without_unions_is_the_same_object() -> None:
    """Nothing is copied where there is nothing to fold."""
    document = {"openapi": "3.1.0", "components": {"schemas": {"Tested": {"type": "string"}}}}
    assert fold_null_unions(document) is document


def test_schema_that_contains_itself_ends() -> None:
    """A reference is followed a few times; below that the union stays."""
    document = fold_null_unions(_build({"$ref": "#/components/schemas/Node"}))
    assert Schema(document, document["components"]["schemas"]["Node"]).accepts({"next": {"next": None}})
    assert len(str(document)) < 5000


_VALUES = st.none() | st.booleans() | st.integers(-3, 12) | st.text(max_size=11) | st.lists(st.integers(), max_size=5)


@pytest.mark.parametrize("case", [*FOLDED, *(case for case in KEPT if case != "a broken reference")])
@given(value=_VALUES | st.sampled_from(["on", "off", "a"]))
def test_folding_keeps_the_valid_values(case: str, value: Any) -> None:
    """A value is valid after folding if and only if it was before."""
    union = FOLDED[case][0] if case in FOLDED else KEPT[case]
    before, after = _build(union), fold_null_unions(_build(union))
    folded = after["components"]["schemas"]["Tested"]
    assert Schema(before, union).accepts(value) == Schema(after, folded).accepts(value)
