"""A small contract and a scripted server for the tests of generated clients."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SETTINGS = """
name = "Sample"
published = "published.json"
places = [{name = "key", header = "X-Key", form = "{}"}]
credentials = []
identities = {}
lifecycle = {create = "addUser", remove = "dropUser", read = "dropUser"}
rate = {requests = 1, seconds = 1}
"""
OVERLAY = "{overlay: 1.0.0, actions: [{target: $.info, description: For show., update: {title: Sample}}]}"
OBJECT = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "example": "Ann"}}}
BODY = {"type": "object", "required": ["profile"], "properties": {"profile": OBJECT, "note": {"type": "string"}}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "?", "version": "2.1.0"},
    "paths": {
        "/users": {
            "post": {
                "operationId": "addUser",
                "requestBody": {"required": True, "content": {"application/json": {"schema": BODY}}},
                "responses": {"200": {"description": "", "content": {"application/json": {"schema": OBJECT}}}},
            },
            "delete": {
                "operationId": "dropUser",
                "deprecated": True,
                "summary": "Drops a user",
                "responses": {"204": {"description": ""}},
            },
        }
    },
}


def write_sample_contract(root: Path, **changes: Any) -> Path:
    """Write a root with one contract, ``sample``, whose document is DOCUMENT with ``changes``."""
    directory = root / "contracts" / "sample"
    directory.mkdir(parents=True)
    (directory / "contract.toml").write_text(SETTINGS)
    (directory / "overlay.yaml").write_text(OVERLAY)
    (root / "published.json").write_text(json.dumps(DOCUMENT | changes))
    return root


def read_files(directory: Path) -> dict[str, bytes]:
    """Return every file below ``directory`` by path, without Python's caches."""
    files = (path for path in directory.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


class ScriptedServer(ThreadingHTTPServer):
    """A server that responds to everything with ``status`` and ``body`` and records headers and bodies."""

    status: int
    body: bytes

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ScriptedHandler)
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class ScriptedHandler(BaseHTTPRequestHandler):
    server: ScriptedServer

    def respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = respond  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Discard the message."""


@contextmanager
def serve_scripted() -> Iterator[ScriptedServer]:
    """Run a server for the duration of the context."""
    with ScriptedServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
