"""Correlation in difficult cases: lists whose indexes shift, schemas that several locations use."""

import copy
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import load_contracts
from contract_watch.diff.client.impact import ClientImpact, GeneratedClient, assess_impact
from contract_watch.errors import UsageError
from contract_watch.generator.configuration import parse_document
from contract_watch.generator.outputs import generate_comparison_client
from tests.support.clients.document_edits import StubDocumentChange
from tests.support.clients.sample_client import DOCUMENT, write_sample_contract

TEXT = {"type": "string"}
COLOR = {"type": "string", "enum": ["red", "green"]}
WISH = {
    "allOf": [
        {"$ref": "#/components/schemas/Base"},
        {"properties": {"color": {"$ref": "#/components/schemas/Color"}, "old": TEXT}},
    ],
}
BASE: dict[str, Any] = {
    **DOCUMENT,
    "paths": {
        "/wishes": {
            "post": {
                "operationId": "wish",
                "parameters": [
                    {"in": "query", "name": "first", "schema": TEXT},
                    {"in": "query", "name": "second", "schema": TEXT},
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wish"}}},
                },
                "responses": {
                    "200": {
                        "description": "",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wish"}}},
                    }
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Wish": WISH,
            "Base": {"type": "object", "required": ["a", "b"], "properties": {"a": TEXT, "b": TEXT}},
            "Color": COLOR,
        }
    },
}
POST = "/paths/~1wishes/post"
REQUEST_SCHEMA, RESPONSE_SCHEMA = (
    f"{POST}/{at}/content/application~1json/schema" for at in ("requestBody", "responses/200")
)


def _make_revision() -> dict[str, Any]:
    document = copy.deepcopy(BASE)
    operation = document["paths"]["/wishes"]["post"]
    del operation["parameters"][0]
    operation["parameters"][0]["schema"] = {"type": "integer"}
    schemas = document["components"]["schemas"]
    schemas["Color"]["enum"].append("blue")
    schemas["Base"]["required"] = ["b"]
    del schemas["Wish"]["allOf"][1]["properties"]["old"]
    inner = {"type": "object", "properties": {"at": {"type": "object", "properties": {}}}}
    schemas["Wish"]["allOf"][1]["properties"]["extra"] = inner
    return document


CHANGES = [
    StubDocumentChange(f"{POST}/parameters/0", "query-parameter-removed"),
    StubDocumentChange(f"{POST}/parameters/0/schema/type", "type-changed"),
    StubDocumentChange(f"{REQUEST_SCHEMA}/allOf/1/properties/color/enum", "enum-value-added"),
    StubDocumentChange(f"{RESPONSE_SCHEMA}/allOf/1/properties/color/enum/2", "enum-value-added"),
    StubDocumentChange(f"{REQUEST_SCHEMA}/allOf/0/required/0", "property-became-optional"),
    StubDocumentChange(f"{RESPONSE_SCHEMA}/allOf/0/properties/a", "property-became-optional"),
    # As one says it who has put the parts together first.
    StubDocumentChange(f"{REQUEST_SCHEMA}/properties/old", "property-removed"),
    StubDocumentChange(f"{RESPONSE_SCHEMA}/allOf/0/properties/b/maxLength", "max-length-raised"),
    # A class below one that is new belongs to the nearest places above it, of which there are two here.
    StubDocumentChange(f"{REQUEST_SCHEMA}/allOf/1/properties/extra", "property-added"),
    StubDocumentChange(f"{RESPONSE_SCHEMA}/allOf/1/properties/extra", "property-added"),
    StubDocumentChange(REQUEST_SCHEMA, "type-changed"),
    StubDocumentChange(POST, "operation-changed"),
]
EXTRA = {"models.Wish.extra": False, "models.WishExtra": False, "models.WishExtraAt": False}
EXPECTED: list[dict[str, bool]] = [
    {"api.default.wish.sync(first)": True},
    {"api.default.wish.sync(second)": True},
    {"models.Color.BLUE": False},
    {"models.Color.BLUE": False},
    {"models.Wish.a": True, "models.Base.a": True},
    {"models.Wish.a": True, "models.Base.a": True},
    {"models.Wish.old": True},
    {},
    EXTRA,
    EXTRA,
    {},
    {},
]


@pytest.fixture(name="impact", scope="module")
def _impact(tmp_path_factory: pytest.TempPathFactory) -> ClientImpact:
    root = tmp_path_factory.mktemp("joins")
    contract = load_contracts(write_sample_contract(root))["sample"]
    both = []
    for name, document in (("old", BASE), ("new", _make_revision())):
        generate_comparison_client(contract, document, root / name)
        both.append(GeneratedClient(root / name, "sample_client", document))
    return assess_impact(both[0], both[1], CHANGES, "1.0.0")


@pytest.mark.parametrize("number", range(len(CHANGES)), ids=lambda number: CHANGES[number].rule)
def test_a_change_is_joined_to_what_it_means(number: int, impact: ClientImpact) -> None:
    """Look up a location in the right document, and count a shared schema's change for each location that uses it.

    The document removes the first of two parameters and changes the second at one location, shares an enumeration and a
    schema between request and response, and has a location that neither document spells so.
    """
    found = {
        change.symbol.removeprefix("sample_client."): change.is_breaking
        for change in impact.correlated[number].symbol_changes
        if ".asyncio" not in change.symbol and "_detailed" not in change.symbol
    }
    assert found == EXPECTED[number]


def test_nothing_is_left_over(impact: ClientImpact) -> None:
    """Join every change of a symbol to a change of the document."""
    assert impact.unaccounted == ()


def test_a_document_without_what_the_readme_shows_still_gives_a_client(tmp_path: Path) -> None:
    """Generate a client from a document that could not be published.

    The operation of the README's example is missing, and the version is not a package version.
    """
    contract = load_contracts(write_sample_contract(tmp_path))["sample"]
    item = {"delete": DOCUMENT["paths"]["/users"]["delete"]}
    document = {**DOCUMENT, "info": {"title": "?", "version": "beta"}, "paths": {"/users": item}}
    generate_comparison_client(contract, document, tmp_path / "client")
    assert (tmp_path / "client/sample_client/api/default/drop_user.py").is_file()
    assert not (tmp_path / "client/sample_client/api/default/add_user.py").exists()


def test_where_the_generator_breaks_down_a_line_says_why(tmp_path: Path) -> None:
    """Report in one line that two values give one member of an enumeration."""
    contract = load_contracts(write_sample_contract(tmp_path))["sample"]
    document = copy.deepcopy(BASE)
    document["components"]["schemas"]["Color"]["enum"] = ["red", "RED"]
    line = r"refuses the (effective )?document: (ValueError: )?Duplicate key RED in enum"
    with pytest.raises(UsageError, match=line):
        generate_comparison_client(contract, document, tmp_path / "client")
    with pytest.raises(UsageError, match=line):
        parse_document(document)
