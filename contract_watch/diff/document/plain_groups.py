"""Members of `anyOf` and `oneOf`, and groups that are nothing but types or values."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.idle_keywords import list_constraints
from contract_watch.diff.document.normalization import list_value_types, make_value_key
from contract_watch.diff.document.normalized_schema import SubSchema
from contract_watch.diff.document.source import JSON, SourceDocument, as_list, read_types

NULL = frozenset({"null"})
_MAX_DISTINCT = 100
"""Members of `anyOf` up to which one that occurs twice counts once."""


def flatten_members(kind: str, raw: Mapping[str, Any], at: Tokens) -> list[SubSchema]:
    """Return the members of a combinator; an ``anyOf`` within ``anyOf`` contributes its own members."""
    found: list[SubSchema] = []
    for number, member in enumerate(as_list(raw.get(kind))):
        here = (*at, kind, str(number))
        nested = kind == "anyOf" and isinstance(member, dict) and list_constraints(member) == {"anyOf"}
        found += flatten_members(kind, member, here) if nested else [SubSchema(member, here)]
    if kind == "anyOf" and 1 < len(found) <= _MAX_DISTINCT:
        found = list({make_value_key(part.raw): part for part in reversed(found)}.values())[::-1]
    return found


def find_plain_types(source: SourceDocument, raw: JSON) -> frozenset[str] | None:
    """Return the types that a schema allows, or None if it has other constraints."""
    raw = source.follow(raw)
    if list_constraints(raw) == {"allOf"} and len(as_list(raw["allOf"])) == 1:
        return find_plain_types(source, raw["allOf"][0])
    spec = raw.get("type")
    if list_constraints(raw) - ({"nullable"} if source.is_openapi_30 else set()) == {"type"}:
        types = read_types(raw)
        return types | {"null"} if source.is_openapi_30 and raw.get("nullable") is True else types
    if "type" not in raw or spec == "null":
        rest = list_constraints(raw) - {"type", "nullable"}
        if rest == {"enum"} and raw["enum"] == [None]:
            return NULL
        if rest == {"const"} and raw["const"] is None:
            return NULL
    return None


def list_values(source: SourceDocument, members: Sequence[SubSchema], *, is_exclusive: bool) -> list[JSON] | None:
    """Return all values of a combinator of enums and constants, or None. ``is_exclusive``: no value may occur twice."""
    found: list[JSON] = []
    known: set[Hashable] = set()
    for part in members:
        raw = source.follow(part.raw)
        spec = list_constraints(raw) - {"type"}
        values = raw.get("enum") if spec == {"enum"} else [raw["const"]] if spec == {"const"} else None
        if not isinstance(values, list):
            return None
        types = read_types(raw)
        values = [one for one in values if not types or types & list_value_types(one)]
        names = set(map(make_value_key, values))
        if is_exclusive and names & known:
            return None
        known |= names
        found += values
    return found
