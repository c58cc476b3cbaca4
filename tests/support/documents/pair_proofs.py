"""Proofs of pairs of schemas by values: jsonschema-rs decides which side accepts a value, without the comparison.

Where jsonschema-rs can prove that one schema contains another, the proof counts as well.

Schemas of both versions of OpenAPI are translated to JSON Schema 2020-12: `nullable`, boolean exclusive bounds and
references with siblings as 3.0 defines them, integer and float formats as ranges. A read-only property does not occur in
a request, nor a write-only one in a response; if it does, it may have any value.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import jsonschema_rs
from jsonschema_rs.canonical import CanonicalizationError, Containment

from tests.support.documents.pairs import FRAGMENT_KINDS, DocumentPair

JSON = Any
_MAPS = ("properties", "patternProperties", "dependentSchemas", "$defs")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLES = ("items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else")
_UNEVALUATED = ("unevaluatedItems", "unevaluatedProperties")
_WHOLE = {"properties", "patternProperties", "items", "prefixItems", "additionalProperties"}
"""Keywords whose schemas apply to another value, not to the same one."""
_LARGEST_FLOAT = 3.4028234663852886e38
_RANGES = {
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "float": {"minimum": -_LARGEST_FLOAT, "maximum": _LARGEST_FLOAT},
}
_MOST = 60
_DEEPEST = 4


class SchemaOracle:
    """One side of a pair in one direction: the values that its schema accepts."""

    def __init__(self, schema: JSON, components: Mapping[str, JSON], version: str, flow: str) -> None:
        self._parts = (schema, components)
        self._old = version.startswith("3.0")
        self._hidden = "readOnly" if flow == "request" else "writeOnly"

    def accepts(self, value: JSON) -> bool:
        """Return True if the schema accepts ``value``."""
        return bool(self._open_validator.is_valid(value))

    def sends(self, value: JSON) -> bool:
        """Return True if a sender with this schema may send ``value``: accepted, and without undeclared properties."""
        return self.accepts(value) and bool(self._closed_validator.is_valid(value))

    @cached_property
    def _open_validator(self) -> jsonschema_rs.Draft202012Validator:
        return self._make_validator(closed=False)

    @cached_property
    def _closed_validator(self) -> jsonschema_rs.Draft202012Validator:
        return self._make_validator(closed=True)

    def _make_validator(self, *, closed: bool) -> jsonschema_rs.Draft202012Validator:
        options = jsonschema_rs.FancyRegexOptions()
        schema = self._make_schema(closed=closed)
        return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, pattern_options=options, offline=True)

    def prove_containment(self, other: "SchemaOracle", *, closed: bool) -> Containment:
        """Prove or disprove that this schema accepts all values that ``other`` accepts, or sends if ``closed``."""
        try:
            ours, theirs = (
                jsonschema_rs.canonicalize(schema, draft=jsonschema_rs.Draft202012, validate_formats=True, offline=True)
                for schema in (self._make_schema(closed=False), other._make_schema(closed=closed))  # noqa: SLF001 (our own kind)
            )
        except CanonicalizationError:
            return Containment.UNKNOWN
        return ours.covers(theirs)

    def _make_schema(self, *, closed: bool) -> dict[str, Any]:
        schema, components = self._parts
        named = {name: self._translate_schema(one, closed=closed, whole=False) for name, one in components.items()}
        return {"allOf": [self._translate_schema(schema, closed=closed, whole=True)], "components": {"schemas": named}}

    def _translate_schema(self, schema: JSON, *, closed: bool, whole: bool) -> JSON:
        """Translate ``schema`` to 2020-12; ``closed`` rejects undeclared properties if it applies to a ``whole`` value."""
        if isinstance(schema, bool):
            return schema
        if self._old and "$ref" in schema:
            schema = {"$ref": schema["$ref"]}
        found = {key: self._translate_keyword(key, value, closed=closed) for key, value in schema.items()}
        if self._old:
            _convert_from_3_0(found)
        if isinstance(schema.get("format"), str) and schema["format"] in _RANGES:
            found["allOf"] = [*found.get("allOf", []), _RANGES[schema["format"]]]
        hidden = {
            name
            for name, one in schema.get("properties", {}).items()
            if isinstance(one, dict) and one.get(self._hidden)
        }
        if hidden:
            found["properties"].update(dict.fromkeys(hidden, not closed))
            found["required"] = [name for name in found.get("required", []) if name not in hidden]
        if closed and whole and schema.get("additionalProperties") in (None, True):
            return {"allOf": [found], "unevaluatedProperties": False}
        return found

    def _translate_keyword(self, key: str, value: JSON, *, closed: bool) -> JSON:
        whole = key in _WHOLE
        # A negation or a condition would invert the meaning.
        closed = closed and key not in ("not", "if", "contains", "propertyNames")
        if key in _MAPS:
            return {name: self._translate_schema(one, closed=closed, whole=whole) for name, one in value.items()}
        if key in _LISTS:
            return [self._translate_schema(one, closed=closed, whole=whole) for one in value]
        if key in _SINGLES or key in _UNEVALUATED:
            return self._translate_schema(value, closed=closed, whole=whole)
        return value


def _convert_from_3_0(schema: dict[str, Any]) -> None:
    """Translate the keywords of 3.0; `nullable` requires a `type`, and an `enum` must still list null."""
    if schema.pop("nullable", False) and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    for bound in ("Minimum", "Maximum"):
        if schema.pop(f"exclusive{bound}", False) and bound.lower() in schema:
            schema[f"exclusive{bound}"] = schema.pop(bound.lower())


class PairProof:
    """A pair in one direction, with an oracle for the sender and one for the reader."""

    def __init__(self, pair: DocumentPair, flow: str) -> None:
        location = FRAGMENT_KINDS[pair.fragment_kind]
        schemas = [location.list_schemas(fragment) for fragment in pair.fragments]
        oracles = [
            SchemaOracle(*schema, version, flow)
            for schema, version in zip(schemas, pair.versions, strict=True)
            if schema
        ]
        self.base, self.revision = oracles
        self.sender, self.reader = oracles if flow == "request" else oracles[::-1]
        self._schemas = [schema for schema in schemas if schema]

    def is_broken_by(self, value: JSON) -> bool:
        """Return True if ``value`` was valid and no longer is: sent and rejected, or returned and unknown."""
        return self.sender.accepts(value) and not self.reader.accepts(value)

    def is_gained_by(self, value: JSON) -> bool:
        """Return True if ``value`` is new: the opposite of `is_broken_by`."""
        return self.reader.accepts(value) and not self.sender.accepts(value)

    def is_broken_in_use_by(self, value: JSON) -> bool:
        """Return the same as `is_broken_by` for senders that never send undeclared properties."""
        return self.sender.sends(value) and not self.reader.accepts(value)

    def list_candidates(self) -> list[JSON]:
        """Return values at the boundaries of both schemas."""
        found: list[JSON] = []
        for schema, components in self._schemas:
            found += make_candidates(schema, components)
        return _drop_duplicates(found)


def _drop_duplicates(values: list[JSON]) -> list[JSON]:
    return list({json.dumps(value, sort_keys=True): value for value in values}.values())


_ANYTHING: tuple[JSON, ...] = (
    None, True, False, 0, 1, -1, 0.5, 7, "", "a", "A1", "a-1", '"a"', "red", "2026-11-22", "5", [], [1], ["a"], {}, {"extra": 1}, {"extra": "a"}
)  # fmt: skip
_TEXTS = {
    "date-time": "2026-11-22T10:00:00Z",
    "date": "2026-11-22",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
    "email": "someone@example.com",
    "uri": "https://example.com/a",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}


def make_candidates(schema: JSON, components: Mapping[str, JSON], depth: int = 0) -> list[JSON]:
    """Return values at the boundaries of ``schema``, accepted and rejected ones; at most about sixty per level."""
    if isinstance(schema, bool) or depth > _DEEPEST:
        return list(_ANYTHING[:4])
    return _drop_duplicates(
        [*_make_edge_values(schema, components, depth), *(_ANYTHING if depth < 2 else _ANYTHING[:8])]
    )


def _make_edge_values(schema: Mapping[str, Any], components: Mapping[str, JSON], depth: int) -> list[JSON]:
    found = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else [])]
    for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
        bound = schema.get(key)
        if isinstance(bound, int | float) and not isinstance(bound, bool):
            found += [bound - 1, bound, bound + 1, bound + 0.5, bound * 2, bound * 3]
    if schema.get("format") in _RANGES:
        found += [2**31 - 1, 2**31, 2**63 - 1, 2**63, 1e300]
    found += [text for name, text in _TEXTS.items() if schema.get("format") == name]
    for key in ("minLength", "maxLength"):
        found += ["a" * n for n in range(max(schema.get(key, 1) - 1, 0), schema.get(key, 1) + 2)]
    for key in ("allOf", "anyOf", "oneOf"):
        for member in schema.get(key, ()):
            found += make_candidates(member, components, depth + 1)
    for key in ("not", "if", "then", "else"):
        if key in schema:
            found += make_candidates(schema[key], components, depth + 1)
    if "$ref" in schema:
        found += make_candidates(components.get(schema["$ref"].rpartition("/")[2], True), components, depth + 1)
    found += list(_make_lists(schema, components, depth))
    found += list(_make_objects(schema, components, depth))
    return found


def _make_lists(schema: Mapping[str, Any], components: Mapping[str, JSON], depth: int) -> Iterator[JSON]:
    first = [make_candidates(one, components, depth + 1)[:6] for one in schema.get("prefixItems", ())]
    rest = make_candidates(schema.get("items", schema.get("contains", True)), components, depth + 1)[:12]
    contained = make_candidates(schema["contains"], components, depth + 1)[:6] if "contains" in schema else []
    edges = [schema[key] for key in ("minItems", "maxItems", "minContains", "maxContains") if key in schema]
    lengths = sorted({max(edge + step, 0) for edge in [*edges, len(first), 1] for step in (-1, 0, 1)})
    for length in lengths:
        for one in [*rest, *contained]:
            yield [one] * length
        yield [(*rest, *range(length))[location] for location in range(length)]
    for location, choices in enumerate(first):
        for one in choices:
            yield [*(others[0] for others in first[:location]), one]


def _make_objects(schema: Mapping[str, Any], components: Mapping[str, JSON], depth: int) -> Iterator[JSON]:
    declared = dict(_find_declared_properties(schema, components, depth))
    for name in schema.get("patternProperties", {}):
        declared[name.strip("^$")] = schema["patternProperties"][name]
    choices = {name: make_candidates(one, components, depth + 1)[:_MOST] for name, one in declared.items()}
    if not choices and not {"minProperties", "maxProperties", "propertyNames", "required"} & schema.keys():
        return
    wanted = [*dict.fromkeys([*schema.get("required", ()), *choices])]
    whole = {name: choices.get(name, [1])[0] for name in wanted}
    for start in (whole, {name: whole[name] for name in schema.get("required", ())}, {}):
        yield start
        yield {**start, "extra": 1}
        yield {**start, "extra": "a"}
        for name in wanted:
            yield {other: value for other, value in start.items() if other != name}
            yield from ({**start, name: value} for value in choices.get(name, [1]))
    for size in range(max(schema.get("maxProperties", schema.get("minProperties", 0)) + 2, 3)):
        yield {f"p{n}": n for n in range(size)}


def _find_declared_properties(schema: JSON, components: Mapping[str, JSON], depth: int) -> Iterator[tuple[str, JSON]]:
    """Yield the properties that a schema declares, including those of its combinators."""
    if isinstance(schema, bool) or depth > _DEEPEST:
        return
    if "$ref" in schema:
        yield from _find_declared_properties(
            components.get(schema["$ref"].rpartition("/")[2], True), components, depth + 1
        )
    yield from schema.get("properties", {}).items()
    for key in ("allOf", "anyOf", "oneOf"):
        for member in schema.get(key, ()):
            yield from _find_declared_properties(member, components, depth + 1)
    for key in ("then", "else"):
        yield from _find_declared_properties(schema.get(key, True), components, depth + 1)
