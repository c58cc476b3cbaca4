"""What carries a run's requests: real connections, or what stands in for them where nothing is to be sent."""

from typing import TYPE_CHECKING, Protocol

from contract_watch.contracts.registry import Contract
from contract_watch.engine.protocols.encoded_request import RequestGate
from contract_watch.engine.protocols.wire import Wire

if TYPE_CHECKING:
    from contract_watch.engine.protocols.grpc_protocols import GrpcProtocol


class Connector(Protocol):
    """Makes what a run sends through."""

    def connect_http(self, base: str, gate: RequestGate | None) -> Wire:
        """What carries HTTP to ``base``, a scheme and an authority."""
        ...

    def connect_grpc(
        self, contract: Contract, address: str, gate: RequestGate | None, *, secure: bool
    ) -> "GrpcProtocol":
        """What carries gRPC to ``address``, ``host:port``."""
        ...


class NetworkConnector:
    """Real connections."""

    def connect_http(self, base: str, gate: RequestGate | None) -> Wire:
        """See Connector."""
        return Wire(base, gate)

    def connect_grpc(
        self, contract: Contract, address: str, gate: RequestGate | None, *, secure: bool
    ) -> "GrpcProtocol":
        """See Connector."""
        from contract_watch.engine.protocols.grpc_protocols import GrpcProtocol  # noqa: PLC0415 (loads slowly)

        return GrpcProtocol(contract, address, secure=secure, gate=gate)
