"""Every fetch ends in time, whatever the server, the name resolution or the network does."""

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import pytest

from contract_watch.diff.document.fetching import FetchedDocument, FetchLimits, fetch_document
from tests.support.documents.fetches import fetch_refusal, make_document_response
from tests.support.loopback_server import WAIT, LoopbackResponse, serve_app


@contextmanager
def serve_dripping(first: bytes, drop: bytes) -> Iterator[str]:
    """Run a server that sends ``first``, and then ``drop`` again and again with a pause."""
    over = threading.Event()

    def serve() -> None:
        with bound, bound.accept()[0] as line:
            line.sendall(first)
            for _ in range(2000):
                if over.wait(0.02):
                    return
                line.sendall(drop)

    def serve_until_nobody_listens() -> None:
        try:
            serve()
        except OSError:
            over.set()

    bound = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve_until_nobody_listens, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{bound.getsockname()[1]}"
    finally:
        over.set()
        thread.join(WAIT)


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"), (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\xff", b"\0\0\0\xff\xff"),
    ],
    ids=["headers", "hints", "body", "chunks", "gzip"],
)  # fmt: skip
def test_no_fetch_lasts_longer_than_its_deadline(first: bytes, drop: bytes) -> None:
    """A fetch ends at its deadline, though the server sends something all the time and no pause is too long."""
    begin = time.monotonic()
    with serve_dripping(first, drop) as location:
        line = fetch_refusal(f"http://{location}/a", limits=FetchLimits(read=30.0, total=0.5))
        assert line == f"http://{location}/a: no complete response in time; try again later"
    assert time.monotonic() - begin > 0.4


def test_a_redirect_does_not_begin_a_new_deadline() -> None:
    """Slow redirects share one deadline."""
    held = threading.Event()

    def app(_asked: Any) -> LoopbackResponse:
        held.wait(0.2)
        return LoopbackResponse(301, content=b"", headers={"Location": "/again"})

    with serve_app(app) as server:
        assert "no complete response in time" in fetch_refusal(server.url, limits=FetchLimits(total=0.5))
        assert len(server.requests) < 6


def test_a_server_that_says_nothing_is_given_up() -> None:
    """A server that does not respond is given up after a bounded pause."""
    with serve_dripping(b"", b"") as location:
        line = fetch_refusal(f"http://{location}/", limits=FetchLimits(read=0.2, total=WAIT))
        assert line == f"http://{location}/: no complete response in time; try again later"


def test_a_server_that_is_not_there_is_given_up() -> None:
    """A closed port and an unknown name result in one line."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    for url in (
        f"http://127.0.0.1:{port}/",
        f"https://127.0.0.1:{port}/",
        "https://name.invalid/",
        f"https://{'a' * 70}.invalid/",
    ):
        assert "refuses connections, or its name is unknown" in fetch_refusal(url)


@pytest.mark.parametrize(
    ("said", "words"), [(b"HTTP/1.1 400 No\r\n\r\n", "no trusted TLS connection"), (b"", "no connection in time")]
)
def test_without_tls_nothing_is_sent(said: bytes, words: str) -> None:
    """A server without TLS is given up in time, whether it sends HTTP or nothing."""
    with serve_dripping(said, said) as location:
        assert words in fetch_refusal(f"https://{location}/", limits=FetchLimits(connect=0.4))


def test_a_look_up_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name resolution that never ends is given up, though the system has no timeout for it."""
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_named: [over.wait(WAIT)][:0])
    assert "no connection in time" in fetch_refusal("https://name.invalid/", limits=FetchLimits(connect=0.2))
    over.set()


def test_all_addresses_of_a_name_have_one_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred silent addresses of one name share one timeout."""
    given: list[float] = []

    def connect(_self: Any, _host: str, _port: int, timeout: float, *_more: Any) -> None:
        given.append(timeout)
        threading.Event().wait(min(timeout, 0.1))
        raise httpcore.ConnectTimeout

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.1.{number}", 1)) for number in range(100)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_named: found)
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    assert "no connection in time" in fetch_refusal("https://name.invalid/", limits=FetchLimits(connect=0.35))
    assert 1 < len(given) <= 4
    assert all(later < earlier - 0.09 for earlier, later in itertools.pairwise(given))


def test_a_connection_that_comes_too_late_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that comes after the deadline is closed before TLS begins."""
    closed: list[bool] = []

    class SlowStream(httpcore.NetworkStream):
        def close(self) -> None:
            closed.append(True)

    def connect(*_given: Any) -> httpcore.NetworkStream:
        threading.Event().wait(0.25)
        return SlowStream()

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    assert "no complete response in time" in fetch_refusal("https://127.0.0.1:1/", limits=FetchLimits(total=0.2))
    assert closed == [True]


def test_the_next_address_is_tried_where_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second address of a name is tried if the first refuses."""
    with serve_app(lambda _asked: make_document_response()) as server:
        port = server.server_port
        found = [(0, socket.SOCK_STREAM, 6, "", (host, port)) for host in ("::1", "127.0.0.1")]
        looked_up = socket.getaddrinfo
        names: dict[str, Callable[[], Any]] = {"localhost": lambda: found}
        monkeypatch.setattr(
            socket, "getaddrinfo",
            lambda host, *given, **named: names.get(host, lambda: looked_up(host, *given, **named))(),
        )  # fmt: skip
        assert isinstance(fetch_document(f"http://localhost:{port}/"), FetchedDocument)
