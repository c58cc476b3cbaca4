"""The checks that every fault passes before its schema: bounded JSON."""

import math
from typing import Any

from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text

MAX_DEPTH = 64
MAX_VALUES = 100_000
_MAX_BITS = 1024
"""Bits of an integer; a longer one is no number for most readers of JSON."""
_MAX_SHOWN = 80


def check_json(label: str, value: Any) -> None:
    """Raise `UsageError`, which begins with ``label``, unless ``value`` is JSON of bounded size and depth."""
    level, count = [value], 0
    for _ in range(MAX_DEPTH):
        count += len(level)
        if count > MAX_VALUES:
            raise UsageError(f"{label}: has more than {MAX_VALUES} values; shorten it")
        for one in level:
            if problem := _find_problem(one):
                raise UsageError(f"{label}: {problem}")
        holders = [one for one in level if isinstance(one, dict | list)]
        if not holders:
            return
        level = [inner for one in holders for inner in (one.values() if isinstance(one, dict) else one)]
    raise UsageError(f"{label}: is nested deeper than {MAX_DEPTH} levels; flatten it")


def _find_problem(value: Any) -> str:
    """Return the reason why ``value`` is no JSON, values inside it aside; empty if it is."""
    if isinstance(value, dict):
        return "" if all(isinstance(name, str) for name in value) else "has a name that is no string; quote it"
    if isinstance(value, bool | str | list) or value is None:
        return ""
    if isinstance(value, int):
        return "" if value.bit_length() <= _MAX_BITS else "has a number that is too large; use a smaller one"
    if isinstance(value, float):
        return "" if math.isfinite(value) else "has a number that is not finite; JSON knows none"
    return f"has a value of the type {type(value).__name__}, which JSON lacks; write a string"


def quote(text: str) -> str:
    """Return a name of a fault in quotes, safe to print."""
    return f"'{escape_text(text, _MAX_SHOWN)}'"
