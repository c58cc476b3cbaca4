"""Objects of a preset as they are written: each property is found by the name that requests or responses give it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from contract_watch.contracts.openapi import join_arguments
from contract_watch.contracts.request import Request
from contract_watch.contracts.resource.call import Call
from contract_watch.contracts.resource.matchers import has_form_of
from contract_watch.contracts.resource.preset_object import PresetObject
from contract_watch.contracts.resource.preset_values import (
    describe_violation,
    is_mask,
    make_secret,
    read_moment,
    show_value,
)
from contract_watch.contracts.resource.stored_values import StoredSecret, decode
from contract_watch.contracts.samples import build_value
from contract_watch.contracts.schema import Schema, flatten_schema
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.suggestions import suggest_name

if TYPE_CHECKING:
    from contract_watch.contracts.model import Account
    from contract_watch.contracts.resource.model import ResourceModel
    from contract_watch.contracts.resource.state import ResourceState

_ACCOUNT = "account"
_MAX_NAME = 60
_MOST_KNOWN = 10_000
"""Objects that are remembered, so that those which differ from them by their names alone are read quickly."""
_SCALARS = frozenset({str, int, float, bool, type(None)})
_NUMBER = re.compile(r"[0-9]{1,18}")


class PresetReader:
    """A reader of the objects of one model's presets.

    A property is what the create sets, what another operation sets, or what only responses show, in this order.
    """

    def __init__(self, model: ResourceModel) -> None:
        self._model, self._spec, self._layout = model, model.spec, model.spec.layout
        self._document = self._layout.document
        self._create = model.contract.operations[self._layout.create]
        self._keys = {location.field for location in model.contract.credential_locations if location.field}
        self._schemas: dict[tuple[str, str], Schema] = {}
        self._known: dict[tuple[Any, ...], PresetObject] = {}

    def read(self, state: ResourceState, raw: Any, at: float, label: str) -> PresetObject:
        """Return one object of a preset; ``label`` names it in errors, ``at`` is the present time.

        Raises:
            UsageError: a property is unknown, or has a value that no request sets and no response shows.
        """
        if not isinstance(raw, dict):
            raise UsageError(f"{label} must be an object, got {show_value(raw)}")
        rest, spelled = self._describe_rest(raw)
        like = self._known.get(rest) if spelled else None
        if like is not None:
            return self._read_alike(like, spelled, raw[spelled], at, label)
        preset = self._read_object(state, raw, at, label)
        if spelled and len(self._known) < _MOST_KNOWN:
            self._known[rest] = preset
        return preset

    def _describe_rest(self, raw: Mapping[str, Any]) -> tuple[tuple[Any, ...], str]:
        """Return what is equal for objects that differ by their names alone, and the property with the name.

        The property is empty for an object without a name or with nested values.
        """
        rest: list[Any] = []
        spelled = ""
        for name, value in raw.items():
            if self._properties.get(name) == self._layout.name_argument and isinstance(value, str):
                spelled = name
                rest.append(name)
            elif type(value) in _SCALARS:
                rest += (name, type(value), value)
            elif type(value) is list and all(type(one) is str for one in value):
                rest += (name, list, tuple(value))
            else:
                return (), ""
        return tuple(rest), spelled

    def _read_alike(self, like: PresetObject, spelled: str, value: str, at: float, label: str) -> PresetObject:
        """Return an object that equals ``like`` but for its name, which is all that needs a check."""
        naming = self._layout.name_argument
        arguments = {one: sent for one, sent in like.sent.items() if one != naming}
        shown = {one: sent for one, sent in like.shown.items() if one != naming}
        if not is_mask(value):
            self._read_value(naming, value, f"{label}.{spelled}", arguments, shown)
        call = self._build_call(like.call.account, arguments, at)
        created, changed = like.created_at, like.changed_at
        return PresetObject(label, like.spellings, arguments, call, shown, like.name, created, changed, like)

    @property
    def makes_values(self) -> bool:
        """True if each object of a preset needs values that nobody wrote."""
        return bool(self._hidden)

    def _read_object(self, state: ResourceState, raw: Mapping[str, Any], at: float, label: str) -> PresetObject:
        account = self._find_account(state, raw, label)
        arguments: dict[str, Any] = {}
        shown: dict[str, Any] = {}
        times: dict[str, float] = {}
        name = ""
        spellings = self._resolve_names(raw, label)
        parents = self._parents
        for prop, spelled in spellings.items():
            value, where = raw[spelled], f"{label}.{spelled}"
            if prop in (self._layout.created, self._spec.table.changed):
                times[prop] = self._read_time(prop, value, where)
            elif prop == self._layout.key and self._layout.has_server_ids:
                name = self._read_id(value, where)
            elif prop in parents:
                self._refuse_other_parent(prop, value, where)
            elif not is_mask(value):
                self._read_value(prop, value, where, arguments, shown)
        call = self._build_call(account, arguments, at)
        return PresetObject(label, spellings, arguments, call, shown, name, *self._order_times(times, at, label))

    def _order_times(self, times: Mapping[str, float], at: float, label: str) -> tuple[float, float]:
        """Return the times of creation and of the last change, of which an object may give one, both or none."""
        first, last = self._layout.created, self._spec.table.changed
        created = times.get(first, min(at, times.get(last, at)))
        changed = times.get(last, created)
        if created - changed >= 1:  # a vendor may show whole seconds
            raise UsageError(f"{label}.{last} must not be before {first}")
        return created, max(created, changed)

    # -- names

    @cached_property
    def _parents(self) -> Mapping[str, str | int]:
        return self._layout.shown_parents

    @cached_property
    def _properties(self) -> dict[str, str]:
        """The property that each spelling stands for, by the name in requests where there is one."""
        layout, found = self._layout, dict[str, str]()
        settable = [name for operation in layout.operations for name in layout.get_settable(operation)]
        body = [name for name in self._create.get_arguments() if self._is_in_body(name)]
        for name in (*body, *settable, *self._spec.tracked):
            found.setdefault(name, name)
        for name in (*body, *settable, *self._spec.tracked):
            found.setdefault(layout.get_shown_name(name), name)
        if not layout.has_server_ids:
            found[layout.key] = layout.name_argument
        times = [name for name in (layout.created, self._spec.table.changed) if layout.find_shown_schema(name)]
        own = [layout.key] if layout.has_server_ids else []
        found |= {name: name for name in (*times, *own, *layout.shown_parents)}
        rows = [layout.get_row(name) for name in (layout.list, *layout.readers, layout.create) if name]
        for row in rows:
            for name in row.properties if row is not None else ():
                found.setdefault(name, name)
        return found

    def _is_in_body(self, name: str) -> bool:
        return not (name.startswith("{") or ":" in name or name in self._keys)

    def _resolve_names(self, raw: Mapping[str, Any], label: str) -> dict[str, str]:
        """Return the spelling of each property of an object."""
        resolved: dict[str, str] = {}
        for spelled in raw:
            if spelled == _ACCOUNT and _ACCOUNT not in self._properties:
                continue
            prop = self._properties.get(spelled)
            if prop is None:
                known = (_ACCOUNT, *self._properties)
                raise UsageError(
                    f"{label}: unknown property {escape_text(repr(spelled), _MAX_NAME)}; "
                    f"{suggest_name(str(spelled), known)}"
                )
            if prop in resolved:
                raise UsageError(f"{label}.{spelled}: the object has this property under another name too; keep one")
            resolved[prop] = spelled
        return resolved

    def _find_account(self, state: ResourceState, raw: Mapping[str, Any], label: str) -> Account:
        accounts = {account.name: account for account in state.accounts.values()}
        wanted = raw.get(_ACCOUNT) if _ACCOUNT not in self._properties else None
        if wanted is None:
            return next(iter(accounts.values()))
        if not isinstance(wanted, str) or wanted not in accounts:
            raise UsageError(f"{label}.{_ACCOUNT} must be one of {', '.join(accounts)}, got {show_value(wanted)}")
        return accounts[wanted]

    # -- values

    def _read_time(self, prop: str, value: Any, where: str) -> float:
        try:
            return read_moment(value, self._layout.find_shown_schema(prop) or {}, where)
        except ValueError as error:
            raise UsageError(str(error)) from error

    def _read_id(self, value: Any, where: str) -> str:
        location = self._layout.get_row(self._layout.create)
        raw = location.properties.get(self._layout.key, {}) if location is not None else {}
        sample = build_value(self._document, raw)
        if isinstance(sample, int) and isinstance(value, str) and _NUMBER.fullmatch(value):
            value = int(value)  # an export has every id as the string that a path spells
        problem = describe_violation(self._get_schema("id", "", raw), value, where)
        if problem or not has_form_of(value, sample):
            raise UsageError(problem or f"{where} must be an id such as {show_value(sample)}, got {show_value(value)}")
        return str(value)

    def _refuse_other_parent(self, prop: str, value: Any, where: str) -> None:
        parent = self._layout.shown_parents[prop]
        if value != parent:
            raise UsageError(
                f"{where} must be {show_value(parent)}, the object above all others, got {show_value(value)}"
            )

    def _read_value(self, prop: str, value: Any, where: str, arguments: dict[str, Any], shown: dict[str, Any]) -> None:
        """Add the value of a property to the ``arguments`` of the create, or to the values that are ``shown``."""
        row = self._layout.find_shown_schema(self._layout.get_shown_name(prop))
        create = self.find_create_schema(prop)
        if create is not None:
            if value is None and not create.accepts(None) and self._may_be_null(prop, row):
                return
            decoded = decode(value, row or {})
            if create.accepts(value) or not self._is_settable_elsewhere(prop, value):
                arguments[prop] = decoded if create.accepts(decoded) else value
                if create.accepts(arguments[prop]):
                    self._refuse_undocumented(create, arguments[prop], where)
                return
        elif value is None:
            return
        if not self._is_settable_elsewhere(prop, value):
            schema = self._get_schema("row", prop, row or {})
            problem = describe_violation(schema, value, where, is_secret=self.is_secret(prop))
            if problem:
                raise UsageError(problem)
            self._refuse_undocumented(schema, value, where)
            value = decode(value, row or {})
        shown[prop] = StoredSecret(value) if self.is_secret(prop) and isinstance(value, str) else value

    @staticmethod
    def _refuse_undocumented(schema: Schema, value: Any, where: str) -> None:
        may_have_names = isinstance(value, dict) or (
            isinstance(value, list) and any(isinstance(one, dict | list) for one in value)
        )
        found = next(schema.find_undocumented(value), None) if may_have_names else None
        if found is not None:
            inner = escape_text(".".join(map(str, found)), _MAX_NAME)
            raise UsageError(f"{where}.{inner}: unknown property; {suggest_name(inner, schema.property_names)}")

    def _may_be_null(self, prop: str, row: Mapping[str, Any] | None) -> bool:
        """Return True if null stands for a property that is not set."""
        is_shown = row is not None and self._get_schema("row", prop, row).accepts(None)
        return is_shown or self._model.store.get_default(prop) is None

    def _is_settable_elsewhere(self, prop: str, value: Any) -> bool:
        """Return True if an operation other than the create sets the property to ``value``."""
        for name in (*self._layout.updates, *self._layout.actions):
            if prop in self._layout.get_settable(name):
                raw = self._model.contract.operations[name].get_arguments()[prop]
                if self._get_schema(name, prop, raw).accepts(value):
                    return True
        return False

    def find_create_schema(self, prop: str) -> Schema | None:
        """Return the schema of a property in the body of the create; None if it has no such property."""
        arguments = self._create.get_arguments()
        if prop not in arguments or not self._is_in_body(prop):
            return None
        return self._get_schema("create", prop, arguments[prop])

    def _get_schema(self, kind: str, prop: str, raw: Mapping[str, Any]) -> Schema:
        found = self._schemas.get((kind, prop))
        if found is None:
            # A preset may leave out of an object what the mock makes itself.
            schema = {name: one for name, one in raw.items() if name != "required"} if kind == "row" else raw
            found = Schema(self._document, schema, checks_formats=kind == "row")
            self._schemas[kind, prop] = found
        return found

    def is_secret(self, prop: str) -> bool:
        """Return True if the values of a property are secrets."""
        schema = self._layout.find_shown_schema(self._layout.get_shown_name(prop)) or {}
        sent = self._create.get_arguments().get(prop, {})
        return prop in self._spec.table.secrets or "password" in (schema.get("format"), sent.get("format"))

    # -- the create

    def _build_call(self, account: Account, arguments: Mapping[str, Any], at: float) -> Call:
        """Return the create that sets ``arguments``, completed by what it needs and no response shows."""
        operation = self._create
        body = {
            **arguments,
            **{name: self._make_value(account, name) for name in self._hidden if name not in arguments},
        }
        path, parameters = self._address
        request = Request(operation.id, operation.method, path, {}, body, parameters, at, account=account.name)
        request = self._model.decode_request(request, operation)
        return Call(account, operation, join_arguments(request.parameters, request.body), request)

    @cached_property
    def _address(self) -> tuple[str, dict[str, Any]]:
        """The path of the create, and the parameters that it needs."""
        schemas = self._create.get_arguments()
        samples = {
            name: build_value(self._document, schemas[name]) for name, one in self._create.specs.items() if one.required
        }
        parameters = self._model.contract.given.complete(self._create, samples)
        return self._create.build_path(parameters), parameters

    @cached_property
    def _hidden(self) -> list[str]:
        """The required properties of the create's body that no export has: secrets, and what no response shows."""
        return [
            name
            for name in self._create.get_required_arguments()
            if (self._is_in_body(name) or name in self._keys)
            and name != self._layout.name_argument
            and (self.is_secret(name) or self._layout.get_shown_name(name) not in self._layout.shown)
        ]

    def _make_value(self, account: Account, name: str) -> Any:
        if name in self._keys:
            return account.key
        schema = flatten_schema(self._document, self._create.get_arguments()[name])
        return make_secret(self._document, schema) if self.is_secret(name) else build_value(self._document, schema)
