"""What two schemas say of texts, numbers and values as such: types, formats, lists of values, bounds, sizes, patterns."""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction

import jsonschema_rs

from contract_watch.diff.document.changes import Effect
from contract_watch.diff.document.normalization import LARGEST, SIZES, kinds, missing
from contract_watch.diff.document.normalized_schema import View
from contract_watch.diff.document.source import JSON

Found = Iterator[tuple[str, Effect, str]]
"""Kind, effect and words of each difference."""
_WITHIN = {"int32": {"int64"}, "float": {"double"}}
"""Formats whose values all have another format too."""
_SIZE_WORDS = {"minLength": "min-length", "minItems": "min-items", "minProperties": "min-properties",
               "maxLength": "max-length", "maxItems": "max-items", "maxProperties": "max-properties"}  # fmt: skip
_OF = {"Length": "string", "Items": "array", "Properties": "object"}
_WRITTEN = frozenset({"integer", "number", "boolean"})
"""Types whose values are texts as well, where values are sent as texts."""
_SHOWN = 60


def scalars(base: View, revision: View, *, textual: bool) -> Found:
    """What differs in the values as such. ``textual``: they travel as texts, as parameters do."""
    if base.values is not None and revision.values is not None:
        yield from _listed_both(base, revision, textual=textual)
        return
    if base.values is not None or revision.values is not None:
        yield from _listed_once(base, revision, textual=textual)
        return
    yield from _types(base, revision, textual=textual)
    yield from _texts(base, revision) if textual else ()
    yield from _formats(base, revision)

    def both(kind: str) -> bool:
        return base.allows(kind) and revision.allows(kind)

    if both("integer"):
        yield from _bounds(base, revision)
        yield from _multiples(base, revision)
    for key, word in _SIZE_WORDS.items():
        if both(_OF[key.removeprefix("min").removeprefix("max")]):
            yield from _sizes(key, word, base, revision)
    if both("string"):
        yield from _sets("pattern", base.patterns, revision.patterns)
    if both("array") and base.unique != revision.unique and _repeatable(base) and _repeatable(revision):
        if revision.unique:
            yield "unique-items-introduced", Effect.NARROWS, "uniqueItems set"
        else:
            yield "unique-items-dropped", Effect.WIDENS, "uniqueItems dropped"


def _repeatable(view: View) -> bool:
    """Whether a list may be long enough to have anything twice."""
    return view.sizes.get("maxItems", 2) > 1


def shown(value: JSON) -> str:
    """A value of a document, as short words."""
    text = str(int(value) if isinstance(value, Fraction) and value.denominator == 1 else
               float(value) if isinstance(value, Fraction) else value)  # fmt: skip
    text = f"'{text}'" if isinstance(value, str) else text
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


# -- values listed one by one


def _listed_both(base: View, revision: View, *, textual: bool) -> Found:
    """Both list their values: what else they say matters for those alone."""
    before = [value for value in base.values or () if _meets(base, value)]
    after = [value for value in revision.values or () if _meets(revision, value)]
    if textual:
        before, after = list(map(_text, before)), list(map(_text, after))
    gone, new = missing(before, after), missing(after, before)
    if base.constant and revision.constant and gone and new:
        yield "const-changed", Effect.BOTH, f"const changed from {shown(gone[0])} to {shown(new[0])}"
        return
    if gone:
        yield "enum-value-removed", Effect.NARROWS, f"no longer among the values: {', '.join(map(shown, gone))}"
    if new:
        yield "enum-value-added", Effect.WIDENS, f"new among the values: {', '.join(map(shown, new))}"


def _text(value: JSON) -> JSON:
    """A value as the text that it is sent as."""
    if isinstance(value, bool):
        return str(value).lower()
    return shown(_exact(value)) if isinstance(value, int | float) and math.isfinite(value) else value


def _listed_once(base: View, revision: View, *, textual: bool) -> Found:
    if revision.values is not None:
        word = "const" if revision.constant else "enum"
        words = f"only these values any more: {', '.join(map(shown, revision.values))}"
        misses = any(not _meets(base, value) for value in revision.values)
        yield (f"{word}-replaced", Effect.BOTH, words) if misses else (f"{word}-introduced", Effect.NARROWS, words)
    elif base.values is not None and revision.values is None:
        word = "const" if base.constant else "enum"
        words = f"not only these values any more: {', '.join(map(shown, base.values))}"
        sent = map(_text, base.values) if textual and revision.allows("string") else base.values
        misses = any(not _meets(revision, value) for value in sent)
        yield (f"{word}-replaced", Effect.BOTH, words) if misses else (f"{word}-dropped", Effect.WIDENS, words)


def _meets(view: View, value: JSON) -> bool:
    """Whether a listed value meets what else its schema says of values as such."""
    if view.types is not None and not view.types & kinds(value):
        return False
    if isinstance(value, str | list | dict):
        what = "Length" if isinstance(value, str) else "Items" if isinstance(value, list) else "Properties"
        size = len(value)
        if not view.sizes.get(f"min{what}", 0) <= size <= view.sizes.get(f"max{what}", size):
            return False
    if isinstance(value, str):
        options = jsonschema_rs.RegexOptions()
        return all(_matches(pattern, value, options) for pattern in view.patterns)
    if isinstance(value, dict):
        return view.required <= value.keys()
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        number = _exact(value)
        low, high = view.lower, view.upper
        return (
            (low is None or number > low[0] or (number == low[0] and not low[1]))
            and (high is None or number < high[0] or (number == high[0] and not high[1]))
            and all((number / step).denominator == 1 for step in view.multiples)
        )
    return True


def _exact(number: float) -> Fraction:
    return Fraction(str(number)) if isinstance(number, float) else Fraction(number)


def _matches(pattern: str, value: str, options: jsonschema_rs.RegexOptions) -> bool:
    try:
        return bool(jsonschema_rs.is_valid({"pattern": pattern}, value, pattern_options=options))
    except ValueError:
        return True  # no expression that runs in linear time: nobody can say


# -- types and formats


def _types(base: View, revision: View, *, textual: bool) -> Found:
    before, after = base.types, revision.types
    if before == after:
        if base.null_too != revision.null_too:
            yield from _nullable(gained=revision.null_too)
    elif before is not None and after is not None:
        yield from _changed_types(before, after, textual=textual)
    elif before is not None:
        if textual and before == {"string"}:
            yield "type-unnamed", Effect.NOTHING, "no type, where whatever is sent is a string"
        else:
            yield "type-dropped", Effect.WIDENS, f"any type now, not only {_names(before)}"
    elif textual and after == frozenset({"string"}):
        yield "type-named", Effect.NOTHING, "a string, as whatever is sent there"
    else:
        yield "type-introduced", Effect.NARROWS, f"only {_names(after)} now, not any type"


def _changed_types(before: frozenset[str], after: frozenset[str], *, textual: bool) -> Found:
    if ("null" in before) != ("null" in after):
        yield from _nullable(gained="null" in after)
    old, new = before - {"null"}, after - {"null"}
    if old == new:
        return
    gone = {one for one in old if not _covered(one, new, textual=textual)}
    added = {one for one in new if not _covered(one, old, textual=textual)}
    words = f"type changed from {_names(old)} to {_names(new)}"
    if gone and added:
        yield "type-changed", Effect.BOTH, words
    elif gone:
        yield "type-narrowed", Effect.NARROWS, words
    elif added:
        yield "type-widened", Effect.WIDENS, words


def _texts(base: View, revision: View) -> Found:
    """What one side asks of texts, where the other has numbers or truth values, which are sent as texts as well."""
    for one, other, word, effect in (
        (base, revision, "introduced", Effect.NARROWS),
        (revision, base, "dropped", Effect.WIDENS),
    ):
        if one.types is None or other.types is None or "string" in one.types or "string" not in other.types:
            continue
        if not one.types & _WRITTEN:
            continue
        if other.sizes.get("minLength", 0) > 1:
            yield f"min-length-{word}", effect, "some are shorter as a text"
        if "maxLength" in other.sizes:
            yield f"max-length-{word}", effect, "some are longer as a text"
        if other.patterns:
            yield f"pattern-{word}", Effect.UNCLEAR, f"as a text: pattern {_or(other.patterns)}"
        if other.formats:
            yield f"format-{word}", effect, f"as a text: format {_or(other.formats)}"


def _nullable(*, gained: bool) -> Found:
    if gained:
        yield "nullable-gained", Effect.WIDENS, "null is allowed now"
    else:
        yield "nullable-lost", Effect.NARROWS, "null is not allowed any more"


def _covered(one: str, types: frozenset[str], *, textual: bool) -> bool:
    """Whether the values of a type are all of other types too."""
    if one in types or (one == "integer" and "number" in types):
        return True
    return textual and "string" in types and one in _WRITTEN


def _names(types: frozenset[str] | None) -> str:
    return " or ".join(sorted(types or ())) or "nothing"


def _formats(base: View, revision: View) -> Found:
    before, after = base.formats, revision.formats
    if before == after or not _share_formatted(base, revision):
        return
    gone, new = before - after, after - before
    words = f"format changed from {_or(gone)} to {_or(new)}"
    if gone and new:
        if all(_WITHIN.get(one, set()) & new for one in gone):
            yield "format-widened", Effect.WIDENS, words
        elif all(_WITHIN.get(one, set()) & gone for one in new):
            yield "format-narrowed", Effect.NARROWS, words
        else:
            yield "format-changed", Effect.BOTH, words
    elif gone:
        yield "format-dropped", Effect.WIDENS, f"format {_or(gone)} dropped"
    else:
        yield "format-introduced", Effect.NARROWS, f"format {_or(new)} set"


def _share_formatted(base: View, revision: View) -> bool:
    """Whether there are values in both that a format can be about."""
    return any(base.allows(kind) and revision.allows(kind) for kind in ("string", "integer"))


def _or(words: set[str]) -> str:
    return " and ".join(sorted(shown(word) for word in words))


# -- bounds and sizes


def _bounds(base: View, revision: View) -> Found:
    for word, before, after, low in (
        ("minimum", base.lower, revision.lower, True),
        ("maximum", base.upper, revision.upper, False),
    ):
        if before == after or _bound_said(base, revision, before, after, low=low):
            continue
        one = after if after is not None else before
        name = f"exclusive-{word}" if one is not None and one[1] else word
        if before is None or after is None:
            yield from _came_or_went(name, before and before[0], after and after[0])
            continue
        up = (after[0], after[1] if low else not after[1]) > (before[0], before[1] if low else not before[1])
        kind = f"{name}-{'raised' if up else 'lowered'}"
        words = f"{name} changed from {_bound_words(before)} to {_bound_words(after)}"
        yield kind, Effect.NARROWS if up is low else Effect.WIDENS, words


_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


def _bound_said(
    base: View, revision: View, before: tuple[Fraction, bool] | None, after: tuple[Fraction, bool] | None, *, low: bool
) -> bool:
    """Whether a format on the other side says a bound that only one side spells out."""
    if (before is None) is (after is None):
        return False
    bound, formats = (after, base.formats) if before is None else (before, revision.formats)
    limits = [_RANGES[one][0 if low else 1] for one in formats if one in _RANGES]
    return bound is not None and any(bound[0] <= limit if low else bound[0] >= limit for limit in limits)


def _bound_words(bound: tuple[Fraction, bool]) -> str:
    return f"{shown(bound[0])}{' (excluded)' if bound[1] else ''}"


def _came_or_went(word: str, before: JSON, after: JSON) -> Found:
    if before is None:
        yield f"{word}-introduced", Effect.NARROWS, f"{word} {shown(after)} set"
    else:
        yield f"{word}-dropped", Effect.WIDENS, f"{word} {shown(before)} dropped"


def _sizes(key: str, word: str, base: View, revision: View) -> Found:
    before, after = base.sizes.get(key), revision.sizes.get(key)
    if before == after or _size_said(key, base, revision, before, after):
        return
    if before is None or after is None:
        yield from _came_or_went(word, before, after)
        return
    up = after > before
    narrows = up is (key in SIZES)
    assert key in SIZES or key in LARGEST
    kind = f"{word}-{'raised' if up else 'lowered'}"
    yield kind, Effect.NARROWS if narrows else Effect.WIDENS, f"{word} changed from {before} to {after}"


def _size_said(key: str, base: View, revision: View, before: int | None, after: int | None) -> bool:
    """Whether other keywords say a size that came or went: what is required, has to be contained, or may not follow."""
    implied: dict[str, Callable[[View], int]] = {"minProperties": lambda view: len(view.required),
               "minItems": lambda view: max((least for _, least, _ in view.contains), default=0)}  # fmt: skip
    if key not in implied:
        return key == "maxItems" and base.most == revision.most
    tighter = (after or 0) > (before or 0)
    return implied[key](base if tighter else revision) >= ((after if tighter else before) or 0)


def _multiples(base: View, revision: View) -> Found:
    before, after = base.multiples, revision.multiples
    if before == after:
        return
    fewer = all(any((step / one).denominator == 1 for step in after) for one in before)
    more = all(any((step / one).denominator == 1 for step in before) for one in after)
    words = f"multipleOf changed from {_steps(before)} to {_steps(after)}"
    if fewer and more:
        return
    if not before:
        yield "multiple-of-introduced", Effect.NARROWS, f"multipleOf {_steps(after)} set"
    elif not after:
        yield "multiple-of-dropped", Effect.WIDENS, f"multipleOf {_steps(before)} dropped"
    elif fewer:
        yield "multiple-of-narrowed", Effect.NARROWS, words
    elif more:
        yield "multiple-of-widened", Effect.WIDENS, words
    else:
        yield "multiple-of-changed", Effect.BOTH, words


def _steps(steps: set[Fraction]) -> str:
    return " and ".join(shown(step) for step in sorted(steps))


def _sets(word: str, before: set[str], after: set[str]) -> Found:
    """Expressions, of which a value has to match every one. Whether one is wider than another nobody can say cheaply."""
    gone, new = before - after, after - before
    if gone and new:
        yield f"{word}-changed", Effect.UNCLEAR, f"{word} changed from {_or(gone)} to {_or(new)}"
    elif gone:
        yield f"{word}-dropped", Effect.WIDENS, f"{word} {_or(gone)} dropped"
    elif new:
        yield f"{word}-introduced", Effect.NARROWS, f"{word} {_or(new)} set"
