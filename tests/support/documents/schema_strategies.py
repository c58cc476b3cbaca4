"""Strategies for small schemas and values that a validator can check."""

import copy
from typing import Any

from hypothesis import strategies as st

NAMES = ("a", "b", "kind")
STRINGS = ("", "a", "b", "ab", "x1", "abcd")
NUMBERS = (-1, 0, 0.5, 1, 1.5, 2, 3, 4, 6, 10)
SCALARS: tuple[Any, ...] = (None, True, False, *NUMBERS, *STRINGS)
values = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
_types = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
_numbers: dict[str, st.SearchStrategy[Any]] = {
    "minimum": st.sampled_from(NUMBERS),
    "maximum": st.sampled_from(NUMBERS),
    "exclusiveMinimum": st.sampled_from(NUMBERS),
    "exclusiveMaximum": st.sampled_from(NUMBERS),
    "multipleOf": st.sampled_from([1, 2, 3, 0.5]),
}
_strings: dict[str, st.SearchStrategy[Any]] = {
    "minLength": st.integers(0, 3),
    "maxLength": st.integers(0, 3),
    "pattern": st.sampled_from(["a", "^a", "b$", ".*"]),
}
_others: dict[str, st.SearchStrategy[Any]] = {
    "enum": st.lists(st.sampled_from(SCALARS), min_size=1, max_size=3, unique_by=repr),
    "const": st.sampled_from(SCALARS),
    "type": _types | st.lists(_types, min_size=1, max_size=3, unique=True),
}


def _array_keywords(inner: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    return {
        "items": inner,
        "prefixItems": st.lists(inner, min_size=1, max_size=2),
        "minItems": st.integers(0, 3),
        "maxItems": st.integers(0, 3),
        "uniqueItems": st.booleans(),
        "contains": inner,
        "minContains": st.integers(0, 2),
        "maxContains": st.integers(0, 2),
    }


def _object_keywords(inner: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    names = st.sampled_from(NAMES)
    return {
        "properties": st.dictionaries(names, inner, max_size=2),
        "required": st.lists(names, max_size=2, unique=True),
        "additionalProperties": st.just(False) | inner,
        "minProperties": st.integers(0, 2),
        "maxProperties": st.integers(0, 2),
        "propertyNames": st.just({"maxLength": 1}),
        "dependentRequired": st.dictionaries(names, st.lists(names, max_size=2, unique=True), max_size=1),
        "patternProperties": st.dictionaries(st.sampled_from(["^a$", "^k", "b"]), inner, max_size=1),
        "unevaluatedProperties": st.just(False),
    }


def _combinator_keywords(inner: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    several = st.lists(inner, min_size=1, max_size=3)
    return {"allOf": several, "anyOf": several, "oneOf": several, "not": inner, "if": inner, "then": inner}


@st.composite
def _draw_schema(draw: st.DrawFn, keywords: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    chosen = draw(st.lists(st.sampled_from(sorted(keywords)), max_size=3, unique=True))
    return {name: draw(keywords[name]) for name in chosen}


def _nest_schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = _draw_schema(_object_keywords(inner)).map(lambda spec: {"type": "object", **spec})
    lists = _draw_schema(_array_keywords(inner)).map(lambda spec: {"type": "array", **spec})
    return (
        objects
        | lists
        | _draw_schema(_combinator_keywords(inner))
        | _draw_schema({**_others, **_combinator_keywords(inner), **_object_keywords(inner)})
    )


_flat = (
    _draw_schema({**_numbers}).map(lambda said: {"type": "number", **said})
    | _draw_schema({**_numbers}).map(lambda said: {"type": "integer", **said})
    | _draw_schema({**_strings}).map(lambda said: {"type": "string", **said})
    | _draw_schema(_others)
    | _draw_schema({**_others, **_numbers, **_strings})
)
schemas: st.SearchStrategy[Any] = st.recursive(_flat, _nest_schemas, max_leaves=5)


@st.composite
def draw_pair(draw: st.DrawFn) -> tuple[Any, Any]:
    """Draw two schemas: independent ones, or one and an edited copy."""
    base = draw(schemas)
    if draw(st.booleans()):
        return base, draw(schemas)
    return base, draw(draw_edit(base))


@st.composite
def draw_edit(draw: st.DrawFn, base: Any) -> Any:
    """Draw a copy of ``base`` with one keyword removed, added, or taken from another schema."""
    found = copy.deepcopy(base)
    locations = [location for location in find_subschemas(found) if isinstance(location, dict)]
    if not locations:
        return draw(schemas)
    location = draw(st.sampled_from(locations))
    if draw(st.booleans()) and location:
        del location[draw(st.sampled_from(sorted(location)))]
    else:
        location.update(draw(schemas))
    return found


def find_subschemas(schema: Any) -> list[Any]:
    """Return a schema and all its subschemas."""
    found = [schema]
    if isinstance(schema, dict):
        for name in ("items", "contains", "additionalProperties", "not", "if", "then"):
            found += find_subschemas(schema[name]) if name in schema else []
        for name in ("properties", "patternProperties"):
            for inner in schema.get(name, {}).values():
                found += find_subschemas(inner)
        for name in ("allOf", "anyOf", "oneOf", "prefixItems"):
            for inner in schema.get(name, []):
                found += find_subschemas(inner)
    return found


def find_declared_names(schema: Any) -> set[str]:
    """Return the names of all properties that a schema declares."""
    return {
        name
        for location in find_subschemas(schema)
        if isinstance(location, dict)
        for name in location.get("properties", {})
    }


def find_property_names(value: Any) -> set[str]:
    """Return the names of all properties in a value."""
    if isinstance(value, dict):
        return set(value) | {name for inner in value.values() for name in find_property_names(inner)}
    return {name for inner in value for name in find_property_names(inner)} if isinstance(value, list) else set()
