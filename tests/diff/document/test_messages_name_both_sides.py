"""A message says what changed in the words of OpenAPI, and names both sides where there are two."""

import re
from typing import Any

import pytest

from contract_watch.diff.document import ApiChange, compare
from contract_watch.diff.document.rules import explain_level
from tests.support.documents.pairs import complete_document, load_pairs


def _compare_responses(base: Any, revision: Any, schemas: Any) -> list[ApiChange]:
    documents = (
        {"paths": {"/x": {"get": {"responses": responses}}}, "components": {"schemas": schemas}}
        for responses in (base, revision)
    )
    return list(compare(*(complete_document(one, "3.1.0") for one in documents)).changes)


def _make_response(name: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": name, "content": {"application/json": {"schema": schema}}}


_SCHEMAS = {
    "E": {"type": "object", "required": ["code"], "properties": {"code": {}, "errors": {"type": "object"}}},
    "R": {"type": "object", "required": ["code", "after"], "properties": {"code": {}, "after": {"type": "number"}}},
}
_RANGE = {"200": {"description": "ok"}, "4XX": _make_response("E")}


@pytest.mark.parametrize(
    ("base", "revision", "level", "place", "words"),
    [
        (
            _RANGE,
            {**_RANGE, "429": _make_response("R")},
            "warning",
            "/paths/~1x/get/responses/429",
            [
                "429 was part of 4XX and is described apart: property errors removed (warning)",
                "required property after added (compatible)",
            ],
        ),
        (
            {**_RANGE, "429": _make_response("R")},
            _RANGE,
            "breaking",
            "/paths/~1x/get/responses/4XX",
            [
                "only 4XX describes 429 now: required property after removed (breaking)",
                "optional property errors added (compatible)",
            ],
        ),
    ],
    ids=["taken out", "put into"],
)
def test_a_status_and_its_range_are_one_change(
    base: Any, revision: Any, level: str, place: str, words: list[str]
) -> None:
    """Neither the range nor a schema changed, so nothing is told there."""
    (change,) = _compare_responses(base, revision, _SCHEMAS)
    assert (change.level.value, change.place, change.message) == (level, place, ", ".join(words))


def test_not_modified_is_no_error() -> None:
    """The message and the consequence of a new 304 do not speak of errors."""
    (change,) = _compare_responses({"200": {}}, {"200": {}, "304": {}}, {})
    assert "error" not in f"{change.rule} {change.message} {explain_level(change)}"


def _compare_request(base: Any, revision: Any) -> list[tuple[str, str]]:
    """Return the message and the consequence of each change of the schema of a request."""
    documents = (
        {"paths": {"/x": {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}}}
        for schema in (base, revision)
    )
    changes = compare(*(complete_document(one, "3.1.0") for one in documents)).changes
    return [(change.message, explain_level(change)) for change in changes]


@pytest.mark.parametrize(
    ("base", "revision", "message", "consequence"),
    [
        ({"maxItems": 10}, {"maxItems": 5}, "maxItems changed from 10 to 5",
         "The API now rejects arrays with more items than the new maxItems."),
        ({}, {"minItems": 1}, "minItems: 1 added", "The API now rejects arrays with fewer items than the new minItems."),
        ({"minItems": 1}, {}, "minItems: 1 removed",
         "The API now also accepts arrays with fewer items than the old minItems."),
        ({"contains": {"type": "string"}, "maxContains": 3}, {"contains": {"type": "string"}},
         "maxContains 3 removed", "The API now also accepts arrays with another number of matching items."),
    ],
)  # fmt: skip
def test_a_size_is_written_as_in_openapi(base: Any, revision: Any, message: str, consequence: str) -> None:
    """A message has the keyword and its numbers, a consequence the values in question."""
    assert _compare_request({"type": "array", **base}, {"type": "array", **revision}) == [(message, consequence)]


def test_a_schema_for_additional_properties_is_no_refusal() -> None:
    """Additional properties that match the schema are still accepted."""
    found = _compare_request({"type": "object"}, {"type": "object", "additionalProperties": {"type": "string"}})
    consequence = "The API now rejects additional properties that do not match the new schema."
    assert found == [("additional properties have to match a schema now", consequence)]


def test_a_new_property_is_explained_to_readers() -> None:
    """The consequence for a response does not speak of requests."""
    old, new = ({"E": {"type": "object", "properties": properties}} for properties in ({}, {"a": {"type": "string"}}))
    documents = (
        {"paths": {"/x": {"get": {"responses": {"200": _make_response("E")}}}}, "components": {"schemas": schemas}}
        for schemas in (old, new)
    )
    (change,) = compare(*(complete_document(one, "3.1.0") for one in documents)).changes
    assert explain_level(change) == "Code that reads the response ignores properties that it does not know."


@pytest.mark.parametrize(
    ("key", "consequence"),
    [("authorizationUrl", "Clients send users to"), ("tokenUrl", "Clients request"), ("refreshUrl", "Clients renew")],
)
def test_an_address_of_a_flow_names_both_sides(key: str, consequence: str) -> None:
    """The consequence tells the use that clients make of the address."""

    def build_document(address: str) -> dict[str, Any]:
        flow = {"authorizationUrl": "https://a.example", "tokenUrl": "https://t.example", "scopes": {}, key: address}
        schemes = {"o": {"type": "oauth2", "flows": {"authorizationCode": flow}}}
        return complete_document({"components": {"securitySchemes": schemes}}, "3.1.0")

    (change,) = compare(build_document("https://one.example"), build_document("https://two.example")).changes
    assert change.message == f"{key} changed from 'https://one.example' to 'https://two.example'"
    assert explain_level(change).startswith(consequence)


def test_no_message_has_a_value_of_python() -> None:
    """A value on one side alone is added or removed, never None."""
    for pair in load_pairs():
        for change in compare(pair.base, pair.revision).changes:
            assert not re.search(r"\b(None|True|False)\b", change.message), (pair.id, change.message)
