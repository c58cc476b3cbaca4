"""Unions of one schema and null, which many frameworks write for a value that may be null, as that schema with null."""

from collections.abc import Mapping
from typing import Any

_NULLS = ({"type": "null"}, {"const": None}, {"enum": [None]})
_UNIONS = ("anyOf", "oneOf")
_ANNOTATIONS = frozenset(
    ("title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly")
)
_NOT_FOLDED = frozenset(("$ref", "const", "allOf", "anyOf", "oneOf", "not", "if"))
"""Keywords that could exclude null, whatever the type says."""
_MAX_INLINED = 3
"""References followed from one union into another: a schema may contain itself."""


def fold_null_unions(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``document`` with the type null added to the other member of each such union, in its place.

    The same values are valid as before, and values are made as for any other schema. A union stays where its member
    has no type, or where both sides have the same keyword. A document without such a union is returned itself.
    """
    folded: Mapping[str, Any] = _fold(document, document, 0)
    return document if folded == document else folded


def _fold(document: Mapping[str, Any], node: Any, inlined: int) -> Any:
    if isinstance(node, list):
        return [_fold(document, one, inlined) for one in node]
    if not isinstance(node, dict):
        return node
    keyword, member = _find_member(node)
    target = _follow(document, member) if inlined < _MAX_INLINED else member
    own = {name: value for name, value in node.items() if name != keyword}
    types = target.get("type")
    is_clear = not target.keys() & _NOT_FOLDED and not (own.keys() & target.keys()) - _ANNOTATIONS
    if types is None or not is_clear:
        return {name: _fold(document, value, inlined) for name, value in node.items()}
    joined = {**target, **own, "type": list(dict.fromkeys([*([types] if isinstance(types, str) else types), "null"]))}
    if None not in target.get("enum", [None]):
        joined["enum"] = [*target["enum"], None]
    return {name: _fold(document, value, inlined + (target is not member)) for name, value in joined.items()}


def _find_member(node: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return keyword and other member of a union of two members of which one is null; empty if there is none."""
    for keyword in _UNIONS:
        found = node.get(keyword)
        members = found if isinstance(found, list) else []
        others = [one for one in members if one not in _NULLS]
        if len(others) == 1 and len(members) == 2 and isinstance(others[0], dict):
            return keyword, others[0]
    return "", {}


def _follow(document: Mapping[str, Any], member: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema that a local reference leads to; ``member`` itself if it is none, or has further constraints."""
    if "$ref" not in member or member.keys() - {"$ref"} - _ANNOTATIONS:
        return member
    target: Any = document
    for part in str(member["$ref"]).removeprefix("#/").split("/"):
        target = target.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
    return target if isinstance(target, dict) else member
