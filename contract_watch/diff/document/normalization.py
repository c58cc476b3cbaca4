"""Normalization of constraints: equivalent spellings become one."""

import math
from collections.abc import Hashable, Sequence
from fractions import Fraction
from functools import reduce

from contract_watch.diff.document.normalized_schema import NormalizedSchema
from contract_watch.diff.document.source import JSON

MIN_SIZES = {"minLength": 0, "minItems": 0, "minProperties": 0}
"""Minimum keywords, with the value that means the same as leaving them out."""
MAX_SIZES = ("maxLength", "maxItems", "maxProperties")


def normalize_constraints(schema: NormalizedSchema) -> None:
    """Replace equivalent spellings of constraints by one."""
    if schema.also_null:
        schema.also_null = bool(schema.combinators)  # without combinators only types and values exclude null
        if schema.types is not None:
            schema.types |= {"null"}
        if schema.values is not None and None not in schema.values:
            schema.values = [*schema.values, None]
    if schema.types is not None:
        whole = any(step.denominator == 1 for step in schema.multiples)
        if "number" in schema.types:
            schema.types = (schema.types - {"number"}) | {"integer"} if whole else schema.types - {"integer"}
        if "integer" in schema.types:
            _normalize_integer_bounds(schema)
            # An integer that is a multiple of 2/3 is one of 2; every integer is a multiple of 1/2.
            schema.multiples = {Fraction(step.numerator) for step in schema.multiples} - {Fraction(1)}
    if len(schema.multiples) > 1:
        schema.multiples = {reduce(_compute_common_multiple, schema.multiples)}
    if schema.values is not None:
        _normalize_values(schema, schema.values)
    schema.sizes = {key: size for key, size in schema.sizes.items() if MIN_SIZES.get(key) != size}


def _normalize_values(schema: NormalizedSchema, listed: list[JSON]) -> None:
    """Drop values whose type is not allowed, and lists that contain all values of their type."""
    schema.values = [one for one in listed if schema.types is None or schema.types & list_value_types(one)]
    schema.types = frozenset(min(list_value_types(one)) for one in schema.values)
    booleans = sum(isinstance(one, bool) for one in schema.values)
    if schema.values and schema.types <= {"null", "boolean"} and booleans in (0, 2):
        schema.values, schema.is_const = None, False


def _normalize_integer_bounds(schema: NormalizedSchema) -> None:
    """Make the bounds of integers inclusive: above 0 is 1 and more."""
    if schema.lower is not None:
        value, exclusive = schema.lower
        schema.lower = (Fraction(math.floor(value) + 1 if exclusive else math.ceil(value)), False)
    if schema.upper is not None:
        value, exclusive = schema.upper
        schema.upper = (Fraction(math.ceil(value) - 1 if exclusive else math.floor(value)), False)
    for key, (value, _) in schema.open_bounds.items():
        schema.open_bounds[key] = Fraction(math.floor(value) + 1 if key == "minimum" else math.ceil(value) - 1), False


def _compute_common_multiple(one: Fraction, other: Fraction) -> Fraction:
    """Return the least common multiple of both."""
    return Fraction(math.lcm(one.numerator * other.denominator, other.numerator * one.denominator),
                    one.denominator * other.denominator)  # fmt: skip


def list_value_types(value: JSON) -> frozenset[str]:
    """Return the JSON types of a value: 1 is an integer and a number."""
    if value is None:
        return frozenset({"null"})
    if isinstance(value, bool):
        return frozenset({"boolean"})
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return frozenset({"integer", "number"})
    if isinstance(value, float):
        return frozenset({"number"})
    if isinstance(value, str):
        return frozenset({"string"})
    return frozenset({"array"}) if isinstance(value, list) else frozenset({"object"})


def intersect_values(one: Sequence[JSON], other: Sequence[JSON]) -> list[JSON]:
    """Return the values of one list that are in the other."""
    known = set(map(make_value_key, other))
    return [value for value in one if make_value_key(value) in known]


def subtract_values(one: Sequence[JSON], other: Sequence[JSON]) -> list[JSON]:
    """Return the values of one list that are not in the other."""
    known = set(map(make_value_key, other))
    return [value for value in one if make_value_key(value) not in known]


def make_value_key(value: JSON) -> Hashable:
    """Return a key that is the same for equal JSON values only: 1 equals 1.0, but true is not 1."""
    if isinstance(value, list):
        return "list", tuple(map(make_value_key, value))
    if isinstance(value, dict):
        return "object", frozenset((key, make_value_key(inner)) for key, inner in value.items())
    return isinstance(value, bool), value if value == value else "nan"  # noqa: PLR0124 (NaN alone is not itself)
