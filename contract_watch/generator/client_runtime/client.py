"""The connections that the functions of ``api`` take. `connect` is the simpler way in.

A `Client` never changes what it was given, and a derived one shares nothing with the one it comes from.
"""

import asyncio
import os
import ssl
import threading
import weakref
from collections.abc import Mapping
from typing import Any, Self

from . import _about
from ._http import build_client, send_with, send_with_async
from ._messages import Arguments, Failure, Prepared
from ._reading import Outcome
from ._secrets import Secret
from ._settings import TIMEOUT, USER_AGENT, encode_key, find_key_problem, find_url_problem
from .errors import ConfigurationError

_clients: "weakref.WeakSet[Client]" = weakref.WeakSet()


class Client:
    """A connection without a key.

    Args:
        base_url: The address of the API.
        cookies: Cookies to send with every request.
        headers: Headers to send with every request.
        timeout: Seconds to wait for a connection, and each time for the next part of the response; None waits for ever.
        verify_ssl: False, or an ``ssl.SSLContext``, in place of the usual check of certificates.
        follow_redirects: True follows redirects; a key is never sent to another server.
        httpx_args: Further options of the underlying library.
        raise_on_unexpected_status: True raises `errors.UnexpectedStatus` for an undocumented status.
    """

    def __init__(
        self,
        base_url: str,
        *,
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: Any = TIMEOUT,
        verify_ssl: str | bool | ssl.SSLContext = True,
        follow_redirects: bool = False,
        httpx_args: Mapping[str, Any] | None = None,
        raise_on_unexpected_status: bool = False,
    ) -> None:
        problem = find_url_problem("base_url", base_url, None)
        if problem is not None:
            del cookies, headers, httpx_args  # a traceback shows what is left
            raise ConfigurationError(problem)
        self._base_url = base_url
        self._cookies, self._headers = dict(cookies or {}), dict(headers or {})
        self._timeout, self._verify_ssl = timeout, verify_ssl
        self._follow_redirects = follow_redirects
        self._httpx_args = dict(httpx_args or {})
        self._raise_on_unexpected_status = raise_on_unexpected_status
        self._set_up()

    def _set_up(self) -> None:
        self._lock = threading.Lock()
        self._client: Any = None
        self._async_client: Any = None
        self._async_clients: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
        _clients.add(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._base_url!r})"

    def __getstate__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} holds connections and a key: create one in each process")

    @property
    def raise_on_unexpected_status(self) -> bool:
        """True if an undocumented status raises `errors.UnexpectedStatus`."""
        return self._raise_on_unexpected_status

    def _derive(self, **changes: Any) -> Self:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__ | changes)
        other._set_up()
        return other

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """Return another client that also sends ``headers``."""
        return self._derive(_headers={**self._headers, **headers})

    def with_cookies(self, cookies: Mapping[str, str]) -> Self:
        """Return another client that also sends ``cookies``."""
        return self._derive(_cookies={**self._cookies, **cookies})

    def with_timeout(self, timeout: Any) -> Self:
        """Return another client that waits for ``timeout`` seconds."""
        return self._derive(_timeout=timeout)

    def _build_options(self) -> dict[str, Any]:
        return {
            "cookies": self._cookies,
            "headers": {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate", **self._headers},
            "timeout": self._timeout,
            "verify": self._verify_ssl,
            "follow_redirects": self._follow_redirects,
        }

    def _get_secret_headers(self) -> tuple[str, ...]:
        return ()

    def set_httpx_client(self, client: Any) -> Self:
        """Send through ``client``, a client of the underlying library; its own settings replace all of these."""
        self._client = client
        return self

    def get_httpx_client(self) -> Any:
        """Return the client of the underlying library, made at the first call."""
        with self._lock:
            if self._client is None:
                self._client = self._build_client(is_async=False)
            return self._client

    def set_async_httpx_client(self, async_client: Any) -> Self:
        """Send through ``async_client``, an asynchronous client of the underlying library."""
        self._async_client = async_client
        return self

    def get_async_httpx_client(self) -> Any:
        """Return the asynchronous client of the underlying library; every event loop has one of its own."""
        if self._async_client is not None:
            return self._async_client
        try:
            loop: Any = asyncio.get_running_loop()
        except RuntimeError:
            loop = type(self)  # no loop runs yet: the caller only looks at it
        with self._lock:
            if loop not in self._async_clients:
                self._async_clients[loop] = self._build_client(is_async=True)
            return self._async_clients[loop]

    def _build_client(self, *, is_async: bool) -> Any:
        # A traceback shows both, where an interruption arrives meanwhile.
        options, more = Arguments(self._build_options()), Arguments(self._httpx_args)
        made = build_client(self._base_url, options, more, self._get_secret_headers(), is_async=is_async)
        if isinstance(made, Failure):
            raise ConfigurationError(made.reason)
        return made

    def close(self) -> None:
        """Close every connection; the next request opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    async def aclose(self) -> None:
        """Close the connections of this event loop; the next request opens new ones."""
        with self._lock:
            client, self._async_client = self._async_client, None
            client = client or self._async_clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _send(self, arguments: Mapping[str, Any]) -> Outcome:
        arguments = Arguments(arguments)  # a traceback shows it
        return Outcome(self._prepare(arguments), send_with(self.get_httpx_client(), arguments))

    async def _send_async(self, arguments: Mapping[str, Any]) -> Outcome:
        arguments = Arguments(arguments)  # a traceback shows it
        return Outcome(self._prepare(arguments), await send_with_async(self.get_async_httpx_client(), arguments))

    def _prepare(self, arguments: Mapping[str, Any]) -> Prepared:
        url = self._base_url.rstrip("/") + arguments["url"]
        prepared = Prepared(arguments["method"].upper(), url, {}, None, url)
        prepared.body = arguments.get("json")
        return prepared


class AuthenticatedClient(Client):
    """A connection with a key, which cannot be changed afterwards.

    Args:
        base_url: The address of the API.
        token: The key.
        prefix: The word before the key in its header; empty if there is none.
        auth_header_name: The header of the key.
        options: The further arguments of `Client`.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        prefix: str = _about.KEY_PREFIX,
        auth_header_name: str = _about.KEY_HEADER,
        **options: Any,
    ) -> None:
        secret = Secret(token)
        del token
        problem = find_key_problem(secret, "token") or find_url_problem("base_url", base_url, None)
        if _about.KEY_QUERY is not None:  # httpx logs the addresses that its clients request
            problem = "AuthenticatedClient cannot send a key in the query without logging it; use connect()"
        if problem is not None:
            options.clear()  # a traceback shows what is left
            raise ConfigurationError(problem)
        super().__init__(base_url, **options)
        self._token = secret
        self._prefix, self._auth_header_name = prefix, auth_header_name

    @property
    def token(self) -> str:
        """The key."""
        return str(self._token.value)

    @property
    def prefix(self) -> str:
        """The word before the key in its header."""
        return self._prefix

    @property
    def auth_header_name(self) -> str:
        """The header of the key."""
        return self._auth_header_name

    def _build_options(self) -> dict[str, Any]:
        options = super()._build_options()
        credential = f"{self._prefix} {encode_key(self.token)}".strip()
        return {**options, "headers": {**options["headers"], self._auth_header_name: credential}}

    def _prepare(self, arguments: Mapping[str, Any]) -> Prepared:
        prepared = super()._prepare(arguments)
        prepared.key = self._token
        return prepared

    def _get_secret_headers(self) -> tuple[str, ...]:
        return (self._auth_header_name,)


def _forget_all() -> None:
    for client in list(_clients):
        client._set_up()  # the process that forked keeps its connections


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
