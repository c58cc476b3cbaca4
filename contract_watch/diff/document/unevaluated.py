"""Comparison and normalization of `unevaluatedItems` and `unevaluatedProperties`.

These keywords take into account their sibling keywords and everything below those, but not the schemas that their own
schema is combined with.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from contract_watch.diff.document.changes import Effect, Tokens
from contract_watch.diff.document.idle_keywords import allows_anything
from contract_watch.diff.document.normalized_schema import AdditionalProperties, NormalizedSchema, SubSchema
from contract_watch.diff.document.schema_location import EditOrLink, SchemaLocation, SchemaWalk, create_edit
from contract_watch.diff.document.source import as_list, as_object

_ANNOTATIONS = ("default-", "schema-", "discriminator-", "read-only-", "write-only-", "extensible-enum-")
"""Kinds of edits that do not affect which items and properties are evaluated."""


def normalize_unevaluated(schema: NormalizedSchema, schemas: Sequence[tuple[Tokens, Mapping[str, Any]]]) -> None:
    """Replace the unevaluated keywords by `additionalProperties` or `items` where that is equivalent.

    ``schemas`` are the merged schemas with their paths.
    """
    for key, ends, fold in (
        ("unevaluatedProperties", "additionalProperties", _normalize_properties),
        ("unevaluatedItems", "items", _normalize_items),
    ):
        remaining = []
        for part in schema.unevaluated.pop(key, ()):
            scope = part.path[:-1]
            seen = [raw for at, raw in schemas if at[: len(scope)] == scope]
            if any(ends in raw for raw in seen):
                continue  # this keyword evaluates all the rest
            if _depends_on_value(schema, seen) or (
                key == "unevaluatedItems" and any("contains" in raw for raw in seen)
            ):
                remaining.append(part)
            else:
                fold(schema, part, seen)
        if remaining:
            schema.unevaluated[key] = remaining


def _depends_on_value(schema: NormalizedSchema, seen: Iterable[Mapping[str, Any]]) -> bool:
    """Return True if the evaluated items and properties depend on the value."""
    if schema.combinators or schema.conditions or schema.dependent_schemas:
        return True
    return any("if" in raw or any(map(allows_anything, as_list(raw.get("anyOf")))) for raw in seen)


def _normalize_properties(schema: NormalizedSchema, part: SubSchema, seen: Sequence[Mapping[str, Any]]) -> None:
    names, patterns = (
        dict.fromkeys(name for raw in seen for name in as_object(raw.get(key)))
        for key in ("properties", "patternProperties")
    )
    schema.closed_objects.append(AdditionalProperties(frozenset(names), tuple(patterns), part))


def _normalize_items(schema: NormalizedSchema, part: SubSchema, seen: Sequence[Mapping[str, Any]]) -> None:
    """Use the schema for the items after the longest list of positions."""
    longest = max((len(as_list(raw.get("prefixItems"))) for raw in seen), default=0)
    scope = part.path[:-1]
    for number, (prefix, _) in enumerate(schema.item_lists):
        if len(prefix) == longest and prefix and prefix[0].path[: len(scope)] == scope:
            schema.item_lists[number] = (prefix, part)
            return
    schema.item_lists.append(((), part))


def compare(walk: SchemaWalk, found: Iterable[EditOrLink], location: SchemaLocation) -> Iterator[EditOrLink]:
    """Yield the edits ``found``, and one more if they may change which items or properties are evaluated."""
    edits = list(found)
    yield from edits
    if any(not kind.startswith(_ANNOTATIONS) for kind in walk.collect_kinds(edits)):
        message = "the set of evaluated items or properties may have changed, and so the rest"
        yield create_edit("evaluated-changed", Effect.UNCLEAR, message, location)
