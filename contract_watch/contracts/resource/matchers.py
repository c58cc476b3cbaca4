"""Matchers of values that the server makes, and of objects inside other bodies."""

import math
import secrets
import uuid
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.matchers import JSON, Mismatch, Satisfies, ValuePath

_DAY = 86_400.0
_FIRST_NUMBER = 1_000


def match_anything(sample: Any) -> Satisfies:
    """Build the matcher of any value: the response checks judge it by its schema."""
    return Satisfies(sample, lambda _value: True, "anything")


@dataclass(frozen=True)
class SecretSample:
    """The matcher of any value that renders a fresh secret of ``length`` characters each time."""

    length: int = 32

    def render(self) -> JSON:
        return secrets.token_urlsafe(self.length)[: self.length]

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
            return str(uuid.uuid4())
        prefix = text.partition("_")[0] + "_" if "_" in text[:12] else ""
        if text.isdigit() and len(text) > len(prefix):
            return text[:3] + "".join(secrets.choice("0123456789") for _ in range(max(len(text) - 3, 6)))
        return prefix + secrets.token_hex(max(min(len(text) - len(prefix), 32), 12) // 2)

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            yield Mismatch(path, "value", "an id")
        elif str(value) in self.used_ids:
            yield Mismatch(path, "repeated", "an id that was not used before")


@dataclass(frozen=True)
class FreshUuid:
    """The matcher of any value that renders a new UUID each time."""

    def render(self) -> JSON:
        return str(uuid.uuid4())

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


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
