"""Values that travel as text, in queries, headers, cookies and forms: written, and read back by their schemas.

Text has no types, so ``12`` for a string parameter is the string "12", and ``abc`` for an integer stays a string, which
violates its type.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from contract_watch.contracts.schema import Document, resolve_reference

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,300})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,300})(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,2})?")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


class NotEncodableError(Exception):
    """A value that its place in a request cannot carry. The message gives the reason, never the value."""


def list_types(document: Document, raw: Any) -> set[str]:
    """Return the JSON types that a schema names, in itself, its enum and its combinators; an empty set if it names none."""
    return set(_iterate_types(document, raw, 0))


def _iterate_types(document: Document, raw: Any, depth: int) -> Iterator[str]:
    schema = resolve_reference(document, raw)
    if not isinstance(schema, dict) or depth > 16:
        return
    kind = schema.get("type")
    if isinstance(kind, str):
        yield kind
        return
    if isinstance(kind, list):
        yield from (one for one in kind if isinstance(one, str))
        return
    values = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]
    yield from (_JSON_TYPES[type(value)] for value in values if type(value) in _JSON_TYPES)
    for name in ("allOf", "oneOf", "anyOf"):
        for member in schema.get(name, ()):
            yield from _iterate_types(document, member, depth + 1)
    if "properties" in schema:
        yield "object"
    elif "items" in schema:
        yield "array"


def encode_text(value: Any) -> str:
    """Encode a scalar as text.

    Raises:
        NotEncodableError: it is null, no scalar, or has characters that no server reads alike.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return json.dumps(value)
    if not isinstance(value, str):
        raise NotEncodableError("text cannot express null or a nested value")
    if _CONTROL_CHARACTERS.search(value) or not _is_unicode(value):
        raise NotEncodableError("the value has control characters")
    return value


def decode_text(document: Document, raw: Any, text: str) -> Any:
    """Decode text as the schema's type; text that is no such value stays a string."""
    types = list_types(document, raw)
    if "integer" in types and _INTEGER.fullmatch(text):
        return int(text)
    if "number" in types and _NUMBER.fullmatch(text):
        return json.loads(text)
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    return text


def find_property(document: Document, raw: Any, name: str) -> Mapping[str, Any]:
    """Return the schema of a property, also one in a combinator; an empty schema if none is declared."""
    schema = resolve_reference(document, raw)
    if not isinstance(schema, dict):
        return {}
    if name in schema.get("properties", {}):
        found: Mapping[str, Any] = resolve_reference(document, schema["properties"][name])
        return found
    for member in (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())):
        if found := find_property(document, member, name):
            return found
    more = schema.get("additionalProperties")
    return resolve_reference(document, more) if isinstance(more, dict) else {}


def find_items(document: Document, raw: Any) -> Mapping[str, Any]:
    """Return the schema of a schema's items; an empty schema if none is declared."""
    schema = resolve_reference(document, raw)
    items = resolve_reference(document, schema.get("items", {})) if isinstance(schema, dict) else {}
    return items if isinstance(items, dict) else {}


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
