"""HTTP/1.1 by hand, to send bytes that no library sends, and to read all responses that come back."""

import contextlib
import re
import socket
from dataclasses import dataclass

import httpx

from tests.support.patience import PATIENCE

_HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")
_LENGTH = re.compile(rb"(?im)^content-length: (\d+)\r$")


@dataclass(frozen=True)
class RawResponses:
    """All that a server sent on one connection until it ended it."""

    content: bytes

    @property
    def statuses(self) -> list[int]:
        """The statuses of the responses, in order; fails if anything but whole responses came."""
        statuses, rest = [], self.content
        while rest:
            head = _HEAD.match(rest)
            assert head is not None, rest[:200]
            status, length = int(head[1]), _LENGTH.search(head[2])
            assert length is not None or status == 100, head[0]
            size = int(length[1]) if length is not None else 0
            assert len(rest) >= head.end() + size, "a response is cut"
            statuses.append(status)
            rest = rest[head.end() + size :]
        return statuses


def connect(base: str) -> socket.socket:
    """Open a connection to the server at ``base``."""
    url = httpx.URL(base)
    return socket.create_connection((url.host, url.port or 80), timeout=PATIENCE)


def exchange(base: str, content: bytes, last: bytes = b"") -> RawResponses:
    """Send ``content`` on one connection, then ``last``, and read until the server ends it.

    ``last`` is a request that has the server close the connection; without it the server must do so by itself.
    """
    received = bytearray()
    with connect(base) as connection:
        with contextlib.suppress(OSError):  # a server that refuses may close before it has read everything
            connection.sendall(content + last)
        while True:
            try:
                more = connection.recv(65536)
            except ConnectionResetError:
                break
            if not more:
                break
            received += more
    return RawResponses(bytes(received))
