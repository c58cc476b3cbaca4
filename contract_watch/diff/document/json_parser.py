"""JSON, read strictly: no name twice, no number that is none, and nothing parsed that is too large or too deep."""

import json
import re
from collections import Counter
from itertools import accumulate, islice
from typing import Any

from contract_watch.diff.document.json_pointer import path_of, pointer
from contract_watch.diff.document.limits import (
    DEEPEST,
    MOST_VALUES,
    SHOWN,
    TOO_DEEP,
    TOO_MANY,
    RefusedError,
    number,
    twice,
)
from contract_watch.report.escaping import plain

# Possessive, and closed or not: whatever stands in the text, each sign of it is looked at once.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+'
_STRINGS = re.compile(_STRING.encode(), re.DOTALL)
_STRUCTURE = re.compile(rf"{_STRING}|[\[\]{{}}]", re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_OTHERS = bytes(sign for sign in range(256) if sign not in _STEPS)
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_PAIRS = re.compile(
    r"(?:[^\\]++|\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?!u[dD][89a-fA-F]).))*+", re.DOTALL
)
"""What goes up to the first escape that is half of a surrogate pair without the other half."""


def parse(content: bytes) -> Any:
    """The value that ``content``, JSON in UTF-8 without a byte order mark, stands for.

    Raises:
        RefusedError: it is no JSON, or has a name twice in one object, a number that no float can hold, half of a
            surrogate pair, or more of anything than `bounds` allows.
    """
    too_deep = _measured(content)
    text = content.decode()
    if too_deep:
        raise _refused(TOO_DEEP, text, _depth_passed(text))
    reader = _Reader()
    try:
        value = reader.read(text)
    except json.JSONDecodeError as error:
        raise RefusedError(f"is not JSON ({error.msg}); correct it", error.lineno, error.colno) from error
    reader.check(value)
    if _HALF.search(text):
        pairs = _PAIRS.match(text)
        end = pairs.end() if pairs else 0
        if end < len(text):
            raise _refused("has half of a surrogate pair, which is no text; write the whole sign", text, end)
    return value


class _Reader:
    """Parses once, and remembers what was JSON and is refused all the same: the parser does not say where it stands."""

    def __init__(self) -> None:
        self._twice: tuple[Any, list[tuple[str, Any]]] | None = None
        """The last object with a name twice, and its pairs. Of earlier ones the second name may have taken the place."""
        self._numbers: list[tuple[Any, str]] = []

    def read(self, text: str) -> Any:
        return json.loads(
            text, object_pairs_hook=self._object, parse_constant=self._no_number, parse_int=self._number,
            parse_float=self._number,
        )  # fmt: skip

    def check(self, value: Any) -> None:
        """Refuse ``value``, the one that was read, for what was remembered."""
        if self._twice:
            holder, pairs = self._twice
            names = Counter(name for name, _ in pairs)
            name = next(name for name, count in names.items() if count > 1)
            raise RefusedError(twice(name, path_of(value, holder)))
        if self._numbers:
            found, digits = self._numbers[0]
            where = plain(pointer(path_of(value, found)), SHOWN)
            raise RefusedError(f"has the number {plain(digits, 40)} at {where}, which no float can hold; correct it")

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            self._twice = found, pairs
        return found

    def _number(self, digits: str) -> Any:
        found = number(digits)
        return self._no_number(digits) if found is None else found

    def _no_number(self, digits: str) -> Any:
        found = object()
        self._numbers.append((found, digits))
        return found


def _measured(content: bytes) -> bool:
    """Whether ``content`` is nested too deep; refused here where it holds too much."""
    # A value and a name have two quotation marks each; what seems an escaped one may end a text, so these are not counted.
    if content.count(b'"') - content.count(b'\\"') > 4 * MOST_VALUES:
        raise RefusedError(TOO_MANY)
    bare = _STRINGS.sub(b"", content)
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") > MOST_VALUES:
        raise RefusedError(TOO_MANY)
    steps = map(_STEPS.__getitem__, bare.translate(None, _OTHERS))
    # Where more is closed than was opened it is no JSON, and is not read up to there.
    return max(accumulate(islice(steps, 2 * MOST_VALUES)), default=0) > DEEPEST


def _depth_passed(text: str) -> int:
    depth = 0
    for token in _STRUCTURE.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > DEEPEST:
                return token.start()
        elif token[0] in "]}":
            depth -= 1
    return 0


def _refused(words: str, text: str, at: int) -> RefusedError:
    return RefusedError(words, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
