"""Drifts of what a success does to the state: lost, late, repeated, misplaced."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.mutants.mutant import Mutant, Mutation, VendorRequest
from contract_watch.mutants.mutated_vendor import MutatedVendor, remove_arguments, replace_arguments


class LostEffect(Mutation):
    """A success of one operation changes nothing, or nothing of one property."""

    def __init__(self, operation: str, name: str = "") -> None:
        self._operation, self._name = operation, name

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """See `Mutation.answer`."""
        outcome, before = vendor.compute_outcome(request), vendor.state
        answer = vendor.apply_outcome(outcome)
        if request.operation.id != self._operation or outcome.status >= 300:
            return answer
        if not self._name:
            vendor.state = before
            self.activations += 1
        elif self._name in request.arguments:
            rest = vendor.find_success(remove_arguments(request, self._name), before)
            vendor.state = rest.resolve_next_state(answer[1]) if rest is not None else before
            self.activations += 1
        return answer


class DelayedEffect(Mutation):
    """A success of one operation is seen one call late."""

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._pending_request: VendorRequest | None = None

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """See `Mutation.answer`."""
        waiting, self._pending_request, before = self._pending_request, None, vendor.state
        answer = super().respond(vendor, request)
        if waiting is not None:
            caught_up = vendor.find_success(waiting)
            if caught_up is not None:
                vendor.apply_outcome(caught_up)
        elif request.operation.id == self._operation and answer[0] < 300:
            vendor.state, self._pending_request = before, request
            self.activations += 1
        return answer


class RepeatedEffect(Mutation):
    """A success of one operation is applied once more after the next change, as a queue may deliver a job twice."""

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._last_request: VendorRequest | None = None

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """See `Mutation.answer`."""
        answer = super().respond(vendor, request)
        if answer[0] >= 300 or vendor.contract.is_read_only(request.operation.id):
            return answer
        again, self._last_request = self._last_request, request if request.operation.id == self._operation else None
        outcome = vendor.find_success(again) if again is not None else None
        if outcome is not None:
            vendor.apply_outcome(outcome)
            self.activations += 1
        return answer


class DuplicatedObject(Mutation):
    """A success of one operation makes a second object beside the one that was asked for."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """See `Mutation.answer`."""
        answer = super().respond(vendor, request)
        if request.operation.id == self._operation and answer[0] < 300:
            sent = request.arguments
            twin = {name: f"{sent[name]}-2" for name, role in vendor.list_roles(request.operation).items()
                    if role == "new" and isinstance(sent.get(name), str)}  # fmt: skip
            outcome = vendor.find_success(replace_arguments(request, twin)) if twin else None
            if outcome is not None:
                vendor.apply_outcome(outcome)
                self.activations += 1
        return answer


class MisplacedEffect(Mutation):
    """A success of one operation changes another object of the account than the one that was named."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """See `Mutation.answer`."""
        account, before = vendor.find_account(request), vendor.state
        others = [name for name in vendor.list_owned(account) if name not in vendor.list_names(request, "existing")]
        answer = super().respond(vendor, request)
        if request.operation.id == self._operation and answer[0] < 300 and others:
            other = {
                name: others[0] for name, role in vendor.list_roles(request.operation).items() if role == "existing"
            }
            outcome = vendor.find_success(replace_arguments(request, other), before)
            vendor.state = outcome.resolve_next_state(answer[1]) if outcome is not None else before
            self.activations += 1
        return answer


class ResetProperty(Mutation):
    """A success of one operation also sets one property that was not sent, to what is nothing."""

    def __init__(self, operation: str, name: str, empty_value: Any) -> None:
        self._operation, self._name, self._empty_value = operation, name, empty_value

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """See `Mutation.answer`."""
        before, answer = vendor.state, super().respond(vendor, request)
        body = request.body if isinstance(request.body, dict) else {}
        if request.operation.id == self._operation and answer[0] < 300 and self._name not in body:
            outcome = vendor.find_success(replace_arguments(request, {self._name: self._empty_value}), before)
            if outcome is not None:
                vendor.state = outcome.resolve_next_state(answer[1])
                self.activations += 1
        return answer


class UnclearedProperty(LostEffect):
    """A success of one operation does not take over a property whose new value is nothing."""

    def __init__(self, operation: str, name: str, empty_value: Any) -> None:
        super().__init__(operation, name)
        self._empty_value = empty_value

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """See `Mutation.answer`."""
        value = request.body.get(self._name) if isinstance(request.body, dict) else None
        empty = type(value) is type(self._empty_value) and value == self._empty_value
        return super().respond(vendor, request) if empty else Mutation.respond(self, vendor, request)


_EMPTY_VALUES: dict[str, Any] = {"array": [], "boolean": False, "number": 0, "integer": 0}
"""By type, what servers that look for truth take for absent."""
_EFFECT_MUTATIONS = {
    "lost": ("a success changes nothing", LostEffect),
    "late": ("a success is seen one call late", DelayedEffect),
    "again": ("a success is applied again after the next change", RepeatedEffect),
}


def derive_effect_mutants(contract: Contract) -> Iterator[Mutant]:
    """Every effect of every operation that changes anything."""
    for operation in contract.operations.values():
        if contract.is_read_only(operation.id):
            continue
        roles = set(contract.get_roles(operation.id).values()) - {"foreign"}
        for word, (says, play) in _EFFECT_MUTATIONS.items():
            yield _create_mutant(operation, word, says, partial(play, operation.id))
        for name in _list_settable_properties(contract, operation):
            lost = partial(LostEffect, operation.id, name)
            yield _create_mutant(operation, f"lost/{name}", f"{name} is not taken over", lost, name)
        if "existing" in roles:
            yield from _derive_empty_value_mutants(contract, operation)
        if roles == {"new"}:
            yield _create_mutant(operation, "doubled", "two objects are made", partial(DuplicatedObject, operation.id))
        if "existing" in roles:
            yield _create_mutant(
                operation, "misplaced", "another object is changed", partial(MisplacedEffect, operation.id)
            )


def _list_settable_properties(contract: Contract, operation: Operation) -> list[str]:
    """The optional properties that say what an object is to be like, or whose names it is to have."""
    roles = contract.get_roles(operation.id)
    return [name for name in ArgumentBuilder(contract).list_optional(operation) if roles.get(name) != "foreign"]


def _derive_empty_value_mutants(contract: Contract, operation: Operation) -> Iterator[Mutant]:
    """What a change does to properties that it does not name, or empties."""
    for name in _list_settable_properties(contract, operation):
        kind = operation.get_arguments()[name].get("type")
        if kind in _EMPTY_VALUES:
            reset = partial(ResetProperty, operation.id, name, _EMPTY_VALUES[kind])
            unemptied = partial(UnclearedProperty, operation.id, name, _EMPTY_VALUES[kind])
            yield _create_mutant(operation, f"reset/{name}", f"{name} is emptied where it is not sent", reset, name)
            yield _create_mutant(operation, f"unemptied/{name}", f"{name} cannot be emptied", unemptied, name)


def _create_mutant(operation: Operation, variant: str, description: str, mutation: Any, name: str = "") -> Mutant:
    return Mutant(f"state/{operation.id}/{variant}", operation.id, name, f"{operation.name}: {description}.", mutation)
