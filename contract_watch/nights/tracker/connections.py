"""HTTP for the client library: one server only, bounded bodies, no redirects, the token in no other hands.

The library follows pages and redirects wherever a response points, reads bodies of any length, and waits inside itself.
These connections replace its own.
"""

import json
import time
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester, RequestsResponse

from contract_watch.net import discard_tls_key_log

STEP_SECONDS = 30.0
TOTAL_SECONDS = 120.0
MAX_BYTES = 32 * 1024 * 1024
_CHUNK = 65_536


class UnusableResponseError(requests.RequestException):
    """A response that is no answer of the issues API: cut, too large, not JSON, or a redirect. It may pass."""


class OtherServerError(Exception):
    """A response pointed the library to another server; nothing was sent there."""


def use_bounded_connections(api_url: str) -> None:
    """Make the client library use the connections of this module, to ``api_url`` alone, in the whole process."""
    discard_tls_key_log()
    parts = urlsplit(api_url)
    origin = (parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))

    class _PlainConnection(_BoundedRequests, HTTPRequestsConnectionClass):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.limit_to(origin)
            # On loopback; no proxy of the environment gets the token.
            self.session.trust_env = False

    class _TlsConnection(_BoundedRequests, HTTPSRequestsConnectionClass):
        # Proxies and certificates come from the environment, as requests reads them.
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.limit_to(origin)

    Requester.injectConnectionClasses(_PlainConnection, _TlsConnection)


class _BoundedRequests:
    """The part that both connections share."""

    host: str
    port: int
    protocol: str
    verb: str
    url: str
    input: Any
    headers: dict[str, str]
    session: requests.Session
    origin: tuple[str, str, int]

    def limit_to(self, origin: tuple[str, str, int]) -> None:
        """Allow requests to ``origin`` only, and let the session read no redirect."""
        self.origin = origin
        # requests would read the whole body of a redirect to find out where it leads, though nobody follows it.
        self.session.get_redirect_target = lambda _: None  # type: ignore[assignment,method-assign]

    def getresponse(self) -> RequestsResponse:
        """Send the request and read the whole response."""
        if (self.protocol, self.host, int(self.port)) != self.origin:
            raise OtherServerError("a response points to another server")
        until = time.monotonic() + TOTAL_SECONDS
        response = self.session.request(
            self.verb, f"{self.protocol}://{_format_host(self.host)}:{self.port}{self.url}", headers=self.headers, data=self.input,
            timeout=STEP_SECONDS, allow_redirects=False, stream=True,
        )  # fmt: skip
        with response:
            content = _read_body(response, until)
            _check_answer(response, content)
            response._content = content  # noqa: SLF001 (as Response.content would set it)
        return RequestsResponse(response)


def _format_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _read_body(response: requests.Response, until: float) -> bytes:
    content = bytearray()
    try:
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            content += chunk
            if len(content) > MAX_BYTES or time.monotonic() > until:
                raise UnusableResponseError("the response is too large or too slow")
    except (urllib3.exceptions.HTTPError, OSError) as error:
        if isinstance(error, UnusableResponseError):
            raise
        raise UnusableResponseError("the response broke off") from error
    return bytes(content)


def _check_answer(response: requests.Response, content: bytes) -> None:
    length = response.headers.get("Content-Length", "")
    is_packed = "Content-Encoding" in response.headers
    if length.isdecimal() and not is_packed and int(length) != len(content):
        raise UnusableResponseError("the response broke off")
    status = response.status_code
    if 300 <= status < 400 or status == 202:
        raise UnusableResponseError(f"the tracker answers {status}, which is no answer of its issues API")
    if status < 300 and content:
        try:
            json.loads(content)
        except (ValueError, RecursionError) as error:
            raise UnusableResponseError("the response is not JSON") from error
