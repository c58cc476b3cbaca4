"""OpenAPI 3.0's ``nullable``, which no JSON Schema validator knows, as a type of its own."""

from collections.abc import Mapping
from typing import Any

_converted: dict[int, tuple[Mapping[str, Any], Any]] = {}
"""By the identity of a document: the document, which must outlive its entry, and its components, converted."""


def expand_nullable(node: Any) -> Any:
    """Return a copy of a schema, or of anything with schemas in it, in which ``nullable`` adds the type null.

    As OpenAPI 3.0.3 says, it needs a ``type`` beside it.
    """
    if isinstance(node, list):
        return [expand_nullable(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    found = {name: expand_nullable(inner) for name, inner in node.items()}
    if node.get("nullable") is True and isinstance(node.get("type"), str):
        found["type"] = [node["type"], "null"]
        if isinstance(node.get("enum"), list) and None not in node["enum"]:
            found["enum"] = [*node["enum"], None]
    return found


def expand_components(document: Mapping[str, Any]) -> Any:
    """Return the components of a document, converted once."""
    key = id(document)
    if key not in _converted:
        _converted[key] = (document, expand_nullable(document.get("components", {})))
    return _converted[key][1]
