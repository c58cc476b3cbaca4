"""The JSON types that a schema may allow, as its types, values and combinators say."""

from collections.abc import Iterable, Mapping
from typing import Any

from contract_watch.diff.document.normalization import list_value_types
from contract_watch.diff.document.source import JSON, SourceDocument, read_types

Types = frozenset[str] | None
"""A set of types; None is any type."""


class TypeFinder:
    """A finder of the types that schemas of one document may allow, with a cache."""

    def __init__(self, source: SourceDocument) -> None:
        self._source = source
        self._known: dict[int, Types] = {}

    def find_union(self, members: Iterable[JSON]) -> Types:
        """Return the types that some of several schemas allow."""
        union = frozenset[str]()
        for member in members:
            types = self.find(member)
            if types is None:
                return None
            union |= types
        return union - {"integer"} if "number" in union else union

    def find(self, raw: JSON) -> Types:
        """Return types that include those of all values of a schema; any type for a schema within itself."""
        if not isinstance(raw, dict):
            return frozenset() if raw is False else None
        if id(raw) not in self._known:
            self._known[id(raw)] = None
            self._known[id(raw)] = self._compute(raw)
        return self._known[id(raw)]

    def _compute(self, raw: Mapping[str, Any]) -> Types:
        reference = raw.get("$ref")
        target = self.find(self._source.resolve(reference)) if isinstance(reference, str) else None
        if self._source.is_openapi_30 and isinstance(reference, str):
            return target
        found = intersect_types(target, self._find_own(raw))
        for member in raw["allOf"] if isinstance(raw.get("allOf"), list) else ():
            found = intersect_types(found, self.find(member))
        for kind in ("anyOf", "oneOf"):
            if isinstance(raw.get(kind), list) and raw[kind]:
                found = intersect_types(found, self.find_union(raw[kind]))
        return found

    def _find_own(self, raw: Mapping[str, Any]) -> Types:
        """Return the types that the keywords ``type``, ``enum`` and ``const`` allow."""
        found: Types = read_types(raw) or None
        is_nullable = self._source.is_openapi_30 and raw.get("nullable") is True
        if found is not None and is_nullable:
            found |= {"null"}
        values = raw.get("enum")
        if isinstance(values, list):
            types = {min(list_value_types(one)) for one in values} | ({"null"} if is_nullable else set())
            found = intersect_types(found, frozenset(types))
        if "const" in raw and not self._source.is_openapi_30:
            found = intersect_types(found, frozenset({min(list_value_types(raw["const"]))}))
        return found


def intersect_types(one: Types, other: Types) -> Types:
    """Return the types that both allow; an integer is a number."""
    if one is None or other is None:
        return other if one is None else one
    both = one & other
    if ("number" in one and "integer" in other) or ("integer" in one and "number" in other):
        both |= {"integer"}
    return both


def includes_types(one: Types, other: Types) -> bool:
    """Return True if one set of types includes another."""
    if one is None or other is None:
        return one is None
    return all(kind in one or (kind == "integer" and "number" in one) for kind in other)
