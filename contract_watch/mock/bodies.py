"""Reading and writing of the mock's bodies: bounded, and JSON."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Send

from contract_watch.mock.vendor import MAX_BODY

if TYPE_CHECKING:
    from contract_watch.mock.large_body import LargeBody

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class RequestTooLargeError(Exception):
    """A request body that is too long; the message says how long it may be."""


async def read_body(receive: Receive, limit: int = MAX_BODY) -> bytes:
    """Read the whole body.

    Raises:
        RequestTooLargeError: The body exceeds ``limit`` bytes.
        ClientDisconnect: The client left before the end of the body; what arrived must not be taken for the whole.
    """
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise RequestTooLargeError(f"the body must be at most {limit} bytes")
        parts.append(part)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def encode_json(value: Any) -> bytes:
    """Encode ``value`` as a JSON body; None gives an empty one."""
    return b"" if value is None else _ENCODER.encode(value).encode("utf-8", "backslashreplace")


async def send_json(send: Send, status: int, value: Any) -> None:
    """Send a response with ``value`` as its JSON body; None gives an empty one."""
    await send_content(send, status, encode_json(value))


async def send_content(
    send: Send, status: int, content: "bytes | LargeBody", more_headers: Mapping[str, str] = {}
) -> None:
    """Send a response with a JSON body or an empty one, without the cost of a `Response` object."""
    headers = [(b"content-type", b"application/json")] if content else []
    headers.append((b"content-length", str(len(content)).encode()))
    headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in more_headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if type(content) is bytes:
        await send({"type": "http.response.body", "body": content})
        return
    for part in cast("LargeBody", content).iterate_parts():
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def build_json_response(status: int, value: Any, headers: Mapping[str, str] = {}) -> Response:
    """Build a response with ``value`` as its JSON body; None gives an empty one."""
    if value is None:
        return Response(status_code=status, headers=headers)
    return Response(encode_json(value), status, headers, media_type="application/json")
