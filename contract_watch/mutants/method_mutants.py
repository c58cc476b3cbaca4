"""Drifts of which methods a path answers."""

from collections.abc import Iterator
from functools import partial

from contract_watch.contracts.openapi import METHODS, Operation
from contract_watch.contracts.registry import Contract
from contract_watch.engine.protocols.wire import Response
from contract_watch.mutants.mutant import Mutant, Mutation


class FixedResponse(Mutation):
    """Every request with one method to one path gets one answer."""

    def __init__(self, method: str, path: str, response: Response) -> None:
        self._target, self._response = (method, path), response

    def intercept(self, operation: Operation | None, method: str, path: str) -> Response | None:
        """See `Mutation.instead`."""
        del operation
        if (method, path) != self._target:
            return None
        self.activations += 1
        return self._response


def derive_method_mutants(contract: Contract) -> Iterator[Mutant]:
    """Each operation removed, each method that no operation has answered with success."""
    typed = {"content-type": "application/json"}
    for operation in contract.operations.values():
        for status, error in ((404, b'{"error":"Not Found"}'), (405, b'{"error":"Method Not Allowed"}')):
            play = partial(FixedResponse, operation.method, operation.path, Response(status, typed, error))
            says = f"{operation.name} is not there any more: {status}."
            yield Mutant(f"methods/{operation.id}/removed-{status}", operation.id, "", says, play)
    for path in {operation.path: None for operation in contract.operations.values()}:
        declared = {operation.method for operation in contract.operations.values() if operation.path == path}
        for method in (method.upper() for method in METHODS):
            if method not in declared:
                body = b"" if method == "HEAD" else b"{}"
                play = partial(FixedResponse, method, path, Response(200, typed, body))
                says = f"{method} {path} answers 200."
                yield Mutant(f"methods{path}/{method}", "", "", says, play, f"{method} {path}")
