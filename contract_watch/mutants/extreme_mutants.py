"""Mutants that break on valid extremes in combination: each extreme alone passes, both together are answered 500."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import Schema, find_kind, resolve_reference
from contract_watch.mutants.mutant import Mutant
from contract_watch.mutants.request_mutants import TightenedConstraint

ArgumentTest = Callable[[Any], bool]
_SIZES: Mapping[str, tuple[Any, Callable[[Any], Any]]] = {
    "maxLength": (str, len),
    "maxItems": (list, len),
    "maximum": ((int, float), lambda value: value),
}
_MIN_SIZED = 3
"""Arguments with a maximum from which all of them at once are a combination of their own."""
_PLAIN = re.compile(r"[A-Za-z0-9 ]*")


def derive_extreme_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive a crash on the longest string with a sign at its end, the longest list of long items, and all maxima at once."""
    for operation in contract.operations.values():
        if operation.body is None or contract.is_read_only(operation.id):
            continue
        for name, prop in operation.get_arguments().items():
            if name not in operation.specs and name not in contract.given.values:
                yield from _derive_strings(contract, operation, name, prop)
                yield from _derive_lists(contract, operation, name, prop)
        yield from _derive_maxima(operation)


def _derive_strings(contract: Contract, operation: Operation, name: str, prop: Mapping[str, Any]) -> Iterator[Mutant]:
    most, role = prop.get("maxLength"), contract.get_roles(operation.id).get(name)
    if not most or find_kind(prop) != "string" or prop.get("format") or role not in (None, "new"):
        return
    sample = str(prop.get("example", "a"))
    longest = f"{sample.ljust(most, 'a')[: most - 1]}-"
    is_free = role == "new" or "pattern" in prop or _PLAIN.fullmatch(sample)
    if is_free and (role == "new" or Schema(contract.effective.schemas, prop).accepts(longest)):
        yield _create(operation, name, "crash-longest-edge", "the longest value with a sign at its end",
                      lambda value: isinstance(value, str) and len(value) == most and not value[-1].isalnum())  # fmt: skip


def _derive_lists(contract: Contract, operation: Operation, name: str, prop: Mapping[str, Any]) -> Iterator[Mutant]:
    items = resolve_reference(contract.effective.schemas, prop.get("items", {}))
    most = prop.get("maxItems")
    if not most or find_kind(prop) != "array" or find_kind(items) != "string" or "pattern" not in items:
        return
    sample = next(iter(prop.get("example") or [items.get("example")]), None)

    def is_long(value: Any) -> bool:
        texts = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
        return bool(len(texts) == most and sum(map(len, texts)) > most * len(str(sample)))

    yield _create(operation, name, "crash-longest-items", "the longest list of items longer than usual", is_long)


def _derive_maxima(operation: Operation) -> Iterator[Mutant]:
    bounds = {
        name: (keyword, prop[keyword])
        for name, prop in operation.get_arguments().items() if not name.startswith("{")
        for keyword in _SIZES if keyword in prop
    }  # fmt: skip
    if len(bounds) < _MIN_SIZED:
        return

    def are_all_largest(arguments: dict[str, Any]) -> bool:
        # All but one: another rule may keep a property from its maximum.
        reached = [name for name, (keyword, most) in bounds.items() if _is_at(keyword, most, arguments.get(name))]
        return len(reached) >= len(bounds) - 1

    yield Mutant(
        f"requests/{operation.id}/body/crash-all-largest", operation.id, "",
        f"{operation.name}: all properties at their maximum together are answered 500.",
        partial(TightenedConstraint, operation.id, are_all_largest, 500),
    )  # fmt: skip


def _is_at(keyword: str, most: Any, value: Any) -> bool:
    kind, size = _SIZES[keyword]
    return isinstance(value, kind) and not isinstance(value, bool) and size(value) == most


def _create(operation: Operation, name: str, variant: str, description: str, breaks: ArgumentTest) -> Mutant:
    def picks(arguments: dict[str, Any]) -> bool:
        return name in arguments and breaks(arguments[name])

    text = f"{operation.name}, {name}: {description} is answered 500."
    return Mutant(f"requests/{operation.id}/{name}/{variant}", operation.id, name, text,
                  partial(TightenedConstraint, operation.id, picks, 500))  # fmt: skip
