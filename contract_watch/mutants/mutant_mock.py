"""The mock of one mutant, for runs of the suite, and a server whose mutant may be replaced."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from contract_watch.contracts.registry import Contract
from contract_watch.mock.app import Mock
from contract_watch.mutants.mutant import Mutation
from contract_watch.mutants.mutated_vendor import MutatedVendor


class MutantApp(Mock):
    """A mock of one contract with a mutation."""

    def __init__(self, contract: Contract, mutation: Mutation, interpretations: Mapping[str, str] = {}) -> None:
        super().__init__([MutatedVendor(contract, {}, mutation, interpretations)], {})


class MutantServer:
    """ASGI application that delegates to ``app``, which may be replaced between requests."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request by the current application."""
        assert self.app is not None
        await self.app(scope, receive, send)
