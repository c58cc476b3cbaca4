"""Matchers of values that the server makes, and of objects inside other bodies."""

import math
import secrets
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.matchers import JSON, Matcher, Mismatch, Satisfies, ValuePath
from contract_watch.contracts.schema import Document, find_kind, resolve_reference

_DAY = 86_400.0
_FIRST_NUMBER = 1_000
_MAX_DEPTH = 12
_FORMATS: Mapping[str, str] = {
    "date-time": "2025-01-01T00:00:00Z",
    "date": "2025-01-01",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
}


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
class SingleItem:
    """The matcher of arrays of exactly one item."""

    inner: Matcher

    def render(self) -> JSON:
        return [self.inner.render()]

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if not isinstance(value, list) or len(value) != 1:
            yield Mismatch(path, "value", "an array of one item")
        else:
            yield from self.inner.find_mismatches(value[0], (*path, 0))


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
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def build_sample(document: Document, raw: Any, depth: int = 0) -> Any:
    """Build a value of a response's schema: its example, constant or default, else the simplest value of its type."""
    schema = resolve_reference(document, raw)
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return None
    for key in ("const", "example", "default"):
        if key in schema:
            return schema[key]
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if "allOf" in schema:
        parts = [build_sample(document, member, depth + 1) for member in schema["allOf"]]
        return {name: value for part in parts if isinstance(part, dict) for name, value in part.items()} or parts[0]
    for key in ("oneOf", "anyOf"):
        if schema.get(key):
            return build_sample(document, schema[key][0], depth + 1)
    return _build_typed_sample(document, schema, depth)


def collect_examples(document: Document, raw: Any) -> dict[str, Any]:
    """Return the example of each property of an object's schema that has one."""
    schema = resolve_reference(document, raw)
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    resolved = {name: resolve_reference(document, inner) for name, inner in properties.items()}
    return {
        name: inner["example"] for name, inner in resolved.items() if isinstance(inner, dict) and "example" in inner
    }


def _build_typed_sample(document: Document, schema: Mapping[str, Any], depth: int) -> Any:
    kind = find_kind(schema)
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        return {
            name: build_sample(document, properties.get(name, {}), depth + 1) for name in schema.get("required", ())
        }
    if kind == "array":
        return [build_sample(document, schema.get("items", {}), depth + 1)] * schema.get("minItems", 0)
    if kind == "string":
        if schema.get("format") == "uuid":
            return str(uuid.UUID(int=0))
        text = _FORMATS.get(schema.get("format", ""), "text")
        return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", len(text) + 200)]
    numbers = {"integer": 0, "number": 0}
    if kind in numbers:
        return schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    return False if kind == "boolean" else None


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
