"""Comparison of `if`, `then` and `else`, and of the content of strings."""

from collections.abc import Iterator

from contract_watch.diff.document.changes import Effect
from contract_watch.diff.document.normalized_schema import Condition, Conjunction, NormalizedSchema
from contract_watch.diff.document.schema_location import EditOrLink, SchemaLocation, SchemaWalk, create_edit
from contract_watch.diff.document.value_text import describe_change


def compare(
    walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation
) -> Iterator[EditOrLink]:
    """Yield the edits of conditions and of the content of strings."""
    yield from _compare_conditions(walk, before, after, location)
    yield from _compare_contents(walk, before, after, location)


def _compare_conditions(
    walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation
) -> Iterator[EditOrLink]:
    old, new = list(before.conditions), list(after.conditions)
    for one in list(old):
        other = next((c for c in new if walk.is_equivalent((one.if_schema,), (c.if_schema,))), None)
        if other is None:
            continue
        old.remove(one)
        new.remove(other)
        for word, left, right in (
            ("then", one.then_schema, other.then_schema),
            ("else", one.else_schema, other.else_schema),
        ):
            yield from walk.compare_optional("condition", left, right, location, word)
    for one, other in zip(old, new, strict=False):
        message = "if changed, and so the values that then and else apply to"
        here = location.enter_condition((one.if_schema,), (other.if_schema,))
        yield create_edit("condition-changed", Effect.UNCLEAR, message, here)
    longer: list[Condition] = old if len(old) > len(new) else new
    for one in longer[min(len(old), len(new)) :]:
        sides: tuple[Conjunction, Conjunction] = ((one.if_schema,), ()) if longer is old else ((), (one.if_schema,))
        yield from walk.compare_optional("condition", *sides, location, "if")


def _compare_contents(
    walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation
) -> Iterator[EditOrLink]:
    if not (before.allows_type("string") and after.allows_type("string")):
        return
    for key, kind in (("contentMediaType", "content-media-type"), ("contentEncoding", "content-encoding")):
        old, new = before.content.get(key), after.content.get(key)
        if old != new:
            yield create_edit(f"{kind}-changed", Effect.BOTH, describe_change(key, old, new), location)
    old_node, new_node = tuple(before.content_schema), tuple(after.content_schema)
    yield from walk.compare_optional("content-schema", old_node, new_node, location, "contentSchema")
