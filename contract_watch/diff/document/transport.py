"""The line to a vendor's web server: one deadline for all that goes over it, from the name's look-up to the last byte."""

import queue
import socket
import threading
import time
from typing import Any, Protocol

import httpcore
import httpx


class FetchDeadline:
    """When all has to be done: ``seconds`` from now."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self, timeout: float | None) -> float:
        """The seconds that one step may still take; `httpcore.ReadTimeout` where there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("not done in time")
        return left if timeout is None else min(timeout, left)


class TimeBudget(Protocol):
    """Whatever says how long one step may still take."""

    def left(self, timeout: float | None) -> float:
        """The seconds, ``timeout`` at most; `httpcore.ReadTimeout` where there are none."""
        ...


class DeadlineStream(httpcore.NetworkStream):
    """A connection whose every step keeps to a deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: TimeBudget) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        except BaseException:
            self.close()
            raise
        return DeadlineStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _FetchBackend(httpcore.NetworkBackend):
    def __init__(self, deadline: FetchDeadline) -> None:
        self._inner, self._deadline = httpcore.SyncBackend(), deadline

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """Connect to the first of ``host``'s addresses that takes it; all of them together have one time-out."""
        until = time.monotonic() + self._deadline.left(timeout)
        problem: Exception = httpcore.ConnectError("no address")
        for address in _resolve_host(host, port, until - time.monotonic()):
            left = until - time.monotonic()
            if left <= 0:
                raise httpcore.ConnectTimeout("no address took the connection in time")
            try:
                stream = self._inner.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
                continue
            return DeadlineStream(stream, self._deadline)
        raise problem


def _resolve_host(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of ``host``. The system's look-up knows no time-out: it is left alone where it takes too long."""
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


def create_transport(deadline: FetchDeadline) -> httpx.BaseTransport:
    """Real connections within ``deadline``, with certificates checked; nothing of the environment is read."""
    context = httpx.create_ssl_context(trust_env=False)
    made = httpx.HTTPTransport(verify=context, trust_env=False, retries=0)
    # httpx has no way to give its pool another network: the pool is replaced as a whole.
    made._pool = httpcore.ConnectionPool(ssl_context=context, retries=0, network_backend=_FetchBackend(deadline))  # noqa: SLF001
    return made
