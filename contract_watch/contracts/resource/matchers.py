"""Matchers of values that the server makes, and of objects inside other bodies."""

import math
import re
import string
import uuid
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.matchers import JSON, Mismatch, Satisfies, ValuePath
from contract_watch.contracts.randomness import make_hex, make_text, make_token, make_uuid

_DAY = 86_400.0
_FIRST_NUMBER = 1_000
_ID = re.compile(r"[A-Za-z0-9._~-]{1,200}")


def match_anything(sample: Any) -> Satisfies:
    """Build the matcher of any value: the response checks judge it by its schema."""
    return Satisfies(sample, lambda _value: True, "anything")


@dataclass(frozen=True)
class SecretSample:
    """The matcher of any value that renders a fresh secret of ``length`` characters each time."""

    length: int = 32

    def render(self) -> JSON:
        return make_token(self.length)

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        del value, path
        yield from ()


@dataclass(frozen=True)
class NewId:
    """The matcher of an id that the server assigns: a string or an integer that was not used before.

    ``sample`` is an id of the documents, whose form the rendered ids have.
    """

    used_ids: Collection[str]
    sample: Any

    def render(self) -> JSON:
        if isinstance(self.sample, int):
            numbers = [int(name) for name in self.used_ids if name.isascii() and name.isdigit()]
            return max([_FIRST_NUMBER, *numbers]) + 1
        text = str(self.sample)
        if _is_uuid(text):
            return make_uuid()
        prefix = text.partition("_")[0] + "_" if "_" in text[:12] else ""
        if text.isdigit() and len(text) > len(prefix):
            return text[:3] + make_text(string.digits, max(len(text) - 3, 6))
        return prefix + make_hex(max(min(len(text) - len(prefix), 32), 12) // 2)

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            yield Mismatch(path, "value", "an id")
        elif str(value) in self.used_ids:
            yield Mismatch(path, "repeated", "an id that was not used before")


@dataclass(frozen=True)
class FreshUuid:
    """The matcher of any value that renders a new UUID each time."""

    def render(self) -> JSON:
        return make_uuid()

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        del value, path
        yield from ()


def match_time(sample: Any, moment: float, to_seconds: Callable[[Any], float]) -> Satisfies:
    """Build the matcher of a time within a day of ``moment``: clocks differ, but a wrong unit is found."""

    def is_near(value: Any) -> bool:
        try:
            return abs(to_seconds(value) - moment) < _DAY
        except (TypeError, ValueError, OverflowError):
            return False

    return Satisfies(sample, is_near, "a time near the change")


def match_location(path: str) -> Satisfies:
    """Build the matcher of a Location that leads to ``path``: a path or a whole address, which may end in a slash."""
    last = path.rpartition("/")[2]
    return Satisfies(
        path, lambda value: isinstance(value, str) and value.rstrip("/").rpartition("/")[2] == last, f"a path to {last}"
    )


def is_number(value: Any) -> bool:
    """Return True for a finite number; booleans are none."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def list_leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the JSON pointer and the value of each property that is no object, in ``value`` and its objects."""
    if not isinstance(value, dict):
        yield pointer, value
        return
    for name, inner in value.items():
        yield from list_leaves(inner, f"{pointer}/{name}")


def has_form_of(name: Any, sample: Any) -> bool:
    """Return True if an id has the form of ``sample``, as the ids that `NewId` renders have."""
    if isinstance(sample, int):
        return isinstance(name, int) and not isinstance(name, bool)
    if not isinstance(name, str) or not _ID.fullmatch(name):
        return False
    text = str(sample)
    prefix = text.partition("_")[0] + "_" if "_" in text[:12] else ""
    return (not _is_uuid(text) or _is_uuid(name)) and (not text.isdigit() or name.isdigit()) and name.startswith(prefix)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
