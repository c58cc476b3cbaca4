"""Mutants of required properties: null for one is taken for a value, or answered 500."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.samples import build_sample
from contract_watch.contracts.schema import Schema
from contract_watch.mutants.mutant import Mutant, Mutation, VendorRequest
from contract_watch.mutants.mutated_vendor import MutatedVendor
from contract_watch.mutants.request_mutants import RewrittenRequest, fill_names


class NullCrash(Mutation):
    """Mutation that answers 500 to null for one property of one operation, unless the key is refused."""

    def __init__(self, operation: str, name: str) -> None:
        self._operation, self._name = operation, name

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        is_null = self._name in request.arguments and request.arguments[self._name] is None
        if request.operation.id != self._operation or not is_null or vendor.find_account(request) is None:
            return super().respond(vendor, request)
        self.activations += 1
        return 500, vendor.build_example_body(request.operation, 500)


def derive_null_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive both mutants of every required property that is not nullable."""
    for operation in contract.operations.values():
        required = operation.get_required_arguments()
        for name, prop in operation.get_arguments().items():
            has_null = name in required and not name.startswith("{") and not operation.is_text_argument(name)
            if has_null and name not in contract.given.values and not _is_nullable(contract, prop):
                yield from _derive(contract, operation, name, prop)


def _is_nullable(contract: Contract, prop: dict[str, Any]) -> bool:
    return Schema(contract.effective.schemas, prop).accepts(None)


def _derive(contract: Contract, operation: Operation, name: str, prop: dict[str, Any]) -> Iterator[Mutant]:
    def fill_null(vendor: MutatedVendor, body: Any) -> Any:
        if not isinstance(body, dict) or name not in body or body[name] is not None:
            return body
        value = build_sample(Schema(contract.effective.schemas, prop))
        return fill_names(vendor, operation, {**body, name: value}, only=name)

    head, words = f"requests/{operation.id}/{name}", f"{operation.name}, {name}:"
    yield Mutant(f"{head}/null-accepted", operation.id, name, f"{words} null is accepted.",
                 partial(RewrittenRequest, operation.id, fill_null))  # fmt: skip
    yield Mutant(f"{head}/null-crash", operation.id, name, f"{words} null is answered 500.",
                 partial(NullCrash, operation.id, name))  # fmt: skip
