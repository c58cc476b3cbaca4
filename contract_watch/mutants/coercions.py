"""Coercions of lenient servers: wrong types that they accept, and the values that they make of them."""

from collections.abc import Callable, Mapping
from typing import Any

Coercion = Callable[[Any], Any]


def _to_number(value: Any) -> Any:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _to_string(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


COERCIONS: Mapping[str, Mapping[str, Coercion]] = {
    "boolean": {"string": lambda value: {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value},
    "number": {"string": _to_number},
    "integer": {"string": lambda value: int(value) if isinstance(value, str) and value.isdecimal() else value},
    "string": {"number": _to_string},
    "array": {"string": lambda value: [value] if isinstance(value, str) else value},
    "object": {"string": lambda value: {} if isinstance(value, str) else value},
    "enum": {"array": lambda value: value[0] if isinstance(value, list) and value else value},
}  # fmt: skip
"""Coercions by declared type, then by the wrong type that is accepted."""
