"""An OpenAPI document is parsed into operations, and anything that cannot be parsed is an error in one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.openapi import OpenApi, read_json
from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError

DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/things/{id}": {
            "summary": "Things",
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "get": {"responses": {"200": {"$ref": "#/components/responses/Thing"}}},
            "put": {
                "operationId": "putThing",
                "deprecated": True,
                "parameters": [{"name": "dry", "in": "query"}],
                "requestBody": {"$ref": "#/components/requestBodies/Thing"},
                "responses": {"204": {"description": "Done"}, "default": {"description": "Else"}},
            },
        },
        "/things": {"post": {"operationId": "addThing", "requestBody": {"content": {"text/plain": {}}}, "responses": {}}},
    },
    "components": {
        "parameters": {"Id": {"name": "id", "in": "path", "required": True}},
        "responses": {"Thing": {"description": "It", "content": {"application/json": {"schema": {"type": "string"}}, "text/html": {}}}},
        "requestBodies": {"Thing": {"required": True, "content": {"application/json": {"schema": {"maxLength": 3}}}}},
    },
}  # fmt: skip


@pytest.fixture(name="document")
def _document() -> OpenApi:
    return OpenApi(DOCUMENT)


def test_operations_are_found_by_id(document: OpenApi) -> None:
    """An operation without an id is identified by method and path."""
    assert list(document.operations) == ["GET /things/{id}", "putThing", "addThing"]
    assert document.operations["putThing"].name == "PUT /things/{id}"


def test_body_is_read_through_its_reference(document: OpenApi) -> None:
    """The operation has the schema, media type and required flag of its body, or None without a body."""
    put, get, add = (document.operations[name] for name in ("putThing", "GET /things/{id}", "addThing"))
    assert put.body is not None
    assert (put.body.accepts("abc"), put.body.accepts("abcd")) == (True, False)
    assert (put.body_required, put.media_type) == (True, "application/json")
    assert (get.body, get.body_required, get.media_type) == (None, False, None)
    assert (add.body_required, add.media_type) == (False, "text/plain")


def test_answers_are_read_through_their_references(document: OpenApi) -> None:
    """A response has a description and a schema for each media type; without a schema any body is valid."""
    answer = document.operations["GET /things/{id}"].responses[200]
    assert (answer.description, list(answer.media)) == ("It", ["application/json", "text/html"])
    schema = answer.media["application/json"]
    assert schema is not None
    assert not schema.accepts(1)
    assert answer.media["text/html"] is None
    assert document.operations["putThing"].responses[204].media == {}


def test_parameters_of_path_and_operation_are_both_there(document: OpenApi) -> None:
    """An operation also has its path's parameters, which come first; references are followed."""
    names = {name: [p["name"] for p in operation.parameters] for name, operation in document.operations.items()}
    assert names == {"GET /things/{id}": ["id"], "putThing": ["id", "dry"], "addThing": []}


def test_operation_says_what_kind_it_is(document: OpenApi) -> None:
    """GET operations are read-only, and `deprecated` is carried over."""
    kinds = {name: (operation.is_read_only, operation.deprecated) for name, operation in document.operations.items()}
    assert kinds == {"GET /things/{id}": (True, False), "putThing": (False, True), "addThing": (False, False)}


def test_operation_is_found_by_path_and_method(document: OpenApi) -> None:
    """The document comparison finds operations by address. The method's case does not count; unknown ones are None."""
    assert (
        document.find_operation("/things", "post")
        is document.find_operation("/things", "POST")
        is document.operations["addThing"]
    )
    assert document.find_operation("/things", "GET") is None
    assert document.find_operation("/other", "POST") is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{\n"a": }', r":2: is not JSON"),
        (b"\xff", ": is not UTF-8; save it"),
        (None, r": cannot be read \(No such file"),
    ],
)
def test_bad_json_is_named(tmp_path: Path, content: bytes | None, problem: str) -> None:
    """The usage error names the file, the line if there is one, and the reason."""
    file = tmp_path / "some.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=rf"some\.json{problem}"):
        read_json(file)


@pytest.mark.parametrize(
    "paths",
    [
        [],
        {"/a": None},
        {"/a": {"get": {"responses": {"200": {"$ref": "#/components/responses/Missing"}}}}},
        {"/a": {"post": {"requestBody": {"required": True}, "responses": {}}}},
        {"/a": {"get": {"operationId": "same", "responses": {}}, "put": {"operationId": "same", "responses": {}}}},
    ],
    ids=["paths", "path", "reference", "body", "id twice"],
)
def test_malformed_document_is_named(root: Path, paths: Any) -> None:
    """A malformed OpenAPI document is a usage error that names the file. No operation is lost silently."""
    (root / "openapi.json").write_text(json.dumps({"openapi": "3.1.0", "paths": paths}), encoding="utf-8")
    overlay = "overlay: 1.0.0\nactions: [{target: $, description: Why, update: {info: {title: X}}}]"
    (root / "contracts/jetemail/overlay.yaml").write_text(overlay, encoding="utf-8")
    with pytest.raises(UsageError, match=r"openapi\.json"):
        assert Contract("jetemail", root).operations
