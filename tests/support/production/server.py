"""Servers of a fake vendor: uvicorn and gRPC, each behind a relay whose connections can be broken."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import uvicorn

from contract_watch.mock.grpc.calls import GrpcCalls
from contract_watch.mock.vendor import MAX_BODY
from tests.support.production.front_state import FrontState
from tests.support.production.grpc_front import GrpcFront
from tests.support.production.http_front import HttpFront
from tests.support.production.tcp_relay import TcpRelay


class FakeProductionServer(uvicorn.Server):
    """Uvicorn behind a relay, and gRPC behind another if the vendor has it; a callback reports that both listen."""

    def __init__(
        self,
        gate: HttpFront,
        front: FrontState,
        calls: GrpcCalls | None,
        ports: tuple[int, int],
        on_listening: Callable[[], None],
    ) -> None:
        settings: dict[str, Any] = {
            "lifespan": "off",
            "log_level": "critical",
            "access_log": False,
            "server_header": False,
        }
        super().__init__(
            uvicorn.Config(
                gate,
                loop="asyncio",
                proxy_headers=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=2,
                **settings,
            )
        )
        self._front, self._calls, self._ports, self._on_listening = front, calls, ports, on_listening
        self._native: Any = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.error: OSError | None = None

    async def startup(self, sockets: Any = None) -> None:
        """Implement `uvicorn.Server.startup`."""
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        try:
            relay = self._front.relays["rest"] = TcpRelay(sockets[0].getsockname())
            await relay.open(self._ports[0])
            if self._calls is not None:
                self._native = grpc.aio.server(
                    options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", MAX_BODY)]
                )
                self._native.add_generic_rpc_handlers((GrpcFront(self._front, self._calls),))
                behind = self._native.add_insecure_port("127.0.0.1:0")
                await self._native.start()
                relay = self._front.relays["grpc"] = TcpRelay(("127.0.0.1", behind), http2=True)
                await relay.open(self._ports[1])
        except OSError as error:
            self.error, self.should_exit = error, True
        self._on_listening()

    async def shutdown(self, sockets: Any = None) -> None:
        """Implement `uvicorn.Server.shutdown`."""
        self._front.close_ports()
        if self._native is not None:
            await self._native.stop(0)
        await super().shutdown(sockets)
