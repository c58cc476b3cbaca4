"""Values from the examples of a document: what a faithful server responds with."""

from collections.abc import Mapping
from typing import Any

from contract_watch.contracts.schema import resolve_reference

JSON = Any


def build_example(document: Mapping[str, JSON], schema: Mapping[str, JSON]) -> JSON:
    """Return a value of ``schema`` from its examples; of an object, the required properties only."""
    found: Mapping[str, JSON] = resolve_reference(document, schema)
    if "properties" in found or "allOf" in found:
        value: dict[str, JSON] = {}
        for part in found.get("allOf", []):
            value |= build_example(document, part)
        properties = found.get("properties", {})
        return value | {name: build_example(document, properties.get(name, {})) for name in found.get("required", [])}
    for key in ("const", "example", "default"):
        if key in found:
            return found[key]
    for key in ("examples", "enum"):
        if found.get(key):
            return found[key][0]
    for key in ("oneOf", "anyOf"):
        if found.get(key):
            return build_example(document, found[key][0])
    kind = found.get("type", "string")
    kind = next((name for name in kind if name != "null"), "string") if isinstance(kind, list) else kind
    if kind == "array":
        return [build_example(document, found.get("items", {}))] if found.get("minItems") else []
    plain: dict[str, JSON] = {"object": {}, "boolean": True, "integer": found.get("minimum", 1)}
    return plain.get(kind, found.get("minimum", 1) if kind == "number" else "text")
