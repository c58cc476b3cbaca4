"""Sample values of schemas, for requests, for scripted faults and for the mock's headers."""

from typing import Any

from contract_watch.contracts.headers import HeaderSpec
from contract_watch.contracts.schema import Document, Schema, flatten_schema


def build_sample(schema: Schema, *, with_optional: bool = False) -> Any:
    """Build a value of the schema from its constants, examples and types: its required properties, or all."""
    document = schema.document

    def make(raw: Any) -> Any:
        found = _choose_member(document, raw)
        if "const" in found:
            return found["const"]
        if "example" in found:
            return found["example"]
        if "enum" in found:
            return found["enum"][0]
        types = found.get("type", "")
        kind = next((one for one in types if one != "null"), "null") if isinstance(types, list) else types
        if kind == "object" or "properties" in found:
            names = found.get("properties", {}) if with_optional else found.get("required", [])
            return {name: make(found.get("properties", {}).get(name, {})) for name in names}
        if kind == "array" and "items" in found and (with_optional or found.get("minItems")):
            return [make(found["items"])] * max(1, found.get("minItems", 1))
        defaults = {"string": "text", "boolean": True, "array": []}
        return defaults.get(kind, found.get("minimum", 0))

    return make(schema.schema)


def _choose_member(document: Document, raw: Any) -> dict[str, Any]:
    """Return a schema with its references resolved; of `oneOf` or `anyOf` with the first member that is not null."""
    found = flatten_schema(document, raw)
    members = [flatten_schema(document, one) for one in (*found.get("oneOf", ()), *found.get("anyOf", ()))]
    if not members or "type" in found or "properties" in found:
        return found
    return {**next((one for one in members if one.get("type") != "null"), members[0]), **found}


def build_header_sample(spec: HeaderSpec) -> Any:
    """Build a value of a documented header."""
    if spec.example is not None:
        return spec.example
    return build_sample(spec.schema, with_optional=True) if spec.schema is not None else "text"
