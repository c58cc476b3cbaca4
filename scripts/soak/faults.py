"""Everything that a server may do wrong, with the outcomes that a client may make of it."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass

RESULT = "a result"
"""The outcome of a call that returns a model."""
_BROKEN = frozenset({"APIConnectionError"})
_INVALID = frozenset({"APIResponseValidationError"})
_SERVER = frozenset({"InternalServerError"})
_LIMITED = frozenset({"RateLimitError"})
_HTML = b"<html><body><h1>It went wrong</h1></body></html>"
LARGE = 5_000_000
"""Bytes of a large body."""


@dataclass(frozen=True)
class SoakFault:
    """One way to answer.

    ``outcomes`` are the names of the errors, and `RESULT`, that are right. Of all calls, ``weight`` in the sum of all
    weights meet this fault. ``timeout`` is that of the call in seconds, None for the client's.
    """

    outcomes: frozenset[str]
    weight: float = 3
    timeout: float | None = None


FAULTS: Mapping[str, SoakFault] = {
    "none": SoakFault(frozenset({RESULT}), 40),
    "undocumented property": SoakFault(frozenset({RESULT}), 3),
    "media type text/plain": SoakFault(frozenset({RESULT})),
    "closed after the response": SoakFault(frozenset({RESULT})),
    "gzip": SoakFault(frozenset({RESULT})),
    "dripping, in time": SoakFault(frozenset({RESULT}), 0.3),
    "5 MB body": SoakFault(frozenset({RESULT}), 0.1),
    "5 MB body under 500": SoakFault(_SERVER, 0.1),
    "echo of the request": SoakFault(frozenset({"BadRequestError"}), 6),
    "401": SoakFault(frozenset({"AuthenticationError"})),
    "404 in HTML": SoakFault(frozenset({"NotFoundError"})),
    "500 in HTML": SoakFault(_SERVER),
    "502, empty": SoakFault(_SERVER),
    "520 in HTML": SoakFault(_SERVER),
    "503 with Retry-After": SoakFault(_SERVER),
    "429 with Retry-After 0": SoakFault(_LIMITED),
    "429 with Retry-After 3600": SoakFault(_LIMITED),
    "204": SoakFault(_INVALID),
    "301": SoakFault(frozenset({"APIStatusError"})),
    "null": SoakFault(_INVALID),
    "a list": SoakFault(_INVALID),
    "HTML under 200": SoakFault(_INVALID),
    "cut gzip": SoakFault(_INVALID),
    "cut body": SoakFault(_BROKEN),
    "cut headers": SoakFault(_BROKEN),
    "closed without a byte": SoakFault(_BROKEN),
    "reset": SoakFault(_BROKEN),
    "no HTTP": SoakFault(_BROKEN),
    "false chunks": SoakFault(_BROKEN),
    "slow bytes": SoakFault(frozenset({"APITimeoutError"}), 0.5, timeout=0.2),
    "slow headers": SoakFault(frozenset({"APITimeoutError"}), 0.5, timeout=0.2),
    "silence": SoakFault(frozenset({"APITimeoutError"}), 0.5, timeout=0.2),
}


def format_response(status: int, body: bytes, media_type: str = "application/json", more: str = "") -> bytes:
    """Return a complete response; ``more`` are further header lines."""
    length = "" if status == 204 else f"Content-Length: {len(body)}\r\n"
    return f"HTTP/1.1 {status} As it is\r\nContent-Type: {media_type}\r\n{more}{length}\r\n".encode() + body


def build_answer(fault: str, status: int, body: bytes, request: bytes) -> tuple[bytes, bool]:
    """Return the bytes of the answer, and True if the connection stays open; ``status`` and ``body`` are the success."""
    plain = {
        "none": format_response(status, body),
        "undocumented property": format_response(status, body[:-1] + b', "new": [1]}'),
        "media type text/plain": format_response(status, body, "text/plain"),
        "gzip": format_response(status, gzip.compress(body, 1), more="Content-Encoding: gzip\r\n"),
        "echo of the request": format_response(400, json.dumps({"error": request.decode("latin-1")}).encode()),
        "401": format_response(401, b'{"error": "no"}'),
        "404 in HTML": format_response(404, _HTML, "text/html"),
        "500 in HTML": format_response(500, _HTML, "text/html"),
        "502, empty": format_response(502, b""),
        "520 in HTML": format_response(520, _HTML, "text/html"),
        "503 with Retry-After": format_response(503, _HTML, "text/html", "Retry-After: 0\r\n"),
        "429 with Retry-After 0": format_response(429, b"{}", more="Retry-After: 0\r\n"),
        "429 with Retry-After 3600": format_response(429, _HTML, "text/html", "Retry-After: 3600\r\n"),
        "204": format_response(204, b""),
        "301": format_response(301, b"", more="Location: /elsewhere\r\n"),
        "null": format_response(status, b"null"),
        "a list": format_response(status, b"[]"),
        "HTML under 200": format_response(200, _HTML, "text/html"),
        "cut gzip": format_response(200, gzip.compress(body)[:-9], more="Content-Encoding: gzip\r\n"),
    }
    if fault in plain:
        return plain[fault], True
    whole = plain["none"]
    cut = {
        "closed after the response": whole,
        "cut body": whole[:-1],
        "cut headers": whole[:40],
        "no HTTP": b"220 mail.example.com ESMTP\r\n",
        "false chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    }
    return cut[fault], False


def build_large_answer(fault: str, status: int, body: bytes) -> bytes:
    """Return an answer of 5 MB."""
    filled = body[:-1] + b', "filler": "' + b"x" * LARGE + b'"}'
    return format_response(500 if fault.endswith("500") else status, filled)
