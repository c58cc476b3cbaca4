"""HTTP as the mock's server speaks it: uvicorn's protocol, with limits on what a client may send and how slowly."""

import asyncio
from http import HTTPStatus
from typing import Any, cast

import httptools
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADER_BYTES = 256 * 1024
"""Bytes of the head of one request, and of its trailers, beside at most one read of as many."""
_MAX_HEADERS = 1000
_MAX_HELD = 64 * 1024
"""Bytes of responses that wait to be written together."""
CLIENT_TIMEOUT = 60.0
"""Seconds in which a client must send a whole request, and take more of a response that waits for it."""
IDLE_TIMEOUT = 75.0
"""Seconds for which a connection without a request is kept."""
MAX_UNFINISHED_BYTES = 256 * 1024 * 1024
"""Bytes of the bodies of all requests that have not arrived whole."""
_VERSIONS = ("1.1", "1.0", "0.9")
_INVALID = "Invalid HTTP request received."


def _build_refusal(status: int, text: str = "") -> bytes:
    """Build the bytes of a response that ends its connection."""
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nconnection: close\r\ncontent-length: {len(text)}\r\n"
    return f"{head}content-type: text/plain; charset=utf-8\r\n\r\n{text}".encode("ascii")


_TOO_SLOW, _TOO_MUCH, _HEADERS_TOO_LARGE = _build_refusal(408), _build_refusal(413), _build_refusal(431)


class ServerConfig(uvicorn.Config):
    """uvicorn's configuration for the mock, with the names besides loopback's under which it may be controlled."""

    def __init__(self, app: ASGIApp, allowed_hosts: frozenset[str] = frozenset()) -> None:
        super().__init__(
            app,
            http=MockProtocol,
            ws="none",
            loop="uvloop",
            lifespan="off",
            log_config=None,  # uvicorn's asks standard output if it is a terminal, and there may be none
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            date_header=True,
            timeout_graceful_shutdown=2,
        )
        self.allowed_hosts = allowed_hosts
        self.unfinished_bytes = 0


class _PipelineFlow(FlowControl):
    """Flow control that reads nothing more while requests of the connection wait for their turn.

    uvicorn reads on for every body, so that a client that pipelines faster than it is answered fills the memory.
    """

    def __init__(self, protocol: HttpToolsProtocol) -> None:
        super().__init__(protocol.transport)
        self._protocol = protocol

    def resume_reading(self) -> None:
        """See FlowControl."""
        if not self._protocol.pipeline:
            super().resume_reading()


class _JoiningTransport:
    """A transport that writes when the loop has done its present work: each write of its own would wake a client."""

    __slots__ = ("_held", "_loop", "_size", "_transport", "is_closing")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Write ``data`` soon, with all that is written until then; much at once."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)
        self._size += len(data)
        if self._size >= _MAX_HELD:
            self._flush()

    def _flush(self) -> None:
        held, self._held, self._size = self._held, [], 0
        if held and not self.is_closing():  # a client may be gone by now
            self._transport.writelines(held)

    def close(self) -> None:
        """Close the connection once everything is written."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class MockProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which also passes the transport to scripted faults: ASGI cannot break a connection.

    It hangs up on a client that sends more than the limits above, or is slower than `CLIENT_TIMEOUT`; uvicorn would
    keep both. A refused request changes nothing, and its refusal waits for the responses to the whole requests before
    it: uvicorn would write it in place of them. Requests to upgrade to another protocol are answered as if they had
    not asked: uvicorn would lose their bodies, and Java's client asks with every request.
    """

    config: ServerConfig
    _head_bytes = 0
    """Bytes since the last head or part of a body was complete: those of an unfinished head or of trailers."""
    _is_upgrade = False
    """True while a request is parsed that asks for another protocol, which is parsed once more without that."""
    _unfinished_bytes = 0
    _waiting_since: float | None = None
    """The time at which the client began to owe the rest of a request; None while it owes nothing."""
    _blocked_since: float | None = None
    """The time at which the client stopped taking a response; None while it takes them."""
    _idle_since: float | None = None
    """The time of the last response; None while a request arrives or is answered."""
    _refusal = b""

    def connection_made(self, transport: Any) -> None:
        """See HttpToolsProtocol."""
        transport = _JoiningTransport(transport, self.loop)
        super().connection_made(cast(Any, transport))
        self.flow = _PipelineFlow(self)
        self._extensions = {"mock.connection": {"transport": transport, "allowed_hosts": self.config.allowed_hosts}}
        self._waiting_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """See HttpToolsProtocol."""
        self._finish_body()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See HttpToolsProtocol."""
        if self._refusal:
            return
        self._idle_since = None
        self._head_bytes += len(data)
        if self._waiting_since is None:
            self._waiting_since = self.loop.time()
        try:
            self._feed_parser(data)
        except httptools.HttpParserError:
            self.send_400_response(_INVALID)
        if self._head_bytes > MAX_HEADER_BYTES:
            self._refuse(_HEADERS_TOO_LARGE)

    def _feed_parser(self, data: bytes) -> None:
        rest: bytes | memoryview = data
        while True:
            try:
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                rest = memoryview(data)[len(data) - len(rest) + upgrade.args[0] :]
                self._begin_again_without_upgrade()
            else:
                return

    def _begin_again_without_upgrade(self) -> None:
        """Give the request line and headers to a new parser, without the header that makes it ignore the body."""
        version = self.parser.get_http_version().encode()
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + version]
        lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"\r\n".join([*lines, b"", b""]))

    def on_message_begin(self) -> None:
        """See HttpToolsProtocol."""
        super().on_message_begin()
        if self._waiting_since is None:
            self._waiting_since = self.loop.time()
        cast(Any, self.scope)["extensions"] = self._extensions

    def on_headers_complete(self) -> None:
        """See HttpToolsProtocol; an absolute target names the host, whatever ``Host`` says (RFC 9112, 3.2.2)."""
        if len(self.headers) > _MAX_HEADERS or (self._head_bytes > MAX_HEADER_BYTES and self._is_head_too_large()):
            self._refuse(_HEADERS_TOO_LARGE)
            raise ValueError("too many headers")  # ends the parsing, so that the request is not carried out
        self._head_bytes = 0
        self._is_upgrade = self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"
        if self._is_upgrade:
            return
        if self.parser.get_http_version() not in _VERSIONS:
            raise ValueError("unknown version")  # the parser takes HTTP/2.0 in a request line too
        if self.url[:1] != b"/":
            target = httptools.parse_url(self.url)
            if target.host:
                port = b"" if target.port is None else b":%d" % target.port
                self.headers[:] = [header for header in self.headers if header[0] != b"host"]
                self.headers.append((b"host", target.host + port))
        super().on_headers_complete()

    def _is_head_too_large(self) -> bool:
        """Return True if the head alone is too large: what was read may be a body too."""
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MAX_HEADER_BYTES

    def on_body(self, body: bytes) -> None:
        """See HttpToolsProtocol."""
        self._head_bytes = 0
        if self.cycle.response_complete:
            return
        self._unfinished_bytes += len(body)
        self.config.unfinished_bytes += len(body)
        if self.config.unfinished_bytes > MAX_UNFINISHED_BYTES:
            self._refuse(_TOO_MUCH)
            raise ValueError("too many bytes")  # ends the parsing
        super().on_body(body)

    def _finish_body(self) -> None:
        self.config.unfinished_bytes -= self._unfinished_bytes
        self._unfinished_bytes = 0

    def on_message_complete(self) -> None:
        """See HttpToolsProtocol."""
        if self._is_upgrade:
            return
        self._waiting_since = None
        self._head_bytes = 0
        self._finish_body()
        super().on_message_complete()
        self.cycle.more_body = False  # uvicorn forgets it if the response was complete before the request

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed."""
        self._refuse(_build_refusal(400, msg))

    def _refuse(self, response: bytes) -> None:
        """End the connection with ``response``, after the responses to the whole requests before."""
        if self._refusal or self.transport.is_closing():
            return
        self._refusal = response
        self._waiting_since = None
        cycle = self.cycle
        if self.pipeline:
            if cycle.more_body:
                self.pipeline.popleft()  # the refused request itself
        elif cycle is None or cycle.response_complete or cycle.more_body:
            self._end_with_refusal()

    def _end_with_refusal(self) -> None:
        has_begun = self.cycle is not None and self.cycle.more_body and self.cycle.response_started
        if not has_begun and not self.transport.is_closing():
            self.transport.write(self._refusal)
        self.transport.close()

    def on_response_complete(self) -> None:
        """See HttpToolsProtocol."""
        self._finish_body()
        if self.pipeline:
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        if self._refusal:
            self._end_with_refusal()
        elif not self.transport.is_closing():
            self.flow.resume_reading()
            self._idle_since = self.loop.time()  # `end_if_slow` looks at it, so that no response sets a timer

    def pause_writing(self) -> None:
        """See HttpToolsProtocol."""
        self._blocked_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """See HttpToolsProtocol."""
        self._blocked_since = None
        super().resume_writing()

    def end_if_slow(self, now: float) -> None:
        """Hang up if the client owes the rest of a request, or takes no response, for longer than `CLIENT_TIMEOUT`."""
        if self._blocked_since is None and self.transport.is_closing():
            self._blocked_since = now  # the rest of a response that nobody takes must not keep the connection
        if self._idle_since is not None and now - self._idle_since > IDLE_TIMEOUT:
            self.transport.close()
        if self._blocked_since is not None and now - self._blocked_since > CLIENT_TIMEOUT:
            self.transport.abort()
        elif self._waiting_since is None:
            return
        elif self.flow.read_paused:
            self._waiting_since = now  # the mock itself does not read on
        elif now - self._waiting_since > CLIENT_TIMEOUT:
            if self.scope is None:
                self.transport.close()  # a connection that nothing was sent on
            else:
                self._refuse(_TOO_SLOW)
