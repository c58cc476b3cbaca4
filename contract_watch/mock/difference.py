"""The difference of two JSON values, field by field."""

from collections.abc import Iterator, Mapping
from typing import Any

from contract_watch.escaping import escape_text

_MAX_LINES = 20
_MAX_LENGTH = 200
_ABSENT = object()


def describe_differences(expected: Any, actual: Any) -> list[str]:
    """Return a line for each place at which two JSON values differ, such as ``quota: expected 5, got 6``.

    At most 20 lines; values are quoted and truncated. Values with secrets must be redacted before.
    """
    lines = list(_compare(expected, actual, ""))
    more = len(lines) - _MAX_LINES
    return [*lines[:_MAX_LINES], f"… and {more} more"] if more > 0 else lines


def _compare(expected: Any, actual: Any, place: str) -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for name in dict.fromkeys([*expected, *actual]):
            inner = f"{place}.{name}" if place else str(name)
            yield from _compare(expected.get(name, _ABSENT), actual.get(name, _ABSENT), inner)
    elif isinstance(expected, list) and isinstance(actual, list):
        for index in range(max(len(expected), len(actual))):
            one, other = (values[index] if index < len(values) else _ABSENT for values in (expected, actual))
            yield from _compare(one, other, f"{place}[{index}]")
    elif not is_same_json(expected, actual):
        yield f"{escape_text(place or 'the value', _MAX_LENGTH)}: expected {_format(expected)}, got {_format(actual)}"


def is_same_json(one: Any, other: Any) -> bool:
    """Return True if two values are the same JSON: ``true`` is not 1, but 1.0 is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same_json(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same_json, one, other))
    return bool(one == other)


def _format(value: Any) -> str:
    return "nothing" if value is _ABSENT else escape_text(repr(value), _MAX_LENGTH)
