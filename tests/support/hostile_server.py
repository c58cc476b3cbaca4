"""Servers on loopback that answer without end, drop by drop, or not at all."""

import contextlib
import functools
import gzip
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BOMB_BYTES = 100_000_000

Script = Callable[[socket.socket, threading.Event], None]
"""Answers one request on a connection, until the event says that the test is over."""


def _repeat(content: bytes, first: bytes, pause: float = 0.0) -> Script:
    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(first)
        while not over.wait(pause) if pause else not over.is_set():
            connection.sendall(content)

    return answer


def _send_body(body: bytes, encoding: str = "") -> Script:
    header = f"Content-Encoding: {encoding}\r\n" if encoding else ""
    content = HEAD + f"{header}Content-Length: {len(body)}\r\n\r\n".encode() + body
    return lambda connection, _over: connection.sendall(content)


@functools.cache
def _build_bomb() -> bytes:
    return gzip.compress(b'{"mock": "' + b"0" * BOMB_BYTES + b'"}', 6)


def _keep_silent(_connection: socket.socket, over: threading.Event) -> None:
    over.wait()


ENDLESS: Mapping[str, Script] = {
    "endless-body": _repeat(b"0" * 65536, HEAD + b"\r\n"),
    "endless-chunks": _repeat(b"1\r\n0\r\n" * 5000, HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
    "endless-headers": _repeat(b"X-More: 1\r\n" * 5000, HEAD),
    "endless-interim": _repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 2000, b""),
    "dripping-body": _repeat(b"0", HEAD + b"\r\n", pause=0.05),
    "dripping-headers": _repeat(b"X-More: 1\r\n", HEAD, pause=0.05),
    "no-answer": _keep_silent,
}
"""Answers that end only by a limit."""


@functools.cache
def build_large_scripts() -> Mapping[str, Script]:
    """Build answers that are small on the wire, or small until they are parsed."""
    return {
        "gzip-bomb": _send_body(_build_bomb(), "gzip"),
        "gzip-bomb-twice": _send_body(gzip.compress(_build_bomb()), "gzip, gzip"),
        "deep-json": _send_body(b"[" * 5_000_000),
        "wide-json": _send_body(b"[" + b"{}," * 2_600_000 + b"{}]"),
    }


@contextmanager
def serve_script(script: Script) -> Iterator[str]:
    """Serve ``script`` on every connection inside the block; yield the address."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def serve_connection(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            script(connection, over)

    def accept_all() -> None:
        with contextlib.suppress(OSError):
            while True:
                threads.append(threading.Thread(target=serve_connection, args=(listener.accept()[0],), daemon=True))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        acceptor = threading.Thread(target=accept_all, daemon=True)
        acceptor.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
    acceptor.join()
    for thread in threads:
        thread.join()
