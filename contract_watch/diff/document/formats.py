"""Comparison of formats: integer formats are ranges, which meet the bounds; some formats describe a display alone."""

from collections.abc import Iterator
from fractions import Fraction

from contract_watch.diff.document.changes import Effect
from contract_watch.diff.document.normalized_schema import NormalizedSchema
from contract_watch.diff.document.value_text import join_values

Differences = Iterator[tuple[str, Effect, str]]
"""The kind, the effect and the message of each difference."""
_DISPLAY_FORMATS = frozenset({"password", "textarea", "markdown", "commonmark", "html"})
"""Formats that describe the display of a value, not the set of values."""
_RANGES = {
    "int8": (-(2**7), 2**7 - 1),
    "uint8": (0, 2**8 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "double-int": (-(2**53) + 1, 2**53 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
}
"""The ranges of integer formats, by OpenAPI's registry of formats."""
_LARGEST = 2**63 - 1
"""A limit that no integer reaches in practice: 64 bits are what most languages have."""


def compare_formats(base: NormalizedSchema, revision: NormalizedSchema) -> Differences:
    """Yield the difference of formats, with its effect within the bounds of numbers."""
    before, after = base.formats, revision.formats
    if before == after or not _share_formatted(base, revision):
        return
    gone, new = before - after, after - before
    what = "format changed from {} to {}" if gone and new else "format {} dropped" if gone else "format {} set"
    message = what.format(*(join_values(words) for words in (gone, new) if words))
    effect = _find_format_effect(base, revision)
    if effect is Effect.NOTHING:
        yield "format-annotated", effect, message
    elif gone and new:
        words = {Effect.WIDENS: "widened", Effect.NARROWS: "narrowed"}
        yield f"format-{words.get(effect, 'changed')}", effect, message
    else:
        yield f"format-{'dropped' if gone else 'introduced'}", effect, message


def _find_format_effect(base: NormalizedSchema, revision: NormalizedSchema) -> Effect:
    """Return the effect of two different sets of formats: none beside listed values, or if they only name a display."""
    if base.values is not None or revision.values is not None:
        return Effect.NOTHING
    if all(_is_numeric(schema) for schema in (base, revision)):
        return _find_range_effect(base, revision)
    before, after = base.formats - _DISPLAY_FORMATS, revision.formats - _DISPLAY_FORMATS
    gone, new = before - after, after - before
    if gone and new:
        return Effect.BOTH
    return Effect.WIDENS if gone else Effect.NARROWS if new else Effect.NOTHING


def _is_numeric(schema: NormalizedSchema) -> bool:
    return schema.types is not None and schema.types <= {"integer", "number", "null"}


def _find_range_effect(base: NormalizedSchema, revision: NormalizedSchema) -> Effect:
    """Return the effect of other numeric formats within the bounds; 64 bits are what any number has."""
    effects = {_compare_limits(base, revision, low=low) for low in (True, False)}
    effects.add(_compare_precision("float" in base.formats, "float" in revision.formats))
    effects.discard(Effect.NOTHING)
    return Effect.BOTH if len(effects) > 1 else effects.pop() if effects else Effect.NOTHING


def _compare_precision(before: bool, after: bool) -> Effect:
    if before == after:
        return Effect.NOTHING
    return Effect.NARROWS if after else Effect.WIDENS


def _compare_limits(base: NormalizedSchema, revision: NormalizedSchema, *, low: bool) -> Effect:
    """Return the effect of other formats at one end of the range; what other bounds change is told by themselves."""
    (old, old_bound), (new, new_bound) = (_find_limit(schema, low=low) for schema in (base, revision))
    if old == new:
        return Effect.NOTHING
    tighter = old is None or (new is not None and (new > old if low else new < old))
    # A bound that is stricter than the format of the other side is told as a bound.
    if (new_bound if tighter else old_bound) is not None:
        return Effect.NOTHING
    return Effect.NARROWS if tighter else Effect.WIDENS


def _find_limit(schema: NormalizedSchema, *, low: bool) -> tuple[Fraction | None, Fraction | None]:
    """Return the limit of a schema at one end, of its format or its bound, and the bound if that is the limit."""
    limits = [Fraction(_RANGES[one][0 if low else 1]) for one in schema.formats if one in _RANGES]
    limits = [limit for limit in limits if abs(limit) < _LARGEST]
    implied = (max(limits) if low else min(limits)) if limits else None
    written = schema.lower if low else schema.upper
    if written is None or (implied is not None and (implied > written[0] if low else implied < written[0])):
        return implied, None
    return written[0], written[0]


def _share_formatted(base: NormalizedSchema, revision: NormalizedSchema) -> bool:
    """Return True if both sides allow values that a format applies to."""
    return any(base.allows_type(kind) and revision.allows_type(kind) for kind in ("string", "integer"))


def is_bound_implied(
    base: NormalizedSchema,
    revision: NormalizedSchema,
    before: tuple[Fraction, bool] | None,
    after: tuple[Fraction, bool] | None,
    *,
    low: bool,
) -> bool:
    """Return True if a format on one side implies the bound that only the other side spells out."""
    if (before is None) is (after is None):
        return False
    bound, formats = (after, base.formats) if before is None else (before, revision.formats)
    limits = [_RANGES[one][0 if low else 1] for one in formats if one in _RANGES]
    return bound is not None and any(bound[0] <= limit if low else bound[0] >= limit for limit in limits)
