"""The delivery of a fault over HTTP: what a test sees in place of the vendor's response.

A connection breaks on the socket, past the server. In process there is none: the application raises
`httpx.RemoteProtocolError`, which a client of `httpx.ASGITransport` catches as it catches a broken connection.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from contract_watch.mock import cors
from contract_watch.mock.bodies import build_json_response
from contract_watch.mock.faults.fault import FaultEffect, Slow


async def wait_for_fault(effect: FaultEffect) -> None:
    """Wait as long as ``effect`` delays a response."""
    if effect.delay:
        await asyncio.sleep(effect.delay)


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection without a response."""
    connection = _find_connection(scope)
    if connection is None:
        raise _build_transport_error("Server disconnected without sending a response.")
    connection.close()
    await _wait_for_disconnect(receive)


def build_response(status: int, body: Any, headers: Mapping[str, str]) -> Response:
    """Build a response with ``headers``; a body that is a string is sent as plain text, any other as JSON."""
    is_text = isinstance(body, str)
    response = Response(body, status, media_type="text/plain") if is_text else build_json_response(status, body)
    for name, value in headers.items():
        response.headers[name] = value
    return response


async def send_faulty_response(
    scope: Scope, receive: Receive, send: Send, effect: FaultEffect, response: Response
) -> None:
    """Send the response with the fault applied."""
    if effect.ending:
        await hang_up(scope, receive)
        return
    for name, value in effect.headers.items():
        response.headers[name] = value
    if effect.cut is not None:
        await _send_cut(scope, receive, response, effect.cut, effect.slow)
    elif effect.slow is not None:
        await _send_slowly(receive, send, response, effect.slow)
    else:
        await response(scope, receive, send)


async def _send_slowly(receive: Receive, send: Send, response: Response, slow: Slow) -> None:
    """Send a body in parts, until the client leaves."""
    content = bytes(response.body)
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    for part in _split(content, slow):
        if await _is_gone_after(receive, slow.pause):
            return
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _send_cut(scope: Scope, receive: Receive, response: Response, cut: int, slow: Slow | None) -> None:
    """Write the head and the first ``cut`` bytes of a body to the socket, and close the connection."""
    content, connection = bytes(response.body), _find_connection(scope)
    if connection is None:
        if slow is not None:
            await asyncio.sleep(slow.pause * len(list(_split(content[:cut], slow))))
        received = min(cut, len(content))
        raise _build_transport_error(
            "peer closed connection without sending complete message body "
            f"(received {received} bytes, expected {len(content)})"
        )
    status = response.status_code
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else json.dumps(status)
    head = f"HTTP/1.1 {status} {phrase}\r\n".encode()
    headers = (*response.raw_headers, *scope.get(cors.SCOPE_KEY, ()))
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    connection.write(head + lines + b"\r\n")
    for part in _split(content[:cut], slow):
        if slow is not None and await _is_gone_after(receive, slow.pause):
            return
        connection.write(part)
    connection.close()
    await _wait_for_disconnect(receive)


def _split(content: bytes, slow: Slow | None) -> Iterator[bytes]:
    size = len(content) if slow is None else slow.size
    return (content[start : start + size] for start in range(0, len(content), max(1, size)))


def _find_connection(scope: Scope) -> Any:
    """Return the transport of the request's connection; None if the application was called in process."""
    extension = scope.get("extensions", {}).get("mock.connection")
    return extension["transport"] if extension is not None else None


async def _is_gone_after(receive: Receive, seconds: float) -> bool:
    """Wait; return True as soon as the client has left."""
    try:
        async with asyncio.timeout(seconds):
            await _wait_for_disconnect(receive)
    except TimeoutError:
        return False
    return True


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _build_transport_error(message: str) -> Exception:
    import httpx  # noqa: PLC0415 (loads slowly, and only a client of it can get here)

    return httpx.RemoteProtocolError(message)
