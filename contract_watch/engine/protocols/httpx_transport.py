"""The run's one way to the target, as libraries that speak httpx want it."""

from collections.abc import Callable

import httpx

from contract_watch.engine.protocols.wire import Reply, Trouble

Send = Callable[[httpx.Request], Reply]


class Transport(httpx.BaseTransport):
    """An httpx transport over ``send``."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.BaseTransport."""
        try:
            reply = self._send(request)
        except Trouble as trouble:
            raise httpx.ReadError(trouble.words, request=request) from trouble
        return respond(reply, request)


class AsyncTransport(httpx.AsyncBaseTransport):
    """The same for asynchronous callers; the exchange itself is made at once, since a run is sequential."""

    def __init__(self, send: Send) -> None:
        self._inner = Transport(send)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.AsyncBaseTransport."""
        return self._inner.handle_request(request)


def respond(reply: Reply, request: httpx.Request) -> httpx.Response:
    """A reply as an httpx response; its body is decoded already."""
    kept = {
        n: v for n, v in reply.headers.items() if n not in ("content-encoding", "content-length", "transfer-encoding")
    }
    return httpx.Response(reply.status, headers=kept, content=reply.body, request=request)
