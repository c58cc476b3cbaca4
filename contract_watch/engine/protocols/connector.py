"""Connectors: they open the connections of a run, or stand-ins where nothing must be sent."""

from typing import TYPE_CHECKING, Protocol

from contract_watch.contracts.registry import Contract
from contract_watch.engine.protocols.encoded_request import RequestGate
from contract_watch.engine.protocols.wire import Wire

if TYPE_CHECKING:
    from contract_watch.engine.protocols.grpc_protocols import GrpcProtocol


class Connector(Protocol):
    """An opener of connections."""

    def connect_http(self, base: str, gate: RequestGate | None) -> Wire:
        """Open an HTTP connection to ``base``, a scheme and an authority."""
        ...

    def connect_grpc(
        self, contract: Contract, address: str, gate: RequestGate | None, *, secure: bool
    ) -> "GrpcProtocol":
        """Open a gRPC connection to ``address``, ``host:port``."""
        ...


class NetworkConnector:
    """A connector that opens real connections."""

    def connect_http(self, base: str, gate: RequestGate | None) -> Wire:
        """Implement `Connector.connect_http`."""
        return Wire(base, gate)

    def connect_grpc(
        self, contract: Contract, address: str, gate: RequestGate | None, *, secure: bool
    ) -> "GrpcProtocol":
        """Implement `Connector.connect_grpc`."""
        from contract_watch.engine.protocols.grpc_protocols import GrpcProtocol  # noqa: PLC0415 (loads slowly)

        return GrpcProtocol(contract, address, secure=secure, gate=gate)
