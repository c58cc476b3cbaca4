"""A server of raw bytes for the tests of client packages: a script of answers, and a record of everything that came."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.patience import PATIENCE

Play = Callable[[socket.socket, threading.Event], None]
"""Answers one request in its own way; the connection is closed afterwards. The event says that the test is over."""
RawAnswer = bytes | Play
"""Bytes leave the connection open for the next request."""


@dataclass(frozen=True)
class RawRequest:
    """A request as it came, header names in lower case; ``pairs`` has every header, repeated ones too."""

    method: str
    target: str
    pairs: tuple[tuple[str, str], ...]
    content: bytes

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by name."""
        return dict(self.pairs)

    @property
    def json_body(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)


def respond(status: int = 200, body: Any = None, *, content: bytes | None = None, **headers: str) -> bytes:
    """Return a complete response: ``body`` as JSON, or ``content``; names of ``headers`` have ``_`` for ``-``."""
    data = json.dumps(body).encode() if content is None else content
    lines = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    length = "" if status in (204, 304) else f"Content-Length: {len(data)}\r\n"
    return f"HTTP/1.1 {status} As it is\r\n{head}{length}\r\n".encode() + (b"" if status in (204, 304) else data)


def respond_html(status: int, **headers: str) -> bytes:
    """Return the error page of a proxy."""
    return respond(status, content=b"<html><h1>It went wrong</h1></html>", Content_Type="text/html", **headers)


def cut(answer: bytes, length: int) -> Play:
    """Send the first ``length`` bytes, a negative number counts from the end, and close."""
    return lambda connection, _over: connection.sendall(answer[:length])


def hang_up(_connection: socket.socket, _over: threading.Event) -> None:
    """Close without a byte."""


def reset(connection: socket.socket, _over: threading.Event) -> None:
    """Break the connection as a firewall does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def keep_silent(_connection: socket.socket, over: threading.Event) -> None:
    """Send nothing until the test is over."""
    over.wait()


def drip(first: bytes, drop: bytes) -> Play:
    """Send ``first``, then ``drop`` again and again with pauses."""

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(first)
        while not over.wait(0.02):
            connection.sendall(drop)

    return answer


class RawServer:
    """Plays ``script`` in order, then ``default`` again and again; ``requests`` are all that came."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.address: tuple[str, int] = listener.getsockname()
        self.url = f"http://127.0.0.1:{self.address[1]}"
        self.script: list[RawAnswer] = []
        self.default: RawAnswer = respond(500, {})
        self.greeting: Play | None = None
        """Plays on every connection in place of an answer, before anything is read."""
        self.requests: list[RawRequest] = []
        self.connections = 0
        self._open: set[socket.socket] = set()
        self._over = threading.Event()
        self._news = threading.Condition()
        self._threads: list[threading.Thread] = []

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until something that came makes ``condition`` true."""
        with self._news:
            assert self._news.wait_for(condition, PATIENCE)

    @property
    def open_connections(self) -> int:
        """The number of connections that neither side has closed."""
        return len(self._open)

    def _serve(self, connection: socket.socket) -> None:
        try:
            self._converse(connection)
        finally:
            with self._news:
                self._open.discard(connection)
                self._news.notify_all()

    def _converse(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError), connection.makefile("rb") as stream:
            if self.greeting is not None:
                self.greeting(connection, self._over)
                return
            while (request := _read_request(stream)) is not None:
                with self._news:
                    self.requests.append(request)
                    answer = self.script.pop(0) if self.script else self.default
                    self._news.notify_all()
                if not isinstance(answer, bytes):
                    answer(connection, self._over)
                    break
                connection.sendall(answer)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with self._news:
                    self.connections += 1
                    self._open.add(connection)
                self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
                self._threads[-1].start()

    @contextmanager
    def run(self) -> Iterator["RawServer"]:
        """Serve until the block ends."""
        acceptor = threading.Thread(target=self._accept, daemon=True)
        acceptor.start()
        try:
            yield self
        finally:
            self._over.set()
            self._listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            with self._news:
                for connection in self._open:
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
            for thread in self._threads:
                thread.join()


def _read_request(stream: Any) -> RawRequest | None:
    line = stream.readline().decode("latin-1")
    if not line.strip():
        return None
    pairs = []
    while (header := stream.readline().decode("latin-1")) not in ("\r\n", ""):
        name, _, value = header.partition(":")
        pairs.append((name.strip().lower(), value.strip()))
    method, target, *_ = line.split(" ")
    return RawRequest(method, target, tuple(pairs), stream.read(int(dict(pairs).get("content-length", 0))))


@contextmanager
def serve_raw(host: str = "127.0.0.1") -> Iterator[RawServer]:
    """Run a server for the duration of the block."""
    with socket.create_server((host, 0), backlog=128) as listener, RawServer(listener).run() as server:
        yield server
