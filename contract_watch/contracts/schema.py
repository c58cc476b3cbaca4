"""JSON values: parsed, read by path, validated against the schemas of a document, searched for undocumented properties.

Vendors' patterns run on jsonschema-rs with its linear-time regular expressions, never on a backtracking engine.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jsonschema_rs

from contract_watch.contracts.nullable import expand_components, expand_nullable
from contract_watch.contracts.request import MissingBody

JSON = Any
ValuePath = tuple[str | int, ...]
Document = Mapping[str, Any]
_WINDOW = 100
"""Items of a long list that are searched for violations at once. The validator lists all violations or none."""
_MAX_WINDOWS = 50
_MAX_WHOLE = 10_000
"""Values of a body that is searched as a whole if no window has a violation: the list may be too long."""
_MAX_VIOLATIONS = 1000
MAX_DEPTH = 100
"""Levels of nested objects and arrays. No documented body comes near it."""
MAX_VALUES = 300_000
"""Values at any depth. Judging one takes some 20 microseconds, so a body takes no longer than a slow response."""


@dataclass(frozen=True)
class Violation:
    """A violation of a schema.

    ``path`` leads to the value, or to the property that is missing. ``keyword`` is the violated schema keyword,
    ``expected`` the requirement in prose.
    """

    path: ValuePath
    keyword: str
    expected: str

    @property
    def pointer(self) -> str:
        """The path as a string for ids, with ``*`` for array positions."""
        return "/".join("*" if isinstance(part, int) else part for part in self.path)


def resolve_reference(document: Document, node: JSON) -> JSON:
    """Follow the local ``$ref`` of ``node`` until a node has none; raise ValueError for a cycle.

    Only the node itself is resolved, not the nodes below it.
    """
    for _ in range(32):
        if not (isinstance(node, dict) and isinstance(node.get("$ref"), str)):
            return node
        target: JSON = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    raise ValueError("a $ref that leads to itself")


def flatten_schema(document: Document, raw: Any) -> dict[str, Any]:
    """Return a schema with its reference resolved and the members of `allOf` merged into it."""
    schema = resolve_reference(document, raw)
    if not isinstance(schema, dict):
        return {}
    if "allOf" not in schema:
        return schema
    merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
    for member in schema["allOf"]:
        part = flatten_schema(document, member)
        properties = {**part.get("properties", {}), **merged.get("properties", {})}
        required = [*part.get("required", ()), *merged.get("required", ())]
        merged = {**part, **merged}
        if properties:
            merged["properties"] = properties
        if required:
            merged["required"] = list(dict.fromkeys(required))
    return merged


def find_kind(schema: Mapping[str, Any]) -> str | None:
    """Return the type of a schema's values, null aside; None if it has none or several."""
    kind = schema.get("type")
    if not isinstance(kind, list):
        return kind if isinstance(kind, str) else None
    kinds = [one for one in kind if one != "null"]
    return kinds[0] if len(kinds) == 1 else None


class Schema:
    """A schema of an OpenAPI document, compiled for validation."""

    def __init__(self, document: Document, schema: Mapping[str, Any], *, checks_formats: bool = False) -> None:
        self.document = document
        self.schema = schema
        self._combinators: dict[int, Schema] = {}
        version = str(document.get("openapi", "3.1"))
        # OpenAPI 3.0 has Draft 4's exclusiveMinimum and exclusiveMaximum; 3.1 is Draft 2020-12.
        is_old = version.startswith("3.0")
        validator = jsonschema_rs.Draft4Validator if is_old else jsonschema_rs.Draft202012Validator
        own = expand_nullable(schema) if is_old else schema
        self._validator = validator(
            {**own, "components": expand_components(document) if is_old else document.get("components", {})},
            pattern_options=jsonschema_rs.RegexOptions(),
            validate_formats=True if checks_formats else None,  # None: as the draft has it
            offline=True,
        )

    def accepts(self, value: JSON) -> bool:
        """Return True if ``value`` is valid."""
        try:
            return bool(self._validator.is_valid(value))
        except ValueError:
            return bool(self._validator.is_valid(_sanitize_value(value)))

    def find_violations(self, value: JSON) -> list[Violation]:
        """Return the violations in ``value``, in the validator's order.

        Of a long list, only the first items with violations are searched: a server can send millions. If it takes too long
        to find them, one violation of the whole value stands for all.
        """
        if self.accepts(value):  # much faster than an empty iter_errors
            return []
        for number in range(_MAX_WINDOWS):
            part = _cut_lists(value, number)
            if not self.accepts(part):
                errors = self._list_errors(part)
                return [
                    self._build_violation(error, _restore_path(error.instance_path, value, number)) for error in errors
                ]
        if _count_values(value) <= _MAX_WHOLE:
            return [self._build_violation(error, tuple(error.instance_path)) for error in self._list_errors(value)]
        return [Violation((), "schema", "a body that its schema accepts")]

    def _list_errors(self, value: JSON) -> list[jsonschema_rs.ValidationError]:
        try:
            errors = list(self._validator.iter_errors(value))
        except ValueError:
            errors = list(self._validator.iter_errors(_sanitize_value(value)))
        return errors[:_MAX_VIOLATIONS]

    @staticmethod
    def _build_violation(error: jsonschema_rs.ValidationError, path: ValuePath) -> Violation:
        kind = error.kind
        keyword = kind.name
        if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
            return Violation((*path, kind.property), keyword, "the required property")
        limits = [limit for name, limit in kind.as_dict().items() if name not in ("value", "context")]
        words = [
            " or ".join(map(str, limit)) if isinstance(limit, list) else str(limit).partition("\n")[0]
            for limit in limits
        ]
        return Violation(path, keyword, f"{keyword} {' '.join(words)}".strip())

    def find_undocumented(self, value: JSON) -> Iterator[ValuePath]:
        """Yield the path of every property in ``value`` that the schema does not declare.

        ``value`` must be valid. A free-form object (one without ``properties``) declares every name.
        """
        yield from self._find_undocumented([self.schema], value, ())

    def _find_undocumented(self, schemas: list[Mapping[str, Any]], value: JSON, path: ValuePath) -> Iterator[ValuePath]:
        flat = list(self._flatten(schemas, value))
        if isinstance(value, list):
            items = [schema["items"] for schema in flat if isinstance(schema.get("items"), dict)]
            for index, item in enumerate(value):
                yield from self._find_undocumented(items, item, (*path, index))
        if not isinstance(value, dict):
            return
        free = not any("properties" in schema for schema in flat)
        for name, inner in value.items():
            known = [schema["properties"][name] for schema in flat if name in schema.get("properties", {})]
            extra = [s["additionalProperties"] for s in flat if isinstance(s.get("additionalProperties"), dict)]
            if known or extra:
                yield from self._find_undocumented(known or extra, inner, (*path, name))
            elif not free and not any(schema.get("additionalProperties") is True for schema in flat):
                yield (*path, name)

    @cached_property
    def property_names(self) -> frozenset[str]:
        """The names of all properties that the schema declares, at any depth."""
        names: set[str] = set()
        seen: list[JSON] = []

        def walk(raw: JSON) -> None:
            schema = resolve_reference(self.document, raw)
            if not isinstance(schema, dict) or any(schema is known for known in seen):
                return
            seen.append(schema)
            names.update(schema.get("properties", {}))
            inner = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]
            for one in (*inner, *schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())):
                walk(one)

        walk(self.schema)
        return frozenset(names)

    def _get_combinator(self, schema: Mapping[str, Any]) -> "Schema":
        """Return the compiled schema of a member of ``oneOf`` or ``anyOf``, from a cache."""
        key = id(schema)
        if key not in self._combinators:
            self._combinators[key] = Schema(self.document, schema)
        return self._combinators[key]

    def _flatten(self, schemas: list[Mapping[str, Any]], value: JSON) -> Iterator[Mapping[str, Any]]:
        """Yield the schemas that apply to ``value``, with references resolved and combinators replaced by members."""
        for schema in schemas:
            resolved = resolve_reference(self.document, schema)
            yield resolved
            yield from self._flatten(resolved.get("allOf", []), value)
            for member in (*resolved.get("oneOf", []), *resolved.get("anyOf", [])):
                if self._get_combinator(member).accepts(value):
                    yield from self._flatten([member], value)


def _cut_lists(value: JSON, window: int) -> JSON:
    """Return a copy of ``value`` that holds of each long list the items of one window, a number that counts on and on."""
    if isinstance(value, dict):
        return {name: _cut_lists(inner, window) for name, inner in value.items()}
    if isinstance(value, list):
        start = _find_start(value, window)
        return [_cut_lists(inner, window) for inner in value[start : start + _WINDOW]]
    return value


def _count_values(value: JSON) -> int:
    """Count the values in ``value`` at any depth, itself among them."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_count_values, inner))


def _restore_path(path: Sequence[str | int], value: JSON, window: int) -> ValuePath:
    """Return the path in ``value`` of a path in what `_cut_lists` returned for it."""
    restored: list[str | int] = []
    for part in path:
        index = part + _find_start(value, window) if isinstance(part, int) else part
        restored.append(index)
        value = value[index]
    return tuple(restored)


def _find_start(items: list[JSON], window: int) -> int:
    return window % max(1, -(-len(items) // _WINDOW)) * _WINDOW


def _sanitize_value(value: JSON, depth: int = 0) -> JSON:
    """Return a copy that the validator can represent: lone surrogates replaced, nesting cut at `MAX_DEPTH`."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict | list) and depth > MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {_sanitize_value(name): _sanitize_value(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_sanitize_value(inner, depth + 1) for inner in value]
    return value


def parse_foreign_json(content: str | bytes) -> Any:
    """Parse ``content``.

    Raises:
        ValueError: it is not JSON, or it is nested deeper than `MAX_DEPTH`, or it holds more than `MAX_VALUES`.
    """
    try:
        value = json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    # Each value but the first follows one of these, so that few of them need no closer look.
    signs = (b"[", b"{", b",") if isinstance(content, bytes) else ("[", "{", ",")
    if sum(map(content.count, signs)) >= MAX_DEPTH:  # type: ignore[arg-type]
        _check_size(value)
    return value


def is_too_deep(value: Any, most: int = MAX_DEPTH) -> bool:
    """Return True if a JSON value is nested deeper than ``most`` levels; depth costs other readers a recursion."""
    level = [value]
    for _ in range(most + 1):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def _check_size(value: Any) -> None:
    level, count = [value], 1
    for _ in range(MAX_DEPTH + 1):
        holders = [one for one in level if isinstance(one, dict | list)]
        if not holders:
            return
        level = [inner for one in holders for inner in (one.values() if isinstance(one, dict) else one)]
        count += len(level)
        if count > MAX_VALUES:
            raise ValueError("too many values")
    raise ValueError("nested too deeply")


def parse_json(body: bytes) -> Any:
    """Parse a body; a member of `MissingBody` stands for one that is empty or not JSON, or nested too deeply."""
    if not body:
        return MissingBody.ABSENT
    try:
        return parse_foreign_json(body)
    except ValueError:
        return MissingBody.MALFORMED


def format_pointer(path: ValuePath) -> str:
    """Format a path as clauses write it: names joined with slashes, ``*`` for every index."""
    return "/".join("*" if isinstance(part, int) else str(part) for part in path)


def get_value(body: Any, path: ValuePath) -> Any:
    """Return the value at ``path``; `MissingBody.ABSENT` if there is none."""
    part: Any
    for part in path:
        if (isinstance(body, list) and isinstance(part, int) and part < len(body)) or (
            isinstance(body, dict) and part in body
        ):
            body = body[part]
        else:
            return MissingBody.ABSENT
    return body


def walk_strings(value: Any, path: ValuePath = ()) -> Iterator[tuple[ValuePath, str]]:
    """Yield every string in a JSON value, names excepted, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from walk_strings(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk_strings(inner, (*path, index))


def list_properties(value: Any, prefix: str = "") -> Iterator[str]:
    """Yield every property in a JSON value as clauses write it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{prefix}{name}"
            yield from list_properties(inner, f"{prefix}{name}/")
    elif isinstance(value, list):
        for inner in value:
            yield from list_properties(inner, f"{prefix}*/")
