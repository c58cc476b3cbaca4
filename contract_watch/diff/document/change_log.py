"""The record of the changes that a comparison finds, each with its level by its rule."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from contract_watch.diff.document.changes import (
    OPPOSITE_DIRECTIONS,
    ApiChange,
    ChangeLevel,
    Comparison,
    Direction,
    Effect,
    SchemaEdit,
    Tokens,
)
from contract_watch.diff.document.json_pointer import format_pointer
from contract_watch.diff.document.rules import load_rules
from contract_watch.diff.document.schemas import SchemaComparison
from contract_watch.diff.document.source import SourceDocument
from contract_watch.escaping import escape_text


class ChangeLog:
    """The changes between two documents so far.

    Attributes:
        base, revision: the two documents.
        schemas: the comparison of their schemas.
        today: the date that decides which sunset dates have passed.
        vendor_calls: True inside webhooks and callbacks, where the vendor sends requests and consumers send responses.
    """

    def __init__(self, base: Mapping[str, Any], revision: Mapping[str, Any], today: dt.date) -> None:
        self.base, self.revision = SourceDocument(base), SourceDocument(revision)
        self.schemas = SchemaComparison(self.base, self.revision)
        self.today = today
        self.vendor_calls = False
        self._rules = load_rules()
        self._scope: Tokens = ()
        self._changes: dict[tuple[str, Direction, str, str, str], ApiChange] = {}

    def fork(self, at: Tokens) -> "ChangeLog":
        """Return an empty record in the same state, for changes that are told as one at a location."""
        other = ChangeLog.__new__(ChangeLog)
        vars(other).update(vars(self), _scope=at, _changes={})
        return other

    def record_change(self, rule_id: str, location: Tokens, message: str, *, previous: Tokens | None = None) -> None:
        """Add a change of anything but a schema; ``previous`` is the location of the old name, for a rename."""
        rule = self._rules[rule_id]
        direction = OPPOSITE_DIRECTIONS[rule.direction] if self.vendor_calls else rule.direction
        level = rule.assess(direction, rule.area).level
        self._add_change(
            ApiChange(
                rule_id,
                level,
                direction,
                rule.area,
                format_pointer(location),
                escape_text(message),
                "" if previous is None else format_pointer(previous),
                "removed" in rule_id,
            )
        )

    def compare_schemas(
        self, part: str, base: Any, revision: Any, locations: tuple[Tokens, Tokens], *, as_string: bool = False
    ) -> None:
        """Compare two schemas and add their edits.

        Args:
            part: the part of the operation: "body", "response", "parameter" or "header".
            base: the schema in the base.
            revision: the schema in the revision.
            locations: the locations of both.
            as_string: True where values are sent as strings, as in a query.
        """
        direction: Direction = "response" if part in ("response", "header") else "request"
        if self.vendor_calls:
            direction = OPPOSITE_DIRECTIONS[direction]
            root = "body"
        else:
            root = "body" if part == "response" else part
        if not self.schemas.equality.is_equal(base, revision):
            self._record_schemas(base, revision, locations, (root, direction), as_string=as_string)

    def _record_schemas(
        self,
        base: Any,
        revision: Any,
        locations: tuple[Tokens, Tokens],
        kind: tuple[str, Direction],
        *,
        as_string: bool,
    ) -> None:
        """Add the edits between two schemas; ``kind`` is the area of an edit of the root, and the direction of the values."""
        for edit in self.schemas.find_edits(base, revision, locations, (*kind, *self._scope), as_string=as_string):
            self._add_change(self._assess_edit(edit, *kind))

    def _assess_edit(self, edit: SchemaEdit, root: str, direction: Direction) -> ApiChange:
        area = root if edit.depth == 0 else "property"
        rule = self._rules[edit.kind]
        level = rule.assess(direction, area).level
        if edit.effect is Effect.UNCLEAR and rule.effect is not Effect.UNCLEAR:
            level = ChangeLevel.WARNING  # the location hides the effect that the rule expects
        if direction in edit.muted_directions:
            level = ChangeLevel.COMPATIBLE
        previous = edit.previous_location or ""
        return ApiChange(rule.id, level, direction, area, edit.location, edit.message, previous, edit.is_removed)

    def _add_change(self, change: ApiChange) -> None:
        key = (change.rule, change.direction, change.area, change.location, change.message)
        self._changes.setdefault(key, change)

    def build_comparison(self) -> Comparison:
        """Return all changes so far."""
        return Comparison(tuple(self._changes.values()))
