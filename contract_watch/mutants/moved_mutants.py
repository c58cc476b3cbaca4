"""Mutants of values that never move, of a last change that does not, and of properties that others empty."""

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.fixed_values import is_fixed_name
from contract_watch.contracts.resource.stored_values import format_time
from contract_watch.contracts.schema import flatten_schema
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.mutants.mutant import Mutant, Mutation, VendorRequest
from contract_watch.mutants.mutated_vendor import MutatedVendor

_DEPTH = 4
_TIME_FORMS = ("date-time", "date")
_EMPTY = object()


class ShownValue(Mutation):
    """Mutation of one property of the objects that an operation has changed, as reads show them; a run seems to take minutes."""

    pace = 1.0

    def __init__(self, operation: str, prop: str) -> None:
        self._operation, self._prop = operation, prop
        self._values: dict[str, Any] = {}

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        status, body = super().respond(vendor, request)
        if status >= 300:
            return status, body
        if request.operation.id == self._operation:
            for name in (*vendor.list_names(request, "existing"), *vendor.list_names(request, "new")):
                self._note_change(vendor, request, name)
            return status, body
        return status, self._edit(body) if vendor.contract.is_read_only(request.operation.id) else body

    def _note_change(self, vendor: MutatedVendor, request: VendorRequest, name: str) -> None:
        """Note that the operation has changed the object ``name``."""
        schema = _find_schema(vendor.contract, self._prop)
        self._values[name] = partial(_replace_value, schema=schema, at=request.received_at)

    def _edit(self, body: Any) -> Any:
        """Return ``body`` with the property of each changed object replaced."""
        if isinstance(body, list):
            return [self._edit(one) for one in body]
        if not isinstance(body, dict):
            return body
        name = next((value for value in body.values() if isinstance(value, str) and value in self._values), None)
        if name is None:
            return {key: self._edit(one) for key, one in body.items()}
        return self._edit_object(name, body)

    def _edit_object(self, name: str, row: Any) -> Any:
        """Return the object ``name`` with the property replaced, wherever it stands."""
        if not isinstance(row, dict):
            return row
        edited = {key: self._edit_object(name, one) for key, one in row.items()}
        if self._prop in edited:
            edited[self._prop] = self._values[name](edited[self._prop])
            self.activations += edited[self._prop] != row[self._prop]
        return edited


class FrozenChange(ShownValue):
    """Mutation that shows the time of the last change as a read showed it before."""

    def __init__(self, operation: str, prop: str) -> None:
        super().__init__(operation, prop)
        self._shown: dict[str, Any] = {}

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        status, body = super().respond(vendor, request)
        if status < 300 and vendor.contract.is_read_only(request.operation.id):
            self._note_shown(body, set(vendor.list_owned()))
        elif status < 300 and request.operation.id != self._operation:
            for name in vendor.list_names(request, "existing"):  # another operation moves the time
                self._values.pop(name, None)
                if name in self._shown:
                    schema = _find_schema(vendor.contract, self._prop)
                    self._shown[name] = _replace_value(self._shown[name], schema, request.received_at)
        return status, body

    def _note_shown(self, body: Any, names: set[str], name: str = "") -> None:
        for key, inner in body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ():
            own = body.values() if isinstance(body, dict) else ()
            here = name or next((one for one in own if isinstance(one, str) and one in names), "")
            if here and key == self._prop:
                self._shown[here] = inner
            self._note_shown(inner, names, here)

    def _note_change(self, vendor: MutatedVendor, request: VendorRequest, name: str) -> None:
        del vendor, request
        if name in self._shown:
            self._values[name] = partial(_return_first, self._shown[name])


class ClearedProperty(ShownValue):
    """Mutation that empties a property of an object on the success of an operation that has nothing to do with it."""

    pace = 0.0

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        if self._prop in request.arguments:  # another operation sets it again
            for name in vendor.list_names(request, "existing"):
                self._values.pop(name, None)
        return super().respond(vendor, request)

    def _note_change(self, vendor: MutatedVendor, request: VendorRequest, name: str) -> None:
        del vendor, request
        self._values[name] = _EMPTY

    def _edit_object(self, name: str, row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        kept = {key: self._edit_object(name, one) for key, one in row.items() if key != self._prop or one == name}
        self.activations += len(kept) < len(row)
        return kept


def _return_first(first: Any, _value: Any) -> Any:
    return first


def _replace_value(old: Any, schema: dict[str, Any], at: float) -> Any:
    """Return another value of the same form: the time ``at``, or a string or number beside the old one."""
    if schema.get("format") in _TIME_FORMS or schema.get("x-client-type") in ("milliseconds", "seconds"):
        return format_time(at, schema)
    if isinstance(old, str) and old:
        return old[:-1] + ("1" if old[-1] != "1" else "2")
    return old + 1 if isinstance(old, int) and not isinstance(old, bool) else old


def derive_moved_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive mutants of each fixed property, the last change, and what others set, for each operation that changes an object."""
    life = contract.lifecycle
    table = getattr(getattr(contract.model, "spec", None), "table", None)
    shown = _list_shown(contract)
    fixed = sorted(prop for prop in shown if is_fixed_name(prop))
    changed = [prop for prop in sorted(shown) if prop in (getattr(table, "changed", ""), "changeDate")]
    for operation in contract.operations.values():
        roles = contract.get_roles(operation.id).values()
        if contract.is_read_only(operation.id) or "existing" not in roles or operation.id == life.remove:
            continue
        for prop in fixed:
            yield _create_mutant(operation, "moved", prop, f"{prop} changes", partial(ShownValue, operation.id, prop))
        for prop in changed:
            yield _create_mutant(
                operation, "unmoved", prop, f"{prop} stays as it was", partial(FrozenChange, operation.id, prop)
            )
        for prop in _list_unsettable(contract, operation, shown):
            yield _create_mutant(
                operation, "cleared", prop, f"{prop} is emptied as well", partial(ClearedProperty, operation.id, prop)
            )


def _list_unsettable(contract: Contract, operation: Operation, shown: Collection[str]) -> list[str]:
    """List the optional properties of a creation that reads show, and that ``operation`` cannot set."""
    create = contract.operations[contract.lifecycle.create]
    optional, own = set(ArgumentBuilder(contract).list_optional(create)), operation.get_arguments()
    return sorted(optional.intersection(shown) - set(own))


def _list_shown(contract: Contract) -> dict[str, dict[str, Any]]:
    """Return the properties of an object in the responses of reads, with their schemas."""
    layout = getattr(getattr(contract.model, "spec", None), "layout", None)
    found: dict[str, dict[str, Any]] = {}
    for operation in contract.operations.values():
        row = layout.get_row(operation.id) if layout is not None and contract.is_read_only(operation.id) else None
        if row is not None:
            _collect(contract, row.schema, found, _DEPTH)
    return found


def _collect(contract: Contract, raw: Any, found: dict[str, dict[str, Any]], depth: int) -> None:
    schema = flatten_schema(contract.effective.schemas, raw)
    for name, inner in schema.get("properties", {}).items() if depth else ():
        found.setdefault(name, flatten_schema(contract.effective.schemas, inner))
        _collect(contract, inner, found, depth - 1)


def _find_schema(contract: Contract, prop: str) -> dict[str, Any]:
    return _list_shown(contract).get(prop, {})


def _create_mutant(operation: Operation, kind: str, prop: str, description: str, mutation: Any) -> Mutant:
    return Mutant(
        f"state/{operation.id}/{kind}/{prop}", operation.id, prop, f"{operation.name}: {description}.", mutation
    )
