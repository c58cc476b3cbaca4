"""Values that are extreme in several ways at once, and requests in which all are: what each alone passes, both may break."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.schema import find_kind
from contract_watch.engine.planning.probe import fill_with_stand_ins
from contract_watch.engine.planning.variants import SchemaSet, Variant

EDGES = "-_.9Z"
"""Characters at the edges of the usual classes, the most telling first."""
_FREE_TEXT = re.compile(r"[A-Za-z0-9 ]+")
MAX_LABEL = 63
"""Characters of the longest label of a domain."""
LARGE = 1_000_000
"""A number that a schema without a maximum must accept."""
_BEYOND_32_BITS = 2**32 + 1
"""A number that differs from what 32 bits keep of it, with a sign and without, and at their limit."""


def sharpen_string(variant: Variant, schema: Mapping[str, Any], schemas: SchemaSet) -> Variant:
    """Return the longest string with a last character at the edge of its class, if the property may have one there.

    Free text may end in any; what a format or an example's address says about an end, no schema tells.
    """
    example = str(schema.get("example", ""))
    if "pattern" not in schema and ("format" in schema or not _FREE_TEXT.fullmatch(example)):
        return variant
    for sign in EDGES:
        text, short = variant.value[:-1] + sign, example[:1] + sign
        if sign != variant.value[-1:] and schemas.all_accept(text):
            keyword = "pattern" if "pattern" in schema else "type"
            simpler = (variant, Variant(keyword, short)) if schemas.all_accept(short) else (variant,)
            return replace(variant, value=text, simpler=simpler)
    return variant


def enlarge_number(variant: Variant, schema: Mapping[str, Any], schemas: SchemaSet) -> Variant:
    """Return a number beyond 32 bits in place of the largest one, if the property has no maximum.

    A vendor may refuse it, so the plain one is sent then; a number that it takes must come back whole.
    """
    is_open = find_kind(schema) in ("number", "integer") and variant == Variant("type", LARGE)
    if not is_open or schemas.has_format("int32") or not schemas.all_accept(_BEYOND_32_BITS):
        return variant
    return replace(variant, value=_BEYOND_32_BITS, simpler=(variant,))


def shrink_numbers(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with `LARGE` in place of each number that `enlarge_number` gave."""
    return {name: LARGE if _is_enlarged(value) else value for name, value in arguments.items()}


def shrink_variants(taken: Mapping[str, Variant]) -> dict[str, Variant]:
    """Return the values of a request, each that `enlarge_number` gave as it was before."""
    return {name: one.simpler[0] if _is_enlarged(one.value) else one for name, one in taken.items()}


def _is_enlarged(value: Any) -> bool:
    return type(value) is int and value == _BEYOND_32_BITS


def put_extremes_first(variants: Sequence[Variant]) -> list[Variant]:
    """Put the largest value first and the smallest second, so that one request has the largest value of every argument.

    Members of an enum, booleans and null have no size and keep their places.
    """
    sized = [variant for variant in variants if variant.keyword != "enum" and _measure(variant.value) is not None]
    if len(sized) < len(variants) or len(sized) < 2:
        return list(variants)
    largest = max(sized, key=lambda one: _measure(one.value) or 0)
    smallest = min(sized, key=lambda one: _measure(one.value) or 0)
    return [largest, smallest, *(one for one in sized if one is not largest and one is not smallest)]


def _measure(value: Any) -> float | None:
    """Return the size of a value: a number's own, the length of a string or a list; None for any other."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        return float(len(fill_with_stand_ins(value)))
    return float(len(value)) if isinstance(value, list) else None
