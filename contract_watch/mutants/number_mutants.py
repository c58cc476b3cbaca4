"""Mutants of numbers that are stored in fewer bits than a request can send."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import find_kind
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.mutants.mutant import Mutant, Mutation, VendorRequest
from contract_watch.mutants.mutated_vendor import MutatedVendor, replace_arguments

_MOST = 2**31 - 1


def _wrap(value: float) -> int:
    return (math.trunc(value) + 2**31) % 2**32 - 2**31


def _wrap_unsigned(value: float) -> int:
    return math.trunc(value) % 2**32


_FORMS: dict[str, tuple[str, Callable[[float], float]]] = {
    "wrapped": ("its lowest 32 bits, with a sign", _wrap),
    "wrapped-unsigned": ("its lowest 32 bits", _wrap_unsigned),
    "clamped": ("at most the largest of 32 bits", lambda value: min(value, _MOST)),
}


class NarrowNumber(Mutation):
    """Mutation that stores one property of one operation's success in 32 bits."""

    def __init__(self, operation: str, name: str, narrow: Callable[[float], float]) -> None:
        self._operation, self._name, self._narrow = operation, name, narrow

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        before, response = vendor.state, super().respond(vendor, request)
        value = request.arguments.get(self._name)
        if not isinstance(value, int | float) or not math.isfinite(value) or abs(value) <= _MOST:
            return response
        if request.operation.id != self._operation or response[0] >= 300:
            return response
        narrowed = replace_arguments(request, {self._name: self._narrow(value)})
        outcome = vendor.find_success(narrowed, before, force=True)
        if outcome is not None:
            vendor.state = outcome.resolve_next_state(response[1])
            self.activations += 1
        return response


def derive_number_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive mutants of numbers without a documented maximum, stored in 32 bits."""
    builder = ArgumentBuilder(contract)
    for operation in contract.operations.values():
        if contract.is_read_only(operation.id) or operation.body is None:
            continue
        for name in builder.list_optional(operation):
            prop = operation.get_arguments()[name]
            is_number = find_kind(prop) in ("number", "integer") and name not in contract.get_roles(operation.id)
            if not is_number or "maximum" in prop or prop.get("format") == "int32":
                continue
            for form, (description, narrow) in _FORMS.items():
                yield Mutant(
                    f"state/{operation.id}/{form}/{name}", operation.id, name,
                    f"{operation.name}: of a large {name}, {description} is stored.",
                    partial(NarrowNumber, operation.id, name, narrow),
                )  # fmt: skip
