"""No call takes longer than its time-out, however slowly the server sends."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from scripts.soak.client_packages import ClientPackage
from tests.support.clients.doors import BOTH_WAYS, EVERY_PACKAGE, fail_once, get_package
from tests.support.clients.raw_server import RawAnswer, RawServer, drip, keep_silent, respond

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SLOW: dict[str, RawAnswer] = {
    "silence": keep_silent,
    "a dripping status line": drip(b"HTTP/1.1 200 ", b"O"),
    "dripping headers": drip(HEAD, b"X-More: 1\r\n"),
    "a dripping body": drip(HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
    "a dripping body without length": drip(HEAD + b"\r\n", b" "),
    "dripping chunks": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "dripping interim responses": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}
SHORT = 0.12


@EVERY_PACKAGE
@BOTH_WAYS
def test_a_slow_response_is_a_timeout(package: ClientPackage, way: str, server: RawServer) -> None:
    """A body or header that drips ends at the time-out of the client: `APITimeoutError`, an `APIConnectionError`."""
    names = SLOW if package.slug == "jetemail" else ["dripping headers", "a dripping body"]  # all share the module
    for name in names:
        answer = SLOW[name]
        server.default = answer
        error = fail_once(package, way, server.url, package.create, timeout=SHORT)
        assert (name, type(error).__name__) == (name, "APITimeoutError")
        assert isinstance(error, package.load("errors").APIConnectionError)
        assert error.attempts == 1


@EVERY_PACKAGE
@BOTH_WAYS
def test_a_call_has_a_timeout_of_its_own(package: ClientPackage, way: str, server: RawServer) -> None:
    """``timeout`` of one call replaces the client's."""
    server.default = keep_silent
    error = fail_once(package, way, server.url, package.create, timeout=10_000, call_options={"timeout": SHORT})
    assert type(error).__name__ == "APITimeoutError"


@EVERY_PACKAGE
def test_the_defaults_are_5_and_30_seconds(package: ClientPackage) -> None:
    """Making a connection may take 5 seconds, one attempt 30; waiting for a free connection is no connecting."""
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(package.read.status, content=package.read.body)

    with package.load().connect(package.key, base_url="http://127.0.0.1", transport=httpx.MockTransport(answer)) as api:
        getattr(api, package.read.method)(**package.read.arguments)
    assert seen == [{"connect": 5, "read": 30, "write": 30, "pool": 30}]


@pytest.fixture(name="full")
def _full() -> Iterator[str]:
    """Give a port on which no further connection is accepted: its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = listener.getsockname()[1]
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield f"http://127.0.0.1:{port}"


@BOTH_WAYS
def test_connecting_has_a_time_limit(way: str, full: str) -> None:
    """A server that does not accept is an `APITimeoutError`, and nothing was sent."""
    package = get_package("jetemail")
    error = fail_once(package, way, full, package.create, connect_timeout=SHORT)
    assert type(error).__name__ == "APITimeoutError"
    assert "the connection was not made in time" in str(error)


def test_all_addresses_of_a_host_share_the_time_to_connect(full: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with twenty dead addresses takes no twentyfold time: each gets its share."""
    package = get_package("jetemail")
    port = int(full.rpartition(":")[2])
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{number}", port)) for number in range(1, 21)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    shares: list[float] = []
    connect = socket.create_connection

    def record(address: Any, timeout: float, *more: Any, **options: Any) -> socket.socket:
        shares.append(timeout)
        return connect(address, timeout, *more, **options)

    monkeypatch.setattr(socket, "create_connection", record)
    error = fail_once(package, "sync", f"http://localhost:{port}", package.create, connect_timeout=2.0)
    assert type(error).__name__ in ("APITimeoutError", "APIConnectionError")
    assert len(shares) == 20
    assert shares[0] <= 2.0 / 20


@BOTH_WAYS
def test_a_transport_of_the_caller_is_bounded(way: str) -> None:
    """Also a transport that knows no time-outs ends at the deadline."""
    package = get_package("jetemail")

    class _Endless(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b" "

        async def __aiter__(self) -> Any:
            while True:
                await asyncio.sleep(0)
                yield b" "

    class _EndlessTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002 - its signature in the library
            return httpx.Response(200, stream=_Endless())

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002 - as above
            return httpx.Response(200, stream=_Endless())

    error = fail_once(package, way, "http://127.0.0.1", package.create, transport=_EndlessTransport(), timeout=SHORT)
    assert type(error).__name__ == "APITimeoutError"


@BOTH_WAYS
def test_a_timeout_leaves_the_connection_usable(way: str, server: RawServer) -> None:
    """After a time-out the next call works, on a new connection."""
    package = get_package("jetemail")
    server.script = [keep_silent, respond(200, content=package.read.body)]
    module = package.load()

    async def run() -> None:
        async with module.aconnect(package.key, base_url=server.url, max_retries=0) as api:
            with pytest.raises(module.errors.APITimeoutError):
                await api.list_smtp_users(timeout=SHORT)
            await api.list_smtp_users()

    if way == "async":
        asyncio.run(run())
    else:
        with module.connect(package.key, base_url=server.url, max_retries=0) as api:
            with pytest.raises(module.errors.APITimeoutError):
                api.list_smtp_users(timeout=SHORT)
            api.list_smtp_users()
    assert server.connections == 2
