"""Edits of regular expressions: one step tighter or looser, by editing their source; none is executed here."""

import re
from collections.abc import Callable, Iterator, Mapping

_PART = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\{\d+(?:,\d*)?\}|[+*?](?<!\(\?)|\(\?:|.", re.DOTALL)
_BOUNDS = re.compile(r"\{(\d+)(,?)(\d*)\}")
_RANGE = re.compile(r"\\.|[^\\]-[^\]\\]|[^\\]")


def loosen_pattern(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield looser patterns, each with a name for the edit. Repeated parts are edited together."""
    if pattern.startswith("^"):
        yield "no-start", pattern[1:]
    if pattern.endswith("$") and not pattern.endswith("\\$"):
        yield "no-end", pattern[:-1]
    if re.search(r"a-z", pattern) and not re.search(r"A-Z", pattern):
        yield "any-case", f"(?i){pattern}"
    yield (
        "underscore",
        _replace_parts(pattern, {t: f"{t[:-1]}_]" for t in _PART.findall(pattern) if re.match(r"\[[^^]*a-z", t)}),
    )
    yield from _edit_each_part(pattern, _widen_part)


def tighten_pattern(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield tighter patterns, each with a name for the edit. Repeated parts are edited together."""
    yield from _edit_each_part(pattern, _narrow_part)


def _edit_each_part(pattern: str, edits: Callable[[str], Iterator[tuple[str, str]]]) -> Iterator[tuple[str, str]]:
    """Yield the pattern with each kind of part edited, one at a time."""
    for number, part in enumerate(dict.fromkeys(_PART.findall(pattern))):
        for word, other in edits(part):
            yield f"{word}-{number}", _replace_parts(pattern, {part: other})


def _replace_parts(pattern: str, replacements: Mapping[str, str]) -> str:
    return "".join(replacements.get(part, part) for part in _PART.findall(pattern))


def _widen_part(part: str) -> Iterator[tuple[str, str]]:
    bounds = _BOUNDS.fullmatch(part)
    if part == "+":
        yield "least", "*"
    elif part == "?":
        yield "most", "{0,2}"
    elif bounds is not None:
        low, comma, high = int(bounds[1]), bounds[2], bounds[3]
        most = high if comma else str(low)
        if low:
            yield "least", f"{{{low - 1},{most}}}"
        if most:
            yield "most", f"{{{low},{int(most) + 1}}}"


def _narrow_part(part: str) -> Iterator[tuple[str, str]]:
    bounds = _BOUNDS.fullmatch(part)
    if part == "+":
        yield "least", "{2,}"
        yield "most", ""
    elif part == "?":
        yield "most", "{0}"
    elif part == "*":
        yield "least", "+"
    elif bounds is not None and bounds[2]:
        low, high = int(bounds[1]), bounds[3]
        if not high or low < int(high):
            yield "least", f"{{{low + 1},{high}}}"
        if high and low < int(high):
            yield "most", f"{{{low},{int(high) - 1}}}"
    elif part.startswith("[") and not part.startswith("[^"):
        yield from _narrow_class(part)


def _narrow_class(character_class: str) -> Iterator[tuple[str, str]]:
    """Yield a character class without one of its ranges, or with one of them a character shorter."""
    ranges = _RANGE.findall(character_class[1:-1])
    for index, one in enumerate(ranges):
        before, after = "".join(ranges[:index]), "".join(ranges[index + 1 :])
        word = "hyphen" if one == "-" else one
        if len(ranges) > 1:
            yield f"without-{word}", f"[{before}{after}]"
        if len(one) == 3 and one[0] < one[2]:
            yield f"shorter-{word}", f"[{before}{one[:2]}{chr(ord(one[2]) - 1)}{after}]"
