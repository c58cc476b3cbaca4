"""Fetching of the document that a vendor publishes now.

Anything but the whole document is an error that leaves the run inconclusive, never drift. An ETag is returned only with
a document that was parsed and can be compared.
"""

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from contract_watch.addresses import is_loopback
from contract_watch.diff.document.limits import MAX_BYTES, MAX_SHOWN_LENGTH
from contract_watch.diff.document.loader import parse_document
from contract_watch.errors import InconclusiveError, UsageError
from contract_watch.escaping import escape_text
from contract_watch.net import Deadline, create_transport, get_tls_context

USER_AGENT = "contract-watch"
MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_ACCEPT = "application/json, application/yaml, text/yaml, text/plain;q=0.5, */*;q=0.1"
_DOCUMENT_TYPES = re.compile(
    r"(?:application|text)/(?:[a-z0-9!#$&^_.+-]+\+)?(?:x-)?(?:json|yaml)|text/(?:plain|vnd\.yaml)"
    r"|application/vnd\.oai\.openapi|(?:application|binary)/octet-stream|"
)
"""Media types of published documents; a missing media type counts as octets (RFC 9110, section 8.3)."""
_PAGE_TYPES = ("text/html", "application/xhtml+xml")
_ETAG = re.compile(r'(?:W/)?"[!\x23-\x7e]{0,250}"')
"""RFC 9110, section 8.8.3, but ASCII only; other ETags are neither stored nor sent."""


class FetchError(InconclusiveError):
    """A published document that cannot be fetched now. The message is one line: address, problem, fix."""


@dataclass(frozen=True)
class FetchLimits:
    """The limits of one fetch.

    Args:
        connect: seconds to find and reach the server, and again for the TLS handshake.
        read: seconds for each pause in the response.
        total: seconds for everything, redirects included.
        size: bytes of the body, compressed and decompressed.
    """

    connect: float = 5.0
    read: float = 15.0
    total: float = 60.0
    size: int = MAX_BYTES


@dataclass(frozen=True)
class FetchedDocument:
    """A published document.

    Args:
        document: the parsed document.
        content: the decompressed body.
        etag: the ETag of this version, for the next `fetch_document` of the same address; "" if the server sends none.
        address: the address after the last redirect.
    """

    document: dict[str, Any]
    content: bytes
    etag: str
    address: str


@dataclass(frozen=True)
class NotModified:
    """The published version is still the one with this ``etag``."""

    etag: str


TransportFactory = Callable[[Deadline], httpx.BaseTransport]
"""A factory of the transport of a fetch: the network, or a substitute."""
DEFAULT_LIMITS = FetchLimits()


def _create_network_transport(deadline: Deadline) -> httpx.BaseTransport:
    return create_transport(deadline, get_tls_context("https:"), bounded_lookup=True)


def fetch_document(
    url: str,
    *,
    etag: str = "",
    limits: FetchLimits = DEFAULT_LIMITS,
    create_transport: TransportFactory = _create_network_transport,
) -> FetchedDocument | NotModified:
    """Fetch the OpenAPI document at ``url``: https, or http on this machine's loopback.

    Proxies and other settings of the environment are ignored. No credentials and cookies are sent. Redirects are followed
    within the same scheme, host and port only.

    Args:
        url: the address.
        etag: the ETag of the cached version, from an earlier fetch of the same address; without it the result is never
            `NotModified`.
        limits: the limits of time and size.
        create_transport: the factory of the transport.

    Raises:
        FetchError: the server did not return a whole document.
    """
    address = _parse_address(url)
    cached_etag = etag if _ETAG.fullmatch(etag) else ""
    with create_transport(Deadline(limits.total)) as transport:
        for _ in range(MAX_REDIRECTS + 1):
            found = _send_request(transport, address, cached_etag, limits)
            if not isinstance(found, httpx.URL):
                return found
            address = found
    raise _build_error(address, f"more than {MAX_REDIRECTS} redirects follow each other", "correct the address")


def _parse_address(url: str) -> httpx.URL:
    """Parse ``url`` and refuse addresses that must not be fetched. Errors hide it: it may hold credentials."""
    try:
        address = httpx.URL(url)
        is_local = is_loopback(address.host, strict=True)  # httpx decodes the host here, which may fail
    except (httpx.InvalidURL, ValueError) as error:
        raise FetchError("the address of the published document is malformed; correct it") from error
    if address.userinfo:
        raise _build_error(
            address, "the address contains credentials, which are never sent", "remove everything before the @"
        )
    if address.scheme not in ("https", "http") or not address.host:
        raise _build_error(address, "is not an https address", "give one")
    if address.scheme == "http" and not is_local:
        raise _build_error(address, "is not fetched over http, where others could change it", "give its https address")
    return address


def _send_request(
    transport: httpx.BaseTransport, address: httpx.URL, etag: str, limits: FetchLimits
) -> FetchedDocument | NotModified | httpx.URL:
    """Send one request and return its result, or the address of a redirect."""
    headers = {"User-Agent": USER_AGENT, "Accept": _ACCEPT, "Accept-Encoding": "gzip"}
    timeout = httpx.Timeout(limits.read, connect=limits.connect)
    request = httpx.Request(
        "GET", address, headers=headers | ({"If-None-Match": etag} if etag else {}),
        extensions={"timeout": timeout.as_dict()},
    )  # fmt: skip
    try:
        response = transport.handle_request(request)
        try:
            return _read_response(response, address, etag, limits)
        finally:
            response.close()
    except httpx.ConnectTimeout as error:
        raise _build_error(address, "no connection in time", "try again later") from error
    except httpx.ConnectError as error:
        if "SSL" in str(error) or "CERTIFICATE" in str(error):
            raise _build_error(address, "no trusted TLS connection is possible", "try again later") from error
        raise _build_error(
            address, "refuses connections, or its name is unknown", "correct it, or try later"
        ) from error
    except httpx.TimeoutException as error:
        raise _build_error(address, "no complete response in time", "try again later") from error
    except (httpx.RemoteProtocolError, zlib.error) as error:
        raise _build_error(address, "the response is incomplete or not HTTP", "try again later") from error
    except httpx.TransportError as error:
        raise _build_error(address, f"the connection broke ({type(error).__name__})", "try again later") from error


def _read_response(
    response: httpx.Response, address: httpx.URL, etag: str, limits: FetchLimits
) -> FetchedDocument | NotModified | httpx.URL:
    status = response.status_code
    if status in _REDIRECTS:
        return _resolve_redirect(address, response.headers.get("location", ""))
    if status == 304 and etag:
        return NotModified(etag)
    if status != 200:
        raise _build_error(address, f"the response has status {status}, not 200", _choose_remedy(status))
    media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media in _PAGE_TYPES:
        raise _build_error(address, "the response is an HTML page", "give the address of the document itself")
    if not _DOCUMENT_TYPES.fullmatch(media):
        problem = f"the response is {escape_text(media, 60)}, which is neither JSON nor YAML"
        raise _build_error(address, problem, "give the address of the document itself")
    content = _read_body(response, address, limits.size)
    try:
        document = parse_document(content, _format_address(address))
    except UsageError as error:
        raise FetchError(str(error)) from error
    new_etag = response.headers.get("etag", "")
    return FetchedDocument(document, content, new_etag if _ETAG.fullmatch(new_etag) else "", str(address))


def _choose_remedy(status: int) -> str:
    if status in (401, 403, 407):
        return "give an address that needs no credentials"
    if status in (404, 410):
        return "the document may have moved, correct the address"
    return "try again later" if status == 429 or status >= 500 else "correct the address"


def _resolve_redirect(address: httpx.URL, location: str) -> httpx.URL:
    """Return the target of a redirect if it is on the same server."""
    try:
        found = address.join(location)
        server = (found.scheme, found.host, found.port)
    except (httpx.InvalidURL, ValueError) as error:
        raise _build_error(address, "the redirect has no valid address", "try again later") from error
    if not location or found.userinfo:
        raise _build_error(address, "the redirect has no valid address", "try again later")
    if server != (address.scheme, address.host, address.port):
        remedy = "set that as its address if it is the vendor's"
        raise _build_error(address, f"redirects to another server, {_format_address(found)}", remedy)
    return found


def _read_body(response: httpx.Response, address: httpx.URL, max_size: int) -> bytes:
    """Return the decompressed body of at most ``max_size`` bytes, both as received and decompressed.

    Raises:
        zlib.error: the compressed data is malformed, incomplete or followed by other data.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise _build_error(
            address,
            f"the response has the encoding {escape_text(encoding, 60)}, which was not requested",
            "try again later",
        )
    length = response.headers.get("content-length", "")
    too_large = _build_error(address, f"is larger than {max_size:,} bytes", "give the address of a smaller document")
    if length.isdecimal() and int(length) > max_size:
        raise too_large
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding in ("gzip", "x-gzip") else None
    parts, came, size = [], 0, 0
    assert isinstance(response.stream, httpx.SyncByteStream)
    for chunk in response.stream:
        came += len(chunk)
        part = chunk if reader is None else reader.decompress(chunk, max_size - size + 1)
        size += len(part)
        if max(came, size) > max_size:
            raise too_large
        if reader is not None and reader.unused_data:
            raise zlib.error("other data follows the compressed data")
        parts.append(part)
    if reader is not None and not reader.eof:
        raise zlib.error("the compressed data is incomplete")
    return b"".join(parts)


def _format_address(address: httpx.URL) -> str:
    """Return an address without credentials and query, for errors."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    port = f":{address.port}" if address.port else ""
    return escape_text(f"{address.scheme}://{host}{port}{address.path}", MAX_SHOWN_LENGTH)


def _build_error(address: httpx.URL, problem: str, remedy: str) -> FetchError:
    return FetchError(f"{_format_address(address)}: {problem}; {remedy}")
