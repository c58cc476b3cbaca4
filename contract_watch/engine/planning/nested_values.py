"""Values of nested objects in requests: one property on or beyond a bound, the others as in a minimal object."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from contract_watch.contracts.samples import build_sample
from contract_watch.contracts.schema import Document, Schema, find_kind, flatten_schema, resolve_reference
from contract_watch.engine.planning.values import generate_invalid, generate_valid
from contract_watch.engine.planning.variants import SchemaSet, Variant

_MAX_DEPTH = 4


def is_nested(schema: Mapping[str, Any]) -> bool:
    """Return True if a schema's values are objects with declared properties."""
    return find_kind(schema) in ("object", None) and bool(schema.get("properties"))


def generate_nested(
    document: Document, schema: Mapping[str, Any], *, accepted: bool, depth: int = 0
) -> Iterator[Variant]:
    """Generate objects on one side of the constraints of their properties; the pointer names the property."""
    if depth > _MAX_DEPTH:
        return
    judge = Schema(document, schema)
    minimal = build_sample(judge)
    if not isinstance(minimal, dict) or not judge.accepts(minimal):
        return
    for variant in _generate_variants(document, schema, minimal, accepted=accepted, depth=depth):
        if judge.accepts(variant.value) == accepted:
            yield variant


def _generate_variants(
    document: Document, schema: Mapping[str, Any], minimal: dict[str, Any], *, accepted: bool, depth: int
) -> Iterator[Variant]:
    if not accepted:
        yield Variant("type", "text")
    for name, raw in schema["properties"].items():
        prop = flatten_schema(document, raw)
        if not accepted and name in schema.get("required", ()):
            yield Variant("required", {key: value for key, value in minimal.items() if key != name}, f"/{name}")
        for variant in _generate_inner(document, prop, accepted=accepted, depth=depth):
            yield _wrap(variant, name, minimal)


def _wrap(variant: Variant, name: str, minimal: dict[str, Any]) -> Variant:
    """Return ``variant``, a value of the property ``name``, as one of the object that is otherwise ``minimal``."""
    simpler = tuple(_wrap(one, name, minimal) for one in variant.simpler)
    return replace(
        variant, value={**minimal, name: variant.value}, pointer=f"/{name}{variant.pointer}", simpler=simpler
    )


def _generate_inner(document: Document, prop: Mapping[str, Any], *, accepted: bool, depth: int) -> Iterator[Variant]:
    if is_nested(prop):
        yield from generate_nested(document, prop, accepted=accepted, depth=depth + 1)
        return
    judges, items = SchemaSet([Schema(document, prop)]), None
    if find_kind(prop) == "array":
        inner = resolve_reference(document, prop.get("items", {}))
        prop, items = {**prop, "items": inner}, SchemaSet([Schema(document, inner)])
    yield from (generate_valid if accepted else generate_invalid)(prop, judges, items)
