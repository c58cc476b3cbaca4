"""HTTP/2 by hand, to send gRPC that no library sends. Sources: RFC 9113 (frames), RFC 7541 (headers)."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.patience import PATIENCE

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_END_STREAM, _END_HEADERS, _ACK = 0x1, 0x4, 0x1


def _encode_frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content))[1:] + struct.pack(">BBI", kind, flags, stream) + content


def _encode_header(name: str, value: str) -> bytes:
    """Encode a header as an unindexed literal without Huffman coding; name and value are shorter than 127 bytes."""
    raw_name, raw_value = name.encode(), value.encode(errors="surrogateescape")
    assert len(raw_name) < 127
    assert len(raw_value) < 127
    return b"\x00" + bytes([len(raw_name)]) + raw_name + bytes([len(raw_value)]) + raw_value


class GrpcConnection:
    """Connection to a gRPC server."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=PATIENCE)
        self._socket.sendall(_PREFACE + _encode_frame(_SETTINGS, 0, 0))

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def send_call(self, path: str, key: str, body: bytes) -> None:
        """Send a call with ``body`` unchanged, and end it."""
        headers = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "127.0.0.1", "te": "trailers",
                   "content-type": "application/grpc", "authorization": f"Bearer {key}"}  # fmt: skip
        block = b"".join(_encode_header(name, value) for name, value in headers.items())
        self._socket.sendall(
            _encode_frame(_HEADERS, _END_HEADERS, 1, block) + _encode_frame(_DATA, _END_STREAM, 1, body)
        )

    def wait_for_end(self) -> bool:
        """Return True if the call ends within `PATIENCE`: by a response, a reset, or the end of the connection."""
        try:
            return any(
                (stream == 1 and (kind == _RST or (kind == _HEADERS and flags & _END_STREAM))) or kind == _GOAWAY
                for kind, flags, stream in self._read_frames()
            )
        except TimeoutError:
            return False

    def _read_frames(self) -> Iterator[tuple[int, int, int]]:
        while True:
            head = self._read_bytes(9)
            if not head:
                yield _GOAWAY, 0, 0
                return
            size, (kind, flags, stream) = int.from_bytes(head[:3], "big"), struct.unpack(">BBI", head[3:])
            self._read_bytes(size)
            if kind == _SETTINGS and not flags & _ACK:
                self._socket.sendall(_encode_frame(_SETTINGS, _ACK, 0))
            yield kind, flags, stream & 0x7FFFFFFF

    def _read_bytes(self, size: int) -> bytes:
        content = b""
        while len(content) < size:
            more = self._socket.recv(size - len(content))
            if not more:
                return b""
            content += more
        return content


@contextmanager
def open_connection(address: str) -> Iterator[GrpcConnection]:
    """Open a connection to ``host:port``."""
    connection = GrpcConnection(address)
    try:
        yield connection
    finally:
        connection.close()
