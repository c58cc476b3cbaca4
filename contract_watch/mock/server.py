"""The mock's server: in a thread for tests, in its own process for ``python -m contract_watch.mock``."""

import asyncio
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any, TypeVar, cast

import uvicorn
from starlette.types import ASGIApp

from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.mock.app import Mock
from contract_watch.mock.clock import SEEDED_STEP, MockClock
from contract_watch.mock.hosts import (
    LOOPBACK,
    ReservedAddresses,
    choose_contact,
    describe_exposure,
    format_address,
    open_socket,
    open_sockets,
    parse_hosts,
)
from contract_watch.mock.protocol import MockProtocol, ServerConfig
from contract_watch.mock.vendor import MockVendor

Result = TypeVar("Result")
_START_TIMEOUT = 10.0
_TICK, _TICKS, _TICKS_A_SECOND = 0.1, 864_000, 10
"""The seconds between two looks at the clock, as uvicorn has them, and their number in a day and in a second."""
PRESET_SNAPSHOT = "preset"
"""The name of the snapshot of a preset's objects, to begin each test with."""


VendorFactory = Callable[[Contract, Mapping[str, str], MockClock, int | None], MockVendor]
"""A function that creates a vendor from its contract, the environment, the clock and the seed; mutants have another."""


def create_vendor(contract: Contract, environment: Mapping[str, str], clock: MockClock, seed: int | None) -> MockVendor:
    """Create a faithful vendor."""
    return MockVendor(contract, environment, clock=clock, seed=seed)


def build_mock(
    contracts: Sequence[Contract],
    environment: Mapping[str, str] | None = None,
    interpretations: Mapping[str, Mapping[str, str]] | None = None,
    create: VendorFactory = create_vendor,
    *,
    seed: int | None = None,
    start: float | None = None,
    preset: str = "",
) -> Mock:
    """Build a mock of ``contracts``.

    ``environment`` provides the accounts' keys (default: the process's environment), ``interpretations`` the values
    that the mock follows, by vendor and name, ``create`` its vendors. With a ``seed``, ids, secrets, times and random faults
    repeat. ``start`` is the time at which the clock starts (default: the real time, or `SEEDED_START`). ``preset`` is a file
    with the objects that exist; the snapshot `PRESET_SNAPSHOT` holds them.

    Raises:
        UsageError: A vendor is not among ``contracts``, or has no such interpretation, or the preset breaks a contract.
    """
    environment = os.environ if environment is None else environment
    chosen = interpretations or {}
    slugs = [contract.slug for contract in contracts]
    if unknown := sorted(chosen.keys() - set(slugs)):
        raise UsageError(f"--interpretation: unknown vendor {unknown[0]!r}; choose from {', '.join(slugs)}")
    clock = MockClock(start=start, step=0.0 if seed is None else SEEDED_STEP)
    vendors = [create(contract, environment, clock, seed) for contract in contracts]
    for vendor in vendors:
        try:
            vendor.set_interpretations(chosen.get(vendor.contract.slug, {}))
        except UsageError as error:
            raise UsageError(f"--interpretation: {error}") from error
    mock = Mock(vendors, environment)
    if seed is not None:
        mock.faults.reseed(seed)
    if preset:
        from contract_watch.mock.preset import load_preset, read_preset_file  # noqa: PLC0415 (few mocks have one)

        load_preset(mock.vendors, read_preset_file(preset), escape_text(preset))
        mock.controls.state.snapshots.take(PRESET_SNAPSHOT)
    return mock


class MockServer(uvicorn.Server):
    """A uvicorn server with a thread-safe ``ready`` event, which also runs native gRPC if a vendor has it."""

    def __init__(
        self,
        app: ASGIApp,
        grpc_addresses: ReservedAddresses,
        on_ready: Callable[[], None] = lambda: None,
        allowed_hosts: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(ServerConfig(app, allowed_hosts))
        self._mock = app if isinstance(app, Mock) and app.grpc_calls else None
        self._grpc_addresses, self._on_ready = grpc_addresses, on_ready
        self._native: Any = None
        self._stopping = asyncio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.ready = threading.Event()
        self.startup_error: UsageError | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server."""
        self.loop = asyncio.get_running_loop()
        if self._mock is not None:
            from contract_watch.mock.grpc import native  # noqa: PLC0415 (gRPC loads slowly, and most vendors have none)

            try:
                self._native = native.NativeGrpcServer(self._mock.grpc_calls)
                await self._native.start(self._grpc_addresses)
            except UsageError as error:
                self._native = None
                self.startup_error, self.should_exit = error, True
                self.ready.set()
                return
            self._mock.controls.grpc_address = self._grpc_addresses.contacts[0]
        await super().startup(sockets)
        self._on_ready()
        self.ready.set()

    async def on_tick(self, counter: int) -> bool:
        """See uvicorn.Server; each second it hangs up on clients that are too slow."""
        if counter % _TICKS_A_SECOND == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                cast(MockProtocol, connection).end_if_slow(now)
        return await super().on_tick(counter)

    async def main_loop(self) -> None:
        """See uvicorn.Server; `stop_at_once` ends it without waiting for the next tick."""
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % _TICKS
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server; after `stop_at_once` it drops requests in progress."""
        if self._native is not None:
            await self._native.stop()
        if self.startup_error is None and not self._stopping.is_set():
            await super().shutdown(sockets)
        elif self.startup_error is None:
            for server in self.servers:
                server.close()
            for connection in list(self.server_state.connections):
                connection.shutdown()
            await asyncio.sleep(0)  # the connections close in the next round of the loop

    def stop_at_once(self) -> None:
        """Stop without waiting for clients; from any thread."""
        self.should_exit = True
        with suppress(RuntimeError):  # the loop has ended by itself
            if self.loop is not None:
                self.loop.call_soon_threadsafe(self._stopping.set)


class MockThread:
    """A mock that is served in a thread on a free port of loopback.

    Attributes:
        origin: ``http://127.0.0.1:port``.
        grpc_address: ``host:port``; empty if no vendor has gRPC.
    """

    def __init__(self, mock: ASGIApp) -> None:
        self._socket = open_socket(0)
        grpc_addresses = ReservedAddresses(LOOPBACK[:1], 0, "GRPC_PORT")
        self._server = MockServer(mock, grpc_addresses, self._set_grpc_address)
        self._mock = mock
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="mock", daemon=True)
        self.origin = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.grpc_address = ""

    def _set_grpc_address(self) -> None:
        self.grpc_address = self._mock.controls.grpc_address if isinstance(self._mock, Mock) else ""

    def _run(self) -> None:
        try:
            self._server.run([self._socket])
        except BaseException as error:
            if self._server.ready.is_set():
                raise
            self._failure = error  # `start` raises it
        finally:
            self._server.ready.set()

    def start(self) -> None:
        """Start the thread and wait until the mock answers; raise RuntimeError, which names the cause, if it does not."""
        self._thread.start()
        is_ready = self._server.ready.wait(_START_TIMEOUT)
        if self._failure is not None:
            problem = f"{type(self._failure).__name__}: {self._failure}"
            raise RuntimeError(f"the mock did not start: {problem}") from self._failure
        if not is_ready or self._server.startup_error is not None:
            problem = str(self._server.startup_error or f"not ready after {_START_TIMEOUT:g} seconds")
            raise RuntimeError(f"the mock did not start: {problem}")

    def call(self, function: Callable[[], Result]) -> Result:
        """Call ``function`` between the requests, on the server's loop, and return its result.

        Raises:
            UsageError: the server has stopped.
        """
        loop = self._server.loop
        if loop is None or threading.current_thread() is self._thread:
            return function()
        done: Future[Result] = Future()

        def complete() -> None:
            try:
                done.set_result(function())
            except BaseException as error:  # noqa: BLE001 (the caller's thread raises it)
                done.set_exception(error)

        try:
            loop.call_soon_threadsafe(complete)
        except RuntimeError:  # the loop is closed
            raise UsageError("the mock has stopped: use the vendor inside its block") from None
        return done.result(_START_TIMEOUT)

    def stop(self) -> None:
        """Stop the server and wait for its thread."""
        self._server.stop_at_once()
        self._thread.join(_START_TIMEOUT)
        self._socket.close()


@contextmanager
def run_in_thread(mock: ASGIApp) -> Iterator[str]:
    """Serve ``mock`` in a thread on a free port of loopback; yield its URL, ``http://127.0.0.1:port``."""
    served = MockThread(mock)
    try:
        served.start()
        yield served.origin
    finally:
        served.stop()


def serve(
    mock: Mock,
    port: int,
    grpc_port: int = 0,
    hosts: Sequence[str] = (),
    allowed_hosts: frozenset[str] = frozenset(),
) -> None:
    """Serve ``mock`` on ``port`` of ``hosts`` (none: loopback), and gRPC on ``grpc_port``, until interrupted.

    Once ready, it prints the addresses, each on its own line, and the credentials that it accepts. Controls may be
    used under the names of ``allowed_hosts`` besides loopback's.

    Raises:
        UsageError: A port is in use, or the same for both; a host is no address of this machine.
    """
    if mock.grpc_calls and port == grpc_port != 0:
        raise UsageError(f"--port and --grpc-port (PORT=, GRPC_PORT=): both are {port}; choose another for one of them")
    # gRPC's core writes the bytes of malformed requests, keys among them, to standard error.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    hosts = hosts or parse_hosts(())
    with ExitStack() as opened:
        grpc_addresses = opened.enter_context(closing(ReservedAddresses(hosts, grpc_port, "GRPC_PORT")))
        if mock.grpc_calls:
            grpc_addresses.reserve()  # the gRPC library prints many lines if the port is in use
        bound = [opened.enter_context(one) for one in open_sockets(hosts, port, "PORT")]
        addresses = [format_address(choose_contact(host), bound[0].getsockname()[1]) for host in hosts]

        def print_addresses() -> None:
            native = grpc_addresses.contacts if mock.grpc_calls else []
            _print_start(mock, addresses, native)

        if warning := describe_exposure(hosts):
            print(warning, file=sys.stderr, flush=True)
        server = MockServer(mock, grpc_addresses, print_addresses, allowed_hosts)
        server.run(bound)
        if server.startup_error is not None:
            raise server.startup_error


def _print_start(mock: Mock, addresses: Sequence[str], grpc_addresses: Sequence[str]) -> None:
    """Print the first addresses, the credentials, and the other addresses."""
    print(f"rest {addresses[0]}", flush=True)
    for address in grpc_addresses[:1]:
        print(f"grpc {address}", flush=True)
    for slug, vendor in mock.vendors.items():
        if vendor.drift:
            print(f"{slug} plays the mutant {vendor.drift}", flush=True)
        _print_credentials(vendor.contract)
    for number, address in enumerate(addresses[1:], 1):
        also = f", grpc {grpc_addresses[number]}" if grpc_addresses else ""
        print(f"also: rest {address}{also}", flush=True)
    print(
        "controls: /__mock/ health, state, snapshots, clock, calls, faults, interpretations. Press Ctrl-C to stop.",
        flush=True,
    )


def _print_credentials(contract: Contract) -> None:
    for credential in contract.credentials:
        is_set = bool(os.environ.get(credential.variable))
        key = "from the environment" if is_set else f"{credential.test} (the test value)"
        print(f"{contract.slug} {credential.variable}: {key}, {credential.about}", flush=True)
    for name, given in contract.given.tables.items():
        print(f"{contract.slug} {given.variable}: {contract.given.values[name]}, {given.about}", flush=True)
