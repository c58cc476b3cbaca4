"""Path parameters are arguments like the body's properties: parsed from paths, written into them, and checked."""

from typing import Any

import pytest

from contract_watch.contracts.openapi import OpenApi, build_path, join_arguments, split_arguments

THING = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 5}}
BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {
    "type": "object", "required": ["size"], "properties": {"size": {"type": "integer"}, "id": {"type": "string"}}}}}}}  # fmt: skip
ANSWERS: dict[str, Any] = {"responses": {"200": {"description": "Done"}, "default": {"description": "Not done"}}}
DOCUMENT = OpenApi({"openapi": "3.1.0", "paths": {
    "/things/{id}": {"parameters": [THING], "get": {"operationId": "getThing", **ANSWERS},
                     "put": {"operationId": "putThing", **BODY, **ANSWERS}},
    "/things/mine": {"get": {"operationId": "getMine", **ANSWERS}},
    "/things/{id}/_start": {"parameters": [THING], "post": {"operationId": "startThing", **ANSWERS}},
}})  # fmt: skip


@pytest.mark.parametrize(("path", "method", "operation", "parameters"), [
    ("/things/7", "GET", "getThing", {"id": "7"}),
    ("/things/a%20b", "get", "getThing", {"id": "a b"}),
    ("/things/a%2Fb", "GET", "getThing", {"id": "a/b"}),
    ("/things/mine", "GET", "getMine", {}),
    ("/things/mine", "PUT", "putThing", {"id": "mine"}),
    ("/things/7/_start", "POST", "startThing", {"id": "7"}),
    ("/things/", "GET", None, {}),
    ("/things/7/8", "GET", None, {}),
    ("/things/7", "DELETE", None, {}),
])  # fmt: skip
def test_an_address_names_its_operation(
    path: str, method: str, operation: str | None, parameters: dict[str, str]
) -> None:
    """A path matches one operation; a literal path takes precedence over a template."""
    found, given = DOCUMENT.match_request(path, method)
    assert (found.id if found else None, given) == (operation, parameters)


@pytest.mark.parametrize("value", ["7", "a b", "a/b", "..", ".", "é☃", "%41", "a?b#c"])
def test_what_is_written_into_an_address_is_read_out_of_it(value: str) -> None:
    """Any string can be a parameter: reserved characters are encoded and decoded again."""
    written = build_path("/things/{id}", {"id": value})
    assert written.count("/") == 2
    assert DOCUMENT.match_request(written, "GET")[1] == {"id": value}


def test_an_undeclared_method_belongs_to_the_documents_path() -> None:
    """The clause of an undeclared method needs the documented path template; an unknown path has none."""
    assert DOCUMENT.find_path_template("/things/7") == "/things/{id}"
    assert DOCUMENT.find_path_template("/other") is None


def test_arguments_are_parameters_and_properties() -> None:
    """A parameter and a property of the same name stay distinct."""
    operation = DOCUMENT.operations["putThing"]
    assert list(operation.get_arguments()) == ["{id}", "size", "id"]
    assert operation.get_required_arguments() == ["{id}", "size"]
    assert split_arguments({"{id}": "7", "size": 1, "id": "8"}) == ({"id": "7"}, {"size": 1, "id": "8"})
    assert join_arguments({"id": "7"}, {"size": 1}) == {"{id}": "7", "size": 1}
    assert join_arguments({"id": "7"}, [1]) == {"{id}": "7"}
    assert split_arguments([1]) == ({}, [1])


def test_a_status_without_an_answer_of_its_own_has_the_default_one() -> None:
    """`default` documents every other status. Without it an undocumented status has no response."""
    operation = DOCUMENT.operations["getThing"]
    assert [operation.get_response_key(status) for status in (200, 404)] == ["200", "default"]
    assert [answer.description for status in (200, 404) if (answer := operation.find_response(status))] == [
        "Done",
        "Not done",
    ]
    bare = OpenApi({"openapi": "3.1.0", "paths": {"/a": {"get": {"operationId": "a", "responses": {"200": {}}}}}})
    assert bare.operations["a"].find_response(404) is None
    assert bare.operations["a"].get_response_key(404) == "404"
