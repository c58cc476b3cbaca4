"""The values that an object has after a request: those that it set, defaults, and what a partial update leaves open."""

from collections.abc import Mapping
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.resource.layout import Layout
from contract_watch.contracts.resource.matchers import SecretSample
from contract_watch.contracts.resource.state import UNKNOWN, ResourceState
from contract_watch.contracts.resource.stored_values import StoredSecret, StoredValues
from contract_watch.contracts.resource.table import ResourceTable
from contract_watch.contracts.samples import build_value
from contract_watch.contracts.schema import Schema, resolve_reference


class ValueStore:
    """The stored values of one resource. A value that cannot be predicted is left out, until a response tells it."""

    def __init__(self, layout: Layout, table: ResourceTable, values: StoredValues) -> None:
        self._layout, self._table, self._values = layout, table, values
        self._defaults: dict[str, Any] = {}

    def read_sent(self, state: ResourceState, operation: Operation, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values that a request sets, `UNKNOWN` where the vendor may store another."""
        return {
            name: self._values.predict(state, name, arguments[name])
            for name in self._layout.get_settable(operation.id)
            if name in arguments and not self._values.is_unset(name, arguments[name])
        }

    def get_default(self, name: str) -> Any:
        """Return the value that create stores without one; `UNKNOWN` if no document says."""
        if name not in self._defaults:
            self._defaults[name] = self._find_default(name)
        return self._defaults[name]

    def _find_default(self, name: str) -> Any:
        if name in self._table.empty:
            return None
        schema = self._layout.operations[self._layout.create].get_arguments().get(name, {})
        default = resolve_reference(self._layout.document, schema).get("default", UNKNOWN)
        return self._table.defaults.get(name, default)

    def build_new(self, state: ResourceState, operation: Operation, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of a new object; the mock gives it the secrets that only the server sets."""
        names = self._layout.given_secrets if state.is_complete else ()
        made = {name: self._make_secret(name) for name in names}
        defaults = {name: self.get_default(name) for name in self._layout.get_settable(operation.id)}
        return _drop_unknown({**made, **defaults, **sent})

    def _make_secret(self, name: str) -> StoredSecret:
        row, document = self._layout.get_row(self._layout.create), self._layout.document
        raw = row.properties.get(name, {}) if row is not None else {}
        fresh, sample = str(SecretSample().render()), str(build_value(document, raw))
        prefix, judge = sample[: sample.rfind("_") + 1], Schema(document, raw)
        return StoredSecret(next((one for one in (fresh, prefix + fresh, sample) if judge.accepts(one)), fresh))

    def build_changed(
        self, state: ResourceState, operation: Operation, old: Mapping[str, Any], sent: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the values of an object that had ``old`` values, after an update that sent ``sent``."""
        kept = dict(old)
        is_full = operation.id in self._table.full
        if is_full or operation.method == "PUT":
            for name in self._layout.get_settable(operation.id):
                kept.pop(name, None)  # a PUT can also keep what it does not name, so only a response tells
                if is_full or state.is_complete:
                    kept[name] = self.get_default(name)
        values = {**kept, **sent}
        if operation.method != "PUT":
            values |= {name: _merge(old.get(name), value) for name, value in sent.items()}
        return _drop_unknown(values)


def _merge(old: Any, new: Any) -> Any:
    """Return a nested object after a partial update: the parts that it does not name may be as before, or gone."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**{part: UNKNOWN for part in old if part not in new}, **new}


def _drop_unknown(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not UNKNOWN}
