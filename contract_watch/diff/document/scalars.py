"""Comparison of scalar constraints: types, formats, enums, bounds, sizes and patterns."""

import math
from collections.abc import Callable
from fractions import Fraction

import jsonschema_rs

from contract_watch.diff.document.changes import Effect
from contract_watch.diff.document.formats import Differences, compare_formats, is_bound_implied
from contract_watch.diff.document.normalization import MAX_SIZES, MIN_SIZES, list_value_types, subtract_values
from contract_watch.diff.document.normalized_schema import NormalizedSchema
from contract_watch.diff.document.possible_types import includes_types
from contract_watch.diff.document.source import JSON
from contract_watch.diff.document.value_text import format_value, format_values, join_values

_SIZE_KINDS = {"minLength": "min-length", "minItems": "min-items", "minProperties": "min-properties",
               "maxLength": "max-length", "maxItems": "max-items", "maxProperties": "max-properties"}  # fmt: skip
_SIZED_TYPES = {"Length": "string", "Items": "array", "Properties": "object"}
_STRING_ENCODABLE = frozenset({"integer", "number", "boolean"})
"""Types whose values are strings where values are sent as strings."""


def compare_scalars(base: NormalizedSchema, revision: NormalizedSchema, *, as_string: bool) -> Differences:
    """Yield the differences of scalar constraints; ``as_string`` if values are sent as strings, as parameters are."""
    yield from compare_formats(base, revision)
    if base.values is not None and revision.values is not None:
        yield from _compare_enums(base, revision, as_string=as_string)
        return
    if base.values is not None or revision.values is not None:
        yield from _compare_enum_presence(base, revision, as_string=as_string)
        return
    yield from _compare_types(base, revision, as_string=as_string)
    yield from _compare_string_constraints(base, revision) if as_string else ()

    def both(kind: str) -> bool:
        return base.allows_type(kind) and revision.allows_type(kind)

    if both("integer"):
        yield from _compare_bounds(base, revision)
        yield from _compare_multiples(base, revision)
    for key, word in _SIZE_KINDS.items():
        if both(_SIZED_TYPES[key.removeprefix("min").removeprefix("max")]):
            yield from _compare_size(key, word, base, revision)
    if both("string"):
        yield from _compare_sets("pattern", base.patterns, revision.patterns)
    if (
        both("array")
        and base.has_unique_items != revision.has_unique_items
        and _may_repeat_items(base)
        and _may_repeat_items(revision)
    ):
        if revision.has_unique_items:
            yield "unique-items-introduced", Effect.NARROWS, "uniqueItems set"
        else:
            yield "unique-items-dropped", Effect.WIDENS, "uniqueItems dropped"


def _may_repeat_items(schema: NormalizedSchema) -> bool:
    """Return True if an array may be long enough to contain duplicates."""
    return schema.sizes.get("maxItems", 2) > 1


# -- enums


def _compare_enums(base: NormalizedSchema, revision: NormalizedSchema, *, as_string: bool) -> Differences:
    """Compare two enums; the other constraints matter for the listed values only."""
    before = [value for value in base.values or () if _satisfies(base, value)]
    after = [value for value in revision.values or () if _satisfies(revision, value)]
    if as_string:
        before, after = list(map(_encode_as_string, before)), list(map(_encode_as_string, after))
    gone, new = subtract_values(before, after), subtract_values(after, before)
    if base.is_const and revision.is_const and gone and new:
        yield "const-changed", Effect.BOTH, f"const changed from {format_value(gone[0])} to {format_value(new[0])}"
        return
    if gone:
        yield "enum-value-removed", Effect.NARROWS, f"values removed: {format_values(gone)}"
    if new:
        yield "enum-value-added", Effect.WIDENS, f"values added: {format_values(new)}"


def _encode_as_string(value: JSON) -> JSON:
    """Return a value as the string that is sent."""
    if isinstance(value, bool):
        return str(value).lower()
    return format_value(_to_fraction(value)) if isinstance(value, int | float) and math.isfinite(value) else value


def _compare_enum_presence(base: NormalizedSchema, revision: NormalizedSchema, *, as_string: bool) -> Differences:
    if revision.values is not None:
        word = "const" if revision.is_const else "enum"
        message = f"now limited to these values: {format_values(revision.values)}"
        misses = any(not _satisfies(base, value) for value in revision.values)
        yield (f"{word}-replaced", Effect.BOTH, message) if misses else (f"{word}-introduced", Effect.NARROWS, message)
    elif base.values is not None and revision.values is None:
        word = "const" if base.is_const else "enum"
        message = f"no longer limited to these values: {format_values(base.values)}"
        sent = map(_encode_as_string, base.values) if as_string and revision.allows_type("string") else base.values
        misses = any(not _satisfies(revision, value) for value in sent)
        yield (f"{word}-replaced", Effect.BOTH, message) if misses else (f"{word}-dropped", Effect.WIDENS, message)


def _satisfies(schema: NormalizedSchema, value: JSON) -> bool:
    """Return True if a listed value meets the other scalar constraints of its schema."""
    if schema.types is not None and not schema.types & list_value_types(value):
        return False
    if isinstance(value, str | list | dict):
        suffix = "Length" if isinstance(value, str) else "Items" if isinstance(value, list) else "Properties"
        size = len(value)
        if not schema.sizes.get(f"min{suffix}", 0) <= size <= schema.sizes.get(f"max{suffix}", size):
            return False
    if isinstance(value, str):
        options = jsonschema_rs.RegexOptions()
        return all(_matches_pattern(pattern, value, options) for pattern in schema.patterns)
    if isinstance(value, dict):
        return schema.required <= value.keys()
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        number = _to_fraction(value)
        low, high = schema.lower, schema.upper
        return (
            (low is None or number > low[0] or (number == low[0] and not low[1]))
            and (high is None or number < high[0] or (number == high[0] and not high[1]))
            and all((number / step).denominator == 1 for step in schema.multiples)
        )
    return True


def _to_fraction(number: float) -> Fraction:
    return Fraction(str(number)) if isinstance(number, float) else Fraction(number)


def _matches_pattern(pattern: str, value: str, options: jsonschema_rs.RegexOptions) -> bool:
    try:
        return bool(jsonschema_rs.is_valid({"pattern": pattern}, value, pattern_options=options))
    except ValueError:
        return True  # not a linear-time pattern, so the result is unknown


# -- types and formats


def _compare_types(base: NormalizedSchema, revision: NormalizedSchema, *, as_string: bool) -> Differences:
    before, after = base.types, revision.types
    if before == after:
        if base.also_null != revision.also_null and not (revision if base.also_null else base).may_be_null:
            yield from _report_nullable(gained=revision.also_null)
    elif before is not None and after is not None:
        yield from _compare_type_sets(before, after, as_string=as_string)
    elif before is not None:
        if as_string and before == {"string"}:
            yield "type-unnamed", Effect.NOTHING, "no type, where whatever is sent is a string"
        elif not includes_types(before, revision.possible_types):
            groups, effect = _find_untyped_groups(revision, base, Effect.WIDENS)
            now = f"the types that {groups} allows" if groups else "now any type"
            yield "type-dropped", effect, f"{now}, not only {_format_types(before)}"
    elif as_string and after == frozenset({"string"}):
        yield "type-named", Effect.NOTHING, "a string, as whatever is sent there"
    elif not includes_types(after, base.possible_types):
        groups, effect = _find_untyped_groups(base, revision, Effect.NARROWS)
        was = f"the types that {groups} allowed" if groups else "any type"
        yield "type-introduced", effect, f"now only {_format_types(after)}, not {was}"


def _find_untyped_groups(untyped: NormalizedSchema, typed: NormalizedSchema, effect: Effect) -> tuple[str, Effect]:
    """Return the combinators beside a type that only the other side has, and the effect of the type.

    It is unclear if the other side has fewer combinators, and these name no types: its type may say what they said.
    """
    is_unclear = untyped.possible_types is None and len(untyped.combinators) > len(typed.combinators)
    names = " and ".join(dict.fromkeys(group.kind for group in untyped.combinators))
    return names, Effect.UNCLEAR if is_unclear else effect


def _compare_type_sets(before: frozenset[str], after: frozenset[str], *, as_string: bool) -> Differences:
    if ("null" in before) != ("null" in after):
        yield from _report_nullable(gained="null" in after)
    old, new = before - {"null"}, after - {"null"}
    if old == new:
        return
    gone = {one for one in old if not _is_type_covered(one, new, as_string=as_string)}
    added = {one for one in new if not _is_type_covered(one, old, as_string=as_string)}
    message = f"type changed from {_format_types(old)} to {_format_types(new)}"
    if gone and added:
        yield "type-changed", Effect.BOTH, message
    elif gone:
        yield "type-narrowed", Effect.NARROWS, message
    elif added:
        yield "type-widened", Effect.WIDENS, message


def _compare_string_constraints(base: NormalizedSchema, revision: NormalizedSchema) -> Differences:
    """Yield the string constraints of one side where the other allows numbers or booleans, which are sent as strings."""
    for one, other, word, effect in (
        (base, revision, "introduced", Effect.NARROWS),
        (revision, base, "dropped", Effect.WIDENS),
    ):
        if one.types is None or other.types is None or "string" in one.types or "string" not in other.types:
            continue
        if not one.types & _STRING_ENCODABLE:
            continue
        if other.sizes.get("minLength", 0) > 1:
            yield f"min-length-{word}", effect, "some values are shorter as strings"
        if "maxLength" in other.sizes:
            yield f"max-length-{word}", effect, "some values are longer as strings"
        if other.patterns:
            yield f"pattern-{word}", Effect.UNCLEAR, f"as a string: pattern {join_values(other.patterns)}"
        if other.formats:
            yield f"format-{word}", effect, f"as a string: format {join_values(other.formats)}"


def _report_nullable(*, gained: bool) -> Differences:
    if gained:
        yield "nullable-gained", Effect.WIDENS, "null is now allowed"
    else:
        yield "nullable-lost", Effect.NARROWS, "null is no longer allowed"


def _is_type_covered(one: str, types: frozenset[str], *, as_string: bool) -> bool:
    """Return True if all values of a type belong to the other types."""
    if one in types or (one == "integer" and "number" in types):
        return True
    return as_string and "string" in types and one in _STRING_ENCODABLE


def _format_types(types: frozenset[str] | None) -> str:
    return " or ".join(sorted(types or ())) or "nothing"


# -- bounds and sizes


def _compare_bounds(base: NormalizedSchema, revision: NormalizedSchema) -> Differences:
    for word, before, after, low in (
        ("minimum", base.lower, revision.lower, True),
        ("maximum", base.upper, revision.upper, False),
    ):
        if word in base.open_bounds or word in revision.open_bounds:
            ranks = [_rank_bound(bound, low=low) for bound in (before, after)]
            stated = [_rank_bound(schema.open_bounds.get(word, bound), low=low)
                      for schema, bound in ((base, before), (revision, after))]  # fmt: skip
            if (ranks[0] < ranks[1], ranks[0] > ranks[1]) != (stated[0] < stated[1], stated[0] > stated[1]):
                yield _describe_open_bound(word, base, revision)
                continue
        if before == after or is_bound_implied(base, revision, before, after, low=low):
            continue
        one = after if after is not None else before
        is_exclusive = one is not None and one[1]
        name, key = (f"exclusive-{word}", f"exclusive{word.capitalize()}") if is_exclusive else (word, word)
        if before is None or after is None:
            yield _report_presence(name, key, before and before[0], after and after[0])
            continue
        up = (after[0], after[1] if low else not after[1]) > (before[0], before[1] if low else not before[1])
        kind = f"{name}-{'raised' if up else 'lowered'}"
        message = f"{word} changed from {_format_bound(before)} to {_format_bound(after)}"
        yield kind, Effect.NARROWS if up is low else Effect.WIDENS, message


def _rank_bound(bound: tuple[Fraction, bool] | None, *, low: bool) -> tuple[bool, Fraction, bool]:
    """Return a key by which stricter bounds are greater; no bound is the least."""
    if bound is None:
        return False, Fraction(0), False
    return True, bound[0] if low else -bound[0], bound[1]


def _describe_open_bound(word: str, base: NormalizedSchema, revision: NormalizedSchema) -> tuple[str, Effect, str]:
    words = []
    for schema in (base, revision):
        bound = schema.lower if word == "minimum" else schema.upper
        perhaps = " (perhaps excluded)" if word in schema.open_bounds else ""
        words.append("none" if bound is None else _format_bound(bound) + perhaps)
    message = f"{word} changed from {words[0]} to {words[1]}: `exclusive{word.capitalize()}: true` has no effect since OpenAPI 3.1"
    return "exclusive-bound-unclear", Effect.UNCLEAR, message


def _format_bound(bound: tuple[Fraction, bool]) -> str:
    return f"{format_value(bound[0])}{' (excluded)' if bound[1] else ''}"


def _report_presence(word: str, key: str, before: JSON, after: JSON) -> tuple[str, Effect, str]:
    if before is None:
        return f"{word}-introduced", Effect.NARROWS, f"{key}: {format_value(after)} added"
    return f"{word}-dropped", Effect.WIDENS, f"{key}: {format_value(before)} removed"


def _compare_size(key: str, word: str, base: NormalizedSchema, revision: NormalizedSchema) -> Differences:
    before, after = base.sizes.get(key), revision.sizes.get(key)
    if before == after or _is_size_implied(key, base, revision, before, after):
        return
    if before is None or after is None:
        yield _report_presence(word, key, before, after)
        return
    up = after > before
    narrows = up is (key in MIN_SIZES)
    assert key in MIN_SIZES or key in MAX_SIZES
    kind = f"{word}-{'raised' if up else 'lowered'}"
    yield kind, Effect.NARROWS if narrows else Effect.WIDENS, f"{key} changed from {before} to {after}"


def _is_size_implied(
    key: str, base: NormalizedSchema, revision: NormalizedSchema, before: int | None, after: int | None
) -> bool:
    """Return True if other keywords imply a size that was added or removed: required, contains, or a closed array."""
    implied: dict[str, Callable[[NormalizedSchema], int]] = {"minProperties": lambda schema: len(schema.required),
               "minItems": lambda schema: max((minimum for _, minimum, _ in schema.contains), default=0)}  # fmt: skip
    if key not in implied:
        return key == "maxItems" and base.max_items == revision.max_items
    tighter = (after or 0) > (before or 0)
    return implied[key](base if tighter else revision) >= ((after if tighter else before) or 0)


def _compare_multiples(base: NormalizedSchema, revision: NormalizedSchema) -> Differences:
    before, after = base.multiples, revision.multiples
    if before == after:
        return
    fewer = all(any((step / one).denominator == 1 for step in after) for one in before)
    more = all(any((step / one).denominator == 1 for step in before) for one in after)
    message = f"multipleOf changed from {_format_steps(before)} to {_format_steps(after)}"
    if fewer and more:
        return
    if not before:
        yield "multiple-of-introduced", Effect.NARROWS, f"multipleOf {_format_steps(after)} set"
    elif not after:
        yield "multiple-of-dropped", Effect.WIDENS, f"multipleOf {_format_steps(before)} dropped"
    elif fewer:
        yield "multiple-of-narrowed", Effect.NARROWS, message
    elif more:
        yield "multiple-of-widened", Effect.WIDENS, message
    else:
        yield "multiple-of-changed", Effect.BOTH, message


def _format_steps(steps: set[Fraction]) -> str:
    return " and ".join(format_value(step) for step in sorted(steps))


def _compare_sets(word: str, before: set[str], after: set[str]) -> Differences:
    """Compare sets of patterns that a value has to match entirely; comparing two patterns is too expensive."""
    gone, new = before - after, after - before
    if gone and new:
        yield f"{word}-changed", Effect.UNCLEAR, f"{word} changed from {join_values(gone)} to {join_values(new)}"
    elif gone:
        yield f"{word}-dropped", Effect.WIDENS, f"{word} {join_values(gone)} dropped"
    elif new:
        yield f"{word}-introduced", Effect.NARROWS, f"{word} {join_values(new)} set"
