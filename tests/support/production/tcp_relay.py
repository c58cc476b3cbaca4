"""TCP relay in front of a server, so that connections can be reset, ended early or refused."""

import asyncio
import socket
import struct
from collections.abc import Coroutine, Iterator
from typing import Any

_HOST = "127.0.0.1"
_PREFACE_LENGTH = 24
_DATA, _HEADERS = 0, 1
_END_STREAM, _END_HEADERS = 0x1, 0x4


class RelayedConnection(asyncio.Protocol):
    """A client's connection, and the one to the server."""

    def __init__(self, relay: "TcpRelay") -> None:
        self._relay = relay
        self._front: asyncio.Transport | None = None
        self._back: asyncio.Transport | None = None
        self._early = bytearray()
        self._frames = StreamTracker()
        self._is_broken = False

    @property
    def stream(self) -> int:
        """Return the HTTP/2 stream that the client opened last."""
        return self._frames.stream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Implement `asyncio.Protocol.connection_made`."""
        assert isinstance(transport, asyncio.Transport)
        self._front = transport
        self._relay.connections.add(self)
        self._relay.start_task(self._connect())

    async def _connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: _ServerConnection(self), *self._relay.server)
        except OSError:
            self.reset()

    def attach_server(self, back: asyncio.Transport) -> None:
        """Attach the connection to the server."""
        self._back = back
        if self._is_broken or self._front is None:
            back.abort()
            return
        self._relay.ports[back.get_extra_info("sockname")[1]] = self
        back.write(bytes(self._early))
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        """Implement `asyncio.Protocol.data_received`."""
        if self._relay.http2:
            self._frames.feed_bytes(data)
        if self._back is None:
            self._early += data
        else:
            self._back.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Implement `asyncio.Protocol.connection_lost`."""
        del exc
        self._front = None
        self._relay.connections.discard(self)
        if self._back is not None:
            self._relay.ports.pop(self._back.get_extra_info("sockname")[1], None)
            self._back.abort()

    def forward_response(self, data: bytes) -> None:
        """Forward ``data`` from the server to the client."""
        if self._front is not None and not self._is_broken:
            self._front.write(data)

    def close_by_server(self) -> None:
        """Close after the server has hung up."""
        if self._front is not None:
            self._front.close()

    def reset(self) -> None:
        """Break the connection so that the client sees a reset."""
        self._is_broken = True
        if self._front is not None:
            known: socket.socket = self._front.get_extra_info("socket")
            known.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._front.abort()

    def send_and_close(self, content: bytes) -> None:
        """Send ``content`` unchanged instead of the server's response, and hang up."""
        self._is_broken = True
        if self._front is not None:
            self._front.write(content)
            self._front.close()


class _ServerConnection(asyncio.Protocol):
    def __init__(self, link: RelayedConnection) -> None:
        self._link = link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._link.attach_server(transport)

    def data_received(self, data: bytes) -> None:
        self._link.forward_response(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._link.close_by_server()


class TcpRelay:
    """Relay to ``server`` (host and port) on a port that stays the same while it is closed and opened."""

    def __init__(self, server: tuple[str, int], *, http2: bool = False) -> None:
        self.server, self.http2 = server, http2
        self.connections: set[RelayedConnection] = set()
        self.ports: dict[int, RelayedConnection] = {}
        self.port = 0
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, port: int = 0) -> None:
        """Listen on ``port`` (0: a free one, later the same again)."""
        if self._listener is None:
            loop = asyncio.get_running_loop()
            self._listener = await loop.create_server(lambda: RelayedConnection(self), _HOST, port or self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop listening and break all connections."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for link in list(self.connections):
            link.reset()

    def find_connection(self, port: int) -> RelayedConnection | None:
        """Find the connection by its client's ``port``."""
        return self.ports.get(port)

    def start_task(self, work: Coroutine[Any, Any, None]) -> None:
        """Start ``work`` as a task."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class StreamTracker:
    """Follows a client's HTTP/2 frames to find the stream that it opened last."""

    def __init__(self) -> None:
        self.stream = 0
        self._skip, self._head = _PREFACE_LENGTH, bytearray()

    def feed_bytes(self, data: bytes) -> None:
        """Process received bytes."""
        for byte in self._iterate_header_bytes(data):
            self._head.append(byte)
            if len(self._head) == 9:
                size, kind = int.from_bytes(self._head[:3], "big"), self._head[3]
                if kind == _HEADERS:
                    self.stream = int.from_bytes(self._head[5:9], "big") & 0x7FFFFFFF
                self._skip = size
                self._head.clear()

    def _iterate_header_bytes(self, data: bytes) -> Iterator[int]:
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip, at = self._skip - step, at + step
            else:
                yield data[at]
                at += 1


def encode_http2_response(stream: int, status: int, media: str, content: bytes, missing: int = 0) -> bytes:
    """Encode an HTTP/2 response on ``stream``; with ``missing`` bytes of its body omitted, it ends within the body."""
    headers = {":status": str(status), "content-type": media}
    block = b"".join(
        b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in headers.items()
    )
    ends = 0 if missing else _END_STREAM
    head = _encode_frame_header(len(block), _HEADERS, _END_HEADERS, stream) + block
    return head + _encode_frame_header(len(content) + missing, _DATA, ends, stream) + content


def _encode_frame_header(size: int, kind: int, flags: int, stream: int) -> bytes:
    return struct.pack(">I", size)[1:] + struct.pack(">BBI", kind, flags, stream)
