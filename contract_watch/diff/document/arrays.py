"""Comparison of array constraints: items by position, all other items, `contains` and `unevaluatedItems`."""

from collections.abc import Iterator

from contract_watch.diff.document.changes import Effect
from contract_watch.diff.document.normalized_schema import NormalizedSchema
from contract_watch.diff.document.schema_location import (
    EditOrLink,
    SchemaLocation,
    SchemaWalk,
    create_edit,
    mark_unclear,
)
from contract_watch.diff.document.value_text import describe_change


def compare(
    walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation
) -> Iterator[EditOrLink]:
    """Yield the edits of array constraints."""
    listed = max(before.prefix_length, after.prefix_length)
    maximum = before.max_items if before.max_items == after.max_items else None
    inner: list[EditOrLink] = []
    for index in range(listed if maximum is None else min(listed, maximum)):
        here = location.enter(before.find_item(index), after.find_item(index), "prefixItems", str(index))
        inner += walk.compare(before.find_item(index), after.find_item(index), here)
    yield from inner
    if inner and before.prefix_length != after.prefix_length:
        word = "added" if after.prefix_length > before.prefix_length else "removed"
        yield create_edit(f"prefix-items-{word}", Effect.NOTHING, f"{listed} items with schemas of their own", location)
    if maximum is None or maximum > listed:
        old, new = before.find_item(listed), after.find_item(listed)
        rest = (old or new)[0].path if old or new else ()  # `items`, or its equivalent
        yield from walk.compare(old, new, location.enter(old, new, *rest))
    yield from _compare_contains(walk, before, after, location)
    key = "unevaluatedItems"
    was, is_ = (tuple(schema.unevaluated.get(key, ())) for schema in (before, after))
    yield from walk.compare_optional("unevaluated-items", was, is_, location, key)


def _compare_contains(
    walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation
) -> Iterator[EditOrLink]:
    for number in range(max(len(before.contains), len(after.contains))):
        old = before.contains[number] if number < len(before.contains) else None
        new = after.contains[number] if number < len(after.contains) else None
        if old is None or new is None:
            yield from walk.compare_optional(
                "contains", (old[0],) if old else (), (new[0],) if new else (), location, "contains"
            )
            continue
        inner = list(walk.compare((old[0],), (new[0],), location.enter((old[0],), (new[0],))))
        # With a maximum, a narrower item schema may allow more arrays.
        yield from (inner if old[2] is None and new[2] is None else map(mark_unclear, inner))
        yield from _compare_count("minContains", old[1], new[1], location, narrows_up=True)
        yield from _compare_count("maxContains", old[2], new[2], location, narrows_up=False)


def _compare_count(
    key: str, before: int | None, after: int | None, location: SchemaLocation, *, narrows_up: bool
) -> Iterator[EditOrLink]:
    if before == after:
        return
    # A missing maximum is larger than any other.
    up = before is not None and (after is None or after > before)
    message = describe_change(key, before, after)
    yield create_edit(
        f"{key[:3]}-contains-{'raised' if up else 'lowered'}",
        Effect.NARROWS if up is narrows_up else Effect.WIDENS,
        message,
        location,
    )
