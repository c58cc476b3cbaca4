"""Check that a document of the collection is well formed, so that no pair is assessed by its mistakes.

The official schemas of OpenAPI (as Schemathesis ships them) and the metaschema of 2020-12 check its form.
The rest is up to this module: misspelt keywords, references without a target, parameters that no path has.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import jsonschema_rs
from schemathesis.specs.openapi import definitions

from contract_watch.contracts.schema import resolve_reference
from tests.support.documents.pairs import find_operations, list_item_operations

JSON = Any
_ORACLES = {
    "3.0": definitions.OPENAPI_30_VALIDATOR,
    "3.1": definitions.OPENAPI_31_VALIDATOR,
    "3.2": definitions.OPENAPI_32_VALIDATOR,
}
_STRING_KEYWORDS = """
    $ref $defs $id $anchor $comment $schema $dynamicRef $dynamicAnchor type enum const multipleOf maximum exclusiveMaximum
    minimum exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems maxContains minContains
    maxProperties minProperties required dependentRequired properties patternProperties additionalProperties
    propertyNames dependentSchemas items prefixItems contains unevaluatedItems unevaluatedProperties allOf anyOf oneOf
    not if then else format contentEncoding contentMediaType contentSchema title description default deprecated
    readOnly writeOnly examples example externalDocs discriminator xml nullable
"""
"""`nullable` is a keyword of 3.0 alone; people write it in 3.1 too."""
_KEYWORDS = set(_STRING_KEYWORDS.split())
_DATA = {"example", "examples", "default", "enum", "const"}
_MAPS = {"properties", "patternProperties", "dependentSchemas", "$defs"}
_LISTS = {"allOf", "anyOf", "oneOf", "prefixItems"}
_SINGLES = {"items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else", "contentSchema"}
_SINGLES |= {"unevaluatedItems", "unevaluatedProperties"}


def find_problems(document: Mapping[str, Any]) -> list[str]:
    """Return the problems of ``document``, a line each; a good one has none."""
    if json.loads(json.dumps(document)) != document:
        return ["holds something that JSON has not, or a key that is no text"]
    old = document["openapi"].startswith("3.0")
    found = [
        f"{error.instance_path}: {error.message}" for error in _ORACLES[document["openapi"][:3]].iter_errors(document)
    ]
    # Below a malformed node no other check makes sense.
    return found or [
        *_find_bad_schemas(document, old=old),
        *_find_bad_references(document),
        *_find_bad_operations(document),
    ]


def _find_bad_schemas(document: Mapping[str, Any], *, old: bool) -> Iterator[str]:
    for root in _find_root_schemas(document):
        for schema in _walk_schemas(root):
            unknown = {key for key in schema if key not in _KEYWORDS and not key.startswith("x-")}
            if unknown:
                yield f"unknown keywords {sorted(unknown)}"
        if not old and not jsonschema_rs.meta.is_valid(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **root}
        ):
            yield f"no schema of 2020-12: {root}"


def _find_root_schemas(node: JSON, key: str = "") -> Iterator[dict[str, Any]]:
    """Yield the outermost schemas: below `schema` or `itemSchema`, or a component."""
    if isinstance(node, list):
        for one in node:
            yield from _find_root_schemas(one)
    if not isinstance(node, dict):
        return
    for name, inner in node.items():
        if name in _DATA:
            continue
        if name in ("schema", "itemSchema") and isinstance(inner, dict):
            yield inner
        elif name == "schemas" and key == "components":
            yield from (schema for schema in inner.values() if isinstance(schema, dict))
        else:
            yield from _find_root_schemas(inner, name)


def _walk_schemas(schema: JSON) -> Iterator[dict[str, Any]]:
    """Yield ``schema`` and all its subschemas."""
    if not isinstance(schema, dict):
        return
    yield schema
    for key, inner in schema.items():
        members = inner.values() if key in _MAPS else inner if key in _LISTS else [inner] if key in _SINGLES else ()
        for member in members:
            yield from _walk_schemas(member)


def _find_bad_references(document: Mapping[str, Any]) -> Iterator[str]:
    for node in _walk_objects(document):
        if isinstance(node.get("$ref"), str):
            try:
                _resolve_reference(document, node)
            except (KeyError, TypeError, ValueError):
                yield f"{node['$ref']} leads nowhere"


def _resolve_reference(document: Mapping[str, Any], node: JSON) -> JSON:
    """Return ``node`` after following its reference, a URI that may be percent-encoded."""
    return resolve_reference(document, {"$ref": unquote(node["$ref"])} if isinstance(node.get("$ref"), str) else node)


def _walk_objects(node: JSON) -> Iterator[dict[str, Any]]:
    """Yield all objects of a document, except those that are only values."""
    if isinstance(node, dict):
        yield node
    members = [inner for key, inner in node.items() if key not in _DATA] if isinstance(node, dict) else node
    for inner in members if isinstance(members, list) else ():
        yield from _walk_objects(inner)


def _find_bad_operations(document: Mapping[str, Any]) -> Iterator[str]:
    ids = [operation["operationId"] for operation in find_operations(document) if "operationId" in operation]
    if len(ids) != len(set(ids)):
        yield "an operationId twice"
    schemes = document.get("components", {}).get("securitySchemes", {})
    for holder in (document, *find_operations(document)):
        for requirement in holder.get("security", ()):
            yield from (f"no security scheme {name}" for name in requirement if name not in schemes)
    for path, raw in document.get("paths", {}).items():
        item = _resolve_reference(document, raw)
        for operation in list_item_operations(item):
            yield from _find_bad_parameters(
                document, path, [*item.get("parameters", []), *operation.get("parameters", [])]
            )


def _find_bad_parameters(document: Mapping[str, Any], path: str, parameters: list[JSON]) -> Iterator[str]:
    given = [_resolve_reference(document, parameter) for parameter in parameters]
    named = {parameter["name"] for parameter in given if parameter["in"] == "path"}
    if named != set(re.findall(r"\{([^{}]+)\}", path)):
        yield f"{path} has not the parameters {sorted(named)}"
