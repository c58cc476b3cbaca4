"""Views made plain: what can be said in several ways is said in one."""

import math
from collections.abc import Hashable, Sequence
from fractions import Fraction
from functools import reduce

from contract_watch.diff.document.normalized_schema import View
from contract_watch.diff.document.source import JSON

SIZES = {"minLength": 0, "minItems": 0, "minProperties": 0}
"""Keywords with the value that is the same as leaving them out."""
LARGEST = ("maxLength", "maxItems", "maxProperties")


def fold(view: View) -> None:
    """Say in one way what can be said in several."""
    if view.null_too:
        view.null_too = bool(view.groups)  # else nothing but types and values keeps it out
        if view.types is not None:
            view.types |= {"null"}
        if view.values is not None and None not in view.values:
            view.values = [*view.values, None]
    if view.types is not None:
        whole = any(step.denominator == 1 for step in view.multiples)
        if "number" in view.types:
            view.types = (view.types - {"number"}) | {"integer"} if whole else view.types - {"integer"}
        if "integer" in view.types:
            _whole_bounds(view)
            # A whole number that is a multiple of 2/3 is one of 2; all are of 1/2.
            view.multiples = {Fraction(step.numerator) for step in view.multiples} - {Fraction(1)}
    if len(view.multiples) > 1:
        view.multiples = {reduce(_least_common, view.multiples)}
    if view.values is not None:
        _fold_values(view, view.values)
    view.sizes = {key: size for key, size in view.sizes.items() if SIZES.get(key) != size}


def _fold_values(view: View, listed: list[JSON]) -> None:
    """Leave out values of types that are not allowed; all values of a type are that type."""
    view.values = [one for one in listed if view.types is None or view.types & kinds(one)]
    view.types = frozenset(min(kinds(one)) for one in view.values)
    booleans = sum(isinstance(one, bool) for one in view.values)
    if view.values and view.types <= {"null", "boolean"} and booleans in (0, 2):
        view.values, view.constant = None, False


def _whole_bounds(view: View) -> None:
    """Bounds of integers, said without exclusion: above 0 is 1 and more."""
    if view.lower is not None:
        value, exclusive = view.lower
        view.lower = (Fraction(math.floor(value) + 1 if exclusive else math.ceil(value)), False)
    if view.upper is not None:
        value, exclusive = view.upper
        view.upper = (Fraction(math.ceil(value) - 1 if exclusive else math.floor(value)), False)


def _least_common(one: Fraction, other: Fraction) -> Fraction:
    """The least number that is a multiple of both."""
    return Fraction(math.lcm(one.numerator * other.denominator, other.numerator * one.denominator),
                    one.denominator * other.denominator)  # fmt: skip


def kinds(value: JSON) -> frozenset[str]:
    """The JSON types of a value: 1 is an integer and a number."""
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


def common(one: Sequence[JSON], other: Sequence[JSON]) -> list[JSON]:
    """The values of one list that are in the other, too."""
    known = set(map(named, other))
    return [value for value in one if named(value) in known]


def missing(one: Sequence[JSON], other: Sequence[JSON]) -> list[JSON]:
    """The values of one list that are not in the other."""
    known = set(map(named, other))
    return [value for value in one if named(value) not in known]


def named(value: JSON) -> Hashable:
    """A name for a value, the same for equal ones alone: 1 equals 1.0, but true is not 1."""
    if isinstance(value, list):
        return "list", tuple(map(named, value))
    if isinstance(value, dict):
        return "object", frozenset((key, named(inner)) for key, inner in value.items())
    return isinstance(value, bool), value if value == value else "nan"  # noqa: PLR0124 (NaN alone is not itself)
