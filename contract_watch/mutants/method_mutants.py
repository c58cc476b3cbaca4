"""Mutants of the methods that a path serves."""

from collections.abc import Iterator
from functools import partial

from contract_watch.contracts.openapi import METHODS, Operation
from contract_watch.contracts.registry import Contract
from contract_watch.engine.protocols.wire import Response
from contract_watch.mutants.mutant import Mutant, Mutation


class FixedResponse(Mutation):
    """Mutation that returns a fixed response to every request with one method to one path."""

    def __init__(self, method: str, path: str, response: Response) -> None:
        self._target, self._response = (method, path), response

    def intercept(self, operation: Operation | None, method: str, path: str) -> Response | None:
        """Implement `Mutation.intercept`."""
        del operation
        if (method, path) != self._target:
            return None
        self.activations += 1
        return self._response


def derive_method_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive removed operations, and undeclared methods that succeed."""
    headers = {"content-type": "application/json"}
    for operation in contract.operations.values():
        for status, error in ((404, b'{"error":"Not Found"}'), (405, b'{"error":"Method Not Allowed"}')):
            mutation = partial(FixedResponse, operation.method, operation.path, Response(status, headers, error))
            description = f"{operation.name} is removed: it answers {status}."
            yield Mutant(f"methods/{operation.id}/removed-{status}", operation.id, "", description, mutation)
    for path in {operation.path: None for operation in contract.operations.values()}:
        declared = {operation.method for operation in contract.operations.values() if operation.path == path}
        for method in (method.upper() for method in METHODS):
            if method not in declared:
                body = b"" if method == "HEAD" else b"{}"
                mutation = partial(FixedResponse, method, path, Response(200, headers, body))
                description = f"{method} {path} answers 200."
                yield Mutant(f"methods{path}/{method}", "", "", description, mutation, f"{method} {path}")
