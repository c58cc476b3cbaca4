"""Where a comparison writes its changes down, judged by their rules."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from contract_watch.diff.document.changes import Change, Comparison, Direction, Edit, Effect, Level, Tokens
from contract_watch.diff.document.json_pointer import pointer
from contract_watch.diff.document.rules import rules
from contract_watch.diff.document.schemas import Schemas
from contract_watch.diff.document.source import Source
from contract_watch.report.escaping import plain

_TURNED: dict[Direction, Direction] = {"request": "response", "response": "request"}

_TEXTS: dict[Direction, str] = {"request": "parameter", "response": "header"}


class Journal:
    """The changes between two documents so far. ``today`` is the day that sunsets are measured by.

    ``turned``: the vendor is who calls, as in webhooks, so that what it sends is what consumers read.
    """

    def __init__(self, base: Mapping[str, Any], revision: Mapping[str, Any], today: dt.date) -> None:
        self.base, self.revision = Source(base), Source(revision)
        self.schemas = Schemas(self.base, self.revision)
        self.today = today
        self.turned = False
        self._rules = rules()
        self._changes: dict[tuple[str, str, str], Change] = {}

    def tell(self, rule: str, at: Tokens, message: str) -> None:
        """Note a change of something else than a schema."""
        judged = self._rules[rule]
        direction = _TURNED[judged.direction] if self.turned else judged.direction
        level = judged.turned if self.turned else judged.level
        self._note(Change(rule, level, direction, pointer(at), plain(message)))

    def schema(self, area: str, base: Any, revision: Any, at: tuple[Tokens, Tokens], *, textual: bool = False) -> None:
        """Compare two schemas: of a ``body``, an ``answer``, a ``parameter`` or a ``header``. ``textual``: sent as texts."""
        direction: Direction = "response" if area in ("answer", "header") else "request"
        if self.turned:
            direction = _TURNED[direction]
            root = "body"
        else:
            root = "body" if area == "answer" else area
        if self.schemas.equal(base, revision):
            return
        found = self.schemas.edits(base, revision, at, (root, direction), textual=textual)
        self.edits(found, root, direction)

    def edits(self, found: Iterable[Edit], root: str, direction: Direction) -> None:
        """Note edits of schemas, judged by where their values go."""
        for edit in found:
            area = root if edit.depth == 0 else "property"
            # What is said of texts alone has rules where texts are, and is said below those and in events, too.
            ids = f"-{edit.kind}", f"-{area}-{edit.kind}", f"-{_TEXTS[direction]}-{edit.kind}"
            rule = next(self._rules[direction + id_] for id_ in ids if direction + id_ in self._rules)
            # What cannot be told from where it stands is no more than a warning, and no less.
            level = Level.WARNING if edit.effect is Effect.UNCLEAR and not rule.unclear else rule.level
            level = Level.COMPATIBLE if direction in edit.muted else level
            self._note(Change(rule.id, level, direction, edit.at, edit.message))

    def _note(self, change: Change) -> None:
        self._changes.setdefault((change.rule, change.location, change.message), change)

    def comparison(self) -> Comparison:
        """All that was noted."""
        return Comparison(tuple(self._changes.values()))
