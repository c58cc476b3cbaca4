"""A server for tests over real HTTP on a free loopback port, with a record of all requests."""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.patience import PATIENCE

WAIT = 20.0
"""Seconds to wait for an event that a test expects."""


@dataclass(frozen=True)
class ReceivedRequest:
    """Received request with lower-case header names."""

    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def json_body(self) -> Any:
        """Return the body as JSON; None if it is none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True)
class LoopbackResponse:
    """Response of a server: a JSON ``body``, or ``content`` unchanged. ``length`` is a false Content-Length."""

    status: int
    body: Any = None
    content: bytes | None = None
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    declared_length: int | None = None

    def encode(self) -> bytes:
        """Encode the response for the connection."""
        content = json.dumps(self.body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        content = content if self.content is None else self.content
        length = len(content) if self.declared_length is None else self.declared_length
        headers = {"Content-Type": self.media_type, "Content-Length": str(length), **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
        return f"HTTP/1.1 {self.status} As it is\r\n{head}\r\n".encode("latin-1") + content


App = Callable[[ReceivedRequest], LoopbackResponse | bytes | None]
"""Returns a response, raw bytes, or None to hang up; the connection closes after the last two."""


class LoopbackServer(ThreadingHTTPServer):
    """Server of an `App` on a free loopback port. ``requests`` are all requests in order, ``connections`` their number."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, app: App) -> None:
        super().__init__(("127.0.0.1", 0), _LoopbackHandler)
        self.app = app
        self.requests: list[ReceivedRequest] = []
        self.errors: list[BaseException | None] = []
        self.connections = 0
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._news = threading.Condition()

    def record_request(self, request: ReceivedRequest) -> None:
        """Record a request."""
        with self._news:
            self.requests.append(request)
            self._news.notify_all()

    def wait_for_requests(self, count: int) -> None:
        """Wait until ``count`` requests have arrived."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.requests) >= count, PATIENCE), (
                f"only {len(self.requests)} requests came"
            )

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 (its signature in the library)
        """Count a connection and accept it."""
        self.connections += 1
        return True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 (its signature in the library)
        """Record an error of the app; a client's disconnect is none."""
        error = sys.exception()
        if not isinstance(error, OSError):
            self.errors.append(error)


class _LoopbackHandler(BaseHTTPRequestHandler):
    server: LoopbackServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def _serve(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = ReceivedRequest(self.command, self.path, headers, content)
        self.server.record_request(request)
        response = self.server.app(request)
        if isinstance(response, LoopbackResponse):
            data, self.close_connection = response.encode(), response.declared_length is not None
        else:
            data, self.close_connection = response or b"", True
        if self.command == "HEAD":
            data = data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        self.wfile.write(data)  # in one go, or each answer takes 40 ms

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = do_TRACE = do_HEAD = do_OPTIONS = _serve  # noqa: N815 (their names)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name it has in http.server)
        """Log nothing."""


@contextmanager
def serve_app(app: App) -> Iterator[LoopbackServer]:
    """Serve ``app`` inside the block."""
    with LoopbackServer(app) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
        assert not server.errors, server.errors
