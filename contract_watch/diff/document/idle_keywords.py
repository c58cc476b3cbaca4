"""Keywords that constrain the values of a schema, and those that allow everything with the value that they have."""

from collections.abc import Callable, Mapping
from typing import Any

from contract_watch.diff.document.normalization import MIN_SIZES
from contract_watch.diff.document.source import JSON, as_list

ANNOTATIONS = frozenset({"title", "description", "example", "examples", "externalDocs", "xml", "$comment", "deprecated",
                        "default", "readOnly", "writeOnly"})  # fmt: skip
"""Keywords that do not change the set of allowed values."""
TRIVIAL_PATTERNS = frozenset({"", "^", "$", ".*", "^.*", ".*$", "^.*$", "^[\\s\\S]*$", "[\\s\\S]*"})
EXTENSIBLE = "x-extensible-enum"
_ALL_TYPES = frozenset({"array", "boolean", "null", "number", "object", "string"})
_MAX_DEPTH = 8
"""References and combinators in a row up to which a schema that allows anything is recognized."""
_IDLE_VALUES: Mapping[str, JSON] = {
    **MIN_SIZES,
    "uniqueItems": False,
    "required": [],
    "properties": {},
    "patternProperties": {},
    "dependentRequired": {},
    "dependentSchemas": {},
    "nullable": False,
}
"""Values with which a keyword allows everything."""


def list_constraints(raw: Mapping[str, Any]) -> set[str]:
    """Return the keywords of a schema that constrain its values."""
    return {
        key
        for key in raw
        if key not in ANNOTATIONS
        and (key == EXTENSIBLE or not str(key).startswith("x-"))
        and not _is_idle(key, raw[key])
    }


def _is_idle(key: str, value: JSON) -> bool:
    """Return True if a keyword allows everything with this value."""
    if key in ("items", "additionalProperties"):
        return allows_anything(value)
    if key in ("allOf", "anyOf", "oneOf"):
        return _combines_to_anything(key, value, allows_anything)
    if key == "type":
        return lists_all_types(value)
    if key == "not":
        return value is False
    if key == "pattern":
        return value in TRIVIAL_PATTERNS if isinstance(value, str) else False
    return key in _IDLE_VALUES and not isinstance(value, str) and value == _IDLE_VALUES[key]


def lists_all_types(value: Any) -> bool:
    """Return True if a list or a set names all types; an integer is a number."""
    return isinstance(value, list | frozenset) and all(one in value for one in _ALL_TYPES)


def _combines_to_anything(kind: str, members: JSON, is_free: Callable[[JSON], bool]) -> bool:
    """Return True if a combinator allows anything because its members do."""
    if not isinstance(members, list) or not members:
        return False
    return (
        any(map(is_free, members))
        if kind == "anyOf"
        else ((kind == "allOf" or len(members) == 1) and all(map(is_free, members)))
    )


def allows_anything(raw: JSON, resolve: Callable[[str], JSON] | None = None, depth: int = _MAX_DEPTH) -> bool:
    """Return True if a schema has no constraint of its own, or, with ``resolve``, behind its references."""
    if not isinstance(raw, dict):
        return raw is True
    left = list_constraints(raw)
    if resolve is None or not left or not depth:
        return not left
    return all(_is_free(key, raw[key], resolve, depth) for key in left)


def _is_free(key: str, value: JSON, resolve: Callable[[str], JSON], depth: int) -> bool:
    """Return True if a keyword allows anything, where that of no other does not."""
    if key == "$ref":
        return isinstance(value, str) and allows_anything(resolve(value), resolve, depth - 1)
    if key in ("allOf", "anyOf", "oneOf"):
        return _combines_to_anything(key, value, lambda member: allows_anything(member, resolve, depth - 1))
    return key == "nullable"  # it adds null to the types, and there are none


def accepts_everything(raw: JSON) -> bool:
    """Return True if every value is valid: properties may have names, if their schemas allow anything."""
    if not isinstance(raw, dict):
        return raw is True
    named = raw.get("properties")
    rest = list_constraints(raw) - {"properties"}
    return not rest and all(accepts_everything(one) for one in (named.values() if isinstance(named, dict) else ()))


def allows_nothing(raw: JSON) -> bool:
    """Return True if a schema itself excludes every value."""
    return raw is False or (isinstance(raw, dict) and accepts_everything(raw.get("not", False)))


def allows_any_string(raw: JSON, resolve: Callable[[str], JSON]) -> bool:
    """Return True if a schema allows every string, as names are."""
    if allows_anything(raw, resolve):
        return True
    return (
        isinstance(raw, dict) and list_constraints(raw) == {"type"} and "string" in (raw["type"], *as_list(raw["type"]))
    )
