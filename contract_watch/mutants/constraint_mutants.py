"""Mutants that do not enforce a constraint which few documents have: multiples, exclusive bounds, nested properties."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.nested_values import is_nested
from contract_watch.mutants.mutant import Mutant
from contract_watch.mutants.request_mutants import LoosenedConstraint

_KEYWORDS = ("exclusiveMinimum", "exclusiveMaximum", "multipleOf", "uniqueItems", "const")


def derive_constraint_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive a mutant for each constraint of an argument or below it that no other derivation covers."""
    bodies = ArgumentBuilder(contract)
    for operation in contract.operations.values():
        for name, schema in operation.get_arguments().items():
            found = bodies.generate_variants(operation, name, schema, accepted=False)
            places = dict.fromkeys((one.pointer, one.keyword) for one in found)
            for pointer, keyword in places:
                if keyword in _KEYWORDS or (is_nested(schema) and pointer):
                    yield _create_mutant(operation, name, pointer, keyword)


def _create_mutant(operation: Operation, name: str, pointer: str, keyword: str) -> Mutant:
    def picks(arguments: dict[str, Any]) -> bool:
        return name in arguments

    clause = f"{operation.id}/request/{name}{pointer}/{keyword}"
    place = f"{name}{pointer}"
    return Mutant(
        f"requests/{operation.id}/{name}/{keyword}-off{pointer.replace('/*', '/items')}", operation.id, name,
        f"{operation.name}, {place}: {keyword} is not enforced.",
        partial(LoosenedConstraint, operation.id, clause, picks),
    )  # fmt: skip
