"""A preset: a list of objects, checked as a create would check them, from which the mock's state is built."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from contract_watch.contracts.matchers import are_equal
from contract_watch.contracts.resource.matchers import NewId
from contract_watch.contracts.resource.names import fold_name
from contract_watch.contracts.resource.object_checks import FOLDED, NAMES, UNIQUE
from contract_watch.contracts.resource.preset_reader import PresetReader
from contract_watch.contracts.resource.preset_values import describe_violation, is_blank, show_value
from contract_watch.contracts.samples import build_value
from contract_watch.contracts.schema import Schema, resolve_reference
from contract_watch.errors import UsageError

if TYPE_CHECKING:
    from contract_watch.contracts.outcomes import Check
    from contract_watch.contracts.resource.model import ResourceModel
    from contract_watch.contracts.resource.preset_object import PresetObject
    from contract_watch.contracts.resource.state import Item, ResourceState

MAX_OBJECTS = 200_000
"""The most objects in a list of a preset."""


class PresetBuilder:
    """A builder of the state that holds the objects of a preset; it gives all of them, or the first problem."""

    def __init__(self, model: ResourceModel) -> None:
        self._model, self._spec = model, model.spec
        self._reader = PresetReader(model)
        self._templates: dict[str, Item] = {}
        self._shapes: dict[str, str] = {}

    def build(self, state: ResourceState, objects: Any, at: float, label: str) -> ResourceState:
        """Return ``state``, which is empty, with ``objects``; see `model.preset_state`."""
        if not isinstance(objects, list):
            raise UsageError(f"{label} must be a list of objects, got {show_value(objects)}")
        if len(objects) > MAX_OBJECTS:
            raise UsageError(f"{label} must have at most {MAX_OBJECTS} objects, got {len(objects)}")
        presets = [self._reader.read(state, raw, at, f"{label}[{index}]") for index, raw in enumerate(objects)]
        shapes = [self._describe_shape(preset) for preset in presets]
        items = [self._build_item(state, preset, shape) for preset, shape in zip(presets, shapes, strict=True)]
        if self._spec.layout.has_server_ids:
            items = self._assign_ids(items)
        self._refuse_repeated(state, items, presets)
        built = self._model.settle_preset(state, items, presets)
        self._refuse_unshowable(built, presets, shapes)
        return built

    # -- one object

    def _build_item(self, state: ResourceState, preset: PresetObject, shape: str) -> Item:
        refusal = self._find_refusal(state, preset)
        if refusal is not None:
            raise UsageError(self._describe_refusal(preset, refusal))
        template = self._templates.get(shape)
        name = self._get_name(preset)
        if template is not None and self._spec.names.predict_stored_name(state, name) == name:
            created, changed = preset.created_at, preset.changed_at
            return replace(template, name=name, requested_name=name, created_at=created, changed_at=changed)
        item = self._model.build_object(state, preset)
        self._refuse_other_values(preset, item)
        has_own_secret = any(one in item.values and one not in preset.sent for one in self._spec.table.secrets)
        if not (has_own_secret or self._spec.layout.has_server_ids):
            self._templates[shape] = item
        return item

    def _get_name(self, preset: PresetObject) -> str:
        return str(preset.call.arguments.get(self._spec.layout.name_argument, ""))

    def _describe_shape(self, preset: PresetObject) -> str:
        """Return a string that is equal for objects which differ by their names and times alone."""
        first = preset.like or preset
        shape = self._shapes.get(first.label)
        if shape is None or self._reader.makes_values:
            shape = self._shapes[first.label] = self._format_shape(preset)
        return shape

    def _format_shape(self, preset: PresetObject) -> str:
        argument = self._spec.layout.name_argument
        rest = {one: value for one, value in preset.call.arguments.items() if one != argument}
        return json.dumps([preset.call.account.name, rest, dict(preset.shown)], sort_keys=True)

    def _find_refusal(self, state: ResourceState, preset: PresetObject) -> Check | None:
        """Return the check for which the mock would refuse the create of an object in an empty state."""
        checks = self._model.list_checks(state, preset.call)
        chosen = state.interpretations
        return next((one for one in checks if one.is_certain(chosen) or one.is_preferred(chosen)), None)

    def _describe_refusal(self, preset: PresetObject, check: Check) -> str:
        parts = check.clause.split("/")
        if parts[1] == "request" and len(parts) > 2:
            name = parts[2]
            if parts[-1] == "required" and len(parts) == 4:
                return f"{preset.label_property(name)} is required"
            schema = self._reader.find_create_schema(name)
            if schema is not None and name in preset.sent:
                problem = describe_violation(
                    schema,
                    preset.sent[name],
                    preset.label_property(name),
                    is_secret=self._reader.is_secret(name),
                )
                if problem:
                    return problem
        sentence = self._model.rules.get(check.clause, check.why)
        return f"{preset.label}: {preset.call.operation.id} would refuse it with {check.status}: {sentence}"

    def _refuse_other_values(self, preset: PresetObject, item: Item) -> None:
        """Raise `UsageError` if a create stores another value than the one that was written."""
        table, layout = self._spec.table, self._spec.layout
        for name in layout.get_settable(preset.call.operation.id):
            if name not in preset.call.arguments or name in (*table.secrets, *table.uncertain):
                continue
            sent, stored = preset.call.arguments[name], item.values.get(name)
            is_same = are_equal(sent, stored) or (is_blank(sent) and is_blank(stored))
            if not (is_same or self._model.values.is_unset(name, sent)):
                raise UsageError(
                    f"{preset.label_property(name)}: the vendor would store {show_value(stored)} instead of "
                    f"{show_value(sent)}"
                )
        if not layout.has_server_ids and item.name != preset.call.arguments.get(layout.name_argument):
            raise UsageError(
                f"{preset.label_property(layout.name_argument)}: the vendor would store {show_value(item.name)}; write that"
            )

    # -- all objects

    def _assign_ids(self, items: Sequence[Item]) -> list[Item]:
        """Return ``items`` with an id for each that has none, which no other has."""
        layout = self._spec.layout
        location = layout.get_row(layout.create)
        raw = location.properties.get(layout.key, {}) if location is not None else {}
        sample = build_value(layout.document, raw)
        used = {item.name for item in items if item.name}
        last = max((name for name in used if name.isascii() and name.isdigit()), key=int, default="")
        named = []
        for item in items:
            name = item.name or ""
            while not name or (name in used and not item.name):
                name = last = str(NewId({last}, sample).render())
            used.add(name)
            named.append(replace(item, name=name))
        return named

    def _refuse_repeated(self, state: ResourceState, items: Sequence[Item], presets: Sequence[PresetObject]) -> None:
        """Raise `UsageError` if two objects have a value that only one can have."""
        seen: dict[tuple[str, str, str], PresetObject] = {}
        for item, preset in zip(items, presets, strict=True):
            for prop, account, value in self._list_claims(state, item):
                first = seen.setdefault((prop, account, value), preset)
                if first is not preset:
                    raise UsageError(
                        f"{preset.label_property(prop)} must be unique, got {show_value(value)} as "
                        f"{first.label.rpartition(': ')[2]} has"
                    )

    def _list_claims(self, state: ResourceState, item: Item) -> Iterator[tuple[str, str, str]]:
        """Yield the property, account and value of everything that no other object may have."""
        layout, declared = self._spec.layout, state.interpretations.declared
        name = item.name or ""
        if FOLDED in declared.get(NAMES, ()) and state.get_choice(NAMES) == FOLDED:
            name = fold_name(name)
        is_global = layout.has_server_ids or (UNIQUE in declared and state.get_choice(UNIQUE) == "global")
        yield layout.key, "" if is_global else item.account, name
        for prop in self._spec.table.unique:
            value = item.requested_name if prop == layout.name_argument else item.values.get(prop)
            if isinstance(value, str) and (layout.has_server_ids or prop != layout.name_argument):
                yield prop, item.account, value

    def _refuse_unshowable(self, state: ResourceState, presets: Sequence[PresetObject], shapes: Sequence[str]) -> None:
        """Raise `UsageError` if a read or the list would show an object that its schema does not accept.

        Objects that differ by name and times alone are alike, so one of them is looked at.
        """
        layout, seen = self._spec.layout, set[str]()
        shown = {name: layout.get_row(name) for name in (layout.list, *layout.readers) if name}
        rows = {name: (row, Schema(layout.document, row.schema)) for name, row in shown.items() if row is not None}
        for item, preset, shape in zip(state.items, presets, shapes, strict=True):
            if shape in seen:
                continue
            seen.add(shape)
            for name, (row, schema) in rows.items():
                raw = resolve_reference(layout.document, row.properties.get(layout.key, {}))
                matcher = self._model.rows.match_name(item.name or "", raw)
                body = self._model.match_row(state, item, self._model.contract.operations[name], matcher).render()
                problem = describe_violation(schema, body, preset.label)
                if problem:
                    raise UsageError(f"{problem}, as {name} would show it")
