"""The mock of one mutant, for runs of the suite, and a server whose mutant may be replaced."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.clock import FastClock
from contract_watch.mock.app import Mock
from contract_watch.mock.clock import MockClock
from contract_watch.mutants.mutant import Mutation
from contract_watch.mutants.mutated_vendor import MutatedVendor


class MutantApp(Mock):
    """A mock of one contract with a mutation."""

    def __init__(
        self,
        contract: Contract,
        mutation: Mutation,
        interpretations: Mapping[str, str] = {},
        clock: MockClock | None = None,
    ) -> None:
        super().__init__([MutatedVendor(contract, {}, mutation, interpretations, clock)], {})


class PacedClock(FastClock):
    """Clock that moves ahead with each request, as on a vendor whose rate limit makes a run take minutes.

    ``pace`` are the seconds of one request. The mock reads the same clock.
    """

    def __init__(self, pace: float) -> None:
        super().__init__()
        self._pace = pace

    def wall(self) -> float:
        """Implement `Clock.wall`; a session asks once for each request."""
        self.wait(self._pace)
        return super().wall()

    def build_mock_clock(self) -> MockClock:
        """Build the clock of a mock that shows this one's time."""
        return MockClock(super().wall)


class MutantServer:
    """ASGI application that delegates to ``app``, which may be replaced between requests."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request by the current application."""
        assert self.app is not None
        await self.app(scope, receive, send)
