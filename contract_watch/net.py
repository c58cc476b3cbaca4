"""Connections: deadlines for all that goes over one, the certificates they trust, bounded bodies."""

import functools
import os
import queue
import socket
import ssl
import sys
import threading
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import certifi
import httpcore
import httpx


class Deadline:
    """The moment by which everything must be done, on the monotonic clock. Without seconds it has passed already."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.restart(seconds)

    def restart(self, seconds: float) -> None:
        """Allow ``seconds`` from now on."""
        self._expires_at = time.monotonic() + seconds

    def compute_remaining(self, timeout: float | None) -> float:
        """Return the seconds that one step may still take, ``timeout`` at most.

        Raises:
            httpcore.ReadTimeout: none are left.
        """
        remaining = self._expires_at - time.monotonic()
        if remaining <= 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        return remaining if timeout is None else min(timeout, remaining)


class DeadlineStream(httpcore.NetworkStream):
    """A connection whose every step keeps to a deadline, so that a server that drips bytes cannot outlast it."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.compute_remaining(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.compute_remaining(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.compute_remaining(timeout))
        except BaseException:
            self.close()
            raise
        return DeadlineStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class DeadlineBackend(httpcore.NetworkBackend):
    """A network of connections that keep to a deadline.

    With ``bounded_lookup`` the deadline holds for the look-up of the host's name too, which then runs in a thread of its
    own. A live run must not use that: its network sandbox allows connections thread by thread, and blocks this one.
    """

    def __init__(self, deadline: Deadline, *, bounded_lookup: bool = False) -> None:
        self._inner, self._deadline, self._bounded_lookup = httpcore.SyncBackend(), deadline, bounded_lookup

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """Connect to the first of the host's addresses that accepts; all of them together have one time-out."""
        if not self._bounded_lookup:
            stream = self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
            return DeadlineStream(stream, self._deadline)
        until = time.monotonic() + self._deadline.compute_remaining(timeout)
        problem: Exception = httpcore.ConnectError("no address")
        for address in _resolve_host(host, port, until - time.monotonic()):
            remaining = until - time.monotonic()
            if remaining <= 0:
                raise httpcore.ConnectTimeout("no address took the connection in time")
            try:
                stream = self._inner.connect_tcp(address, port, remaining, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
                continue
            return DeadlineStream(stream, self._deadline)
        raise problem


def _resolve_host(host: str, port: int, seconds: float) -> list[str]:
    """Return the addresses of ``host``. The system's look-up has no time-out, so a slow one is abandoned in its thread."""
    found: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found.put([str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        answer = found.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout("the name was not looked up in time") from None
    if isinstance(answer, Exception):
        raise httpcore.ConnectError("the name is not known") from answer
    return answer


@functools.cache
def _load_tls_context() -> ssl.SSLContext:
    # Not ssl.create_default_context, nor httpx's own: both write the secrets of each connection to SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if sys.version_info >= (3, 13):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    context.load_verify_locations(cafile=certifi.where())
    return context


def read_root_certificates() -> bytes:
    """Return the certificate authorities that connections trust, as PEM, for libraries that would ask the environment."""
    return Path(certifi.where()).read_bytes()


def discard_tls_key_log() -> None:
    """Remove SSLKEYLOGFILE from the environment, so that no library of this process writes TLS secrets to a file.

    The client of Redis builds its own TLS context and would honour the variable.
    """
    os.environ.pop("SSLKEYLOGFILE", None)


def get_tls_context(url: str | httpx.URL) -> ssl.SSLContext:
    """Return the certificates that connections to ``url`` trust; none for plain HTTP, whose connections need none.

    Certificates are read once, when an address first needs them: that takes longer than a dozen requests.
    """
    return _load_tls_context() if httpx.URL(url).scheme != "http" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def create_transport(
    deadline: Deadline, context: ssl.SSLContext, *, bounded_lookup: bool = False
) -> httpx.HTTPTransport:
    """Build a transport whose connections keep to ``deadline`` and trust the certificates of ``context``.

    Proxies and certificate settings of the environment are ignored, and nothing is sent twice.
    ``bounded_lookup`` is explained at `DeadlineBackend`.
    """
    transport = httpx.HTTPTransport(verify=context, trust_env=False, retries=0)
    # httpx cannot give its pool another network, so the pool is replaced as a whole.
    backend = DeadlineBackend(deadline, bounded_lookup=bounded_lookup)
    transport._pool = httpcore.ConnectionPool(ssl_context=context, retries=0, network_backend=backend)  # noqa: SLF001
    return transport


class BodyTooLargeError(Exception):
    """A body longer than the limit."""


def read_body(chunks: Iterable[bytes], encoding: str, max_bytes: int) -> bytes:
    """Return the body that raw ``chunks`` make up, decoded as its Content-Encoding ``encoding`` says.

    Raises:
        BodyTooLargeError: the raw or the decoded body has more than ``max_bytes`` bytes.
        httpx.DecodingError: the body does not match its encoding, or nobody asked for that encoding.
    """
    raw, size = [], 0
    for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise BodyTooLargeError
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
    for window_bits in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS) if encoding == "deflate" else (zlib.MAX_WBITS | 32,):
        reader = zlib.decompressobj(window_bits)
        try:
            decoded = reader.decompress(content, max_bytes + 1)
        except zlib.error as error:
            failed = error
            continue
        if len(decoded) > max_bytes:
            raise BodyTooLargeError
        if not reader.eof and content:
            raise httpx.DecodingError("the packed body broke off")
        return decoded
    raise httpx.DecodingError("the body is not packed as it says") from failed
