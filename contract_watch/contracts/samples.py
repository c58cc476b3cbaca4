"""Sample values of schemas, for requests, for scripted faults and for the mock's headers."""

from typing import Any

from contract_watch.contracts.headers import HeaderSpec
from contract_watch.contracts.schema import Schema, resolve_reference


def build_sample(schema: Schema, *, with_optional: bool = False) -> Any:
    """Build a value of the schema from its constants, examples and types: its required properties, or all."""
    document = schema.document

    def make(raw: Any) -> Any:
        found = resolve_reference(document, raw)
        if "const" in found:
            return found["const"]
        if "example" in found:
            return found["example"]
        if "enum" in found:
            return found["enum"][0]
        if found.get("type") == "object" or "properties" in found:
            names = found.get("properties", {}) if with_optional else found.get("required", [])
            return {name: make(found["properties"][name]) for name in names}
        if with_optional and found.get("type") == "array" and "items" in found:
            return [make(found["items"])]
        defaults = {"string": "text", "boolean": True, "array": []}
        return defaults.get(found.get("type", ""), found.get("minimum", 0))

    return make(schema.schema)


def build_header_sample(spec: HeaderSpec) -> Any:
    """Build a value of a documented header."""
    if spec.example is not None:
        return spec.example
    return build_sample(spec.schema, with_optional=True) if spec.schema is not None else "text"
