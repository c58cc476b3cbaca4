"""A new name that people take for another one is reported: mixed scripts, similar letters, invisible characters."""

from typing import Any

import pytest

from contract_watch.diff.document.lookalikes import describe_deceptive_names

_KNOWN = ("username", "userId", "password", "name")


def _make_document(*names: str) -> dict[str, Any]:
    return {"paths": {"/a": {"post": {"schema": {"properties": {name: {} for name in names}}}}}}


def _describe(name: str) -> list[str]:
    return describe_deceptive_names(_make_document(*_KNOWN), _make_document(*_KNOWN, name))


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("us\u0435rname", ["mixes Cyrillic and Latin letters (U+0435 CYRILLIC SMALL LETTER IE)", 'looks like "username"']),
        ("n\u03b1me", ["mixes Greek and Latin letters", 'looks like "name"']),
        ("\uff53\uff45\uff4c\uff46", ['is "self" to Python']),
        ("\uff4e\uff41\uff4d\uff45", ['is "name" to Python', 'looks like "name"']),
        ("name\u200b", ["has an invisible character (U+200B ZERO WIDTH SPACE)", 'looks like "name"']),
        ("\u202eeman", ["has an invisible character (U+202E RIGHT-TO-LEFT OVERRIDE)"]),
        ("userld", ['looks like "userId"']),
        ("passw0rd", ['looks like "password"']),
        ("usemame", ['looks like "username"']),
        ("\u0441\u043e\u0440", ['the property "\u0441\u043e\u0440"']),
    ],
    ids=["Cyrillic", "Greek", "full width", "full width of another", "zero width", "override", "l", "zero", "rn", "whole"],
)  # fmt: skip
def test_a_deceptive_name_is_reported(name: str, parts: list[str]) -> None:
    """One line names the property, the characters, and the name that it looks like."""
    documents = _make_document(*_KNOWN, "cop"), _make_document(*_KNOWN, "cop", name)
    (line,) = describe_deceptive_names(*documents)
    assert [part for part in parts if part not in line] == []
    assert line.startswith("the property ")
    assert line.isprintable()


@pytest.mark.parametrize(
    "name",
    ["email", "userName2", "caf\u00e9", "\u540d\u524d\u306e", "\ud55c\uae00", "\u0438\u043c\u044f", "a-b", "x1", "ill"],
)
def test_an_honest_name_is_not_reported(name: str) -> None:
    """Words of one script, of any language, and digits at the end are no deception."""
    assert _describe(name) == []


def test_names_that_were_there_before_are_not_reported() -> None:
    """Only a new name is worth a line."""
    document = _make_document("us\u0435rname", "username")
    assert describe_deceptive_names(document, document) == []


def test_parameters_components_and_operations_are_names_too() -> None:
    """A parameter, a header, a schema and an operation id are reported like a property."""
    strange = "n\u03b1me"
    revision = {
        "paths": {"/a": {"get": {"operationId": strange, "parameters": [{"in": "query", "name": strange}]}}},
        "components": {"schemas": {strange: {}}, "headers": {strange: {}}},
    }
    kinds = {line.split(" ")[1] for line in describe_deceptive_names({}, revision)}
    assert kinds == {"operation", "parameter", "schema", "header"}
