"""Presets of configurations: their history in the form of the details that responses show."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.resource.preset_object import PresetObject
from contract_watch.contracts.resource.preset_values import read_moment, show_value
from contract_watch.contracts.resource.state import Item
from contract_watch.contracts.resource.stored_values import format_time
from contract_watch.errors import UsageError
from contracts.zitadel.state import Config, InstanceState
from contracts.zitadel.values import ACTIVE, OWNER, get_sequence

_CREATED, _CHANGED, _OWNER = "creationDate", "changeDate", "resourceOwner"


def dump_history(item: Item) -> dict[str, Any]:
    """Return the history of a configuration as a preset takes it."""
    sequence = {"sequence": str(item.sequence)} if isinstance(item, Config) and item.sequence else {}
    dates = {_CREATED: format_time(item.created_at, {}), _CHANGED: format_time(item.changed_at, {})}
    return {"details": {**sequence, **dates}}


def build_config(item: Item, preset: PresetObject, password: str) -> Config:
    """Return the configuration ``item`` with the history that the details of a preset give; ``password`` is a digest.

    Raises:
        UsageError: a date is none, or the owner is not the instance.
    """
    details = preset.shown.get("details", {})
    values = {name: value for name, value in item.values.items() if name != "details"}
    where = preset.label_property("details")
    if details.get(_OWNER, OWNER) != OWNER:
        raise UsageError(f"{where}.{_OWNER} must be {OWNER}, the mock's instance, got {show_value(details[_OWNER])}")
    times = {name: _read_date(details[name], f"{where}.{name}") for name in (_CREATED, _CHANGED) if name in details}
    created = times.get(_CREATED, min(item.created_at, times.get(_CHANGED, item.created_at)))
    changed = times.get(_CHANGED, created)
    if changed < created:
        raise UsageError(f"{where}.{_CHANGED} must not be before {_CREATED}")
    sequence = get_sequence(preset.shown) or 0
    return replace(
        Config.build(item), created_at=created, changed_at=changed, values=values, sequence=sequence, password=password
    )


def _read_date(value: Any, where: str) -> float:
    try:
        return read_moment(value, {}, where)
    except ValueError as error:
        raise UsageError(str(error)) from error


def settle_configs(state: InstanceState, presets: Sequence[PresetObject]) -> InstanceState:
    """Return ``state`` with a sequence for each configuration that has none, after all that are given.

    Raises:
        UsageError: two configurations are active.
    """
    active = [preset for one, preset in zip(state.configs, presets, strict=True) if one.state == ACTIVE]
    if len(active) > 1:
        raise UsageError(
            f"{active[1].label_property('state')}: at most one configuration is active, and "
            f"{active[0].label.rpartition(': ')[2]} is"
        )
    last = max((one.sequence for one in state.configs), default=0)
    configs = []
    for one in state.configs:
        if not one.sequence:
            last += 1
        configs.append(one if one.sequence else replace(one, sequence=last))
    return replace(state, items=tuple(configs), sequence=last)
