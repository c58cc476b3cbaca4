"""Comparison of annotations: defaults, deprecation and extensible enums."""

from collections.abc import Iterator

from contract_watch.contracts.matchers import are_equal
from contract_watch.diff.document.changes import Effect
from contract_watch.diff.document.normalized_schema import NormalizedSchema
from contract_watch.diff.document.schema_location import EditOrLink, SchemaLocation, create_edit
from contract_watch.diff.document.value_text import format_value, format_values


def compare(before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation) -> Iterator[EditOrLink]:
    """Yield the edits of annotations; only a smaller extensible enum affects the set of values."""
    if before.default is not None or after.default is not None:
        if after.default is None and before.default is not None:
            message = f"default {format_value(before.default[0])} removed"
            yield create_edit("default-removed", Effect.NOTHING, message, location)
        elif before.default is None and after.default is not None:
            message = f"default {format_value(after.default[0])} added"
            yield create_edit("default-added", Effect.NOTHING, message, location)
        elif before.default and after.default and not are_equal(before.default[0], after.default[0]):
            message = f"default changed from {format_value(before.default[0])} to {format_value(after.default[0])}"
            yield create_edit("default-changed", Effect.NOTHING, message, location)
    if before.deprecated != after.deprecated:
        word = "deprecated" if after.deprecated else "reactivated"
        yield create_edit(
            f"schema-{word}", Effect.NOTHING, "now deprecated" if after.deprecated else "no longer deprecated", location
        )
    old_values, new_values = before.extensible_values, after.extensible_values
    gone = [v for v in old_values or () if new_values is not None and v not in new_values]
    new = [v for v in new_values or () if old_values is not None and v not in old_values]
    if gone:
        yield create_edit(
            "extensible-enum-value-removed", Effect.NARROWS, f"values removed: {format_values(gone)}", location
        )
    if new:
        yield create_edit(
            "extensible-enum-value-added", Effect.NOTHING, f"values added: {format_values(new)}", location
        )
