"""Comparison of discriminators: the property that names the kind of an object, its values, and the children of a parent.

A schema with a discriminator and without `oneOf` is a parent: its children are the components that include it with
`allOf`, and the targets of its mapping. They are members of it as those of a group are, but only their own part is
compared here; the part that they include is the parent's.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from contract_watch.diff.document.changes import Effect
from contract_watch.diff.document.json_pointer import parse_pointer
from contract_watch.diff.document.normalized_schema import Conjunction, NormalizedSchema
from contract_watch.diff.document.schema_location import EditOrLink, SchemaLink, SchemaLocation, SchemaWalk, create_edit
from contract_watch.diff.document.source import list_mapping
from contract_watch.diff.document.value_text import format_value, format_values

_MAX_WRAPPERS = 8


def compare(
    walk: SchemaWalk,
    nodes: tuple[Conjunction, Conjunction],
    schemas: tuple[NormalizedSchema, NormalizedSchema],
    location: SchemaLocation,
) -> Iterator[EditOrLink]:
    """Yield the edits of the discriminator of two schemas, and links to the children that both have."""
    old, new = (schema.discriminator for schema in schemas)
    if old is None and new is None:
        return
    if old is None or new is None:
        word = "added" if old is None else "removed"
        yield create_edit(f"discriminator-{word}", Effect.NOTHING, f"discriminator {word}", location)
        return
    found = list(_compare_names(old, new, location))
    holders = [_find_holder(walk, side, node) for side, node in enumerate(nodes)]
    if all(holder is not None and not {"oneOf", "anyOf"} & holder.keys() for holder in holders):
        found += _compare_children(walk, (holders[0] or {}, holders[1] or {}), location)
    if all(isinstance(one, SchemaLink) for one in found) and _normalize(old) != _normalize(new):
        found.append(create_edit("discriminator-changed", Effect.NOTHING, "discriminator changed", location))
    yield from found


def _normalize(discriminator: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**discriminator, "mapping": list_mapping(discriminator)}


def _compare_names(old: Mapping[str, Any], new: Mapping[str, Any], location: SchemaLocation) -> Iterator[EditOrLink]:
    """Yield the edits of the property and of the values that the mapping lists for one schema."""
    before, after = old.get("propertyName"), new.get("propertyName")
    if before != after:
        message = f"the property that names the kind changed from {format_value(before)} to {format_value(after)}"
        yield create_edit("discriminator-property-changed", Effect.UNCLEAR, message, location)
    were, are = list_mapping(old), list_mapping(new)
    for target in dict.fromkeys((*were.values(), *are.values())):
        one, other = ({value for value, at in side.items() if at == target} for side in (were, are))
        gone, added = sorted(one - other), sorted(other - one)
        name = parse_pointer(target)[-1] if target.startswith("#/") else target
        if gone and added:
            message = f"{name} is named {format_values(added)} now, not {format_values(gone)}"
            yield create_edit("discriminator-value-changed", Effect.BOTH, message, location)
        elif gone and other:
            message = f"{name} is no longer named {format_values(gone)}"
            yield create_edit("discriminator-value-removed", Effect.NARROWS, message, location)


def _find_holder(walk: SchemaWalk, side: int, node: Conjunction) -> Mapping[str, Any] | None:
    """Return the schema that holds the discriminator itself, through references and `allOf` of one; None if it includes it."""
    raw = walk.resolve(side, node)
    for _ in range(_MAX_WRAPPERS):
        if raw is None or isinstance(raw.get("discriminator"), dict):
            return raw
        members = raw.get("allOf")
        if not isinstance(members, list) or len(members) != 1 or "properties" in raw:
            return None
        raw = walk.resolve_raw(side, members[0])
    return None


def _compare_children(
    walk: SchemaWalk, holders: tuple[Mapping[str, Any], Mapping[str, Any]], location: SchemaLocation
) -> Iterator[EditOrLink]:
    old, new = (walk.list_children(side, holder) for side, holder in enumerate(holders))
    for reference in dict.fromkeys((*old, *new)):
        name = parse_pointer(reference)[-1]
        at = parse_pointer(reference)
        here = SchemaLocation(at, at, location.depth + 1)
        if reference not in new:
            message = f"{name} is no longer a kind of it"
            yield create_edit("discriminator-value-removed", Effect.NARROWS, message, location)
        elif reference not in old:
            yield create_edit("discriminator-value-added", Effect.WIDENS, f"{name} is a new kind of it", location)
        else:
            yield SchemaLink(old[reference], new[reference], here, is_absolute=True)
