"""Documented response headers are checked: presence, type and bounds, and no secret in any header."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_watch.contracts.headers import HeaderSpec, format_header, parse_header
from contract_watch.contracts.openapi import OpenApi
from contract_watch.contracts.registry import load_contracts
from contract_watch.contracts.schema import Schema, parse_json
from contract_watch.engine.judging.checked_response import CheckedResponse
from contract_watch.engine.judging.response_checks import check_response
from contract_watch.engine.judging.run_secrets import RunSecrets
from contract_watch.engine.protocols.wire import Response

KEY = "key_0123456789abcdef"
HEADERS: dict[str, Any] = {
    "X-Request-Id": {"$ref": "#/components/headers/Id"},
    "RateLimit-Remaining": {"schema": {"type": "integer", "minimum": 0}},
    "X-Tags": {"schema": {"type": "array", "minItems": 1, "items": {"type": "integer"}}},
    "X-Quota": {"content": {"application/json": {"schema": {"type": "object", "required": ["left"]}}}},
    "X-Pair": {"explode": True, "schema": {"type": "object", "properties": {"a": {"type": "integer"}}}},
    "X-New-Password": {"schema": {"type": "string", "format": "password"}},
    "Content-Type": {"required": True, "schema": {"type": "integer"}},
}
DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {"/a": {"get": {"operationId": "getA", "responses": {"200": {
        "description": "", "headers": HEADERS, "content": {"application/json": {"schema": {"type": "object"}}}
    }}}}},
    "components": {"headers": {"Id": {"required": True, "schema": {"type": "string", "pattern": "^[0-9a-f]{4}$"}}}},
}  # fmt: skip
OPERATION = OpenApi(DOCUMENT).operations["getA"]
GOOD = {"content-type": "application/json", "x-request-id": "00ff"}


def list_ids(headers: dict[str, str], *, documented: bool = True) -> list[str]:
    """Return the ids of the disagreements of a response with these headers."""
    response = Response(200, dict(headers), b"{}", has_documented_headers=documented)
    contract = load_contracts()["jetemail"]
    secrets = RunSecrets(contract, {"paid": KEY})
    checked = CheckedResponse(OPERATION, response, OPERATION.find_response(200), parse_json(response.body), secrets)
    return [found.id for found in check_response(checked)]


@pytest.mark.parametrize("headers", [
    {}, {"ratelimit-remaining": "0"}, {"x-tags": "1, 2"}, {"x-quota": '{"left": 1}'}, {"x-pair": "a=1"}, {"via": "a proxy"},
])  # fmt: skip
def test_conforming_headers_have_no_findings(headers: dict[str, str]) -> None:
    """Optional headers may come, and undocumented ones too."""
    assert list_ids(GOOD | headers) == []


@pytest.mark.parametrize(("headers", "found"), [
    ({"x-request-id": "XYZ"}, "x-request-id/pattern"),
    ({"x-request-id": ""}, "x-request-id/pattern"),
    ({"ratelimit-remaining": "-1"}, "ratelimit-remaining/minimum"),
    ({"ratelimit-remaining": "many"}, "ratelimit-remaining/type"),
    ({"ratelimit-remaining": "1.5"}, "ratelimit-remaining/type"),
    ({"x-tags": ""}, "x-tags/minItems"),
    ({"x-tags": "1,b"}, "x-tags/type"),
    ({"x-quota": "{}"}, "x-quota/missing"),
    ({"x-quota": "left"}, "x-quota/type"),
    ({"x-pair": "a=b"}, "x-pair/type"),
    ({"x-echo": f"Bearer {KEY}"}, "x-echo/secret"),
])  # fmt: skip
def test_a_header_that_breaks_its_schema_is_a_finding(headers: dict[str, str], found: str) -> None:
    """The finding's id names the operation, the status, the header and the kind of drift."""
    assert list_ids(GOOD | headers) == [f"getA/200/header/{found}"]


def test_a_missing_header_is_a_finding_only_if_required() -> None:
    """Six of the documented headers are optional."""
    assert list_ids({"content-type": "application/json"}) == ["getA/200/header/x-request-id/missing"]


def test_a_documented_password_header_may_hold_a_secret() -> None:
    """A header of the format ``password`` is there to hand one out."""
    assert list_ids(GOOD | {"x-new-password": KEY}) == []


def test_grpc_metadata_is_not_checked_against_documented_headers() -> None:
    """The document describes HTTP's headers alone."""
    assert list_ids({"content-type": "application/json"}, documented=False) == []


_word = st.text("abcdefghij_-", min_size=1, max_size=8)
_CASES = [
    ({"type": "integer"}, st.integers()),
    ({"type": "boolean"}, st.booleans()),
    ({"type": "string"}, _word),
    ({"type": "array", "items": {"type": "integer"}}, st.lists(st.integers(), max_size=4)),
    ({"type": "array", "items": {"type": "string"}}, st.lists(_word, max_size=4)),
    ({"type": "object", "additionalProperties": True}, st.dictionaries(_word, _word, max_size=3)),
]


@given(data=st.data(), explode=st.booleans(), is_json=st.booleans())
def test_a_formatted_header_is_parsed_as_it_was(data: Any, explode: bool, is_json: bool) -> None:
    """The mock writes headers with one function, and the suite reads them with the other."""
    schema, values = data.draw(st.sampled_from(_CASES))
    value = data.draw(values)
    spec = HeaderSpec("x", True, Schema({}, schema), is_json, explode)
    assert parse_header(spec, format_header(spec, value)) == value
