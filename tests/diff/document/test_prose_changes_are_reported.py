"""`make drift` reports the texts of a document that changed; the comparison of `make diff` ignores them."""

import copy
from typing import Any

import pytest

from contract_watch.diff.document import ChangeLevel, compare
from contract_watch.diff.document.prose import compare_prose, describe_rewording

_SCHEMA = {"type": "object", "title": "User", "description": "A user.", "properties": {"title": {"type": "string"}}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Users", "version": "1.0.0", "description": "All users."},
    "servers": [{"url": "https://a.example.com", "description": "The first."}, {"url": "https://b.example.com"}],
    "paths": {
        "/users/{id}": {
            "get": {
                "summary": "Get",
                "parameters": [
                    {"in": "path", "name": "id", "required": True, "description": "Its id.", "schema": {"type": "string"}},
                    {"in": "query", "name": "q", "description": "A filter.", "schema": {"type": "string", "default": "d"}},
                ],
                "responses": {"200": {"description": "Found.", "content": {"application/json": {"schema": {
                    "$ref": "#/components/schemas/User"}}}}},
            }
        }
    },
    "components": {"schemas": {"User": _SCHEMA}},
}  # fmt: skip
OPERATION = "/paths/~1users~1{id}/get"


def _replace(path: str, value: Any) -> dict[str, Any]:
    """Return the document with another value at ``path``; None removes it. The comparison itself sees no change."""
    revision = copy.deepcopy(DOCUMENT)
    *owners, last = [int(part) if part.isdigit() and part != "200" else part for part in path.split("#")]
    node: Any = revision
    for part in owners:
        node = node[part]
    if value is None:
        del node[last]
    else:
        node[last] = value
    assert compare(DOCUMENT, revision).level is ChangeLevel.NONE
    return revision


@pytest.mark.parametrize(
    ("path", "value", "location", "message"),
    [
        ("info#title", "People", "/info", 'title changed from "Users" to "People"'),
        ("info#summary", "New", "/info", 'summary "New" added'),
        ("paths#/users/{id}#get#summary", "Fetch", OPERATION, 'summary changed from "Get" to "Fetch"'),
        ("paths#/users/{id}#summary", "x", "/paths/~1users~1{id}", 'summary "x" added'),
        ("components#schemas#User#title", "Person", "/components/schemas/User", 'title changed from "User" to "Person"'),
        ("components#schemas#User#title", None, "/components/schemas/User", 'title "User" removed'),
    ],
)  # fmt: skip
def test_a_title_or_summary_that_changed_is_a_change(path: str, value: Any, location: str, message: str) -> None:
    """The change names the operation or component, the text before and the text after; it is of the lowest level."""
    revision = _replace(path, value)
    (change,) = compare_prose(DOCUMENT, revision)
    assert (change.rule, change.level) == ("prose-changed", ChangeLevel.COMPATIBLE)
    assert (change.location, change.message) == (location, message)
    assert describe_rewording(DOCUMENT, revision) == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("info#description", None, '/info: description "All users." removed'),
        ("servers#0#description", "Other", '/servers/0: description changed from "The first." to "Other"'),
        ("paths#/users/{id}#description", "x", '/paths/~1users~1{id}: description "x" added'),
        ("paths#/users/{id}#get#parameters#1#description", "y", '/parameters/1: description changed from "A filter." to "y"'),
        ("paths#/users/{id}#get#parameters#1#example", {"a": 1}, '/parameters/1: example "{"a": 1}" added'),
        ("paths#/users/{id}#get#responses#200#description", "z", '/responses/200: description changed from "Found." to "z"'),
    ],
)  # fmt: skip
def test_a_description_or_example_that_changed_is_a_note(path: str, value: Any, message: str) -> None:
    """A line says where, with the text before and after; no change counts for the verdict."""
    revision = _replace(path, value)
    (line,) = describe_rewording(DOCUMENT, revision)
    assert message in line
    assert compare_prose(DOCUMENT, revision) == ()


def test_many_texts_are_few_lines() -> None:
    """A vendor that rewrites everything causes one change for each operation and component, and one note."""
    revision = copy.deepcopy(DOCUMENT)
    operation = revision["paths"]["/users/{id}"]["get"]
    operation |= {"summary": "a", "description": "b"}
    for number, parameter in enumerate(operation["parameters"]):
        parameter |= {"description": "c", "example": number, "schema": {**parameter["schema"], "title": f"t{number}"}}
    operation["responses"]["200"] |= {"summary": "s"}
    (change,) = compare_prose(DOCUMENT, revision)
    assert change.message.endswith(", and 1 more texts")
    (line,) = describe_rewording(DOCUMENT, revision)
    assert line.startswith("descriptions and examples changed, as docstrings will (5): ")
    assert line.endswith("; …")


@pytest.mark.parametrize(
    "edit",
    ["reorder parameters", "rename a path parameter", "reorder servers", "a default", "an extension", "a new property"],
)
def test_what_is_no_text_is_not_reported(edit: str) -> None:
    """Order, names of path parameters, data and new objects are no change of prose."""
    revision = copy.deepcopy(DOCUMENT)
    item = revision["paths"]["/users/{id}"]
    match edit:
        case "reorder parameters":
            item["get"]["parameters"].reverse()
        case "rename a path parameter":
            item["get"]["parameters"][0]["name"] = "user"
            revision["paths"] = {"/users/{user}": item}
        case "reorder servers":
            revision["servers"].reverse()
        case "a default":
            item["get"]["parameters"][1]["schema"]["default"] = {"description": "data"}
        case "an extension":
            item["get"]["x-note"] = "x"
        case _:
            revision["components"]["schemas"]["User"]["properties"]["description"] = {"type": "string", "title": "New"}
    assert compare_prose(DOCUMENT, revision) == ()
    assert describe_rewording(DOCUMENT, revision) == []


@pytest.mark.parametrize("path", ["info#title", "info#description"])
def test_hostile_texts_are_shown_as_escapes(path: str) -> None:
    """A text of any length and content is a short line of printable characters."""
    revision = _replace(path, 'x"\n\u202e\0\x1b[2J' + "y" * 10_000)
    lines = [change.message for change in compare_prose(DOCUMENT, revision)] + describe_rewording(DOCUMENT, revision)
    assert len(lines) == 1
    assert lines[0].isprintable()
    assert len(lines[0]) < 500
