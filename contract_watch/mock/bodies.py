"""Bodies in and out of the mock: bounded, and JSON."""

import json
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Send

from contract_watch.mock.vendor import MAX_BODY

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class BodyTooLargeError(Exception):
    """A request body passed `MAX_BODY`."""


async def read_body(receive: Receive) -> bytes:
    """The whole body; `BodyTooLargeError` where it is longer than the mock reads."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise BodyTooLargeError
        if not message.get("more_body"):  # nor is there any once the client is gone
            return bytes(body)


def encode_json(value: Any) -> bytes:
    """``value`` as a JSON body; None is no body."""
    return b"" if value is None else _ENCODER.encode(value).encode("utf-8", "backslashreplace")


async def send_json(send: Send, status: int, value: Any) -> None:
    """Send an answer with ``value`` as its JSON body; None is no body."""
    await send_content(send, status, encode_json(value))


async def send_content(send: Send, status: int, content: bytes) -> None:
    """Send an answer with a JSON body, or none. As `build_json_response`, without its object."""
    headers = [(b"content-type", b"application/json")] if content else []
    headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def build_json_response(status: int, value: Any) -> Response:
    """An answer with ``value`` as its JSON body; None is no body."""
    if value is None:
        return Response(status_code=status)
    return Response(encode_json(value), status, media_type="application/json")
