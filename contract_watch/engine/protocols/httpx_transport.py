"""The run's connection as a transport for libraries built on httpx."""

from collections.abc import Callable

import httpx

from contract_watch.engine.protocols.wire import Response, TransportError

SendRequest = Callable[[httpx.Request], Response]


class HttpxTransport(httpx.BaseTransport):
    """An httpx transport that sends with ``send``."""

    def __init__(self, send: SendRequest) -> None:
        self._send = send

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Implement `httpx.BaseTransport.handle_request`."""
        try:
            reply = self._send(request)
        except TransportError as trouble:
            raise httpx.ReadError(trouble.message, request=request) from trouble
        return build_httpx_response(reply, request)


class AsyncHttpxTransport(httpx.AsyncBaseTransport):
    """The same for asynchronous callers. Each exchange blocks: a run is sequential."""

    def __init__(self, send: SendRequest) -> None:
        self._inner = HttpxTransport(send)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Implement `httpx.AsyncBaseTransport.handle_async_request`."""
        return self._inner.handle_request(request)


def build_httpx_response(reply: Response, request: httpx.Request) -> httpx.Response:
    """Build an httpx response; the body is already decoded."""
    left_out = ("content-encoding", "content-length", "transfer-encoding")
    # As bytes, because httpx takes strings for ASCII: a server may send others.
    kept = [(name.encode(), value.encode()) for name, value in reply.headers.items() if name not in left_out]
    return httpx.Response(reply.status, headers=kept, content=reply.body, request=request)
