"""A deadline for a whole answer, kept where bytes come in: a server that drips headers, or never stops, is given up too."""

import time
import zlib
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from contract_watch.diff.document.transport import DeadlineStream


class ResponseDeadline:
    """When the answer that is read has to be whole, on the monotonic clock."""

    def __init__(self) -> None:
        self.expires_at = 0.0

    def left(self, timeout: float | None) -> float:
        """The seconds that one reading may still take; `httpcore.ReadTimeout` where there are none."""
        left = self.expires_at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer is not whole in time")
        return left if timeout is None else min(timeout, left)


class _DeadlineBackend(httpcore.NetworkBackend):
    def __init__(self, deadline: ResponseDeadline) -> None:
        self._inner, self._deadline = httpcore.SyncBackend(), deadline

    def connect_tcp(self, *given: Any, **named: Any) -> httpcore.NetworkStream:
        return DeadlineStream(self._inner.connect_tcp(*given, **named), self._deadline)


def create_transport(context: Any, deadline: ResponseDeadline) -> httpx.HTTPTransport:
    """A transport with certificates checked by ``context``, all of whose reading and writing keeps to ``deadline``."""
    made = httpx.HTTPTransport(verify=context, trust_env=False, retries=0)
    # httpx has no way to give its pool another network: the pool is replaced as a whole.
    made._pool = httpcore.ConnectionPool(ssl_context=context, retries=0, network_backend=_DeadlineBackend(deadline))  # noqa: SLF001
    return made


class ResponseTooLargeError(Exception):
    """A body is longer than is read of any."""


def read_body(chunks: Iterable[bytes], encoding: str, max_bytes: int) -> bytes:
    """The body that raw ``chunks`` make up, unpacked where ``encoding`` says so, never more than ``most`` bytes of either.

    Raises:
        TooLargeError: it is longer.
        httpx.DecodingError: it is not what its encoding says, or of one that nobody asked for.
    """
    raw, size = [], 0
    for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise ResponseTooLargeError
        raw.append(chunk)
    content = b"".join(raw)
    for one in reversed([word.strip().lower() for word in encoding.split(",") if word.strip()]):
        if one != "identity":
            content = _decompress(content, one, max_bytes)
    return content


def _decompress(content: bytes, encoding: str, max_bytes: int) -> bytes:
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise httpx.DecodingError(f"{len(content)} bytes of an encoding that nobody asked for")
    failed: zlib.error | None = None
    for how in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS) if encoding == "deflate" else (zlib.MAX_WBITS | 32,):
        reader = zlib.decompressobj(how)
        try:
            found = reader.decompress(content, max_bytes + 1)
        except zlib.error as error:
            failed = error
            continue
        if len(found) > max_bytes:
            raise ResponseTooLargeError
        if not reader.eof and content:
            raise httpx.DecodingError("the packed body broke off")
        return found
    raise httpx.DecodingError("the body is not packed as it says") from failed
