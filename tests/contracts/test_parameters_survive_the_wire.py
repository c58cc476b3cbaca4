"""A value that is sent in a query, header, cookie or form is the value that is read there, by its schema."""

from typing import Any

import pytest

from contract_watch.contracts.openapi import OpenApi, Operation, join_arguments, split_arguments
from contract_watch.contracts.parameters import decode_parameters, encode_parameters
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.schema import parse_json
from contract_watch.contracts.text_values import NotEncodableError

INTEGER, TEXT = {"type": "integer", "minimum": 1}, {"type": "string"}
NUMBERS, WORDS = {"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": {"type": "string"}}
FILTER = {
    "type": "object",
    "properties": {"color": TEXT, "size": {"type": "integer"}, "in": {"$ref": "#/components/schemas/Box"}},
}


def _parse(*parameters: dict[str, Any], body: Any = None, **more: Any) -> Operation:
    content = {} if body is None else {"requestBody": {"content": body}}
    raw = {"operationId": "op", "parameters": list(parameters), "responses": {}, **content}
    components = {"schemas": {"Box": {"type": "object", "properties": {"width": {"type": "integer"}}}}}
    document = OpenApi({"openapi": "3.1.0", "paths": {"/x/{id}": {"post": raw}}, "components": components}, **more)
    return document.operations["op"]


def _declare(location: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "p", "in": location, "schema": schema, **more}


@pytest.mark.parametrize(
    ("parameter", "value", "wire"),
    [
        (_declare("query", INTEGER), 12, "p=12"),
        (_declare("query", TEXT), "12", "p=12"),
        (_declare("query", {"type": "number"}), 1.5, "p=1.5"),
        (_declare("query", {"type": "boolean"}), True, "p=true"),
        (_declare("query", {"enum": [1, 2]}), 2, "p=2"),
        (_declare("query", {"type": ["integer", "null"]}), 7, "p=7"),
        (_declare("query", TEXT), "a b+c&d=é", "p=a%20b%2Bc%26d%3D%C3%A9"),
        (_declare("query", INTEGER), "abc", "p=abc"),
        (_declare("query", INTEGER), [1, 2], "p=1&p=2"),
        (_declare("query", NUMBERS), [1], "p=1"),
        (_declare("query", NUMBERS), [1, 2], "p=1&p=2"),
        (_declare("query", NUMBERS, explode=False), [1, 2], "p=1%2C2"),
        (_declare("query", WORDS, style="spaceDelimited", explode=False), ["a", "b"], "p=a%20b"),
        (_declare("query", WORDS, style="pipeDelimited", explode=False), ["a", "b"], "p=a%7Cb"),
        (_declare("query", FILTER, style="deepObject"), {"color": "red", "in": {"width": 3}}, "p[color]=red&p[in][width]=3"),
        (_declare("query", {"type": "object", "properties": {"a": INTEGER}}), {"a": 1}, "a=1"),
        (_declare("query", {"type": "object", "properties": {"a": INTEGER}}, explode=False), {"a": 1}, "p=a%2C1"),
        ({"name": "p", "in": "query", "content": {"application/json": {"schema": NUMBERS}}}, [1], "p=%5B1%5D"),
    ],
)  # fmt: skip
def test_queries_are_read_as_they_were_sent(parameter: dict[str, Any], value: Any, wire: str) -> None:
    """Every style gives the documented text, and the text gives the value."""
    specs = _parse(parameter).specs
    query, headers = encode_parameters(specs, {"query:p": value})
    assert (query, headers) == (wire, {})
    assert decode_parameters(specs, query, {}) == {"query:p": value}


@pytest.mark.parametrize(
    ("location", "schema", "more", "value", "wire"),
    [
        ("header", INTEGER, {}, 12, {"p": "12"}),
        ("header", WORDS, {}, ["a", "b"], {"p": "a,b"}),
        ("header", {"type": "object", "properties": {"a": INTEGER}}, {"explode": True}, {"a": 1}, {"p": "a=1"}),
        ("cookie", TEXT, {}, "day", {"cookie": "p=day"}),
        ("cookie", NUMBERS, {"explode": False}, [7], {"cookie": "p=7"}),
    ],
)
def test_headers_are_read_as_they_were_sent(
    location: str, schema: dict[str, Any], more: dict[str, Any], value: Any, wire: dict[str, str]
) -> None:
    """Headers and cookies have their own styles; their names on the wire have no case."""
    specs = _parse({**_declare(location, schema, **more), "name": "p"}).specs
    assert encode_parameters(specs, {f"{location}:p": value}) == ("", wire)
    assert decode_parameters(specs, "", wire) == {f"{location}:p": value}


@pytest.mark.parametrize(
    ("location", "schema", "value"),
    [
        ("query", TEXT, "a\nb"),
        ("query", TEXT, "\ud800"),
        ("query", TEXT, None),
        ("query", NUMBERS, []),
        ("header", TEXT, " a"),
        ("header", TEXT, "é"),
        ("header", WORDS, ["a,b"]),
        ("cookie", TEXT, "a;b"),
    ],
)
def test_a_value_without_text_is_not_sent(location: str, schema: dict[str, Any], value: Any) -> None:
    """Servers would read another value, or disagree about it."""
    with pytest.raises(NotEncodableError):
        encode_parameters(_parse(_declare(location, schema)).specs, {f"{location}:p": value})


def test_undeclared_query_parameters_stay_visible() -> None:
    """A model can tell that one was sent; a repeated one is a list."""
    found = decode_parameters(_parse(_declare("query", INTEGER)).specs, "p=1&zzz=2&y=&y=4", {})
    assert found == {"query:p": 1, "query:zzz": "2", "query:y": ["", "4"]}


def test_violations_name_the_parameter() -> None:
    """A missing, mistyped or out-of-range parameter is a violation with the argument's name as pointer."""
    operation = _parse(_declare("query", INTEGER, required=True), {"name": "id", "in": "path", "schema": INTEGER},
                       {**_declare("header", WORDS), "name": "H"})  # fmt: skip

    def violate(**parameters: Any) -> set[tuple[str, str]]:
        named = {name.replace("_", ":"): value for name, value in parameters.items()}
        return {(one.pointer, one.keyword) for one in operation.find_parameter_violations(named)}

    assert violate(query_p=5, id="7", header_H=["a"]) == set()
    assert violate() == {("query:p", "required")}
    assert violate(query_p="abc", id="x") == {("query:p", "type"), ("{id}", "type")}
    assert violate(query_p=0, id="0", header_H=[1]) == {
        ("query:p", "minimum"),
        ("{id}", "minimum"),
        ("header:H/*", "type"),
    }


def test_arguments_are_split_and_joined() -> None:
    """Path parameters lose their braces, the others keep their location; credentials and ignored headers are none."""
    operation = _parse(
        {"name": "id", "in": "path", "required": True, "schema": TEXT}, _declare("query", INTEGER, required=True),
        {"name": "Accept", "in": "header", "schema": TEXT}, {"name": "X-Key", "in": "header", "schema": TEXT},
        {"name": "X-Zone", "in": "header", "schema": TEXT, "example": "north"},
        body={"application/json": {"schema": {"properties": {"size": INTEGER}, "required": ["size"]}}},
        credentials=frozenset({"header:x-key"}),
    )  # fmt: skip
    assert list(operation.get_arguments()) == ["{id}", "query:p", "header:X-Zone", "size"]
    assert operation.get_arguments()["header:X-Zone"]["example"] == "north"
    assert operation.get_required_arguments() == ["{id}", "query:p", "size"]
    arguments = {"{id}": "7", "query:p": 1, "size": 2}
    assert split_arguments(arguments) == ({"id": "7", "query:p": 1}, {"size": 2})
    assert join_arguments({"id": "7", "query:p": 1}, {"size": 2}) == arguments
    assert operation.build_path({"id": "7", "query:p": 1}) == "/x/7"


@pytest.mark.parametrize(
    ("body", "wire"),
    [
        ({"n": 5, "b": True, "s": "5", "list": [1, 2]}, b"n=5&b=true&s=5&list=1&list=2"),
        ({"box": {"width": 3}}, b"box[width]=3"),
        ({"joined": ["a", "b"]}, b"joined=a%2Cb"),
        ({}, b""),
    ],
)
def test_forms_are_read_as_they_were_sent(body: dict[str, Any], wire: bytes) -> None:
    """Types come from the schema; lists repeat or are joined, and nested objects have brackets."""
    schema = {"properties": {"n": INTEGER, "b": {"type": "boolean"}, "s": TEXT, "list": NUMBERS, "joined": WORDS,
                             "box": {"$ref": "#/components/schemas/Box"}}}  # fmt: skip
    form = "application/x-www-form-urlencoded"
    codec = _parse(body={form: {"schema": schema, "encoding": {"joined": {"explode": False}}}}).codec
    assert codec.encode(body) == (wire, form)
    assert codec.decode(f"{form}; charset=UTF-8", wire, parse_json) == body
    assert codec.normalize({"n": "5"}) == {"n": 5}
    assert codec.decode("application/json", b'{"n": 5}', parse_json) is MissingBody.MALFORMED
    with pytest.raises(NotEncodableError):
        codec.encode({"n": None})


def test_the_documented_media_type_is_sent() -> None:
    """The first that can be sent; another one is refused, but for JSON, which is read as it always was."""
    merge = _parse(body={"multipart/form-data": {}, "application/merge-patch+json": {"schema": {}}}).codec
    assert merge.encode({"a": None}) == (b'{"a": null}', "application/merge-patch+json")
    assert merge.decode("application/merge-patch+json", b"{}", parse_json) == {}
    assert merge.decode("application/json", b"{}", parse_json) is MissingBody.MALFORMED
    assert _parse(body={"application/json": {"schema": {}}}).codec.decode("text/plain", b"[1]", parse_json) == [1]
    with pytest.raises(NotEncodableError, match="multipart/form-data"):
        _parse(body={"multipart/form-data": {}}).codec.encode({})
