"""Where a comparison writes its changes down, judged by their rules."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from contract_watch.diff.document.changes import (
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
from contract_watch.report.escaping import escape_text

_OPPOSITE: dict[Direction, Direction] = {"request": "response", "response": "request"}

_STRING_AREAS: dict[Direction, str] = {"request": "parameter", "response": "header"}


class ChangeLog:
    """The changes between two documents so far. ``today`` is the day that sunsets are measured by.

    ``turned``: the vendor is who calls, as in webhooks, so that what it sends is what consumers read.
    """

    def __init__(self, base: Mapping[str, Any], revision: Mapping[str, Any], today: dt.date) -> None:
        self.base, self.revision = SourceDocument(base), SourceDocument(revision)
        self.schemas = SchemaComparison(self.base, self.revision)
        self.today = today
        self.vendor_calls = False
        self._rules = load_rules()
        self._changes: dict[tuple[str, str, str], ApiChange] = {}

    def record_change(self, rule: str, location: Tokens, message: str) -> None:
        """Note a change of something else than a schema."""
        judged = self._rules[rule]
        direction = _OPPOSITE[judged.direction] if self.vendor_calls else judged.direction
        level = judged.inverted_level if self.vendor_calls else judged.level
        self._add_change(ApiChange(rule, level, direction, format_pointer(location), escape_text(message)))

    def compare_schemas(
        self, area: str, base: Any, revision: Any, locations: tuple[Tokens, Tokens], *, as_string: bool = False
    ) -> None:
        """Compare two schemas: of a ``body``, an ``answer``, a ``parameter`` or a ``header``. ``textual``: sent as texts."""
        direction: Direction = "response" if area in ("answer", "header") else "request"
        if self.vendor_calls:
            direction = _OPPOSITE[direction]
            root = "body"
        else:
            root = "body" if area == "answer" else area
        if self.schemas.is_equal(base, revision):
            return
        found = self.schemas.find_edits(base, revision, locations, (root, direction), as_string=as_string)
        self.record_edits(found, root, direction)

    def record_edits(self, found: Iterable[SchemaEdit], root: str, direction: Direction) -> None:
        """Note edits of schemas, judged by where their values go."""
        for edit in found:
            area = root if edit.depth == 0 else "property"
            # What is said of texts alone has rules where texts are, and is said below those and in events, too.
            ids = f"-{edit.kind}", f"-{area}-{edit.kind}", f"-{_STRING_AREAS[direction]}-{edit.kind}"
            rule = next(self._rules[direction + id_] for id_ in ids if direction + id_ in self._rules)
            # What cannot be told from where it stands is no more than a warning, and no less.
            level = ChangeLevel.WARNING if edit.effect is Effect.UNCLEAR and not rule.expects_unclear else rule.level
            level = ChangeLevel.COMPATIBLE if direction in edit.muted_directions else level
            self._add_change(ApiChange(rule.id, level, direction, edit.location, edit.message))

    def _add_change(self, change: ApiChange) -> None:
        self._changes.setdefault((change.rule, change.location, change.message), change)

    def build_comparison(self) -> Comparison:
        """All that was noted."""
        return Comparison(tuple(self._changes.values()))
