"""The document that a vendor publishes now, fetched. Whatever is not that document, whole, is no answer and never drift.

Nothing is believed before it has been read: an ETag is handed out only with a document that can be compared.
"""

import ipaddress
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from contract_watch.contracts.errors import UsageError
from contract_watch.diff.document.limits import MOST_BYTES, SHOWN
from contract_watch.diff.document.loader import read
from contract_watch.diff.document.transport import Deadline, network
from contract_watch.report.escaping import plain

USER_AGENT = "contract-watch"
MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_ACCEPT = "application/json, application/yaml, text/yaml, text/plain;q=0.5, */*;q=0.1"
_DOCUMENT = re.compile(
    r"(?:application|text)/(?:[a-z0-9!#$&^_.+-]+\+)?(?:x-)?(?:json|yaml)|text/(?:plain|vnd\.yaml)"
    r"|application/vnd\.oai\.openapi|(?:application|binary)/octet-stream|"
)
"""Media types in which documents are published; one that is not told is as good as octets (RFC 9110, section 8.3)."""
_PAGE = ("text/html", "application/xhtml+xml")
_ETAG = re.compile(r'(?:W/)?"[!\x23-\x7e]{0,250}"')
"""RFC 9110, section 8.8.3, without the signs beyond ASCII; of other forms none is kept or sent."""


class CouldNotTellError(Exception):
    """What a vendor publishes now could not be learnt. Its text is one line: where, what is wrong, the remedy."""


@dataclass(frozen=True)
class Limits:
    """What one fetch may take.

    ``connect`` is for finding and reaching the server, and again for agreeing on TLS, ``read`` for each pause in what
    comes, ``total`` for everything, redirects included; all in seconds. ``size`` is in bytes, packed and unpacked.
    """

    connect: float = 5.0
    read: float = 15.0
    total: float = 60.0
    size: int = MOST_BYTES


@dataclass(frozen=True)
class Fetched:
    """A document that was published: as read, and as it came, unpacked.

    ``etag`` is what the server knows this version by, to be given to the next `fetch` of the same address; empty where
    it gave none. ``address`` is where the last redirect led.
    """

    document: dict[str, Any]
    content: bytes
    etag: str
    address: str


@dataclass(frozen=True)
class NotModified:
    """The version that ``etag`` names is still what is published."""

    etag: str


Line = Callable[[Deadline], httpx.BaseTransport]
"""Makes what a fetch goes over: the network, or what stands in for it."""
LIMITS = Limits()


def fetch(url: str, *, etag: str = "", limits: Limits = LIMITS, line: Line = network) -> Fetched | NotModified:
    """The OpenAPI document at ``url``, https, or http on this machine's loopback.

    ``etag`` is that of the version which the caller has kept, as an earlier fetch of the same address gave it; without
    one the answer is never `NotModified`. Proxies and settings of the environment are not read, and no credentials and
    cookies are sent. Redirects are followed to the same scheme, host and port only.

    Raises:
        CouldNotTellError: no whole document came from there.
    """
    address = _checked(url)
    kept = etag if _ETAG.fullmatch(etag) else ""
    with line(Deadline(limits.total)) as transport:
        for _ in range(MOST_REDIRECTS + 1):
            found = _asked(transport, address, kept, limits)
            if not isinstance(found, httpx.URL):
                return found
            address = found
    raise _problem(address, f"more than {MOST_REDIRECTS} redirects follow each other", "correct the address")


def _checked(url: str) -> httpx.URL:
    """``url``, if a document may be asked for there. It is not shown as it stands: it may hold credentials."""
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise CouldNotTellError("the address of the published document is none; correct it") from error
    if address.userinfo:
        raise _problem(address, "the address holds credentials, which are not sent", "remove what stands before the @")
    if address.scheme not in ("https", "http") or not address.host:
        raise _problem(address, "is no address of https", "give one")
    if address.scheme == "http" and not _is_loopback(address.host):
        raise _problem(address, "is not fetched over http, where anybody could change it", "give its address of https")
    return address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _asked(
    transport: httpx.BaseTransport, address: httpx.URL, kept: str, limits: Limits
) -> Fetched | NotModified | httpx.URL:
    """What one request brings; an address where it is redirected."""
    headers = {"User-Agent": USER_AGENT, "Accept": _ACCEPT, "Accept-Encoding": "gzip"}
    timeout = httpx.Timeout(limits.read, connect=limits.connect)
    request = httpx.Request(
        "GET", address, headers=headers | ({"If-None-Match": kept} if kept else {}),
        extensions={"timeout": timeout.as_dict()},
    )  # fmt: skip
    try:
        response = transport.handle_request(request)
        try:
            return _judged(response, address, kept, limits)
        finally:
            response.close()
    except httpx.ConnectTimeout as error:
        raise _problem(address, "takes no connection in time", "try again later") from error
    except httpx.ConnectError as error:
        if "SSL" in str(error) or "CERTIFICATE" in str(error):
            raise _problem(address, "no trusted TLS connection can be made", "try again later") from error
        raise _problem(address, "refuses connections, or its name is unknown", "correct it, or try later") from error
    except httpx.TimeoutException as error:
        raise _problem(address, "gives no whole answer in time", "try again later") from error
    except (httpx.RemoteProtocolError, zlib.error) as error:
        raise _problem(address, "the answer broke off, or is no HTTP", "try again later") from error
    except httpx.TransportError as error:
        raise _problem(address, f"the connection broke ({type(error).__name__})", "try again later") from error


def _judged(
    response: httpx.Response, address: httpx.URL, kept: str, limits: Limits
) -> Fetched | NotModified | httpx.URL:
    status = response.status_code
    if status in _REDIRECTS:
        return _redirected(address, response.headers.get("location", ""))
    if status == 304 and kept:
        return NotModified(kept)
    if status != 200:
        raise _problem(address, f"answered {status}, not 200", _remedy(status))
    media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media in _PAGE:
        raise _problem(address, "answered with an HTML page", "give the address of the document itself")
    if not _DOCUMENT.fullmatch(media):
        what = f"answered with {plain(media, 60)}, which is neither JSON nor YAML"
        raise _problem(address, what, "give the address of the document itself")
    content = _content(response, address, limits.size)
    try:
        document = read(content, _shown(address))
    except UsageError as error:
        raise CouldNotTellError(str(error)) from error
    told = response.headers.get("etag", "")
    return Fetched(document, content, told if _ETAG.fullmatch(told) else "", str(address))


def _remedy(status: int) -> str:
    if status in (401, 403, 407):
        return "give an address that needs no credentials"
    if status in (404, 410):
        return "the document may have moved, correct the address"
    return "try again later" if status == 429 or status >= 500 else "correct the address"


def _redirected(address: httpx.URL, location: str) -> httpx.URL:
    """Where ``location`` leads from ``address``, if that is on the same server."""
    try:
        found = address.join(location)
    except (httpx.InvalidURL, ValueError) as error:
        raise _problem(address, "is redirected to what is no address", "try again later") from error
    if not location or found.userinfo:
        raise _problem(address, "is redirected to what is no address", "try again later")
    if (found.scheme, found.host, found.port) != (address.scheme, address.host, address.port):
        remedy = "set that as its address if it is the vendor's"
        raise _problem(address, f"is redirected to {_shown(found)}, another server", remedy)
    return found


def _content(response: httpx.Response, address: httpx.URL, most: int) -> bytes:
    """The body, unpacked, if neither what comes nor what it unpacks to is more than ``most`` bytes.

    Raises:
        zlib.error: it is not packed as it says, or something is missing, or something follows.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise _problem(address, f"answered in the encoding {plain(encoding, 60)}, not asked for", "try again later")
    length = response.headers.get("content-length", "")
    too_large = _problem(address, f"is larger than {most:,} bytes", "give the address of a smaller document")
    if length.isdecimal() and int(length) > most:
        raise too_large
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding in ("gzip", "x-gzip") else None
    parts, came, size = [], 0, 0
    assert isinstance(response.stream, httpx.SyncByteStream)
    for chunk in response.stream:
        came += len(chunk)
        part = chunk if reader is None else reader.decompress(chunk, most - size + 1)
        size += len(part)
        if max(came, size) > most:
            raise too_large
        if reader is not None and reader.unused_data:
            raise zlib.error("something follows what is packed")
        parts.append(part)
    if reader is not None and not reader.eof:
        raise zlib.error("what is packed broke off")
    return b"".join(parts)


def _shown(address: httpx.URL) -> str:
    """An address as errors show it: without credentials and query."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    port = f":{address.port}" if address.port else ""
    return plain(f"{address.scheme}://{host}{port}{address.path}", SHOWN)


def _problem(address: httpx.URL, what: str, remedy: str) -> CouldNotTellError:
    return CouldNotTellError(f"{_shown(address)}: {what}; {remedy}")
