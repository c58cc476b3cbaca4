"""Mutants of lists: they show fewer objects than there are, or an earlier state of one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import find_kind, resolve_reference
from contract_watch.mutants.mutant import Mutant, Mutation, VendorRequest
from contract_watch.mutants.mutated_vendor import MutatedVendor
from contract_watch.mutants.response_mutants import PropertyPath, list_property_paths

_MOST = 2
"""Rows of a capped list: a run has more objects at a time."""


class EditedRows(Mutation):
    """Mutation that edits the array at ``path`` in the successes of a list operation."""

    def __init__(self, operation: str, path: tuple[str, ...], edit: Callable[[list[Any]], list[Any]]) -> None:
        self._operation, self._path, self._edit = operation, path, edit

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        status, body = super().respond(vendor, request)
        if request.operation.id != self._operation or status >= 300:
            return status, body
        return status, self._edit_at(self._path, body)

    def _edit_at(self, path: tuple[str, ...], body: Any) -> Any:
        if path and isinstance(body, dict) and path[0] in body:
            return {**body, path[0]: self._edit_at(path[1:], body[path[0]])}
        if path or not isinstance(body, list):
            return body
        edited = self._edit(body)
        self.activations += edited != body
        return edited


class StaleList(Mutation):
    """Mutation whose list shows the state before the last change of one operation until the next change."""

    def __init__(self, operation: str, changed_by: str) -> None:
        self._operation, self._changed_by = operation, changed_by
        self._before: Any = None

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        before = vendor.state
        if request.operation.id == self._operation and self._before is not None:
            shown = vendor.compute_outcome(request, self._before)
            if shown.status < 300:
                self.activations += 1
                return shown.status, shown.body.render() if shown.body is not None else None
        response = super().respond(vendor, request)
        if not vendor.contract.is_read_only(request.operation.id) and response[0] < 300:
            self._before = before if request.operation.id == self._changed_by else None
        return response


def derive_list_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive mutants of each operation that lists objects: capped, without some rows, or late."""
    for operation in contract.operations.values():
        for location in _find_arrays(contract, operation):
            for name, description, edit in _list_row_edits(contract, location):
                mutation = partial(EditedRows, operation.id, location.path, edit)
                yield _create_mutant(operation, name, description, mutation)
        if operation.id != (contract.list_config.operation if contract.list_config else contract.lifecycle.read):
            continue
        for changing in contract.operations.values():
            if not contract.is_read_only(changing.id):
                description = f"misses the last change by {changing.name}"
                yield _create_mutant(
                    operation, f"late/{changing.id}", description, partial(StaleList, operation.id, changing.id)
                )


def _find_arrays(contract: Contract, operation: Operation) -> Iterator[PropertyPath]:
    """Find the arrays of objects in the success of a read."""
    if not contract.is_read_only(operation.id):
        return
    document = contract.effective.schemas
    for status, spec in operation.responses.items():
        schema = next(iter(spec.media.values()), None)
        if status >= 300 or schema is None:
            continue
        for location in (
            PropertyPath((), resolve_reference(document, schema.schema)),
            *list_property_paths(document, schema.schema),
        ):
            items = resolve_reference(document, location.schema.get("items", {}))
            if "*" not in location.path and "properties" in items:
                yield replace(location, schema=items)


def _list_row_edits(
    contract: Contract, location: PropertyPath
) -> Iterator[tuple[str, str, Callable[[list[Any]], list[Any]]]]:
    """List edits of the rows at ``location``, whose schema is that of one row."""
    yield "capped", f"shows {_MOST} objects at most", lambda rows: rows[:_MOST]
    yield (
        "newest-hidden",
        "does not show the newest object beside others",
        lambda rows: rows[:-1] if len(rows) > 1 else rows,
    )
    for name, raw in location.schema.get("properties", {}).items():
        schema = resolve_reference(contract.effective.schemas, raw)
        values = schema.get("enum", [True, False] if find_kind(schema) == "boolean" else [])
        for value in values:
            yield (f"hidden/{name}/{value}", f"hides the objects whose {name} is {value}",
                   partial(_hide_rows, name, value))  # fmt: skip


def _hide_rows(name: str, value: Any, rows: list[Any]) -> list[Any]:
    return [
        row
        for row in rows
        if not (isinstance(row, dict) and row.get(name) == value and type(row.get(name)) is type(value))
    ]


def _create_mutant(operation: Operation, variant: str, description: str, mutation: Any) -> Mutant:
    return Mutant(f"state/{operation.id}/{variant}", operation.id, "", f"{operation.name} {description}.", mutation)
