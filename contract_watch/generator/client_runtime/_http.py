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
from contextlib import suppress
from typing import Any

import httpx

from ._bodies import MAX_BODY, TOO_LONG, decompress
from ._deadline import deadline, get_remaining
from ._messages import Failure, Prepared, Received
from ._secrets import Secret, is_secret_name
from .types import Headers

_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=15)
_CONNECT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


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
        httpx.Request("GET", connection.url)
    except (ValueError, TypeError, httpx.InvalidURL):
        return "base_url is no valid address"
    name = "proxy" if connection.proxy.value is not None else "the environment's proxy (HTTPS_PROXY or ALL_PROXY)"
    try:
        proxy = connection.find_proxy()
    except (ValueError, TypeError, httpx.InvalidURL):
        return f"{name} must be an http://, https:// or socks5:// address"
    if proxy is not None and proxy.url.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        return f"{name} uses SOCKS, which needs socksio; run `pip install 'httpx[socks]'`"
    return None


def _build_request(prepared: Prepared, connect: float, total: float) -> httpx.Request:
    timeouts = {"connect": min(connect, total), "read": total, "write": total, "pool": total}
    return httpx.Request(
        prepared.method,
        prepared.url,
        headers=prepared.headers,
        content=prepared.content,
        extensions={"timeout": timeouts},
        **prepared.extras,
    )


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
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol | httpx.InvalidURL):
        return Failure("the request is no valid HTTP", was_sent=False, is_invalid=True)
    return Failure(f"the connection broke ({type(error).__name__})", was_sent=True)


_INVALID = Failure("the request is no valid HTTP", is_invalid=True)


def _describe_settings(error: Exception) -> Failure:
    """Return the reason that no connection can be made: a file of certificates is missing, or a library."""
    kind = type(error).__name__
    return Failure(
        f"no connection can be set up ({kind}); check SSL_CERT_FILE, SSL_CERT_DIR and proxy", is_setting=True
    )


def _read_plain(response: httpx.Response, chunks: list[bytes]) -> Received:
    """Return the response whose body came in ``chunks``, decompressed if it can be."""
    content = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    status, headers = response.status_code, Headers(response.headers.multi_items())
    if len(content) > MAX_BODY:
        return Received(status, headers, content, TOO_LONG)
    encodings = headers.get("Content-Encoding")
    return Received(status, headers, *(decompress(content, encodings.split(",")) if encodings else (content, "")))


def _read_sync(response: httpx.Response) -> Received:
    if response.is_stream_consumed:  # a transport for tests has read it
        return Received(response.status_code, Headers(response.headers.multi_items()), response.content)
    chunks, size = [], 0
    for chunk in response.iter_raw():
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY:
            break
        get_remaining()  # a transport of the caller knows no deadline
    return _read_plain(response, chunks)


async def _read_async(response: httpx.Response) -> Received:
    if response.is_stream_consumed:
        return Received(response.status_code, Headers(response.headers.multi_items()), response.content)
    chunks, size = [], 0
    async for chunk in response.aiter_raw():
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY:
            break
    return _read_plain(response, chunks)


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
        try:
            transport = self._transport or self._open()
        except Exception as error:  # noqa: BLE001 - no error of another library surfaces
            return _describe_settings(error)
        try:
            request = _build_request(prepared, self._connection.connect_timeout, timeout)
        except (ValueError, TypeError, httpx.InvalidURL):
            return _INVALID
        before = deadline.at
        deadline.at = min(before, time.monotonic() + timeout)
        try:
            return self._exchange(transport, request)
        except Exception as error:  # noqa: BLE001 - as above
            return _describe(error)
        except BaseException as error:  # noqa: BLE001 - it is raised again
            raise error.with_traceback(None) from None  # an interruption's frames hold headers and bodies
        finally:
            deadline.at = before

    @staticmethod
    def _exchange(transport: Any, request: httpx.Request) -> Received:
        response = transport.handle_request(request)
        try:
            return _read_sync(response)
        finally:
            response.close()

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

    def __del__(self) -> None:
        with suppress(Exception):  # nobody has closed it, and the interpreter may be ending
            self.close()

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

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return Failure("no event loop of asyncio runs here", is_setting=True)
        try:
            transport = self._transports.get(loop) or self._open(loop)
        except Exception as error:  # noqa: BLE001 - no error of another library surfaces
            return _describe_settings(error)
        try:
            request = _build_request(prepared, self._connection.connect_timeout, timeout)
        except (ValueError, TypeError, httpx.InvalidURL):
            return _INVALID
        try:
            async with asyncio.timeout(timeout):
                return await self._exchange(transport, request)
        except Exception as error:  # noqa: BLE001 - as above
            return _describe(error)
        except BaseException as error:  # noqa: BLE001 - it is raised again
            raise error.with_traceback(None) from None  # a cancellation's frames hold headers and bodies

    @staticmethod
    async def _exchange(transport: Any, request: httpx.Request) -> Received:
        response = await transport.handle_async_request(request)
        try:
            return await _read_async(response)
        finally:
            await response.aclose()

    def _open(self, loop: Any) -> Any:
        return self._transports.setdefault(loop, self._connection.transport or self._build_transport())

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
        self._secret_headers = frozenset(name.lower() for name in secret_headers)

    def __call__(self, request: httpx.Request) -> None:
        if _get_origin(request.url) == self._origin:
            return
        if request.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in request.headers:
            raise httpx.RemoteProtocolError("a redirect to another server asked for the request body")
        for name in list(request.headers):
            if name.lower() in self._secret_headers or is_secret_name(name):
                del request.headers[name]

    async def check(self, request: httpx.Request) -> None:
        """Do the same for an asynchronous client."""
        self(request)


def _get_origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def build_client(
    url: str, options: Mapping[str, Any], more: Mapping[str, Any], secret_headers: tuple[str, ...], *, is_async: bool
) -> Any:
    """Return a client of httpx, or a `Failure`; ``more`` are options of the caller's own, which come last."""
    try:
        guard = _RedirectGuard(url, secret_headers)
        hooks = {**(more.get("event_hooks") or {})}
        hooks["request"] = [*hooks.get("request", ()), guard.check if is_async else guard]
        kind = httpx.AsyncClient if is_async else httpx.Client
        return kind(base_url=url, **{**options, **more, "event_hooks": hooks})
    except Exception as error:  # noqa: BLE001 - its frames hold the key
        return Failure(
            f"httpx takes no such settings ({type(error).__name__}); check httpx_args and the others", is_setting=True
        )
    except BaseException as error:  # noqa: BLE001 - it is raised again
        raise error.with_traceback(None) from None  # an interruption's frames hold the key


def send_with(client: Any, arguments: Mapping[str, Any]) -> Received | Failure:
    """Return the response that ``client`` gets for the ``arguments`` of its ``request``, or what happened."""
    try:
        response = client.send(client.build_request(**arguments), stream=True)
        try:
            return _read_sync(response)
        finally:
            response.close()
    except Exception as error:  # noqa: BLE001 - no error of another library surfaces
        return _describe_sent(error)
    except BaseException as error:  # noqa: BLE001 - it is raised again
        raise error.with_traceback(None) from None  # an interruption's frames hold headers and bodies


async def send_with_async(client: Any, arguments: Mapping[str, Any]) -> Received | Failure:
    """Return the response that the asynchronous ``client`` gets, or what happened."""
    try:
        response = await client.send(client.build_request(**arguments), stream=True)
        try:
            return await _read_async(response)
        finally:
            await response.aclose()
    except Exception as error:  # noqa: BLE001 - no error of another library surfaces
        return _describe_sent(error)
    except BaseException as error:  # noqa: BLE001 - it is raised again
        raise error.with_traceback(None) from None  # a cancellation's frames hold headers and bodies


def _describe_sent(error: Exception) -> Failure:
    return _INVALID if isinstance(error, ValueError | TypeError) else _describe(error)
