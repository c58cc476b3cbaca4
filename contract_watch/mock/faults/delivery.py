"""The delivery of a fault over HTTP: what a test sees in place of the vendor's response."""

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from contract_watch.mock import cors
from contract_watch.mock.bodies import build_json_response
from contract_watch.mock.faults.fault import Fault


async def wait_for_fault(fault: Fault) -> None:
    """Wait as long as ``fault`` delays a response."""
    if fault.delay:
        await asyncio.sleep(fault.delay)


async def send_faulty_response(
    scope: Scope, receive: Receive, send: Send, fault: Fault, status: int, body: Any, documented: Mapping[str, str]
) -> None:
    """Send the response with the fault applied; a truncated or missing one goes to the socket, past the server."""
    is_text = isinstance(body, str)
    response = Response(body, status, media_type="text/plain") if is_text else build_json_response(status, body)
    for name, value in {**documented, **fault.headers}.items():
        response.headers[name] = value
    if fault.cut is None and not fault.close:
        await response(scope, receive, send)
        return
    connection = scope["extensions"]["mock.connection"]["transport"]
    if not fault.close:
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else json.dumps(status)
        head = f"HTTP/1.1 {status} {phrase}\r\n".encode()
        lines = b"".join(
            name + b": " + value + b"\r\n" for name, value in (*response.raw_headers, *scope.get(cors.SCOPE_KEY, ()))
        )
        connection.write(head + lines + b"\r\n" + bytes(response.body)[: fault.cut])
    connection.close()
    while (await receive())["type"] != "http.disconnect":
        pass
