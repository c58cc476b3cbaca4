"""The statuses of refusals, from the table and from what each operation documents.

A status of the table counts where the operation documents it, or where it documents none for such a request.
"""

from collections.abc import Sequence

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.resource.table import ResourceTable

_NO_REFUSALS = (401, 408, 429)
"""Refusals that say nothing about a request's content."""


def list_invalid_statuses(operation: Operation, table: ResourceTable) -> tuple[int, ...]:
    """Return the statuses of a request that violates its schema: those documented of 400 and 422, else 400."""
    return _choose(operation, table.invalid) or _choose(operation, (400, 422)) or tuple(table.invalid) or (400,)


def list_path_statuses(operation: Operation, invalid: Sequence[int]) -> tuple[int, ...]:
    """Return the statuses of a request whose path violates its schema: the documented ones of ``invalid`` and 404."""
    return _choose(operation, (*invalid, 404)) or tuple(invalid)


def list_unknown_statuses(operation: Operation, table: ResourceTable) -> tuple[int, ...]:
    """Return the statuses of a request that names an unknown object: 404 if it is documented, else those of a bad one."""
    found = _choose(operation, table.unknown) or _choose(operation, (404,)) or _choose(operation, (400, 422))
    return found or tuple(table.unknown) or (404,)


def documents_unknown(operation: Operation, table: ResourceTable) -> bool:
    """Return True if ``operation`` documents a status for a request that names an unknown object."""
    return any(status in operation.responses for status in list_unknown_statuses(operation, table))


def list_taken_statuses(operation: Operation, table: ResourceTable) -> tuple[int, ...]:
    """Return the statuses of a request for a value that is taken: 409 if it is documented, else those of a bad one."""
    found = _choose(operation, table.taken) or _choose(operation, (409,)) or _choose(operation, (422, 400))
    return found or tuple(table.taken) or (409,)


def list_denied_statuses(operation: Operation) -> tuple[int, ...]:
    """Return the statuses of a request without a valid key: 401 if it is documented, else 403, else 401."""
    return _choose(operation, (401,)) or _choose(operation, (403,)) or (401,)


def list_refusals(operation: Operation) -> tuple[int, ...]:
    """Return every documented refusal that a request's content can cause, 400 first."""
    documented = [status for status in operation.responses if 400 <= status < 500 and status not in _NO_REFUSALS]
    return tuple(sorted(documented)) or (400,)


def _choose(operation: Operation, statuses: Sequence[int]) -> tuple[int, ...]:
    return tuple(status for status in statuses if status in operation.responses)
