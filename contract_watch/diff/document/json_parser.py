"""Strict parser of JSON: it refuses duplicate names, non-finite numbers, and input that is too large or too deep."""

import json
import re
from collections import Counter
from itertools import accumulate, islice
from typing import Any

from contract_watch.diff.document.json_pointer import find_path, format_pointer
from contract_watch.diff.document.limits import (
    MAX_DEPTH,
    MAX_SHOWN_LENGTH,
    MAX_VALUES,
    TOO_DEEP,
    TOO_MANY,
    InvalidDocumentError,
    describe_duplicate_name,
    parse_number,
)
from contract_watch.escaping import escape_text

# Possessive, and the closing quote is optional: each character of any input is read once.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+'
_STRINGS = re.compile(_STRING.encode(), re.DOTALL)
_STRUCTURE = re.compile(rf"{_STRING}|[\[\]{{}}]", re.DOTALL)
_DEPTH_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NON_BRACKETS = bytes(sign for sign in range(256) if sign not in _DEPTH_STEPS)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_PAIRED_SURROGATES = re.compile(
    r"(?:[^\\]++|\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?!u[dD][89a-fA-F]).))*+", re.DOTALL
)
"""Everything up to the first escape of a surrogate without its other half."""


def parse(content: bytes) -> Any:
    """Parse ``content``, JSON in UTF-8 without a byte order mark.

    Raises:
        InvalidDocumentError: it is not JSON, or it contains a duplicate name, a number outside the range of floats, half of
            a surrogate pair, or more than `limits` allows.
    """
    too_deep = _is_too_deep(content)
    text = content.decode()
    if too_deep:
        raise _build_error(TOO_DEEP, text, _find_too_deep(text))
    reader = _JsonReader()
    try:
        value = reader.read(text)
    except json.JSONDecodeError as error:
        raise InvalidDocumentError(f"is not JSON ({error.msg}); correct it", error.lineno, error.colno) from error
    reader.check(value)
    if _SURROGATE.search(text):
        pairs = _PAIRED_SURROGATES.match(text)
        end = pairs.end() if pairs else 0
        if end < len(text):
            raise _build_error("has half of a surrogate pair; write the whole character", text, end)
    return value


class _JsonReader:
    """A parser that collects valid JSON to refuse afterwards, because `json` reports no position for it."""

    def __init__(self) -> None:
        self._duplicate: tuple[Any, list[tuple[str, Any]]] | None = None
        """The last object with a duplicate name, and its pairs; earlier ones may have been replaced by the second name."""
        self._invalid_numbers: list[tuple[Any, str]] = []

    def read(self, text: str) -> Any:
        return json.loads(
            text, object_pairs_hook=self._build_object, parse_constant=self._note_invalid_number, parse_int=self._parse_number,
            parse_float=self._parse_number,
        )  # fmt: skip

    def check(self, value: Any) -> None:
        """Raise an error for the problems that were collected while ``value`` was parsed."""
        if self._duplicate:
            holder, pairs = self._duplicate
            names = Counter(name for name, _ in pairs)
            name = next(name for name, count in names.items() if count > 1)
            raise InvalidDocumentError(describe_duplicate_name(name, find_path(value, holder)))
        if self._invalid_numbers:
            found, digits = self._invalid_numbers[0]
            where = escape_text(format_pointer(find_path(value, found)), MAX_SHOWN_LENGTH)
            raise InvalidDocumentError(
                f"has the number {escape_text(digits, 40)} at {where}, which is not a finite float; correct it"
            )

    def _build_object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            self._duplicate = found, pairs
        return found

    def _parse_number(self, digits: str) -> Any:
        found = parse_number(digits)
        return self._note_invalid_number(digits) if found is None else found

    def _note_invalid_number(self, digits: str) -> Any:
        found = object()
        self._invalid_numbers.append((found, digits))
        return found


def _is_too_deep(content: bytes) -> bool:
    """Return True if ``content`` is nested too deeply; raise an error if it has too many values."""
    # Each name and each string has two quotation marks; escaped ones are not counted, as they may end a string.
    if content.count(b'"') - content.count(b'\\"') > 4 * MAX_VALUES:
        raise InvalidDocumentError(TOO_MANY)
    bare = _STRINGS.sub(b"", content)
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") > MAX_VALUES:
        raise InvalidDocumentError(TOO_MANY)
    steps = map(_DEPTH_STEPS.__getitem__, bare.translate(None, _NON_BRACKETS))
    # With more closing than opening brackets it is not JSON, and parsing stops before that point.
    return max(accumulate(islice(steps, 2 * MAX_VALUES)), default=0) > MAX_DEPTH


def _find_too_deep(text: str) -> int:
    depth = 0
    for token in _STRUCTURE.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return token.start()
        elif token[0] in "]}":
            depth -= 1
    return 0


def _build_error(message: str, text: str, offset: int) -> InvalidDocumentError:
    return InvalidDocumentError(message, text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
