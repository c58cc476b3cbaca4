"""Documents of invented vendors to draft contracts from, and a draft as a contract in a root of its own."""

import copy
import json
from pathlib import Path
from typing import Any

from contract_watch.authoring.drafting.draft import Draft, draft_contract
from contract_watch.contracts.registry import Contract

SLUG = "attic"
OPERATIONS = "POST /boxes, GET /boxes, GET /boxes/{id}, PATCH /boxes/{id}, DELETE /boxes/{id}"


def _answer(name: str, description: str = "The box.") -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
    }


BOXES: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Attic", "version": "2026-01"},
    "servers": [{"url": "https://api.attic.example/v1"}],
    "security": [{"token": []}],
    "tags": [{"name": "boxes"}],
    "paths": {
        "/boxes": {
            "post": {
                "operationId": "boxes/create",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewBox"}}}},
                "responses": {"201": _answer("Created")},
            },
            "get": {
                "operationId": "boxes/list",
                "parameters": [
                    {
                        "name": "limit",
                        "in": "query",
                        "schema": {"type": "integer", "minimum": 1, "maximum": 40, "default": 20},
                    },
                    {"name": "after", "in": "query", "schema": {"type": "string"}},
                ],
                "responses": {"200": _answer("Boxes", "A page.")},
            },
        },
        "/boxes/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {"operationId": "boxes/get", "responses": {"200": _answer("Box")}},
            "patch": {
                "operationId": "boxes/update",
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/BoxChange"}}}
                },
                "responses": {"200": _answer("Created")},
            },
            "delete": {"operationId": "boxes/remove", "responses": {"204": {"description": "Gone."}}},
        },
        "/lamps": {
            "post": {"operationId": "lamps/create", "responses": {"200": _answer("Lamp"), "422": _answer("Problem")}}
        },
    },
    "components": {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer"},
            "other": {"type": "http", "scheme": "digest"},
        },
        "schemas": {
            "NewBox": {
                "type": "object",
                "required": ["name", "room"],
                "properties": {
                    "name": {"type": "string", "maxLength": 50},
                    "room": {"type": "string", "enum": ["loft", "cellar"]},
                    "note": {"type": "string", "maxLength": 200},
                    "password": {"type": "string", "minLength": 8},
                },
            },
            "BoxChange": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "maxLength": 50},
                    "note": {"type": "string", "maxLength": 200},
                },
            },
            "Created": {
                "type": "object",
                "properties": {"id": {"type": "string", "example": "b1"}, "object": {"type": "string"}},
            },
            "Box": {
                "type": "object",
                "example": {
                    "id": "b1",
                    "name": "Hats",
                    "room": "loft",
                    "note": "old",
                    "created_at": "2026-01-31T12:00:00Z",
                },
                "properties": {
                    "id": {"type": "string"},
                    "name": {"type": "string"},
                    "room": {"type": "string", "enum": ["loft", "cellar"]},
                    "note": {"type": "string"},
                    "created_at": {"type": "string", "format": "date-time"},
                    "colour": {"type": "string"},
                },
            },
            "Boxes": {
                "type": "object",
                "properties": {
                    "has_more": {"type": "boolean"},
                    "data": {"type": "array", "items": {"$ref": "#/components/schemas/Box"}},
                },
            },
            "Lamp": {"type": "object", "properties": {"watts": {"type": "integer"}}},
            "Problem": {
                "type": "object",
                "required": ["message"],
                "properties": {"message": {"type": "string", "example": "No."}},
            },
        },
    },
}
"""A document without operation ids of letters, `required` of responses, and refusals."""


def copy_boxes() -> dict[str, Any]:
    """Return a copy of the document to change."""
    return copy.deepcopy(BOXES)


def draft(directory: Path, document: Any, operations: str = OPERATIONS) -> Draft:
    """Draft a contract from a document, by way of a file."""
    path = directory / "document.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return draft_contract(SLUG, "Attic", str(path), operations)


def write_draft(directory: Path, made: Draft) -> Contract:
    """Write a draft below ``directory``, and return the contract."""
    own = directory / "contracts" / SLUG
    own.mkdir(parents=True)
    for name, text in made.files.items():
        (own / name).write_text(text, encoding="utf-8")
    return Contract(SLUG, directory)
