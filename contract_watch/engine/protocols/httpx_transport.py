"""The run's one way to the target, as libraries that speak httpx want it."""

from collections.abc import Callable

import httpx

from contract_watch.engine.protocols.wire import Response, TransportError

SendRequest = Callable[[httpx.Request], Response]


class HttpxTransport(httpx.BaseTransport):
    """An httpx transport over ``send``."""

    def __init__(self, send: SendRequest) -> None:
        self._send = send

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.BaseTransport."""
        try:
            reply = self._send(request)
        except TransportError as trouble:
            raise httpx.ReadError(trouble.message, request=request) from trouble
        return build_httpx_response(reply, request)


class AsyncHttpxTransport(httpx.AsyncBaseTransport):
    """The same for asynchronous callers; the exchange itself is made at once, since a run is sequential."""

    def __init__(self, send: SendRequest) -> None:
        self._inner = HttpxTransport(send)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.AsyncBaseTransport."""
        return self._inner.handle_request(request)


def build_httpx_response(reply: Response, request: httpx.Request) -> httpx.Response:
    """A reply as an httpx response; its body is decoded already."""
    kept = {
        n: v for n, v in reply.headers.items() if n not in ("content-encoding", "content-length", "transfer-encoding")
    }
    return httpx.Response(reply.status, headers=kept, content=reply.body, request=request)
