"""Checks of the JSON pointers and arguments that ``contract.toml`` names: the document must have what they point to."""

from collections.abc import Iterator
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import Document, resolve_reference

_MAX_DEPTH = 16


def check_pointers(contract: Contract) -> Iterator[str]:
    """Yield each pointer of `lifecycle` and `listing` that leads nowhere in the schemas."""
    life, listing = contract.lifecycle, contract.list_config
    create = contract.operations[life.create]
    if life.id and not _find_in_response(create, life.id):
        yield _format(contract, "lifecycle.id", life.id, f"{create.name} answers no such property")
    if listing is None:
        return
    operation = contract.operations[listing.operation]
    rows = _find_in_response(operation, listing.rows)
    if not rows:
        yield _format(contract, "listing.rows", listing.rows, f"{operation.name} answers no such property")
    items = [resolve_reference(operation.document, one).get("items", {}) for one in rows]
    for name in ("name", "id", "created"):
        pointer = getattr(listing, name)
        if rows and pointer and not any(find_schemas(operation.document, one, _split(pointer)) for one in items):
            yield _format(contract, f"listing.{name}", pointer, "a row has no such property")
    for name in ("next", "more", "total"):
        pointer = getattr(listing, name)
        if pointer and not _find_in_response(operation, pointer):
            yield _format(contract, f"listing.{name}", pointer, f"{operation.name} answers no such property")
    for name in ("limit", "offset", "page", "cursor"):
        argument = getattr(listing, name)
        if argument and not _has_argument(operation, argument):
            yield _format(contract, f"listing.{name}", argument, f"{operation.name} takes no such argument")


def _format(contract: Contract, key: str, value: str, why: str) -> str:
    return f"{contract.config_file}: `{key}` is {value!r}, and {why}; correct it, or the document in overlay.yaml"


def _split(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:] if part]


def _has_argument(operation: Operation, argument: str) -> bool:
    if not argument.startswith("/"):
        return argument in operation.specs
    return operation.body is not None and bool(
        find_schemas(operation.document, operation.body.schema, _split(argument))
    )


def _find_in_response(operation: Operation, pointer: str) -> list[Any]:
    """Return the schemas that a pointer leads to in the documented successes."""
    successes = [spec for status, spec in operation.responses.items() if status < 300]
    successes += [operation.default_response] if operation.default_response is not None and not successes else []
    schemas = [schema for spec in successes for schema in spec.media.values()]
    return [
        found
        for schema in schemas
        for found in ([{}] if schema is None else find_schemas(schema.document, schema.schema, _split(pointer)))
    ]


def find_schemas(document: Document, raw: Any, parts: list[str], depth: int = 0) -> list[Any]:
    """Return the schemas at a path below a schema, in any of its combinators; one that allows anything if it is free-form."""
    schema = resolve_reference(document, raw)
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return []
    members = [*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())]
    inner = [found for member in members for found in find_schemas(document, member, parts, depth + 1)]
    if not parts:
        return inner or [schema]
    if parts[0] in schema.get("properties", {}):
        return [*inner, *find_schemas(document, schema["properties"][parts[0]], parts[1:], depth + 1)]
    is_free = "properties" not in schema and not members and schema.get("type", "object") == "object"
    more = schema.get("additionalProperties", is_free)
    if isinstance(more, dict):
        return [*inner, *find_schemas(document, more, parts[1:], depth + 1)]
    return inner or ([{}] if more is True else [])
