"""Locations with difficult names: conflicts, reserved words, combinators, every kind of reference."""

from typing import Any

import pytest

from contract_watch.contracts.registry import load_contracts
from contract_watch.diff.client.api import read_api
from contract_watch.diff.client.symbol_index import SymbolIndex
from contract_watch.errors import UsageError
from contract_watch.generator.outputs import generate_comparison_client
from tests.support.clients.sample_client import DOCUMENT, write_sample_contract


def _wrap_json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _make_object_schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


TEXT = {"type": "string"}
PET = {"oneOf": [{"$ref": "#/components/schemas/Cat"}, _make_object_schema(barks={"type": "boolean"}, name=TEXT), TEXT]}
DOGS = {"type": "array", "items": {"allOf": [{"$ref": "#/components/schemas/Base"}, _make_object_schema(tail=TEXT)]}}
BODY = _make_object_schema(
    **{"class": TEXT, "aB": TEXT, "a_b": TEXT, "@type": TEXT, "_hidden": TEXT, "ÄÖ-1": TEXT, "properties": TEXT},
    pet=PET,
    dogs=DOGS,
    odd={"$ref": "#/components/schemas/Odd"},
    color={"$ref": "#/components/schemas/Color"},
    colors={"type": "array", "items": {"$ref": "#/components/schemas/Color"}},
    free={"type": "object", "additionalProperties": _make_object_schema(depth={"type": "integer"})},
)
DIFFICULT_DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Traps", "version": "1.0.0"},
    "paths": {
        "/users/{userId}/{id}": {
            "parameters": [{"$ref": "#/components/parameters/User"}, {"in": "path", "name": "id", "required": True, "schema": TEXT}],
            "get": {
                "parameters": [
                    {"in": "query", "name": "id", "schema": TEXT},
                    {"in": "header", "name": "X-Page-Size", "schema": {"type": "integer"}},
                    {"in": "query", "name": "sort", "schema": {"enum": ["up", "down"], "title": "Sort Order"}},
                ],
                "responses": {
                    "200": {"$ref": "#/components/responses/Found"},
                    "4XX": {"description": "", "content": {"text/html": {"schema": TEXT}, **_wrap_json(_make_object_schema(x=TEXT))}},
                    "default": {"description": "", "content": _wrap_json({"type": "array", "items": {"$ref": "#/components/schemas/Cat"}})},
                },
            },
            "post": {
                "operationId": "import",
                "tags": ["Class", "second"],
                "requestBody": {"$ref": "#/components/requestBodies/Made"},
                "responses": {"204": {"description": ""}},
            },
        }
    },
    "components": {
        "parameters": {"User": {"in": "path", "name": "userId", "required": True, "schema": TEXT}},
        "requestBodies": {"Made": {"content": {**_wrap_json({**BODY, "title": "Made One"}), "application/x-www-form-urlencoded": {"schema": _make_object_schema(note=TEXT)}}}},
        "responses": {"Found": {"description": "", "headers": {"X-Rest": {"schema": TEXT}}, "content": _wrap_json({"$ref": "#/components/schemas/Cat"})}},
        "schemas": {
            "Base": _make_object_schema(legs={"type": "integer"}),
            "Cat": {"allOf": [{"$ref": "#/components/schemas/Base"}, _make_object_schema(claws=TEXT, friend={"$ref": "#/components/schemas/Cat"})]},
            "Odd": {"allOf": [{"$ref": "#/components/schemas/Base"}], "properties": {"lost": TEXT}},
            "Color": {"type": "string", "enum": ["red", "green"]},
        },
    },
}  # fmt: skip
GET = "/paths/~1users~1{userId}~1{id}/get"
POST = "/paths/~1users~1{userId}~1{id}/post"
BODY_AT = f"{POST}/requestBody/content/application~1json/schema"
FOUND = f"{GET}/responses/200/content/application~1json/schema"
FETCH = "api.default.get_users_user_id_id"
IMPORT = "api.class_.import_"
EXPECTED = {
    # Operations without an id or with a reserved one, and their first tags.
    GET: {FETCH, *(f"{FETCH}.{way}" for way in ("sync", "sync_detailed", "asyncio", "asyncio_detailed"))},
    POST: {IMPORT, f"{IMPORT}.sync_detailed", f"{IMPORT}.asyncio_detailed"},
    # Parameters: of the path, by reference, of one name in two places, of other spelling.
    "/paths/~1users~1{userId}~1{id}/parameters/0": {
        *(f"{FETCH}.{way}(user_id)" for way in ("sync", "sync_detailed", "asyncio", "asyncio_detailed")),
        *(f"{IMPORT}.{way}(user_id)" for way in ("sync_detailed", "asyncio_detailed")),
    },
    f"{GET}/parameters/0/schema/type": {f"{FETCH}.{way}(id_query)" for way in ("sync", "sync_detailed", "asyncio", "asyncio_detailed")},
    f"{GET}/parameters/1": {f"{FETCH}.{way}(x_page_size)" for way in ("sync", "sync_detailed", "asyncio", "asyncio_detailed")},
    f"{GET}/parameters/2/schema/enum/1": {
        *(f"{FETCH}.{way}(sort)" for way in ("sync", "sync_detailed", "asyncio", "asyncio_detailed")),
        "models.GetUsersUserIdIdSortOrder",
    },
    # Properties: reserved, conflicting, with signs that no name has, called as a keyword is.
    f"{BODY_AT}/properties/class": {"models.MadeOne.class_"},
    f"{BODY_AT}/properties/aB/maxLength": {"models.MadeOne.aB"},
    f"{BODY_AT}/properties/a_b": {"models.MadeOne.a_b"},
    f"{BODY_AT}/properties/@type": {"models.MadeOne.type_"},
    f"{BODY_AT}/properties/_hidden": {"models.MadeOne.field_hidden"},
    f"{BODY_AT}/properties/ÄÖ-1": {"models.MadeOne.äö_1"},
    f"{BODY_AT}/properties/properties": {"models.MadeOne.properties"},
    f"{BODY_AT}/required": {f"{IMPORT}.{way}(body)" for way in ("sync_detailed", "asyncio_detailed")} | {"models.MadeOne"},
    # The other of two bodies.
    f"{POST}/requestBody/content/application~1x-www-form-urlencoded/schema/properties/note": {"models.ImportDataBody.note"},
    # Members of a choice: by reference, inline, without a class.
    f"{BODY_AT}/properties/pet": {"models.MadeOne.pet", "models.Cat", "models.MadeOnePetType1"},
    f"{BODY_AT}/properties/pet/oneOf/0/allOf/1/properties/claws": {"models.Cat.claws"},
    f"{BODY_AT}/properties/pet/oneOf/1/properties/name": {"models.MadeOnePetType1.name"},
    f"{BODY_AT}/properties/pet/oneOf/1": {"models.MadeOne.pet", "models.MadeOnePetType1"},
    # Items, and what is put together: the part has a class of its own beside that which it is part of.
    f"{BODY_AT}/properties/dogs/items/allOf/1/properties/tail": {"models.MadeOneDogsItem.tail"},
    f"{BODY_AT}/properties/dogs/items/allOf/0/properties/legs": {"models.MadeOneDogsItem.legs", "models.Base.legs"},
    f"{BODY_AT}/properties/dogs/minItems": {"models.MadeOne.dogs"},
    # Enumerations, alone and in a list.
    f"{BODY_AT}/properties/color/enum": {"models.MadeOne.color", "models.Color"},
    f"{BODY_AT}/properties/colors/items/enum/1": {"models.MadeOne.colors", "models.Color"},
    # Properties that nobody named.
    f"{BODY_AT}/properties/free/additionalProperties/properties/depth": {"models.MadeOneFreeAdditionalProperty.depth"},
    # Answers: by reference, for a range, for all others, in a media type that the client does not read; a class in itself.
    f"{FOUND}/allOf/1/properties/claws": {"models.Cat.claws"},
    f"{FOUND}/allOf/1/properties/friend/allOf/1/properties/friend/allOf/1/properties/claws": {"models.Cat.claws"},
    f"{FOUND}/allOf/0/properties/legs": {"models.Cat.legs", "models.Base.legs"},
    f"{GET}/responses/default/content/application~1json/schema/items/allOf/1/properties/claws": {"models.Cat.claws"},
    "/components/schemas/Cat/allOf/1/properties/claws": {"models.Cat.claws"},
}  # fmt: skip
UNNAMED_LOCATIONS = [
    f"{GET}/responses/200/headers/X-Rest",
    f"{GET}/responses/200/description",
    f"{GET}/responses/4XX/content/application~1json/schema",
    f"{GET}/responses/4XX/content/application~1json/schema/properties/x",
    f"{GET}/summary",
    f"{GET}/x-rate",
    f"{BODY_AT}/properties/class/maxLength",
    f"{BODY_AT}/properties/class/pattern",
    f"{BODY_AT}/not/required/0",
    # The generator takes what refers to one schema alone for that schema, and passes over what stands beside it.
    f"{BODY_AT}/properties/odd/properties/lost",
    f"{GET}/parameters/0/style",
]


@pytest.fixture(name="names", scope="module")
def _names(tmp_path_factory: pytest.TempPathFactory) -> SymbolIndex:
    root = tmp_path_factory.mktemp("traps")
    generate_comparison_client(
        load_contracts(write_sample_contract(root))["sample"], DIFFICULT_DOCUMENT, root / "client"
    )
    return SymbolIndex(DIFFICULT_DOCUMENT, read_api(root / "client", "sample_client"))


@pytest.mark.parametrize("location", EXPECTED)
def test_hard_names_are_the_generators_own(location: str, names: SymbolIndex) -> None:
    """Find the symbols of the package where the generator had to invent a name."""
    assert set(names.find_symbols(location).symbols) == {f"sample_client.{symbol}" for symbol in EXPECTED[location]}


@pytest.mark.parametrize("location", UNNAMED_LOCATIONS)
def test_what_no_symbol_shows_is_said_to_be_none(location: str, names: SymbolIndex) -> None:
    """Mark locations that the client neither checks nor exposes as invisible."""
    assert not names.find_symbols(location).is_visible


def test_a_location_that_is_not_there_is_known_as_such(names: SymbolIndex) -> None:
    """Decide if the document has the object around a location, whatever keyword the location ends with."""
    assert all(names.contains(location) for location in (*EXPECTED, *UNNAMED_LOCATIONS))
    assert names.contains(f"{BODY_AT}/properties/class/minLength")
    absent = [
        f"{BODY_AT}/properties/klass",
        f"{GET}/parameters/3",
        f"{GET}/responses/201",
        "/paths/~1users",
        f"{GET.removesuffix('get')}put",
        f"{BODY_AT}/properties/pet/oneOf/3/type",
    ]
    assert not any(names.contains(location) for location in absent)


def test_a_document_that_the_generator_refuses_is_one_line(names: SymbolIndex) -> None:
    """Report a document without a version in one line."""
    with pytest.raises(UsageError, match=r"^the client generator refuses the document: Failed to parse") as caught:
        SymbolIndex({**DOCUMENT, "info": {"title": "x"}}, names.api)
    assert "\n" not in str(caught.value)
