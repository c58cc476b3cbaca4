"""The mock's server: in a thread for tests, in its own process for ``python -m contract_watch.mock``."""

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
from contract_watch.mock.app import Mock
from contract_watch.mock.call_log import CallLog
from contract_watch.mock.clock import MockClock
from contract_watch.mock.vendor import MockVendor

_START_TIMEOUT = 10.0
MAX_HEADER_BYTES = 256 * 1024
"""Bytes of the headers and trailers of one request, as memory counts them."""
_HEADER_OVERHEAD = 32
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class MockProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which also passes the transport to scripted faults: ASGI cannot break a connection.

    It hangs up on a client whose headers or trailers take more than `MAX_HEADER_BYTES`; uvicorn would keep them all.
    """

    _header_bytes = 0

    def on_message_begin(self) -> None:
        """See HttpToolsProtocol."""
        super().on_message_begin()
        self._header_bytes = 0
        self.scope["extensions"] = {"mock.connection": {"transport": self.transport}}

    def on_header(self, name: bytes, value: bytes) -> None:
        """See HttpToolsProtocol."""
        self._header_bytes += len(name) + len(value) + _HEADER_OVERHEAD
        if self._header_bytes <= MAX_HEADER_BYTES:
            super().on_header(name, value)
        elif not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()


def build_mock(
    contracts: Sequence[Contract],
    environment: Mapping[str, str] | None = None,
    interpretations: Mapping[str, Mapping[str, str]] | None = None,
) -> Mock:
    """Build a mock of ``contracts``.

    ``environment`` provides the accounts' keys (default: the process's environment), ``interpretations`` the values
    that the mock follows, by vendor and name.

    Raises:
        UsageError: A vendor is not among ``contracts``, or has no such interpretation.
    """
    environment = os.environ if environment is None else environment
    chosen = interpretations or {}
    slugs = [contract.slug for contract in contracts]
    if unknown := sorted(chosen.keys() - set(slugs)):
        raise UsageError(f"--interpretation: unknown vendor {unknown[0]!r}; choose from {', '.join(slugs)}")
    clock = MockClock()
    vendors = [MockVendor(contract, environment, clock=clock) for contract in contracts]
    for vendor in vendors:
        try:
            vendor.set_interpretations(chosen.get(vendor.contract.slug, {}))
        except UsageError as error:
            raise UsageError(f"--interpretation: {error}") from error
    return Mock(vendors, environment)


def open_socket(port: int, variable: str = "PORT", host: str = "127.0.0.1") -> socket.socket:
    """Bind a socket to ``port`` on ``host`` (0: a free one); if it is in use, raise `UsageError` naming ``variable``."""
    # asyncio switches Nagle's algorithm off only for sockets whose protocol is given; without, each response takes 40 ms.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"port {port} on {host} cannot be used ({reason}); choose another with {variable}=") from error
    return bound


def build_config(mock: ASGIApp) -> uvicorn.Config:
    """Build uvicorn's configuration for the mock."""
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
    """A uvicorn server with a thread-safe ``ready`` event, which also runs native gRPC if a vendor has it."""

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
            from contract_watch.mock.grpc import native  # noqa: PLC0415 (gRPC loads slowly, and most vendors have none)

            try:
                self._native = native.NativeGrpcServer(self._mock.grpc_calls)
                address = await self._native.start(self._grpc_port)
            except UsageError as error:
                self._native = None
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
            await self._native.stop()
        if self.startup_error is None:
            await super().shutdown(sockets)


@contextmanager
def run_in_thread(mock: ASGIApp) -> Iterator[str]:
    """Serve ``mock`` in a thread on a free port of loopback; yield its URL, ``http://127.0.0.1:port``."""
    bound = open_socket(0)
    server = _MockServer(mock, 0)
    thread = threading.Thread(target=server.run, args=([bound],), name="mock", daemon=True)
    thread.start()
    try:
        if not server.ready.wait(_START_TIMEOUT) or server.startup_error is not None:
            problem = server.startup_error or f"not ready after {_START_TIMEOUT:g} seconds"
            raise RuntimeError(f"the mock did not start: {problem}")
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
    *,
    is_logging: bool = False,
) -> None:
    """Serve contracts on ``port``, and gRPC on ``grpc_port``, until interrupted.

    Once ready, it prints the addresses, each on its own line, and the credentials that it accepts. With ``is_logging`` it
    writes a line for each request to standard error.
    """
    mock = build_mock(contracts, interpretations=interpretations)
    if is_logging:
        mock.journal.on_call = CallLog().write
    bound = open_socket(port)
    open_socket(grpc_port, "GRPC_PORT").close()  # the gRPC library prints many lines if the port is in use

    def print_addresses(grpc_address: str) -> None:
        print(f"rest 127.0.0.1:{bound.getsockname()[1]}", flush=True)
        if grpc_address:
            print(f"grpc {grpc_address}", flush=True)
        for contract in contracts:
            for credential in contract.credentials:
                is_set = bool(os.environ.get(credential.variable))
                key = "from the environment" if is_set else f"{credential.test} (the test value)"
                print(f"{contract.slug} {credential.variable}: {key}, {credential.about}", flush=True)
            for name, given in contract.given.tables.items():
                print(f"{contract.slug} {given.variable}: {contract.given.values[name]}, {given.about}", flush=True)
        print("controls: /__mock/ health, state, calls, faults, interpretations. Press Ctrl-C to stop.", flush=True)

    server = _MockServer(mock, grpc_port, print_addresses)
    server.run([bound])
    if server.startup_error is not None:
        raise server.startup_error
