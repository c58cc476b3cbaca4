"""Cross-origin requests of browsers (the Fetch standard) to the vendors' paths; never to the mock's controls.

Keys travel in headers, never in cookies, so every origin may read every response, and none is sent credentials.
"""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_MAX_AGE = 600
"""Seconds for which a browser keeps the answer to a preflight."""
_MAX_NAMES, _MAX_NAME_LENGTH = 100, 200
_ORIGIN_HEADERS = [(b"access-control-allow-origin", b"*")]
_GRPC_NAMES = (b"grpc-status", b"grpc-message", b"grpc-status-details-bin")
_PLAIN_NAMES = frozenset({
    b"cache-control", b"connection", b"content-language", b"content-length", b"content-type", b"date", b"expires",
    b"keep-alive", b"last-modified", b"pragma", b"server", b"transfer-encoding", b"vary",
})  # fmt: skip
"""Headers that a page reads in any case, or that are the connection's."""
SCOPE_KEY = "mock.cors_headers"
"""The key of the scope under which a response that bypasses the server finds the headers to add."""


def has_origin(scope: Scope) -> bool:
    """Return True if a browser names the page that sends the request."""
    return b"origin" in dict(scope["headers"])


def is_preflight(scope: Scope) -> bool:
    """Return True for the question of a browser whether a page may send a request."""
    return scope["method"] == "OPTIONS" and any(
        name == b"access-control-request-method" for name, _ in scope["headers"]
    )


def find_preflight_problem(scope: Scope) -> str:
    """Return the reason why a preflight is malformed; empty if it is not."""
    method, names = _read_preflight(scope)
    if not _TOKEN.fullmatch(method) or len(method) > _MAX_NAME_LENGTH:
        return "Access-Control-Request-Method must be one method"
    if len(names) > _MAX_NAMES or any(len(name) > _MAX_NAME_LENGTH or not _TOKEN.fullmatch(name) for name in names):
        return "Access-Control-Request-Headers must be names of headers"
    return ""


def _read_preflight(scope: Scope) -> tuple[str, list[str]]:
    method, names = "", list[str]()
    for name, value in scope["headers"]:
        if name == b"access-control-request-method":
            method = value.decode("latin-1").strip()
        elif name == b"access-control-request-headers":
            names += filter(None, (one.strip() for one in value.decode("latin-1").split(",")))
    return method, names


async def send_preflight_response(scope: Scope, send: Send) -> None:
    """Answer a well-formed preflight: every method and header may be sent, as the vendor's own answer then says more."""
    method, names = _read_preflight(scope)
    methods = ", ".join(dict.fromkeys((*_METHODS, method)))
    headers = [
        *_ORIGIN_HEADERS,
        (b"access-control-allow-methods", methods.encode("latin-1")),
        (b"access-control-max-age", str(_MAX_AGE).encode()),
    ]
    if names:
        headers.append((b"access-control-allow-headers", ", ".join(names).encode("latin-1")))
    if any(name == b"access-control-request-private-network" for name, _ in scope["headers"]):
        headers.append((b"access-control-allow-private-network", b"true"))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def serve_page(endpoint: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a page's request by ``endpoint``; the page may read the response with all its headers."""
    scope[SCOPE_KEY] = _ORIGIN_HEADERS

    async def send_readable(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            sent = dict.fromkeys(name.lower() for name, _ in headers)
            names = {
                name: None for name in sent if name not in _PLAIN_NAMES and not name.startswith(b"access-control-")
            }
            if any(value.startswith(b"application/grpc") for name, value in headers if name.lower() == b"content-type"):
                names |= dict.fromkeys(_GRPC_NAMES)
            exposed = [(b"access-control-expose-headers", b", ".join(names))] if names else []
            # A fault may script these headers itself.
            added = [one for one in (*_ORIGIN_HEADERS, *exposed) if one[0] not in sent]
            message = {**message, "headers": [*headers, *added]}
        await send(message)

    await endpoint(scope, receive, send_readable)
