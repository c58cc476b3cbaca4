"""Bodies in and out of the mock: bounded, and JSON."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mock_server.vendor import MAX_BODY

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class BodyTooLargeError(Exception):
    """A request body passed `MAX_BODY`."""


async def read_body(request: Request) -> bytes:
    """The whole body; `BodyTooLargeError` where it is longer than the mock reads."""
    body = bytearray()
    while True:
        message = await request.receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise BodyTooLargeError
        if not message.get("more_body"):  # nor is there any once the client is gone
            return bytes(body)


def answer_json(status: int, value: Any) -> Response:
    """An answer with ``value`` as its JSON body; None is no body."""
    if value is None:
        return Response(status_code=status)
    content = _ENCODER.encode(value).encode("utf-8", "backslashreplace")
    return Response(content, status, media_type="application/json")
