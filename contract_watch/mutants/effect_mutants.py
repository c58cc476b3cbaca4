"""Mutants of a success's effect on the state: lost, late, repeated, misplaced."""

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.spec import ResourceSpec
from contract_watch.contracts.schema import Schema, find_kind
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.mutants.mutant import Mutant, Mutation, VendorRequest
from contract_watch.mutants.mutated_vendor import MutatedVendor, remove_arguments, replace_arguments


class LostEffect(Mutation):
    """Mutation that loses the effect of one operation's success, or its effect on one property."""

    def __init__(self, operation: str, name: str = "") -> None:
        self._operation, self._name = operation, name

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        outcome, before = vendor.compute_outcome(request), vendor.state
        response = vendor.apply_outcome(outcome)
        if request.operation.id != self._operation or outcome.status >= 300:
            return response
        if not self._name:
            vendor.state = before
            self.activations += 1
        elif self._name in request.arguments:
            rest = vendor.find_success(remove_arguments(request, self._name), before)
            vendor.state = rest.resolve_next_state(response[1]) if rest is not None else before
            self.activations += 1
        return response


class DelayedEffect(Mutation):
    """Mutation that delays the effect of one operation's success by one call."""

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._pending_request: VendorRequest | None = None

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        pending, self._pending_request, before = self._pending_request, None, vendor.state
        response = super().respond(vendor, request)
        if pending is not None:
            outcome = vendor.find_success(pending)
            if outcome is not None:
                vendor.apply_outcome(outcome)
        elif request.operation.id == self._operation and response[0] < 300:
            vendor.state, self._pending_request = before, request
            self.activations += 1
        return response


class RepeatedEffect(Mutation):
    """Mutation that repeats the effect of a success after the next change, like a queue that delivers a job twice."""

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._last_request: VendorRequest | None = None

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        response = super().respond(vendor, request)
        if response[0] >= 300 or vendor.contract.is_read_only(request.operation.id):
            return response
        again, self._last_request = self._last_request, request if request.operation.id == self._operation else None
        outcome = vendor.find_success(again) if again is not None else None
        if outcome is not None:
            vendor.apply_outcome(outcome)
            self.activations += 1
        return response


class DuplicatedObject(Mutation):
    """Mutation that creates a second object on one operation's success."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        response = super().respond(vendor, request)
        if request.operation.id == self._operation and response[0] < 300:
            sent = request.arguments
            duplicate = {name: f"{sent[name]}-2" for name, role in vendor.list_roles(request.operation).items()
                    if role == "new" and isinstance(sent.get(name), str)}  # fmt: skip
            outcome = vendor.find_success(replace_arguments(request, duplicate)) if duplicate else None
            if outcome is not None:
                vendor.apply_outcome(outcome)
                self.activations += 1
        return response


class MisplacedEffect(Mutation):
    """Mutation that applies one operation's success to another object of the account."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        account, before = vendor.find_account(request), vendor.state
        others = [name for name in vendor.list_owned(account) if name not in vendor.list_names(request, "existing")]
        response = super().respond(vendor, request)
        if request.operation.id == self._operation and response[0] < 300 and others:
            other = {
                name: others[0] for name, role in vendor.list_roles(request.operation).items() if role == "existing"
            }
            outcome = vendor.find_success(replace_arguments(request, other), before)
            vendor.state = outcome.resolve_next_state(response[1]) if outcome is not None else before
            self.activations += 1
        return response


class ResurrectedObject(Mutation):
    """Mutation that gives a new object the values that the removed one of its name had."""

    def __init__(self) -> None:
        self._sent: dict[str, dict[str, Any]] = {}
        self._removed: dict[str, dict[str, Any]] = {}

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        before, response = vendor.state, super().respond(vendor, request)
        if response[0] >= 300 or vendor.contract.is_read_only(request.operation.id):
            return response
        life, roles = vendor.contract.lifecycle, vendor.list_roles(request.operation)
        for name in vendor.list_names(request, "existing"):
            self._sent.setdefault(name, {}).update(_leave_out(request.arguments, roles))
            if request.operation.id == life.remove:
                self._removed[name] = self._sent.pop(name)
        for name in vendor.list_names(request, "new") if request.operation.id == life.create else ():
            self._sent[name] = _leave_out(request.arguments, roles)
            self._resurrect(vendor, request, name, before, response[1])
        return response

    def _resurrect(self, vendor: MutatedVendor, request: VendorRequest, name: str, before: Any, shown: Any) -> None:
        settable = request.operation.get_arguments()
        old = {key: value for key, value in self._removed.pop(name, {}).items() if key in settable}
        outcome = vendor.find_success(replace_arguments(request, {**old, **request.arguments}), before) if old else None
        if outcome is not None:
            vendor.state = outcome.resolve_next_state(shown)
            self.activations += 1


def _leave_out(arguments: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in names}


class ResetProperty(Mutation):
    """Mutation that empties an unsent property on one operation's success."""

    def __init__(self, operation: str, name: str, empty_value: Any) -> None:
        self._operation, self._name, self._empty_value = operation, name, empty_value

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        before, response = vendor.state, super().respond(vendor, request)
        body = request.body if isinstance(request.body, dict) else {}
        if request.operation.id == self._operation and response[0] < 300 and self._name not in body:
            outcome = vendor.find_success(replace_arguments(request, {self._name: self._empty_value}), before)
            if outcome is not None:
                vendor.state = outcome.resolve_next_state(response[1])
                self.activations += 1
        return response


class UnclearedProperty(LostEffect):
    """Mutation that ignores an empty value for one property on one operation's success."""

    def __init__(self, operation: str, name: str, empty_value: Any) -> None:
        super().__init__(operation, name)
        self._empty_value = empty_value

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        value = request.body.get(self._name) if isinstance(request.body, dict) else None
        empty = type(value) is type(self._empty_value) and value == self._empty_value
        return super().respond(vendor, request) if empty else Mutation.respond(self, vendor, request)


_EMPTY_VALUES: dict[str, Any] = {"array": [], "boolean": False, "number": 0, "integer": 0}
"""Values by type that servers which test truthiness confuse with an absent value."""
_EFFECT_MUTATIONS = {
    "lost": ("a success changes nothing", LostEffect),
    "late": ("a success takes effect one call late", DelayedEffect),
    "again": ("a success is applied again after the next change", RepeatedEffect),
}


def derive_effect_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive mutants of every effect of every mutating operation."""
    for operation in contract.operations.values():
        if contract.is_read_only(operation.id):
            continue
        roles = set(contract.get_roles(operation.id).values()) - {"foreign"}
        for word, (description, mutation) in _EFFECT_MUTATIONS.items():
            yield _create_mutant(operation, word, description, partial(mutation, operation.id))
        for name in _list_settable_properties(contract, operation):
            lost = partial(LostEffect, operation.id, name)
            yield _create_mutant(operation, f"lost/{name}", f"{name} is not applied", lost, name)
        if "existing" in roles:
            yield from _derive_empty_value_mutants(contract, operation)
        if operation.id == contract.lifecycle.create and not _has_server_ids(contract):
            yield _create_mutant(
                operation, "resurrected", "a new object has the values of a removed one of its name", ResurrectedObject
            )
        if roles == {"new"}:
            yield _create_mutant(
                operation, "doubled", "two objects are created", partial(DuplicatedObject, operation.id)
            )
        if "existing" in roles:
            yield _create_mutant(
                operation, "misplaced", "another object is changed", partial(MisplacedEffect, operation.id)
            )


def _has_server_ids(contract: Contract) -> bool:
    """Return True if the server names objects: it never gives a name again."""
    spec = getattr(contract.model, "spec", None)
    return isinstance(spec, ResourceSpec) and spec.layout.has_server_ids


def _list_settable_properties(contract: Contract, operation: Operation) -> list[str]:
    """List optional properties of an object, names of objects that others own excepted."""
    roles = contract.get_roles(operation.id)
    return [name for name in ArgumentBuilder(contract).list_optional(operation) if roles.get(name) != "foreign"]


def _derive_empty_value_mutants(contract: Contract, operation: Operation) -> Iterator[Mutant]:
    """Derive mutants of properties that a change omits or empties."""
    for name in _list_settable_properties(contract, operation):
        schema = operation.get_arguments()[name]
        if Schema(contract.effective.schemas, schema).accepts(None):
            uncleared = partial(UnclearedProperty, operation.id, name, None)
            yield _create_mutant(operation, f"uncleared/{name}", f"null does not clear {name}", uncleared, name)
        kind = find_kind(schema)
        if kind in _EMPTY_VALUES:
            reset = partial(ResetProperty, operation.id, name, _EMPTY_VALUES[kind])
            unemptied = partial(UnclearedProperty, operation.id, name, _EMPTY_VALUES[kind])
            yield _create_mutant(operation, f"reset/{name}", f"{name} is emptied when it is not sent", reset, name)
            yield _create_mutant(operation, f"unemptied/{name}", f"{name} cannot be emptied", unemptied, name)


def _create_mutant(operation: Operation, variant: str, description: str, mutation: Any, name: str = "") -> Mutant:
    return Mutant(f"state/{operation.id}/{variant}", operation.id, name, f"{operation.name}: {description}.", mutation)
