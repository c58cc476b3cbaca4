"""The values of the example in a client's README: our own, since people paste it and tests run it.

The document names operations and properties, and its constraints choose among our values. No string of the document
becomes a value: not its examples, defaults, enumerations or servers. `[example]` of ``contract.toml`` sets values by the
name of a property or parameter. ``[example.<operationId>]`` adds properties to one operation's body: an update shows a
change.
"""

from collections.abc import Mapping
from typing import Any

from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import Schema, resolve_reference
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text

JSON = Any
DEFAULT_ADDRESS = "https://api.example.com"
_STRINGS = (
    "text",
    "example",
    "user@example.com",
    "https://example.com",
    "example.com",
    "2026-01-31",
    "2026-01-31T12:00:00Z",
    "12345678-1234-4234-8234-123456789abc",
    "192.0.2.1",
    "12345",
    "Example-password-123",
    "example-text-that-is-long-enough-for-most-fields",
)
_NUMBERS = (1, 10, 100, 1000, 0, -1)
_DEPTH = 12
"""The levels of an example; a deeper body, such as a recursive one, is cut."""


def read_own_values(contract: Contract) -> dict[str, JSON]:
    """Return `[example]` of ``contract.toml``: values by the name of a property or parameter; empty without it."""
    found = contract.settings.get("example", {})
    if not isinstance(found, dict):
        raise UsageError(f"{contract.config_file}: `example` must be a table, got {escape_text(repr(found), 100)}")
    return found


def read_operation_values(own: Mapping[str, JSON], operation_id: str) -> dict[str, JSON]:
    """Return the properties that the example of one operation has beside the required ones."""
    found = own.get(operation_id)
    return dict(found) if isinstance(found, dict) else {}


def choose_value(
    document: Mapping[str, JSON], schema: Mapping[str, JSON], own: Mapping[str, JSON], depth: int = 0
) -> JSON:
    """Return a value for ``schema``; of an object, the required properties only. ``own`` are the contract's values.

    Only names come from the document. A value that the schema rejects is left for the reader to correct.
    """
    found: Mapping[str, JSON] = resolve_reference(document, schema)
    if depth > _DEPTH:
        return {}
    if "properties" in found or "allOf" in found:
        value: dict[str, JSON] = {}
        for part in found.get("allOf", []):
            inner = choose_value(document, part, own, depth + 1)
            value |= inner if isinstance(inner, dict) else {}
        properties = found.get("properties", {})
        for name in found.get("required", []):
            value[name] = own[name] if name in own else choose_value(document, properties.get(name, {}), own, depth + 1)
        return value
    for key in ("oneOf", "anyOf"):
        if found.get(key):
            return choose_value(document, found[key][0], own, depth + 1)
    kind = found.get("type", "string")
    kind = next((name for name in kind if name != "null"), "string") if isinstance(kind, list) else kind
    if kind == "array":
        return [choose_value(document, found.get("items", {}), own, depth + 1)] if found.get("minItems") else []
    candidates: Mapping[str, tuple[JSON, ...]] = {
        "object": ({},), "boolean": (True, False), "integer": _NUMBERS, "number": _NUMBERS,
    }  # fmt: skip
    choices = candidates.get(kind, _STRINGS)
    accepted = Schema(document, found)
    return next((choice for choice in choices if accepted.accepts(choice)), choices[0])
