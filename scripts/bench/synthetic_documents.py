"""OpenAPI documents of any size, and the same ones with edits, for measuring their comparison."""

import copy
import json
from typing import Any


def make_document(size: int, shape: str) -> dict[str, Any]:
    """Build a document of about ``size`` bytes.

    ``apart``: every resource has its own schemas and a few shared ones, as in most vendors' documents. ``woven``: each schema
    uses the previous one and one at a third of its index, so that each reaches many.
    """
    schemas: dict[str, Any] = {
        "Error": {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}}
    }
    paths: dict[str, Any] = {}
    found: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "Bench", "version": "1"}, "paths": paths,
                             "components": {"schemas": schemas}}  # fmt: skip
    each = len(json.dumps(_make_resource(1000, shape)))
    for number in range(size // each):
        own, operations = _make_resource(number, shape)
        schemas |= own
        paths |= operations
    return found


def _make_resource(number: int, shape: str) -> tuple[dict[str, Any], dict[str, Any]]:
    name = f"Thing{number}"
    uses = (
        {"owner": f"Owner{number}"}
        if shape == "apart"
        else {"before": f"Thing{max(0, number - 1)}", "far": f"Thing{number // 3}"}
    )
    fields: dict[str, Any] = {f"field_{n}": {"type": ("string", "integer", "boolean")[n % 3], "description": "What the field says. " * 2}
                              for n in range(12)}  # fmt: skip
    fields |= {key: {"$ref": f"#/components/schemas/{used}"} for key, used in uses.items()}
    fields["kinds"] = {"type": "array", "items": {"enum": ["a", "b", "c"]}}
    own = {name: {"type": "object", "required": ["field_0", "field_1"], "properties": fields},
           f"Owner{number}": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 80}}}}  # fmt: skip
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    failed = {"description": "no", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    responses = {"200": {"description": "yes", "content": content}, "400": failed, "404": failed}
    one = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return own, {f"/things{number}/{{id}}": {
        "parameters": [one],
        "get": {"operationId": f"get{number}", "responses": responses},
        "put": {"operationId": f"put{number}", "requestBody": {"required": True, "content": content}, "responses": responses},
    }}  # fmt: skip


def edit_document(base: dict[str, Any]) -> dict[str, Any]:
    """Return ``base`` with edits of several kinds in every twentieth schema."""
    found = copy.deepcopy(base)
    for number, schema in enumerate(found["components"]["schemas"].values()):
        if number % 20 == 7 and "field_3" in schema["properties"]:
            schema["properties"]["field_3"]["maxLength"] = number + 1
            schema["properties"]["kinds"]["items"]["enum"].append("d")
    return found
