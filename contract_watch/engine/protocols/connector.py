"""What carries a run's requests: real connections, or what stands in for them where nothing is to be sent."""

from typing import Protocol

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.gate import Gate
from contract_watch.engine.protocols.grpc_protocols import NativeGrpc
from contract_watch.engine.protocols.wire import Wire


class Connector(Protocol):
    """Makes what a run sends through."""

    def wire(self, base: str, gate: Gate | None) -> Wire:
        """What carries HTTP to ``base``, a scheme and an authority."""
        ...

    def grpc(self, contract: Contract, address: str, gate: Gate | None, *, secure: bool) -> NativeGrpc:
        """What carries gRPC to ``address``, ``host:port``."""
        ...


class Network:
    """Real connections."""

    def wire(self, base: str, gate: Gate | None) -> Wire:
        """See Connector."""
        return Wire(base, gate)

    def grpc(self, contract: Contract, address: str, gate: Gate | None, *, secure: bool) -> NativeGrpc:
        """See Connector."""
        return NativeGrpc(contract, address, secure=secure, gate=gate)
