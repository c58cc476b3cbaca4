"""Requests and responses over httpx, which no other module of this package knows.

A response arrives whole and in time, or a `Failure` says what happened. No exception of httpx leaves this module: its
texts and frames hold keys.
"""

import importlib.util
import os
import ssl
import threading
import time
import urllib.request
import weakref
from collections.abc import Mapping
from typing import Any

import httpx

from ._deadline import deadline, get_remaining
from ._secrets import Secret, find_secrets
from .types import Headers

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a decompressed response body; a longer one is a failure."""
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=15)
_CONNECT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Prepared:
    """A request that is ready to be sent; its representation shows no header and no body."""

    __slots__ = ("body", "content", "extras", "headers", "key", "method", "shown_url", "url")

    def __init__(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, shown_url: str
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.content = content
        self.extras: dict[str, Any] = {}
        """``params``, ``data`` and ``files`` as httpx takes them."""
        self.shown_url = shown_url
        self.key = Secret(None)
        self.body: Any = None
        """The body before it became text."""

    def list_secrets(self) -> frozenset[str]:
        """Return the secrets that a response or an error could repeat."""
        keys = (self.key.value,) if isinstance(self.key.value, str) else ()
        return frozenset((*keys, *find_secrets(self.body)))

    def __repr__(self) -> str:
        return f"<Prepared {self.method} {self.shown_url}>"


class Received:
    """A complete response; its representation shows no header and no body."""

    __slots__ = ("content", "headers", "status_code")

    def __init__(self, status_code: int, headers: Headers, content: bytes) -> None:
        self.status_code = status_code
        self.headers = headers
        self.content = content

    @property
    def text(self) -> str:
        """The body as text: UTF-8, and a replacement character for what is none."""
        return self.content.decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"<Received {self.status_code}>"


class Failure:
    """A request without a complete response.

    ``was_sent`` is False if the API cannot have acted on the request, ``is_timeout`` True if it took too long,
    ``is_invalid`` True if httpx refuses the request itself, and ``is_final`` True if another attempt would not help.
    """

    __slots__ = ("is_final", "is_invalid", "is_timeout", "reason", "was_sent")

    def __init__(
        self, reason: str, *, was_sent: bool, is_timeout: bool = False, is_invalid: bool = False, is_final: bool = False
    ) -> None:
        self.reason = reason
        self.is_final = is_final or is_invalid
        self.was_sent = was_sent
        self.is_timeout = is_timeout
        self.is_invalid = is_invalid

    def __repr__(self) -> str:
        return f"<Failure {self.reason}>"


class Connection:
    """Everything that a connection needs to know; its representation shows nothing."""

    __slots__ = ("connect_timeout", "proxy", "ssl_context", "transport", "url")

    def __init__(
        self,
        url: str,
        connect_timeout: float,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | None = None,
        transport: Any = None,
    ) -> None:
        self.url = url
        self.connect_timeout = connect_timeout
        self.ssl_context = ssl_context
        self.proxy = Secret(proxy)
        self.transport = transport

    def get_ssl_context(self) -> ssl.SSLContext:
        """Return the certificates to trust; making them takes so long that plain http goes without any."""
        if self.ssl_context is None:
            is_plain = httpx.URL(self.url).scheme == "http"
            self.ssl_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_plain else httpx.create_ssl_context()
        return self.ssl_context

    def find_proxy(self) -> httpx.Proxy | None:
        """Return the proxy: the one that was asked for, else the environment's.

        A key is not sent in plain text through a proxy that nobody has named here.
        """
        if self.proxy.value is not None:
            return httpx.Proxy(self.proxy.value)
        url = httpx.URL(self.url)
        if url.scheme != "https" or urllib.request.proxy_bypass(url.host):
            return None
        found = urllib.request.getproxies()
        address = found.get("https") or found.get("all")
        return httpx.Proxy(address if "://" in address else f"http://{address}") if address else None


def find_configuration_problem(connection: Connection) -> str | None:
    """Return the reason that no connection can be made with these settings, None if one can."""
    try:
        proxy = connection.find_proxy()
    except (ValueError, httpx.InvalidURL):
        return "proxy must be an http://, https:// or socks5:// address"
    if proxy is not None and proxy.url.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        return "proxy uses SOCKS, which needs socksio; run `pip install 'httpx[socks]'`"
    return None


def _build_request(prepared: Prepared, connect: float, total: float) -> httpx.Request:
    timeouts = {"connect": min(connect, total), "read": total, "write": total, "pool": min(connect, total)}
    return httpx.Request(
        prepared.method,
        prepared.url,
        headers=prepared.headers,
        content=prepared.content,
        extensions={"timeout": timeouts},
        **prepared.extras,
    )


def _read_head(response: httpx.Response) -> tuple[int, Headers]:
    return response.status_code, Headers(response.headers.multi_items())


def _describe(error: BaseException) -> Failure:
    """Return what happened; the error's own text is kept only where it cannot hold a secret."""
    if isinstance(error, httpx.ConnectError):
        return Failure(f"the connection failed: {str(error)[:200] or 'no reason given'}", was_sent=False)
    if isinstance(error, _CONNECT):
        return Failure("the connection was not made in time", was_sent=False, is_timeout=True)
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return Failure("no complete response in time", was_sent=True, is_timeout=True)
    if isinstance(error, httpx.ProxyError):
        return Failure("the proxy refused the connection", was_sent=False)
    if isinstance(error, httpx.DecodingError):
        return Failure("the response body cannot be decompressed", was_sent=True)
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol | httpx.InvalidURL):
        return Failure("the request is no valid HTTP", was_sent=False, is_invalid=True)
    return Failure(f"the connection broke ({type(error).__name__})", was_sent=True)


_TOO_LONG = Failure(f"the response body is longer than {MAX_BODY // 1024 // 1024} MiB", was_sent=True, is_final=True)
_FAILURES = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, TimeoutError)
_senders: "weakref.WeakSet[SyncSender | AsyncSender]" = weakref.WeakSet()


class SyncSender:
    """Sends requests and waits; threads may share it, and a forked process gets connections of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._transport: Any = None
        _senders.add(self)

    def send(self, prepared: Prepared, timeout: float) -> Received | Failure:
        """Return the response to ``prepared``, or what happened in its place, after ``timeout`` seconds at the latest."""
        transport = self._transport or self._open()
        deadline.at = time.monotonic() + timeout
        try:
            return self._exchange(transport, _build_request(prepared, self._connection.connect_timeout, timeout))
        except _FAILURES as error:
            return _describe(error)
        except (ValueError, TypeError):
            return Failure("the request is no valid HTTP", was_sent=False, is_invalid=True)
        finally:
            deadline.at = float("inf")

    @staticmethod
    def _exchange(transport: Any, request: httpx.Request) -> Received | Failure:
        response = transport.handle_request(request)
        try:
            response.request = request
            chunks, size = [], 0
            for chunk in response.iter_bytes():
                chunks.append(chunk)
                size += len(chunk)
                if size > MAX_BODY:
                    return _TOO_LONG
                get_remaining()  # a transport of the caller knows no deadline
        finally:
            response.close()
        return Received(*_read_head(response), chunks[0] if len(chunks) == 1 else b"".join(chunks))

    def _open(self) -> Any:
        with self._lock:
            if self._transport is None:
                self._transport = self._connection.transport or self._build_transport()
            return self._transport

    def _build_transport(self) -> httpx.HTTPTransport:
        from ._bounded_network import BoundedBackend  # noqa: PLC0415 - httpx too imports its network late

        own = self._connection
        transport = httpx.HTTPTransport(
            verify=own.get_ssl_context(), limits=_LIMITS, proxy=own.find_proxy(), trust_env=False
        )
        pool: Any = transport._pool
        pool._network_backend = BoundedBackend(pool._network_backend)
        return transport

    def close(self) -> None:
        """Close every connection; the next request opens new ones."""
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None and transport is not self._connection.transport:
            transport.close()

    def forget(self) -> None:
        """Leave the connections to the process that opened them."""
        self._lock = threading.Lock()
        self._transport = None


class AsyncSender:
    """Sends requests in asyncio; every event loop has connections of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._transports: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
        _senders.add(self)

    async def send(self, prepared: Prepared, timeout: float) -> Received | Failure:
        """Return the response to ``prepared``, or what happened in its place, after ``timeout`` seconds at the latest."""
        import asyncio  # noqa: PLC0415 - synchronous callers do not pay for it

        loop = asyncio.get_running_loop()
        transport = self._transports.get(loop)
        if transport is None:
            transport = self._transports.setdefault(loop, self._connection.transport or self._build_transport())
        try:
            request = _build_request(prepared, self._connection.connect_timeout, timeout)
            async with asyncio.timeout(timeout):
                return await self._exchange(transport, request)
        except _FAILURES as error:
            return _describe(error)
        except (ValueError, TypeError):
            return Failure("the request is no valid HTTP", was_sent=False, is_invalid=True)

    @staticmethod
    async def _exchange(transport: Any, request: httpx.Request) -> Received | Failure:
        response = await transport.handle_async_request(request)
        try:
            response.request = request
            chunks, size = [], 0
            async for chunk in response.aiter_bytes():
                chunks.append(chunk)
                size += len(chunk)
                if size > MAX_BODY:
                    return _TOO_LONG
        finally:
            await response.aclose()
        return Received(*_read_head(response), chunks[0] if len(chunks) == 1 else b"".join(chunks))

    def _build_transport(self) -> httpx.AsyncHTTPTransport:
        own = self._connection
        return httpx.AsyncHTTPTransport(
            verify=own.get_ssl_context(), limits=_LIMITS, proxy=own.find_proxy(), trust_env=False
        )

    async def aclose(self) -> None:
        """Close every connection of this event loop; the next request opens new ones."""
        import asyncio  # noqa: PLC0415 - as above

        transport = self._transports.pop(asyncio.get_running_loop(), None)
        if transport is not None and transport is not self._connection.transport:
            await transport.aclose()

    def forget(self) -> None:
        """Leave the connections to the process that opened them."""
        self._transports = weakref.WeakKeyDictionary()


def _forget_all() -> None:
    for sender in list(_senders):
        sender.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


# The generator's own functions send through a client of httpx, which callers may replace.


class _RedirectGuard:
    """A hook that keeps a key from other servers: httpx drops only ``Authorization`` when it follows a redirect."""

    def __init__(self, url: str, secret_headers: tuple[str, ...]) -> None:
        self._origin = _get_origin(httpx.URL(url))
        self._secret_headers = (*secret_headers, "Cookie")

    def __call__(self, request: httpx.Request) -> None:
        if _get_origin(request.url) == self._origin:
            return
        if request.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in request.headers:
            raise httpx.RemoteProtocolError("a redirect to another server asked for the request body")
        for name in self._secret_headers:
            request.headers.pop(name, None)

    async def check(self, request: httpx.Request) -> None:
        """Do the same for an asynchronous client."""
        self(request)


def _get_origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def build_client(url: str, options: Mapping[str, Any], more: Mapping[str, Any], secret_headers: tuple[str, ...]) -> Any:
    """Return a client of httpx; ``more`` are options of the caller's own, which come last."""
    return httpx.Client(base_url=url, **_join_options(options, more, _RedirectGuard(url, secret_headers)))


def build_async_client(
    url: str, options: Mapping[str, Any], more: Mapping[str, Any], secret_headers: tuple[str, ...]
) -> Any:
    """Return an asynchronous client of httpx; ``more`` are options of the caller's own, which come last."""
    return httpx.AsyncClient(base_url=url, **_join_options(options, more, _RedirectGuard(url, secret_headers).check))


def _join_options(options: Mapping[str, Any], more: Mapping[str, Any], guard: Any) -> dict[str, Any]:
    hooks = dict(more.get("event_hooks") or {})
    hooks["request"] = [*hooks.get("request", ()), guard]
    return {**options, **more, "event_hooks": hooks}


def send_with(client: Any, arguments: Mapping[str, Any]) -> Received | Failure:
    """Return the response that ``client`` gets for the ``arguments`` of its ``request``, or what happened."""
    try:
        response = client.request(**arguments)
    except _FAILURES as error:
        return _describe(error)
    except (ValueError, TypeError):
        return Failure("the request is no valid HTTP", was_sent=False, is_invalid=True)
    return Received(*_read_head(response), response.content)


async def send_with_async(client: Any, arguments: Mapping[str, Any]) -> Received | Failure:
    """Return the response that the asynchronous ``client`` gets, or what happened."""
    try:
        response = await client.request(**arguments)
    except _FAILURES as error:
        return _describe(error)
    except (ValueError, TypeError):
        return Failure("the request is no valid HTTP", was_sent=False, is_invalid=True)
    return Received(*_read_head(response), response.content)
