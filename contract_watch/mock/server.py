"""The mock as a running server: in a thread for tests, in its own process for ``python -m contract_watch.mock``."""

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from contract_watch.mock import grpc_native
from contract_watch.mock.app import Mock
from contract_watch.mock.vendor import MockVendor

_START_TIMEOUT = 10.0


class MockProtocol(HttpToolsProtocol):
    """uvicorn's own protocol, which also lends the connection to scripted faults: ASGI cannot break one."""

    def on_message_begin(self) -> None:
        """See HttpToolsProtocol."""
        super().on_message_begin()
        self.scope["extensions"] = {"mock.connection": {"transport": self.transport}}


def build_mock(
    contracts: Sequence[Contract],
    environment: Mapping[str, str] | None = None,
    interpretations: Mapping[str, Mapping[str, str]] | None = None,
) -> Mock:
    """A mock of ``chosen``, with keys from ``environment`` (the process's own by default) and ``readings`` by vendor.

    Raises:
        UsageError: a reading is of no vendor that is served, or not one of its own.
    """
    environment = os.environ if environment is None else environment
    told = interpretations or {}
    if strange := sorted(told.keys() - {contract.slug for contract in contracts}):
        raise UsageError(f"vendor {strange[0]!r} is not served: choose from {', '.join(one.slug for one in contracts)}")
    return Mock([MockVendor(contract, environment, told.get(contract.slug, {})) for contract in contracts], environment)


def open_socket(port: int, variable: str = "PORT", host: str = "127.0.0.1") -> socket.socket:
    """A socket bound to ``port`` on loopback (0: a free one); a `UsageError` that names ``variable`` where it is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"port {port} on {host} cannot be used ({reason}): choose another with {variable}=") from error
    return bound


def build_config(mock: ASGIApp) -> uvicorn.Config:
    """How the mock is served."""
    return uvicorn.Config(
        mock,
        http=MockProtocol,
        loop="uvloop",
        lifespan="off",
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        date_header=True,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )


class _MockServer(uvicorn.Server):
    """A server that says in a thread-safe way when it is ready, with gRPC beside it where some vendor speaks that."""

    def __init__(self, app: ASGIApp, grpc_port: int, on_ready: Callable[[str], None] = lambda _address: None) -> None:
        super().__init__(build_config(app))
        self._mock = app if isinstance(app, Mock) and app.grpc_calls else None
        self._grpc_port, self._on_ready = grpc_port, on_ready
        self._native: Any = None
        self.ready = threading.Event()
        self.startup_error: UsageError | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server."""
        if self._mock is not None:
            try:
                self._native, address = await grpc_native.start_server(self._mock.grpc_calls, self._grpc_port)
            except UsageError as error:
                self.startup_error, self.should_exit = error, True
                self.ready.set()
                return
            self._mock.controls.grpc_address = address
        await super().startup(sockets)
        self._on_ready(self._mock.controls.grpc_address if self._mock is not None else "")
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server."""
        if self._native is not None:
            await grpc_native.stop_server(self._native)
        if self.startup_error is None:
            await super().shutdown(sockets)


@contextmanager
def run_in_thread(mock: ASGIApp) -> Iterator[str]:
    """Serve ``mock`` in a thread on a free port of loopback; gives its address, ``http://127.0.0.1:port``."""
    bound = open_socket(0)
    server = _MockServer(mock, 0)
    thread = threading.Thread(target=server.run, args=([bound],), name="mock", daemon=True)
    thread.start()
    try:
        if not server.ready.wait(_START_TIMEOUT) or server.startup_error is not None:
            raise RuntimeError(f"the mock did not start: {server.startup_error or 'it takes too long'}")
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(_START_TIMEOUT)
        bound.close()


def serve_contracts(
    contracts: Sequence[Contract],
    port: int,
    grpc_port: int = 0,
    interpretations: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Serve contracts on ``port``, and gRPC on ``grpc_port``, until interrupted.

    Prints the addresses, each on a line of its own, and the test credentials.
    """
    mock = build_mock(contracts, interpretations=interpretations)
    bound = open_socket(port)
    open_socket(grpc_port, "GRPC_PORT").close()  # gRPC's library says many lines where a port is taken

    def told(grpc_address: str) -> None:
        print(f"rest 127.0.0.1:{bound.getsockname()[1]}", flush=True)
        if grpc_address:
            print(f"grpc {grpc_address}", flush=True)
        for contract in contracts:
            for credential in contract.credentials:
                given = os.environ.get(credential.variable)
                shown = f"{credential.test} (the test value)" if not given else f"as ${credential.variable} says"
                print(f"{contract.slug} {credential.variable}: {shown}, {credential.about}", flush=True)
        print("controls below /__mock/: health, state, calls, faults, readings. Stop with Ctrl-C.", flush=True)

    server = _MockServer(mock, grpc_port, told)
    server.run([bound])
    if server.startup_error is not None:
        raise server.startup_error
