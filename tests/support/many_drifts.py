"""Vendors that drift in many ways at once: several mutations of one contract behind one address."""

import random
from collections.abc import Sequence
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.engine.protocols.wire import Response
from contract_watch.mutants.derivation import derive_mutants
from contract_watch.mutants.mutant import Mutant, Mutation, VendorRequest
from contract_watch.mutants.mutated_vendor import MutatedVendor


class ComposedMutation(Mutation):
    """A mutation that drifts in the ways of all ``mutants``; the first one that a request provokes decides its outcome."""

    def __init__(self, mutants: Sequence[Mutant]) -> None:
        self._parts = [(mutant.operation, mutant.create_mutation()) for mutant in mutants]

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        before = vendor.state
        for operation, mutation in self._parts:
            if operation not in ("", request.operation.id):
                continue
            count = mutation.activations
            response = mutation.respond(vendor, request)
            if mutation.activations > count:
                self.activations += 1
                return response
            vendor.state = before
        return super().respond(vendor, request)

    def intercept(self, operation: Operation | None, method: str, path: str) -> Response | None:
        """Implement `Mutation.intercept`."""
        found = (mutation.intercept(operation, method, path) for _, mutation in self._parts)
        return next((response for response in found if response is not None), None)

    def edit_response(self, operation: Operation | None, response: Response) -> Response:
        """Implement `Mutation.edit_response`."""
        for _, mutation in self._parts:
            response = mutation.edit_response(operation, response)
        return response


def choose_mutants(contract: Contract, count: int, seed: int) -> list[Mutant]:
    """Choose ``count`` mutants of ``contract``, no two of the same family and operation."""
    chooser = random.Random(seed)
    groups: dict[tuple[str, str], list[Mutant]] = {}
    for mutant in derive_mutants(contract):
        if mutant.operation:
            groups.setdefault((mutant.family, mutant.operation), []).append(mutant)
    return [chooser.choice(groups[key]) for key in chooser.sample(sorted(groups), count)]
