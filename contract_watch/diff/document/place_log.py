"""The changes of two documents by place: what is shared is assessed once, and its uses are counted.

Where hundreds of operations reach one schema, its changes have as many uses. Here time and memory go with the distinct
changes and the references between schemas: the operations that reach a schema are a set, which its references pass on.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from contract_watch.diff.document.change_log import ChangeLog
from contract_watch.diff.document.changes import ApiChange, Comparison, Direction, SchemaEdit, Tokens
from contract_watch.diff.document.json_pointer import format_pointer, parse_pointer
from contract_watch.diff.document.lazy_references import LinkFrame, iterate_links
from contract_watch.diff.document.places import PlaceFinder, PlaceGroups, list_operation, name_operation


@dataclass
class _SharedSchema:
    """A schema that is referred to, in one way in which its edits are assessed.

    ``frame`` is the first way there, ``kind`` the area of a root and the direction of the values. ``users`` has a bit for
    each operation that reaches it. ``edits`` are its own; ``used`` are the schemas that it refers to itself, None until
    both are known.
    """

    frame: LinkFrame
    kind: tuple[str, Direction]
    users: int = 0
    edits: list[SchemaEdit] = field(default_factory=list)
    used: "list[_SharedSchema] | None" = None


class PlaceLog(ChangeLog):
    """A record of changes that keeps shared schemas apart until all uses are known."""

    def __init__(self, base: Mapping[str, Any], revision: Mapping[str, Any], today: dt.date) -> None:
        super().__init__(base, revision, today)
        self._places = PlaceFinder(base, revision)
        self._groups = PlaceGroups(self._places)
        self._shared: dict[tuple[object, ...], _SharedSchema] = {}
        self._operations: dict[str, int] = {}

    def _record_schemas(
        self,
        base: Any,
        revision: Any,
        locations: tuple[Tokens, Tokens],
        kind: tuple[str, Direction],
        *,
        as_string: bool,
    ) -> None:
        found = self.schemas.find_own_edits(base, revision, locations, as_string=as_string)
        for one in found:
            if isinstance(one, SchemaEdit):
                self._add_change(self._assess_edit(one, *kind))
        name = name_operation(format_pointer(locations[1]))
        user = 1 << self._operations.setdefault(name, len(self._operations)) if name else 0
        try:
            for frame in iterate_links(found, None):
                self._find_shared(frame, kind).users |= user
        except RecursionError:
            self._add_change(self._assess_edit(self.schemas.end_too_deep(locations), *kind))

    def _find_shared(self, frame: LinkFrame, kind: tuple[str, Direction]) -> _SharedSchema:
        link = frame.link
        # An exchanged reference is a place of its own; what both sides share is one place, wherever it is used.
        site = () if link.references is None or self._places.is_shared(link.references) else link.key
        key = (id(link.target), site, *frame.assessment, *kind)
        if key not in self._shared:
            self._shared[key] = _SharedSchema(frame, kind)
        return self._shared[key]

    def _add_change(self, change: ApiChange) -> None:
        self._groups.add(change, list_operation(change))

    def build_comparison(self) -> Comparison:
        """Return one change for each rule, direction, place and message."""
        _pass_users_on(self._sort_shared())
        for one in self._shared.values():
            users = self._list_users(one.users) if one.edits else []
            for edit in one.edits:
                self._groups.add(self._assess_edit(one.frame.relocate_edit(edit), *one.kind), users)
        return Comparison(self._groups.changes)

    def _sort_shared(self) -> list[_SharedSchema]:
        """Find all shared schemas; return them so that each comes before those that it refers to, except in cycles."""
        done: list[_SharedSchema] = []
        for root in list(self._shared.values()):
            waiting = [(root, iter(self._find_used(root)))] if root.used is None else []
            while waiting:
                one, rest = waiting[-1]
                further = next((inner for inner in rest if inner.used is None), None)
                if further is not None:
                    waiting.append((further, iter(self._find_used(further))))
                else:
                    done.append(one)
                    waiting.pop()
        return done[::-1]

    def _find_used(self, one: _SharedSchema) -> list[_SharedSchema]:
        try:
            found = one.frame.link.target.edits
            frames = list(iterate_links(found, one.frame))
        except RecursionError:
            tokens = parse_pointer(one.frame.root.locations[1])  # the way here is too long to be told
            self._add_change(self._assess_edit(self.schemas.end_too_deep((tokens, tokens)), *one.kind))
            found, frames = [], []
        one.edits = [edit for edit in found if isinstance(edit, SchemaEdit)]
        one.used = [self._find_shared(frame, one.kind) for frame in frames]
        return one.used

    def _list_users(self, users: int) -> list[str]:
        bits = f"{users:b}"[::-1]  # the names are in the order of their bits
        return list(compress(self._operations, map(int, bits)))


def _pass_users_on(shared: Sequence[_SharedSchema]) -> None:
    """Add the operations that reach a schema to those that it refers to, until nothing changes: once, but for cycles."""
    is_changed = True
    while is_changed:
        is_changed = False
        for one in shared:
            for inner in one.used or ():
                if one.users | inner.users != inner.users:
                    inner.users |= one.users
                    is_changed = True
