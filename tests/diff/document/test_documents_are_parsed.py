"""OpenAPI documents in JSON and in YAML are parsed completely."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from contract_watch.contracts.registry import load_contracts
from contract_watch.diff.document import yaml_parser
from contract_watch.diff.document.json_pointer import resolve_pointer
from contract_watch.diff.document.limits import MAX_DEPTH, MAX_VALUES
from contract_watch.diff.document.loader import load_document, parse_document
from tests.support.documents.small_documents import (
    MINIMAL,
    Json,
    make_document,
    make_schemas_document,
    parse_document_text,
    parse_yaml_value,
    read_refusal,
)
from tests.support.json_strategies import VALUES


@pytest.mark.parametrize("version", ["3.0.0", "3.0.4", "3.1.0", "3.1.2", "3.2.0", "3.1.0-rc1"])
def test_every_version_that_is_compared_is_read(version: str) -> None:
    """Documents of 3.0, 3.1 and 3.2 are parsed, in JSON and in YAML."""
    expected = {"openapi": version, "paths": {"/a": {"get": {"responses": {"200": {"description": "ä"}}}}}}
    assert parse_document_text(json.dumps(expected)) == expected
    text = f"openapi: {version}\npaths:\n  /a:\n    get:\n      responses:\n        200:\n          description: ä\n"
    assert parse_document_text(text) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(
    "text", ['{"openapi": "3.1.0", "paths": {}, "x": "ä😀"}', 'openapi: 3.1.0\npaths: {}\nx: "ä😀"']
)
def test_every_encoding_of_unicode_is_read(text: str, encoding: str) -> None:
    """A byte order mark and UTF-16 make no difference; the mark is dropped."""
    assert parse_document(text.encode(encoding), "some file") == make_document(x="ä😀")
    assert "is not JSON" in read_refusal('{"openapi": }'.encode(encoding))


@pytest.mark.parametrize("contract", load_contracts().values(), ids=list(load_contracts()))
def test_published_documents_are_read(contract: Any) -> None:
    """Every stored document is parsed as the json module does, as JSON and rewritten as YAML."""
    path = contract.root / contract.settings["published"]
    path = path if path.is_file() else contract.folder / contract.settings["published"]
    expected = json.loads(path.read_bytes())
    assert load_document(path) == expected
    assert parse_document_text(yaml.safe_dump(expected, sort_keys=False)) == expected


def _quote_string(text: str) -> str:
    """Return a string in double quotes of YAML, with everything but plain ASCII escaped."""
    characters = (
        sign if sign.isascii() and sign.isprintable() and sign not in '"\\' else f"\\U{ord(sign):08x}" for sign in text
    )
    return f'"{"".join(characters)}"'


def _format_flow(value: Any) -> str:
    """Return ``value`` in flow style; names longer than 1024 characters require a question mark."""
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"? {_quote_string(name)} : {_format_flow(inner)}" for name, inner in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_format_flow, value)) + "]"
    return _quote_string(value) if isinstance(value, str) else json.dumps(value)


def _format_block(value: Any, indent: str) -> str:
    """Return ``value`` in block style, as it follows a name or a dash."""
    if isinstance(value, dict) and value:
        return "".join(
            f"\n{indent}? {_quote_string(name)}\n{indent}: {_format_block(v, indent + '  ')}"
            for name, v in value.items()
        )
    if isinstance(value, list) and value:
        return "".join(f"\n{indent}- {_format_block(inner, indent + '  ')}" for inner in value)
    return _format_flow(value)


@given(st.dictionaries(st.text(), VALUES), st.sampled_from(["flow", "block"]))
def test_json_and_yaml_are_read_alike(values: Json, style: str) -> None:
    """JSON and YAML with any names and values give equal documents, including order and types of numbers."""
    given_document = make_document(**{"x-values": values})
    expected = repr(given_document)
    assert repr(parse_document_text(json.dumps(given_document))) == expected
    assert repr(parse_document_text(json.dumps(given_document, ensure_ascii=False, indent=1))) == expected
    text = f"--- {_format_flow(given_document)}" if style == "flow" else _format_block(given_document, "").lstrip("\n")
    assert repr(parse_document_text(text)) == expected


@pytest.mark.parametrize("loader", ["libyaml", "Python"])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-01-01", "2024-01-01"), ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"), ("12:30:45", "12:30:45"),
        ("190:20", "190:20"), ("no", "no"), ("on", "on"), ("Yes", "Yes"), ("off", "off"), ("y", "y"), ("NO", "NO"),
        ("1_000", "1_000"), ("0b101", "0b101"), ("=", "="), ("3.1.0", "3.1.0"), ("1.2.3-rc.1", "1.2.3-rc.1"), ("-", None),
        ("<", "<"), ("- a", ["a"]), ("-a", "-a"), ("--", "--"), ("+", "+"), (".", "."), ("...a", "...a"), ("1e", "1e"),
        ("0x", "0x"), ("0o8", "0o8"), ("1.5.", "1.5."), ("tRue", "tRue"), ("١٢", "١٢"), ("12kB", "12kB"), (".infinity", ".infinity"),
        ("true", True), ("True", True), ("FALSE", False), ("null", None), ("~", None), ("", None), ("Null", None),
        ("12", 12), ("+12", 12), ("-12", -12), ("012", 12), ("0o14", 12), ("0xC", 12), ("-0", 0),
        ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-1.5E-2", -0.015), ("1.10", 1.1),
        ("'12'", "12"), ('"true"', "true"), ("''", ""), ("!!str 12", "12"), ("! 12", "12"), ("!!map {}", {}), ("!!seq []", []),
        ("|\n  no\n  12\n", "no\n12\n"), (">\n  12\n  13\n", "12 13\n"), ("'<<'", "<<"),
    ],
)  # fmt: skip
def test_plain_yaml_is_read_by_the_core_schema(
    text: str, value: Any, loader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dates, `no`, and numbers of base 60 and 8, which YAML 1.1 misreads, have their value and type of YAML 1.2."""
    if loader == "Python":
        monkeypatch.setattr(yaml_parser, "_LOADER", yaml.SafeLoader)
    text = f"\n  {text}" if text in ("- a", "-") else text
    expected = [None] if text == "\n  -" else value
    assert repr(parse_yaml_value(text)) == repr(expected)


def test_brackets_in_texts_are_no_depth_and_commas_no_values() -> None:
    """Brackets and commas in strings count neither as levels nor as values."""
    message = "[{" * MAX_DEPTH + '"\\' + "," * MAX_VALUES
    assert parse_document_text(json.dumps(make_document(x=message)))["x"] == message
    assert parse_document_text(f"openapi: 3.1.0\npaths: {{}}\nx: '{message}'")["x"] == message


def test_spaces_before_a_document_are_nothing() -> None:
    """Ten thousand empty lines before a document make no difference."""
    assert (
        parse_document_text("\n" * 10_000 + json.dumps(MINIMAL))
        == parse_document_text("\n" * 10_000 + "openapi: 3.1.0\npaths: {}")
        == MINIMAL
    )


def test_broken_json_is_not_read_as_yaml() -> None:
    """Input that begins like JSON is JSON: a missing value is an error, though YAML would take it for null.

    YAML in flow style is accepted if its names have no quotes, or after a line ``---``.
    """
    assert ":1:31: is not JSON (Expecting value)" in read_refusal('{"openapi": "3.1.0", "paths": }')
    assert parse_document_text("{openapi: 3.1.0, paths: {}, # what JSON has not\n}") == MINIMAL
    assert parse_document_text('---\n{"openapi": 3.1.0, "paths": {},}') == MINIMAL


def test_names_in_yaml_are_texts_as_they_are_written() -> None:
    """Names in YAML stay strings as written, even if they look like numbers, dates or booleans."""
    found = parse_yaml_value(
        '{200: a, on: b, 2024-01-01: c, 1.10: d, ~: e, 0x1F: f, true: g, "": h, "q": i, !!str 5: j}'
    )
    assert found == {"200": "a", "on": "b", "2024-01-01": "c", "1.10": "d", "~": "e", "0x1F": "f", "true": "g",
                     "": "h", "q": "i", "5": "j"}  # fmt: skip


def test_an_alias_is_a_copy() -> None:
    """An alias is a copy of an object, a string or a number: changing one leaves the others alone."""
    found = parse_yaml_value("\n  a: &a {b: &b [1, &t no]}\n  c: *a\n  d: [*b, *t, *a]\n  e: &a 5\n  f: *a")
    assert found == {
        "a": {"b": [1, "no"]},
        "c": {"b": [1, "no"]},
        "d": [[1, "no"], "no", {"b": [1, "no"]}],
        "e": 5,
        "f": 5,
    }
    found["c"]["b"].append(2)
    assert (found["a"], found["d"][0]) == ({"b": [1, "no"]}, [1, "no"])


def test_what_any_json_may_stand_in_holds_no_references() -> None:
    """Examples, defaults, constants and extensions contain no references, whatever they look like.

    A property with the name of such a keyword does contain references.
    """
    data = {"$ref": "#/nowhere"}
    assert parse_document_text(json.dumps(make_document(
        **{"x-a": data}, paths={"/a": {"get": {"responses": {
            "200": {"description": "", "content": {"application/json": {"example": data, "examples": {"one": {"value": data}}}}},
            "x-b": data,
        }}}, "x-c": data},
        components={"schemas": {"A": {
            "default": data, "const": data, "enum": [data], "examples": [data], "discriminator": {"mapping": data},
            "properties": {"$ref": {"type": "string"}, "x-d": {}},
        }}},
    )))  # fmt: skip
    for name in ("default", "example", "value", "const", "x-d", "enum", "$ref"):
        assert "has no target" in read_refusal(
            make_schemas_document(A={"properties": {name: {"$ref": "#/nowhere"}}})
        ), name
    assert "has no target" in read_refusal(make_document(paths={"/a": {"get": {"responses": {"default": data}}}}))
    assert "has no target" in read_refusal(make_document(components={"examples": {"one": data}}))


def test_references_are_followed_as_written() -> None:
    """Pointers follow RFC 6901: `/`, `~`, percent signs, indexes, a chain, a schema `true`.

    The document is accepted, and `resolve_pointer` finds the same targets.
    """
    given_document = make_schemas_document(**{
        "a/b~c d": {"oneOf": [{"type": "string"}, True]}, "two": {"$ref": "#/components/schemas/three"},
        "e~1f": {"$ref": "#/components/schemas/e~01g"}, "e~1g": {},
        "three": {"properties": {"it": {"$ref": "#/components/schemas/two"}}},
        "four": {"allOf": [{"$ref": "#/components/schemas/a~1b~0c%20d"}, {"$ref": "#/components/schemas/two"}]},
        "five": {"$ref": "#/components/schemas/a~1b~0c%20d/oneOf/0"}, "six": {"$ref": "#/components/schemas/a~1b~0c d/oneOf/1"},
    })  # fmt: skip
    assert parse_document_text(json.dumps(given_document)) == given_document
    assert resolve_pointer(given_document, "#/components/schemas/a~1b~0c%20d/oneOf/0") == {"type": "string"}
    assert resolve_pointer(given_document, "#/components/schemas/two") == {"$ref": "#/components/schemas/three"}
