"""Keywords that constrain the values of a schema, and those that allow everything with the value that they have."""

from collections.abc import Mapping
from typing import Any

from contract_watch.diff.document.normalization import MIN_SIZES
from contract_watch.diff.document.source import JSON

ANNOTATIONS = frozenset({"title", "description", "example", "examples", "externalDocs", "xml", "$comment", "deprecated",
                        "default", "readOnly", "writeOnly"})  # fmt: skip
"""Keywords that do not change the set of allowed values."""
TRIVIAL_PATTERNS = frozenset({"", "^", "$", ".*", "^.*", ".*$", "^.*$", "^[\\s\\S]*$", "[\\s\\S]*"})
EXTENSIBLE = "x-extensible-enum"
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
        return isinstance(value, list) and len(value) == 1 and allows_anything(value[0])
    if key == "pattern":
        return value in TRIVIAL_PATTERNS if isinstance(value, str) else False
    return key in _IDLE_VALUES and not isinstance(value, str) and value == _IDLE_VALUES[key]


def allows_anything(raw: JSON) -> bool:
    """Return True if a schema has no constraint of its own."""
    return raw is True or (isinstance(raw, dict) and not list_constraints(raw))


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


def allows_any_string(raw: JSON) -> bool:
    """Return True if a schema allows every string, as names are."""
    return allows_anything(raw) or (
        isinstance(raw, dict) and list_constraints(raw) == {"type"} and raw["type"] == "string"
    )
