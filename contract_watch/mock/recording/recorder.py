"""The recorder: it writes each exchange of the mock into a file before the end of its response is sent."""

import datetime as dt
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract_watch.contracts.bodies import is_json_type
from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.schema import MAX_DEPTH
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.mock.recording.masking import SecretMasker
from contract_watch.mock.recording.message import (
    SessionRequest,
    SessionResponse,
    find_account,
    is_grpc_web,
    read_request,
)
from contract_watch.mock.recording.session_file import MAX_BYTES, MAX_EXCHANGES, format_exchange
from contract_watch.mock.vendor import MockVendor, parse_body

_SERVERS_HEADERS = ("connection", "content-length", "date", "transfer-encoding")


class SessionRecorder:
    """A writer of one session, of `MAX_EXCHANGES` and `MAX_BYTES` at most; what comes after is not recorded.

    Each document goes to the operating system at once, so a killed process loses no exchange whose response was sent.
    A recording that fails stops, and the responses go on: the changes behind them have happened.
    """

    def __init__(self, path: Path, redactor: Redactor, vendors: Sequence[MockVendor]) -> None:
        """Create the file at ``path``; raise `UsageError` if it exists with a content or cannot be written."""
        self._label, self._vendors, self._masker = f"--record {escape_text(str(path))}", vendors, SecretMasker(redactor)
        self._count = self._size = 0
        self._is_stopped = False
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
            size = os.fstat(self._file).st_size
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "no valid path"
            raise UsageError(f"{self._label}: cannot be written ({reason}); choose another file") from error
        if size:
            os.close(self._file)
            raise UsageError(f"{self._label}: exists; delete it or choose another file")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    @property
    def is_replay(self) -> bool:
        """See MockSession."""
        return False

    def rewind(self) -> None:
        """Go on: a recording keeps all exchanges, whatever is reset."""

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Let ``app`` serve one request and record it; gRPC-web calls come through `serve_call`."""
        if is_grpc_web(scope):
            await app(scope, receive, send)
            return
        received, sent, start = bytearray(), bytearray(), dict[str, Any]()

        async def receive_and_keep() -> Message:
            message = await receive()
            received.extend(message.get("body", b""))
            return message

        async def keep_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                sent.extend(message.get("body", b""))
                if not message.get("more_body"):
                    with self._stop_on_failure():
                        self._record_response(read_request(self._vendors, scope, bytes(received)), start, bytes(sent))
            await send(message)

        await app(scope, receive_and_keep, keep_and_send)

    def serve_call(
        self,
        handle: Callable[[], SessionResponse | None],
        vendor: MockVendor,
        headers: Mapping[str, str],
        request: SessionRequest,
    ) -> SessionResponse | None:
        """Let ``handle`` answer a gRPC call, and record its response if one is sent."""
        response = handle()
        if response is not None:
            with self._stop_on_failure():
                account = find_account(vendor, headers, request.body)
                self._write(replace(request, account=account), {"status": response.status, "body": response.body})
        return response

    def _record_response(self, request: SessionRequest, start: Mapping[str, Any], content: bytes) -> None:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in start["headers"]
            if name.decode("latin-1").lower() not in _SERVERS_HEADERS
        }
        response: dict[str, Any] = {"status": start["status"]}
        body = parse_body(content)
        is_json = not isinstance(body, MissingBody)
        if is_json and headers.get("content-type") == "application/json":
            del headers["content-type"]
        if headers:
            response["headers"] = self._masker.mask_headers(headers)
        if is_json:
            response["body"] = body
        elif content and is_json_type(headers.get("content-type", "")):  # secrets have names that only JSON shows
            response["text"] = f"a body of {len(content)} bytes that is no JSON of at most {MAX_DEPTH} levels"
        elif content:
            response["text"] = content.decode("utf-8", "replace")
        self._write(request, response)

    def _write(self, request: SessionRequest, response: Mapping[str, Any]) -> None:
        if self._is_stopped:
            return
        mask = self._masker.mask
        found = {
            "method": request.method,
            "path": self._masker.mask_text(request.path),
            "query": mask(request.query) or None,
            "account": request.account or None,
            "headers": self._masker.mask_headers(dict(request.headers)) or None,
            "body": mask(request.body),
            "unreadable": request.unreadable or None,
        }
        given = {name: value for name, value in found.items() if value is not None}
        shown = {name: mask(value) if name == "body" else value for name, value in response.items()}
        if "text" in shown:
            shown["text"] = self._masker.mask_text(shown["text"])
        at = dt.datetime.fromtimestamp(time.time(), dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        content = format_exchange(at, given, shown)
        if self._size + len(content) <= MAX_BYTES:
            self._append(content)
        if self._count == MAX_EXCHANGES or self._size + len(content) > MAX_BYTES:
            self._stop("the session is full")

    def _append(self, content: bytes) -> None:
        rest = content
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._count, self._size = self._count + 1, self._size + len(content)

    @contextmanager
    def _stop_on_failure(self) -> Iterator[None]:
        """Stop the recording after its last whole exchange if the context fails."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 (no failure of the recording may break a response)
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            self._stop(f"cannot be written ({getattr(error, 'strerror', None) or type(error).__name__})")

    def _stop(self, reason: str) -> None:
        self._is_stopped = True
        print(f"{self._label}: {reason}; later requests are not recorded", file=sys.stderr, flush=True)
