"""Documented response headers: their schemas, and the conversion between a header's string and its JSON value."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.schema import Document, Schema, parse_foreign_json, resolve_reference

_SCALARS = ("integer", "number", "boolean")


@dataclass(frozen=True)
class HeaderSpec:
    """A documented response header. ``name`` is lower case; ``schema`` is None if any value will do.

    ``is_json`` marks a value in JSON (``content`` in the document), ``explode`` an object written as ``a=1,b=2``. All
    other values have OpenAPI's style ``simple``.
    """

    name: str
    required: bool
    schema: Schema | None
    is_json: bool = False
    explode: bool = False
    example: Any = None


def parse_header_specs(document: Document, response: Mapping[str, Any]) -> dict[str, HeaderSpec]:
    """Parse the headers of a response object by lower-case name. OpenAPI ignores a documented ``Content-Type``."""
    found: dict[str, HeaderSpec] = {}
    for name, raw in response.get("headers", {}).items():
        header = resolve_reference(document, raw)
        content = next(iter(header.get("content", {}).items()), None)
        raw_schema = content[1].get("schema") if content is not None else header.get("schema")
        if name.lower() != "content-type":
            found[name.lower()] = HeaderSpec(
                name.lower(),
                bool(header.get("required")),
                Schema(document, raw_schema) if raw_schema is not None else None,
                content is not None and content[0].endswith("json"),
                bool(header.get("explode")),
                header.get("example"),
            )
    return found


def parse_header(spec: HeaderSpec, value: str) -> Any:
    """Parse a header's value as its schema's type; a string that is no such value stays a string."""
    if spec.schema is None:
        return value
    if spec.is_json:
        try:
            return parse_foreign_json(value)
        except ValueError:
            return value
    schema = resolve_reference(spec.schema.document, spec.schema.schema)
    parts = [part.strip() for part in value.split(",")] if value else []
    if schema.get("type") == "array":
        return [_parse_scalar(spec, schema.get("items", {}), part) for part in parts]
    if schema.get("type") == "object":
        pairs = (
            [part.partition("=")[::2] for part in parts]
            if spec.explode
            else list(zip(parts[::2], parts[1::2], strict=False))
        )
        properties = schema.get("properties", {})
        return {name: _parse_scalar(spec, properties.get(name, {}), text) for name, text in pairs}
    return _parse_scalar(spec, schema, value)


def _parse_scalar(spec: HeaderSpec, raw: Any, value: str) -> Any:
    schema = resolve_reference(spec.schema.document if spec.schema is not None else {}, raw)
    if schema.get("type") not in _SCALARS:
        return value
    try:
        parsed = json.loads(value)
    except ValueError:
        return value
    return parsed if isinstance(parsed, bool | int | float) else value


def format_header(spec: HeaderSpec, value: Any) -> str:
    """Format a JSON value as the header's string; the inverse of `parse_header`."""
    if spec.is_json:
        return json.dumps(value)
    if isinstance(value, list):
        return ",".join(map(_format_scalar, value))
    if isinstance(value, dict):
        between = "=" if spec.explode else ","
        return ",".join(f"{name}{between}{_format_scalar(inner)}" for name, inner in value.items())
    return _format_scalar(value)


def _format_scalar(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
