"""The rows that the mock shows, rendered without matchers: a list can have a hundred thousand of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contract_watch.contracts.resource.state import UNKNOWN, Item, ResourceState, Unknown
from contract_watch.contracts.resource.stored_values import format_time

if TYPE_CHECKING:
    from contract_watch.contracts.resource.layout import RowLocation
    from contract_watch.contracts.resource.rows import RowBuilder

_MOST = 4096
"""Rendered values that are stored at most."""
_REQUIRED, _OPTIONAL, _HIDDEN = range(3)
_SCALARS = frozenset({str, int, float, bool, type(None), Unknown})


@dataclass(frozen=True)
class _Property:
    """A property of the rows of one location; ``argument`` is its name in an item's values.

    ``is_time`` is True for a time of the item, ``is_plain`` for one whose strings are shown as they are stored, and
    ``is_random`` for one that the mock may draw anew for each row.
    """

    name: str
    schema: dict[str, Any]
    argument: str
    is_required: bool
    is_time: bool
    is_plain: bool
    is_random: bool
    may_be_absent: bool


class RowRenderer:
    """A renderer of the rows of one location and one set of interpretations.

    A row is the one that the matcher of `RowBuilder.match_item` renders. The matchers render each value once; equal values
    are looked up after that.
    """

    def __init__(self, rows: RowBuilder, state: ResourceState, location: RowLocation) -> None:
        self._rows, self.interpretations, self.location = rows, state.interpretations, location
        self._properties = [
            _Property(
                name,
                schema,
                argument := rows.find_tracked_argument(name),
                name in location.required,
                is_time=rows.is_time(name),
                is_plain=rows.shows_strings_as_stored(argument),
                is_random=schema.get("format") == "password",
                may_be_absent=rows.may_be_absent(state, argument),
            )
            for name, schema in rows.get_schemas(location)
        ]
        self._key = rows.key
        self._known: dict[tuple[int, bool, type, Any], tuple[int, Any]] = {}

    def render(self, state: ResourceState, item: Item, name: Any) -> dict[str, Any]:
        """Return the row of ``item``, whose name is shown as ``name``."""
        required: dict[str, Any] = {}
        optional: dict[str, Any] = {}
        values, key = item.values, self._key
        for index, prop in enumerate(self._properties):
            shown = prop.name
            if shown == key:
                required[shown] = name
                continue
            if prop.is_time:
                kind, value = self._render_time(state, item, prop)
            else:
                argument = prop.argument or self._rows.find_argument(item, shown)
                stored = values.get(argument, UNKNOWN)
                if prop.is_plain and type(stored) is str and stored and not stored.isspace():
                    is_due = argument in item.sent and not prop.may_be_absent
                    kind, value = (_REQUIRED if prop.is_required or is_due else _OPTIONAL), stored
                else:
                    kind, value = self._look_up(state, item, index, argument, stored)
            if kind == _REQUIRED:
                required[shown] = value
            elif kind == _OPTIONAL:
                optional[shown] = value
        return required | optional if optional else required

    def _render_time(self, state: ResourceState, item: Item, prop: _Property) -> tuple[int, Any]:
        is_omitted = self._rows.is_omitted_value(item, prop.name)
        if not is_omitted and (prop.is_required or self._rows.is_rendered(state, item, prop.name)):
            moment = self._rows.get_moment(item, prop.name)
            return (_REQUIRED if prop.is_required else _OPTIONAL), format_time(moment, prop.schema)
        return _HIDDEN, None

    def _look_up(self, state: ResourceState, item: Item, index: int, argument: str, stored: Any) -> tuple[int, Any]:
        """Return how a value is shown, and the value: from an equal one before it, or from its matcher."""
        kind = type(stored)
        if self._properties[index].is_random or not (kind in _SCALARS or _is_flat(stored)):
            return self._render_value(state, item, index)
        key = (index, argument in item.sent, kind, tuple(stored) if kind is list else stored)
        found = self._known.get(key)
        if found is None:
            found = self._render_value(state, item, index)
            if len(self._known) < _MOST and (type(found[1]) in _SCALARS or _is_flat(found[1])):
                self._known[key] = found
        return (found[0], list(found[1])) if type(found[1]) is list else found

    def _render_value(self, state: ResourceState, item: Item, index: int) -> tuple[int, Any]:
        prop = self._properties[index]
        if self._rows.is_omitted_value(item, prop.name):
            return _HIDDEN, None
        matcher, is_due = self._rows.match_property(state, item, prop.name, prop.schema)
        if prop.is_required or is_due:
            return _REQUIRED, matcher.render()
        return (_OPTIONAL, matcher.render()) if self._rows.is_rendered(state, item, prop.name) else (_HIDDEN, None)


class RowRenderers:
    """The last renderer of each location of one model's rows: a mock has one set of interpretations for long."""

    def __init__(self, rows: RowBuilder) -> None:
        self._rows = rows
        self._renderers: dict[int, RowRenderer] = {}

    def find(self, state: ResourceState, location: RowLocation) -> RowRenderer:
        """Return the renderer of the rows at ``location`` under the interpretations of ``state``."""
        found = self._renderers.get(id(location))  # the layout has one for each operation, for good
        if found is None or (
            found.interpretations is not state.interpretations and found.interpretations != state.interpretations
        ):
            found = self._renderers[id(location)] = RowRenderer(self._rows, state, location)
        return found


def _is_flat(value: Any) -> bool:
    """Return True for a list of strings, which a copy of the list separates from all others."""
    return type(value) is list and all(type(one) is str for one in value)
