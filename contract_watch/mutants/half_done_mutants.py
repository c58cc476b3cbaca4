"""Mutants of refusals that do half their work: they store the good part of a request and reject the rest."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import ModelState
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import Schema, find_kind, resolve_reference
from contract_watch.mutants.mutant import Mutant, Mutation, VendorRequest
from contract_watch.mutants.mutated_vendor import MutatedVendor, remove_arguments, replace_arguments


class HalfDoneRefusal(Mutation):
    """Mutation that stores a part of the requests which one status refuses; a subclass chooses the part."""

    _is_forced = False
    """True if the part is stored although the vendor would refuse it too."""

    def __init__(self, operation: str, status: int) -> None:
        self._target = (operation, status)

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        refused, before = vendor.compute_outcome(request), vendor.state
        response = vendor.apply_outcome(refused)
        if (request.operation.id, refused.status) != self._target or vendor.find_account(request) is None:
            return response
        for part in self._list_parts(vendor, request, before):
            granted = vendor.find_success(part, before, force=self._is_forced)
            if granted is not None:
                shown = granted.body.render() if granted.body is not None else None
                vendor.state = granted.resolve_next_state(shown)
                self.activations += 1
                break
        return response

    def _list_parts(self, vendor: MutatedVendor, request: VendorRequest, before: ModelState) -> Iterator[VendorRequest]:
        """Yield the parts of a refused request that the vendor may store, the largest first."""
        del before
        for name in self._list_droppable(vendor, request):
            yield remove_arguments(request, name)

    @staticmethod
    def _list_droppable(vendor: MutatedVendor, request: VendorRequest) -> list[str]:
        """List the arguments of a request that it may leave out."""
        required = request.operation.get_required_arguments()
        naming = {name for name, role in vendor.list_roles(request.operation).items() if role == "existing"}
        return [name for name in request.arguments if name not in required and name not in naming]


class StoredBeginning(HalfDoneRefusal):
    """Mutation that stores the arguments in their order, up to the first one that is wrong."""

    def _list_parts(self, vendor: MutatedVendor, request: VendorRequest, before: ModelState) -> Iterator[VendorRequest]:
        droppable = self._list_droppable(vendor, request)
        for count, name in enumerate(droppable):
            if vendor.find_success(remove_arguments(request, name), before) is not None:
                yield remove_arguments(request, *droppable[count:])


class StoredProperty(HalfDoneRefusal):
    """Mutation that stores one property of a refused request, if its schema accepts that."""

    _is_forced = True

    def __init__(self, operation: str, status: int, name: str) -> None:
        super().__init__(operation, status)
        self._name = name

    def _list_parts(self, vendor: MutatedVendor, request: VendorRequest, before: ModelState) -> Iterator[VendorRequest]:
        del before
        droppable = self._list_droppable(vendor, request)
        schema = Schema(vendor.contract.effective.schemas, request.operation.get_arguments()[self._name])
        if self._name in droppable and schema.accepts(request.arguments[self._name]):
            yield remove_arguments(request, *(name for name in droppable if name != self._name))


class StoredItems(HalfDoneRefusal):
    """Mutation that stores the good items of a refused list."""

    def __init__(self, operation: str, status: int, name: str) -> None:
        super().__init__(operation, status)
        self._name = name

    def _list_parts(self, vendor: MutatedVendor, request: VendorRequest, before: ModelState) -> Iterator[VendorRequest]:
        items = request.arguments.get(self._name)
        if not isinstance(items, list):
            return
        alone = [replace_arguments(request, {self._name: [item]}) for item in items]
        good = [item for item, part in zip(items, alone, strict=True) if vendor.find_success(part, before)]
        if good and len(good) < len(items):
            yield replace_arguments(request, {self._name: good})


def derive_half_done_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive mutants of every refusal that could have done a part of its request."""
    for operation in contract.operations.values():
        optional = set(operation.get_arguments()) - set(operation.get_required_arguments())
        if contract.is_read_only(operation.id) or not optional:
            continue
        for status in _list_refusals(contract, operation):
            yield _create_mutant(
                operation, f"half/{status}", "", f"{status} stores the rest of the request",
                partial(HalfDoneRefusal, operation.id, status),
            )  # fmt: skip
            yield _create_mutant(
                operation, f"half-begun/{status}", "", f"{status} stores what stands before the wrong value",
                partial(StoredBeginning, operation.id, status),
            )  # fmt: skip
        if operation.id not in (contract.lifecycle.create, contract.lifecycle.remove):
            yield from _derive_properties(contract, operation)


def _list_refusals(contract: Contract, operation: Operation) -> Sequence[int]:
    """List the statuses that refuse a request for what it says: not for its key or for the object that it names."""
    return [
        status
        for status in operation.responses
        if 400 <= status < 500 and status not in (401, 404) and not contract.is_unprovoked(operation, status)
    ]


def _derive_properties(contract: Contract, operation: Operation) -> Iterator[Mutant]:
    """Derive mutants that store one property of a refused update, or the good items of one list."""
    roles = contract.get_roles(operation.id)
    status = min(_list_refusals(contract, operation), default=400)
    for name, raw in operation.get_arguments().items():
        if name in operation.get_required_arguments() or name in roles or not _is_shown(contract, name):
            continue
        yield _create_mutant(
            operation, f"half-of/{name}", name, f"{status} stores {name}",
            partial(StoredProperty, operation.id, status, name),
        )  # fmt: skip
        schema: Mapping[str, Any] = resolve_reference(contract.effective.schemas, raw)
        if find_kind(schema) == "array":
            yield _create_mutant(
                operation, f"half-items/{name}", name, f"{status} stores the good items of {name}",
                partial(StoredItems, operation.id, status, name),
            )  # fmt: skip


def _is_shown(contract: Contract, name: str) -> bool:
    """Return True if a response can show an argument: nobody notices what happens to the others."""
    layout = getattr(getattr(contract.model, "spec", None), "layout", None)
    return layout is None or any(name in layout.get_settable(operation) for operation in contract.operations)


def _create_mutant(operation: Operation, variant: str, name: str, description: str, mutation: Any) -> Mutant:
    return Mutant(f"state/{operation.id}/{variant}", operation.id, name, f"{operation.name}: {description}.", mutation)
