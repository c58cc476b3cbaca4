"""Bodies in and out of the mock: bounded, and JSON."""

import json
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Send

from mock_server.vendor import MAX_BODY

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


async def send_json(send: Send, status: int, value: Any) -> None:
    """Send an answer with ``value`` as its JSON body; None is no body. As `answer_json`, without its object."""
    headers = [] if value is None else [(b"content-type", b"application/json")]
    content = b"" if value is None else _ENCODER.encode(value).encode("utf-8", "backslashreplace")
    headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def answer_json(status: int, value: Any) -> Response:
    """An answer with ``value`` as its JSON body; None is no body."""
    if value is None:
        return Response(status_code=status)
    content = _ENCODER.encode(value).encode("utf-8", "backslashreplace")
    return Response(content, status, media_type="application/json")
