"""Comparison of annotations: defaults, deprecation, discriminators and extensible enums."""

from collections.abc import Iterator

from contract_watch.contracts.matchers import are_equal
from contract_watch.diff.document.changes import Effect
from contract_watch.diff.document.normalized_schema import NormalizedSchema
from contract_watch.diff.document.schema_location import EditOrLink, SchemaLocation, create_edit


def compare(before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation) -> Iterator[EditOrLink]:
    """Yield the edits of annotations; only a smaller extensible enum affects the set of values."""
    if before.default is not None or after.default is not None:
        if before.default is None or after.default is None:
            word = "removed" if after.default is None else "added"
            yield create_edit(f"default-{word}", Effect.NOTHING, f"default {word}", location)
        elif not are_equal(before.default[0], after.default[0]):
            message = f"default changed from {before.default[0]!r:.40} to {after.default[0]!r:.40}"
            yield create_edit("default-changed", Effect.NOTHING, message, location)
    if before.deprecated != after.deprecated:
        word = "deprecated" if after.deprecated else "reactivated"
        yield create_edit(f"schema-{word}", Effect.NOTHING, word, location)
    yield from _compare_discriminators(before, after, location)
    old_values, new_values = before.extensible_values, after.extensible_values
    gone = [v for v in old_values or () if new_values is not None and v not in new_values]
    new = [v for v in new_values or () if old_values is not None and v not in old_values]
    if gone:
        yield create_edit("extensible-enum-value-removed", Effect.NARROWS, f"values removed: {gone!r:.60}", location)
    if new:
        yield create_edit("extensible-enum-value-added", Effect.NOTHING, f"values added: {new!r:.60}", location)


def _compare_discriminators(
    before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation
) -> Iterator[EditOrLink]:
    old, new = before.discriminator, after.discriminator
    if old is None and new is None:
        return
    if old is None or new is None:
        word = "added" if old is None else "removed"
        yield create_edit(f"discriminator-{word}", Effect.NOTHING, f"discriminator {word}", location)
    elif old.get("propertyName") != new.get("propertyName") or (old.get("mapping") or {}) != (new.get("mapping") or {}):
        yield create_edit("discriminator-changed", Effect.NOTHING, "discriminator changed", location)
