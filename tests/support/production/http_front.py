"""A fake vendor over HTTP/1.1: REST and gRPC-web, each request logged, counted and possibly cut."""

import asyncio
import json
import math
import traceback
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.protobuf import MessageCodec, MessageCodecError
from contract_watch.contracts.request import MissingBody
from contract_watch.errors import UsageError
from contract_watch.mock.app import Mock
from contract_watch.mock.bodies import RequestTooLargeError, encode_json, read_body
from contract_watch.mock.vendor import MAX_BODY, parse_body
from tests.support.production.activity_log import CURRENT_ENTRY, LogEntry
from tests.support.production.front_state import FrontState
from tests.support.production.network_faults import HTML_PAGES, PAGE, TOO_MANY_REQUESTS, NetworkFault
from tests.support.production.tcp_relay import RelayedConnection

CONTROLS = "/__production/"
_MOCK_CONTROLS = "/__mock"
_HTML = "text/html; charset=utf-8"
_RESOURCE_EXHAUSTED = "8"

RawResponse = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers and body of a response."""


class HttpFront:
    """REST and gRPC-web as an ASGI application in front of the mock, whose controls are hidden."""

    def __init__(self, front: FrontState, mock: Mock, controls: Callable[[str, Any], Awaitable[Any]]) -> None:
        self._front, self._mock, self._controls = front, mock, controls
        self._contract = front.activity.contract
        self._web = {path: operation for calls in mock.grpc_calls for path, operation in calls.methods.items()}
        self._messages = MessageCodec(self._contract) if self._contract.grpc is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request, or break its connection."""
        try:
            await self._respond(scope, receive, send)
        except ClientDisconnect:  # a run that was killed in the middle of a request
            return
        except Exception:
            self._front.errors.append(traceback.format_exc())
            raise

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(CONTROLS):
            await self._serve_control(scope, receive, send)
            return
        try:
            sent = await read_body(receive)
        except RequestTooLargeError:
            sent = b" " * (MAX_BODY + 1)
        entry = self._record_request(scope, sent)
        CURRENT_ENTRY.set(entry)
        wait = self._front.admit_request(entry)
        if wait is not None:
            await _send_response(send, self._make_rate_limited(entry, scope, str(math.ceil(wait))))
            return
        cut = self._front.take_fault(entry)
        response: RawResponse | None = None
        if cut is None or cut.executed:
            response = await self._ask_vendor(scope, sent)
            entry["executed"] = True
        if cut is not None:
            link = self._front.relays["rest"].find_connection((scope.get("client") or ("", 0))[1])
            response = await self._apply_fault(cut, link, response, entry, scope)
            if response is None:
                await _wait_for_disconnect(receive)
                self._front.forget_connection(link)
                return
        assert response is not None
        entry["status"] = response[0]
        await _send_response(send, response)

    def _record_request(self, scope: Scope, sent: bytes) -> LogEntry:
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        if scope["path"] in self._web and self._messages is not None:
            operation = self._web[scope["path"]]
            parameters, body = _decode_grpc_web(self._messages, operation, headers.get("content-type", ""), sent)
            return self._front.activity.record_request("grpc-web", method, path, headers, body, operation, parameters)
        below = path.removeprefix(self._contract.base_path)
        found, parameters = self._contract.effective.match_request(below, method)
        target = below if found is None and not query else path
        full_path = f"{target}?{query}" if query else target
        return self._front.activity.record_request(
            "rest", method, full_path, headers, parse_body(sent), found, parameters
        )

    async def _ask_vendor(self, scope: Scope, sent: bytes) -> RawResponse:
        """Return the vendor's own response."""
        if scope["path"].startswith(_MOCK_CONTROLS):
            return 404, [(b"content-type", b"application/json")], encode_json({"error": HTTPStatus(404).phrase})
        status, headers, body, pending = 500, list[tuple[bytes, bytes]](), bytearray(), [sent]

        async def receive() -> Message:
            return {"type": "http.request", "body": pending.pop() if pending else b"", "more_body": False}

        async def take(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message.get("headers", []))
            else:
                body.extend(message.get("body", b""))

        await self._mock(scope, receive, take)
        return status, headers, bytes(body)

    async def _apply_fault(
        self,
        cut: NetworkFault,
        link: RelayedConnection | None,
        response: RawResponse | None,
        entry: LogEntry,
        scope: Scope,
    ) -> RawResponse | None:
        """Apply a fault to the response; return None if the connection is broken."""
        if self._front.break_connection(cut, link):
            return None
        if cut.kind == "delay":
            await asyncio.sleep(cut.seconds)
            return response
        if cut.kind == "limited":
            return self._make_rate_limited(entry, scope, cut.retry_after)
        if cut.kind in HTML_PAGES:
            return HTML_PAGES[cut.kind], [(b"content-type", _HTML.encode())], PAGE
        assert response is not None
        assert link is not None
        entry["status"] = response[0]
        link.send_and_close(_truncate_response(response, cut.after))
        return None

    @staticmethod
    def _make_rate_limited(entry: LogEntry, scope: Scope, retry_after: str) -> RawResponse:
        """Build a 429 response; over gRPC-web, code 8."""
        hint = (b"retry-after", retry_after.encode("latin-1"))
        if entry["surface"] != "grpc-web":
            return 429, [(b"content-type", b"application/json"), hint], encode_json({"message": TOO_MANY_REQUESTS})
        media = next((value for name, value in scope["headers"] if name == b"content-type"), b"").decode("latin-1")
        trailers = {"grpc-status": _RESOURCE_EXHAUSTED, "grpc-message": TOO_MANY_REQUESTS}
        body = grpc_web_frames.encode_trailers(trailers)
        return (
            200,
            [(b"content-type", media.encode()), hint],
            grpc_web_frames.encode_text(body) if grpc_web_frames.is_text(media) else body,
        )

    async def _serve_control(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            sent = await read_body(receive)
            value = await self._controls(scope["path"].removeprefix(CONTROLS), json.loads(sent) if sent else {})
            status, payload = 200, {"value": value}
        except (RequestTooLargeError, UsageError, TypeError, ValueError) as error:
            status, payload = 400, {"error": str(error)}
        content = json.dumps(payload, default=str).encode()
        await _send_response(send, (status, [(b"content-type", b"application/json")], content))


def _decode_grpc_web(
    messages: MessageCodec, operation: Operation, media: str, sent: bytes
) -> tuple[dict[str, str], Any]:
    """Decode path parameters and body of a gRPC-web call as far as possible."""
    try:
        found = list(
            grpc_web_frames.decode_frames(grpc_web_frames.decode_text(sent) if grpc_web_frames.is_text(media) else sent)
        )
        return messages.decode_request(operation, found[0][1]) if found else ({}, MissingBody.ABSENT)
    except (grpc_web_frames.FrameError, MessageCodecError):
        return {}, MissingBody.MALFORMED


async def _send_response(send: Send, response: RawResponse) -> None:
    status, headers, body = response
    known = {name.lower() for name, _ in headers}
    if b"content-length" not in known:
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _truncate_response(response: RawResponse, after: int) -> bytes:
    """Truncate a response after ``after`` bytes of its body, or earlier if that would be all of it."""
    status, headers, body = response
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "As it is"
    lines = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    lines.append((b"content-length", str(len(body)).encode()))
    head = f"HTTP/1.1 {status} {phrase}\r\n".encode() + b"".join(
        name + b": " + value + b"\r\n" for name, value in lines
    )
    if not body:
        return head[: len(head) // 2]
    return head + b"\r\n" + body[: min(after, len(body) - 1)]
