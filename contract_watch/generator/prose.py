"""The prose of a document as docstrings show it: control, bidirectional and other invisible characters as escapes."""

from typing import Any

from contract_watch.escaping import escape_lines

JSON = Any
PROSE = frozenset(("title", "summary", "description"))
"""The keywords whose values are prose."""
VALUES = frozenset(("const", "default", "enum", "examples"))
"""The keywords whose values are data; only ``example`` reaches a docstring."""
# fmt: off
NAME_MAPS = frozenset((
    "$defs", "callbacks", "content", "definitions", "dependentSchemas", "encoding", "examples", "headers",
    "links", "mapping", "parameters", "paths", "pathItems", "patternProperties", "properties",
    "requestBodies", "responses", "schemas", "scopes", "securitySchemes", "variables", "webhooks",
))
# fmt: on
"""The keywords whose objects have names as keys, and no keywords."""


def escape_prose(node: JSON) -> JSON:
    """Return a document, or a part of one, with its prose and its examples escaped; names and other data stay."""
    if isinstance(node, list):
        return [escape_prose(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _escape_keyword(key, value) for key, value in node.items()}


def _escape_keyword(key: str, value: JSON) -> JSON:
    if key in PROSE and isinstance(value, str):
        return escape_lines(value)
    if key in NAME_MAPS and isinstance(value, dict):
        return {name: escape_prose(inner) for name, inner in value.items()}
    if key == "example":
        return _escape_strings(value)
    return value if key in VALUES else escape_prose(value)


def _escape_strings(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {escape_lines(name): _escape_strings(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_escape_strings(inner) for inner in value]
    return escape_lines(value) if isinstance(value, str) else value
