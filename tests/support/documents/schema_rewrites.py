"""Rewrites of a schema that keep the set of its values, each under a name: no comparison may call one of them a danger."""

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from tests.support.documents.schema_strategies import find_subschemas

Schema = dict[str, Any]
_TYPED = ("boolean", "integer", "number", "string", "array", "object", "null")
_COMPONENT = "#/components/schemas/Moved"


def _add(keyword: str, value: Any) -> Callable[[Schema], Schema | None]:
    """Return a rewrite that adds a keyword which allows everything."""
    return lambda schema: None if keyword in schema else {**schema, keyword: value}


def _add_untyped_property(schema: Schema) -> Schema | None:
    if schema.get("additionalProperties", True) is not True or "patternProperties" in schema:
        return None
    return {**schema, "properties": {**schema.get("properties", {}), "anything": {}}}


def _reverse(*keywords: str) -> Callable[[Schema], Schema | None]:
    def rewrite(schema: Schema) -> Schema | None:
        found = [name for name in keywords if len(schema.get(name, ())) > 1]
        return {**schema, **{name: schema[name][::-1] for name in found}} if found else None

    return rewrite


def _reverse_properties(schema: Schema) -> Schema | None:
    properties = schema.get("properties", {})
    return {**schema, "properties": dict(reversed(properties.items()))} if len(properties) > 1 else None


def _wrap(keyword: str) -> Callable[[Schema], Schema | None]:
    return lambda schema: {keyword: [schema]}


def _spell_type(schema: Schema) -> Schema | None:
    kind = schema.get("type")
    if isinstance(kind, str):
        return {**schema, "type": [kind]}
    return {**schema, "type": kind[0]} if isinstance(kind, list) and len(kind) == 1 else None


def _split_types(keyword: str) -> Callable[[Schema], Schema | None]:
    """Return a rewrite of a list of types into a combinator with a member for each, all other keywords in it."""

    def rewrite(schema: Schema) -> Schema | None:
        kinds = schema.get("type")
        if not isinstance(kinds, list) or len(kinds) < 2 or {"integer", "number"} <= set(kinds):
            return None
        return {keyword: [{**schema, "type": kind} for kind in kinds]}

    return rewrite


def _move_types_aside(schema: Schema) -> Schema | None:
    """Write a list of types as a combinator of plain types beside the other keywords."""
    kinds = schema.get("type")
    if not isinstance(kinds, list) or len(kinds) < 2 or "anyOf" in schema:
        return None
    return {**{name: value for name, value in schema.items() if name != "type"}, "anyOf": [{"type": k} for k in kinds]}


def _spell_constant(schema: Schema) -> Schema | None:
    rest = {name: value for name, value in schema.items() if name not in ("enum", "const")}
    if "const" in schema and "enum" not in schema:
        return {**rest, "enum": [schema["const"]]}
    return {**rest, "const": schema["enum"][0]} if len(schema.get("enum", ())) == 1 and "const" not in schema else None


def _split_values(schema: Schema) -> Schema | None:
    if set(schema) != {"enum"} or len(schema["enum"]) < 2:
        return None
    return {"anyOf": [{"const": value} for value in schema["enum"]]}


def _repeat_member(schema: Schema) -> Schema | None:
    members = schema.get("anyOf")
    return {**schema, "anyOf": [*members, copy.deepcopy(members[0])]} if members else None


def _nest_members(schema: Schema) -> Schema | None:
    members = schema.get("anyOf", ())
    return {**schema, "anyOf": [members[0], {"anyOf": members[1:]}]} if len(members) > 2 else None


def _spell_exclusive(schema: Schema) -> Schema | None:
    """Write the bound of an integer the other way: above 0 is from 1 on."""
    if schema.get("type") != "integer":
        return None
    for exclusive, inclusive, step in (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)):
        bound = schema.get(exclusive)
        if isinstance(bound, int) and inclusive not in schema:
            rest = {name: value for name, value in schema.items() if name != exclusive}
            return {**rest, inclusive: bound + step}
    return None


def _move_to_component(schema: Schema) -> Schema | None:
    return {"$ref": _COMPONENT} if schema else None


def _distribute(schema: Schema) -> Schema | None:
    """Write the keywords beside a combinator into each of its members."""
    found = [name for name in ("anyOf", "oneOf") if name in schema]
    if len(found) != 1 or len(schema) < 2:
        return None
    rest = {name: value for name, value in schema.items() if name != found[0]}
    return {found[0]: [{"allOf": [member, rest]} for member in schema[found[0]]]}


REWRITES: Mapping[str, Callable[[Schema], Schema | None]] = {
    "empty items": _add("items", {}),
    "free properties": _add("additionalProperties", True),
    "free properties as a schema": _add("additionalProperties", {}),
    "no least length": _add("minLength", 0),
    "no least number of items": _add("minItems", 0),
    "no least number of properties": _add("minProperties", 0),
    "items that may repeat": _add("uniqueItems", False),
    "a pattern that matches anything": _add("pattern", ".*"),
    "no required property": _add("required", []),
    "a description": _add("description", "as before"),
    "an untyped optional property": _add_untyped_property,
    "members reversed": _reverse("anyOf", "oneOf", "allOf"),
    "values reversed": _reverse("enum", "required"),
    "properties reversed": _reverse_properties,
    "one member of allOf": _wrap("allOf"),
    "one member of anyOf": _wrap("anyOf"),
    "one member of oneOf": _wrap("oneOf"),
    "a type as a list": _spell_type,
    "types as anyOf": _split_types("anyOf"),
    "types as oneOf": _split_types("oneOf"),
    "types as a combinator aside": _move_types_aside,
    "a constant as a list": _spell_constant,
    "values as constants": _split_values,
    "a member twice": _repeat_member,
    "members nested": _nest_members,
    "a bound spelled otherwise": _spell_exclusive,
    "a component": _move_to_component,
    "keywords in each member": _distribute,
}
"""A rewrite returns the new schema, or None where it does not apply."""


@st.composite
def draw_rewrite(draw: st.DrawFn, schemas: st.SearchStrategy[Any]) -> tuple[str, Any, Any, Schema]:
    """Draw a schema and a rewrite of one of its subschemas; return its name, both schemas, and the new components."""
    base = draw(schemas.filter(_allows_rewrites))
    revision = copy.deepcopy(base)
    places = [one for one in find_subschemas(revision) if isinstance(one, dict)]
    place = draw(st.sampled_from(places))
    fitting = sorted(name for name, rewrite in REWRITES.items() if rewrite(place) is not None)
    name = draw(st.sampled_from(fitting))
    before = copy.deepcopy(place)
    after = copy.deepcopy(REWRITES[name](place))
    assert after is not None
    place.clear()
    place.update(after)
    return name, base, revision, {"Moved": before}


def _allows_rewrites(schema: Any) -> bool:
    """Return False for a boolean, and where a keyword depends on what others cover: more coverage changes the set."""
    return isinstance(schema, dict) and "unevaluated" not in json.dumps(schema)
