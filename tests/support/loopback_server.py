"""Any server that a test needs, over real HTTP on a free port of the loopback, with a note of all that it was asked."""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WAIT = 20.0
"""Seconds after which what a test waits for will not come any more."""


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as it arrived; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def json_body(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True)
class LoopbackResponse:
    """What a server says: a JSON ``body``, or ``content`` as it stands. ``length`` is a Content-Length that lies."""

    status: int
    body: Any = None
    content: bytes | None = None
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    declared_length: int | None = None

    def encode(self) -> bytes:
        """The bytes for the line."""
        content = json.dumps(self.body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        content = content if self.content is None else self.content
        length = len(content) if self.declared_length is None else self.declared_length
        given = {"Content-Type": self.media_type, "Content-Length": str(length), **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
        return f"HTTP/1.1 {self.status} As it is\r\n{head}\r\n".encode("latin-1") + content


App = Callable[[ReceivedRequest], LoopbackResponse | bytes | None]
"""Gives an answer, bytes to be sent as they are, or None to hang up; after the last two the connection is closed."""


class LoopbackServer(ThreadingHTTPServer):
    """An `App` on a free port of the loopback. ``asked`` is every request, in order; ``connections`` counts those made."""

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

    def record_request(self, asked: ReceivedRequest) -> None:
        """Remember a request."""
        with self._news:
            self.requests.append(asked)
            self._news.notify_all()

    def wait_for_requests(self, count: int) -> None:
        """Wait until ``count`` requests have come."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.requests) >= count, WAIT), (
                f"only {len(self.requests)} requests came"
            )

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 (its signature in the library)
        """Count a connection, and take it."""
        self.connections += 1
        return True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 (its signature in the library)
        """Keep an error of the app's own; that clients go away is none."""
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
        asked = ReceivedRequest(self.command, self.path, headers, content)
        self.server.record_request(asked)
        answer = self.server.app(asked)
        if isinstance(answer, LoopbackResponse):
            data, self.close_connection = answer.encode(), answer.declared_length is not None
        else:
            data, self.close_connection = answer or b"", True
        if self.command == "HEAD":
            data = data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        self.wfile.write(data)  # in one go, or each answer takes 40 ms

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = do_TRACE = do_HEAD = do_OPTIONS = _serve  # noqa: N815 (their names)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name it has in http.server)
        """Say nothing."""


@contextmanager
def serve_app(app: App) -> Iterator[LoopbackServer]:
    """Serve ``app`` for as long as the block lasts."""
    with LoopbackServer(app) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
        assert not server.errors, server.errors
