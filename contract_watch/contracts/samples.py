"""Sample values of schemas, for requests, for the mock's responses and headers, and for scripted faults."""

import uuid
from collections.abc import Mapping
from typing import Any

from contract_watch.contracts.headers import HeaderSpec
from contract_watch.contracts.schema import Document, Schema, find_kind, flatten_schema

_MAX_DEPTH = 12
"""Levels of a sample: a schema may contain itself."""
_FORMATS: Mapping[str, str] = {
    "date-time": "2025-01-01T00:00:00Z",
    "date": "2025-01-01",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "uuid": str(uuid.UUID(int=0)),
}


def build_sample(schema: Schema, *, with_optional: bool = False) -> Any:
    """Build a value of the schema from its constants, examples and types: its required properties, or all."""
    return build_value(schema.document, schema.schema, with_optional=with_optional)


def build_value(document: Document, raw: Any, *, with_optional: bool = False, depth: int = 0) -> Any:
    """Build a value of the schema ``raw`` like `build_sample`, without compiling it."""
    found = _choose_member(document, raw)
    if depth > _MAX_DEPTH:
        return None
    for keyword in ("const", "example"):
        if keyword in found:
            return found[keyword]
    for keyword in ("examples", "enum"):
        if found.get(keyword):
            return found[keyword][0]
    if "default" in found:
        return found["default"]

    def make(inner: Any) -> Any:
        return build_value(document, inner, with_optional=with_optional, depth=depth + 1)

    kind = find_kind(found)
    if kind == "object" or "properties" in found:
        names = found.get("properties", {}) if with_optional else found.get("required", [])
        return {name: make(found.get("properties", {}).get(name, {})) for name in names}
    if kind == "array":
        count = found.get("minItems", int(with_optional and "items" in found))
        return [make(found.get("items", {}))] * count
    return _build_scalar(kind, found)


def _build_scalar(kind: str | None, schema: Mapping[str, Any]) -> Any:
    if kind == "string":
        text = _FORMATS.get(schema.get("format", ""), "text")
        return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", None)]
    if kind == "boolean":
        return True
    if schema.get("type") == "null":
        return None
    above = schema.get("exclusiveMinimum")
    least = above + 1 if isinstance(above, int | float) and not isinstance(above, bool) else 0
    return schema.get("minimum", least)


def _choose_member(document: Document, raw: Any) -> dict[str, Any]:
    """Return a schema with its references resolved; of `oneOf` or `anyOf` with the first member that is not null."""
    found = flatten_schema(document, raw)
    members = [flatten_schema(document, one) for one in (*found.get("oneOf", ()), *found.get("anyOf", ()))]
    if not members or "type" in found or "properties" in found:
        return found
    return {**next((one for one in members if one.get("type") != "null"), members[0]), **found}


def collect_examples(document: Document, raw: Any) -> dict[str, Any]:
    """Return the example of each property of an object's schema that has one."""
    properties = flatten_schema(document, raw).get("properties", {})
    resolved = {name: flatten_schema(document, inner) for name, inner in properties.items()}
    return {name: inner["example"] for name, inner in resolved.items() if "example" in inner}


def build_header_sample(spec: HeaderSpec) -> Any:
    """Build a value of a documented header."""
    if spec.example is not None:
        return spec.example
    return build_sample(spec.schema, with_optional=True) if spec.schema is not None else "text"
