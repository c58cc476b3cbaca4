"""Parsed values, and the limits that YAML and JSON share."""

import math
import re
from dataclasses import dataclass
from typing import Any

from contract_watch.escaping import escape_text

MAX_VALUES = 10_000_000
"""The most values in one document; those of the largest body that the mock reads are fewer."""
_MAX_DIGITS = 4300
"""Digits of an integer: Python converts no more, because the time grows with their square."""
_MAX_SHOWN = 80
_WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED_INTEGER = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
INFINITE = "has a number that is not finite; JSON knows none, so quote it"
LONG = f"has a number of more than {_MAX_DIGITS} digits; quote it"


@dataclass(frozen=True)
class DataPart:
    """A YAML document, or the value of a JSON text.

    ``line`` is its first line, ``lines`` those of the elements if it is a list. It ``is_closed`` unless it is the last YAML
    document of a stream and no line ``...`` follows it.
    """

    line: int
    value: Any
    is_closed: bool = True
    lines: tuple[int, ...] = ()


class RefusedValueError(ValueError):
    """A value that is refused; the message is the problem and the fix."""


def resolve_scalar(text: str) -> Any:
    """Return the value of a plain scalar of YAML.

    Raises:
        ValueError: it is a number that is not finite, or too long.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        return _convert_integer(text, 10)
    if _BASED_INTEGER.fullmatch(text):
        return _convert_integer(text, 0)
    if _NOT_FINITE.fullmatch(text):
        raise RefusedValueError(INFINITE)
    return convert_float(text) if _FLOAT.fullmatch(text) else text


def _convert_integer(text: str, base: int) -> int:
    try:
        if len(text.lstrip("+-")) <= _MAX_DIGITS:
            return int(text, base)
    except ValueError as error:
        raise RefusedValueError(LONG) from error
    raise RefusedValueError(LONG)


def convert_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise RefusedValueError(INFINITE)
    return number


def describe_repeated(name: str) -> str:
    return f"an object has the name '{escape_text(name, _MAX_SHOWN)}' twice; keep one"


def describe_depth(most: int) -> str:
    return f"is nested deeper than {most} levels; flatten it"


def describe_count() -> str:
    return f"has more than {MAX_VALUES} values; shorten it"
