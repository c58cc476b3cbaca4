"""What is said of items and properties that nothing else speaks of: `unevaluatedItems` and `unevaluatedProperties`.

They see what stands beside them and below that, not what their own schema is put together with.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from contract_watch.diff.document.changes import Effect, Tokens
from contract_watch.diff.document.normalized_schema import AdditionalProperties, NormalizedSchema, SubSchema
from contract_watch.diff.document.schema_location import EditOrLink, SchemaLocation, SchemaWalk, create_edit
from contract_watch.diff.document.source import as_object

_ANNOTATIONS = ("default-", "schema-", "discriminator-", "read-only-", "write-only-", "extensible-enum-")
"""Kinds of edits that say nothing of which items and properties are spoken of."""


def normalize_unevaluated(schema: NormalizedSchema, schemas: Sequence[tuple[Tokens, Mapping[str, Any]]]) -> None:
    """Say what is unevaluated as what nothing names, where that is the same. ``said`` are the schemas of the view."""
    for key, ends, fold in (
        ("unevaluatedProperties", "additionalProperties", _normalize_properties),
        ("unevaluatedItems", "items", _normalize_items),
    ):
        kept = []
        for part in schema.unevaluated.pop(key, ()):
            scope = part.path[:-1]
            seen = [raw for at, raw in schemas if at[: len(scope)] == scope]
            if any(ends in raw for raw in seen):
                continue  # it leaves none that is not evaluated
            if _depends_on_value(schema, seen) or (
                key == "unevaluatedItems" and any("contains" in raw for raw in seen)
            ):
                kept.append(part)
            else:
                fold(schema, part, seen)
        if kept:
            schema.unevaluated[key] = kept


def _depends_on_value(schema: NormalizedSchema, seen: Iterable[Mapping[str, Any]]) -> bool:
    """Whether it depends on the value what is evaluated."""
    if schema.combinators or schema.conditions or schema.dependent_schemas:
        return True
    return any("if" in raw or any(one is True or one == {} for one in _as_list(raw.get("anyOf"))) for raw in seen)


def _normalize_properties(schema: NormalizedSchema, part: SubSchema, seen: Sequence[Mapping[str, Any]]) -> None:
    names, patterns = (
        dict.fromkeys(name for raw in seen for name in as_object(raw.get(key)))
        for key in ("properties", "patternProperties")
    )
    schema.closed_objects.append(AdditionalProperties(frozenset(names), tuple(patterns), part))


def _normalize_items(schema: NormalizedSchema, part: SubSchema, seen: Sequence[Mapping[str, Any]]) -> None:
    """The longest of the lists that it sees goes on with it."""
    longest = max((len(_as_list(raw.get("prefixItems"))) for raw in seen), default=0)
    scope = part.path[:-1]
    for number, (prefix, _) in enumerate(schema.item_lists):
        if len(prefix) == longest and prefix and prefix[0].path[: len(scope)] == scope:
            schema.item_lists[number] = (prefix, part)
            return
    schema.item_lists.append(((), part))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def compare(walk: SchemaWalk, found: Iterable[EditOrLink], location: SchemaLocation) -> Iterator[EditOrLink]:
    """The edits ``found`` where both sides speak of what is left; and that more or less of it is left by them."""
    told = list(found)
    yield from told
    if any(not kind.startswith(_ANNOTATIONS) for kind in walk.collect_kinds(told)):
        words = "what is evaluated may be something else now, and with it what is left"
        yield create_edit("evaluated-changed", Effect.UNCLEAR, words, location)
