"""Values in messages: as JSON writes them, and short."""

import json
from collections.abc import Iterable
from fractions import Fraction

from contract_watch.diff.document.source import JSON

_MAX_LENGTH = 60
"""Characters of a value in a message."""
_MAX_VALUES = 12
"""Values of a list in a message."""


def format_value(value: JSON) -> str:
    """Return a value for a message: as JSON, a string between single quotes, a long one cut in the middle."""
    if isinstance(value, Fraction):
        value = value.numerator if value.denominator == 1 else float(value)
    if isinstance(value, str):
        return f"'{_shorten(value)}'"
    return _shorten(json.dumps(value, ensure_ascii=False))


def format_values(values: Iterable[JSON]) -> str:
    """Return several values for a message: the first of them, and how many more there are."""
    texts = list(map(format_value, values))
    more = f", and {len(texts) - _MAX_VALUES} more" if len(texts) > _MAX_VALUES else ""
    return ", ".join(texts[:_MAX_VALUES]) + more


def join_values(values: Iterable[str]) -> str:
    """Return several patterns or formats that a value has to match together."""
    return " and ".join(sorted(map(format_value, values)))


def describe_change(name: str, before: JSON | None, after: JSON | None) -> str:
    """Return the words for something that was set, changed or removed; None: it is not there."""
    if before is None:
        return f"{name} {format_value(after)} set"
    if after is None:
        return f"{name} {format_value(before)} removed"
    return f"{name} changed from {format_value(before)} to {format_value(after)}"


Default = tuple[JSON] | None
"""The default of a schema, or None if it has none."""


def describe_need(name: object, old: Default, new: Default, *, is_required: bool) -> str:
    """Return the words for something that became required or optional, with the defaults of both sides."""
    now, was = ("required", "optional") if is_required else ("optional", "required")
    return f"{name} is {now} now{describe_default(new)}; it was {was}{describe_default(old)}"


def describe_default(default: Default) -> str:
    """Return the words for a default after a comma; nothing if there is none."""
    return "" if default is None else f", default {format_value(default[0])}"


def _shorten(text: str) -> str:
    if len(text) <= _MAX_LENGTH:
        return text
    half = (_MAX_LENGTH - 1) // 2
    return f"{text[:half]}…{text[-half:]}"
