"""A closed-loop load generator, run as a separate process: each connection waits for its response, then sends again.

It reads one JSON object from standard input, see `LoadOrder`, and writes one, see `LoadResult`. Raw bytes and minimal parsing
keep it faster than the servers that it measures; `LoadResult.busy_share` shows its own load.
"""

import asyncio
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from typing import cast

import uvloop

from contract_watch import cli
from contract_watch.errors import InconclusiveError

_CONTENT_LENGTH = b"content-length:"
_DRAIN_TIMEOUT = 20.0
"""Seconds that the last responses may take after the end."""


@dataclass(frozen=True)
class LoadOrder:
    """The load on ``port`` of loopback: ``connections``, ``seconds``, and at most ``max_requests``.

    Each connection sends ``requests`` in order, again and again. A request is split at the object's number (eight
    digits, a new one each round, from ``first_number``) and has the first digit of its expected status.
    """

    port: int
    requests: list[tuple[list[str], int]]
    first_number: int
    connections: int
    seconds: float
    max_requests: int


@dataclass(frozen=True)
class LoadResult:
    """The result of an order, with times in seconds; ``median`` and ``slowest`` are for one response.

    ``unexpected_status`` is the first response with another status than expected, or empty. ``busy_share`` is the share
    of time, 0 to 1, that the generator itself was computing. ``numbers_used`` counts the numbers of objects.
    """

    requests: int
    seconds: float
    median: float
    slowest: float
    unexpected_status: str
    busy_share: float
    numbers_used: int


class LoadRun:
    """The state that the connections of one order share."""

    def __init__(self, order: LoadOrder) -> None:
        self.requests = [([part.encode() for part in parts], ord(str(status))) for parts, status in order.requests]
        self.number = order.first_number
        self.remaining = order.max_requests
        self.until = time.perf_counter() + order.seconds
        self.times: list[float] = []
        self.unexpected_status = ""

    @property
    def is_over(self) -> bool:
        """True if the order is complete."""
        return self.remaining <= 0 or time.perf_counter() >= self.until


class LoadConnection(asyncio.Protocol):
    """One connection that sends requests until the run is over and then resolves ``done``."""

    def __init__(self, run: LoadRun, done: "asyncio.Future[None]") -> None:
        self._run = run
        self._done = done
        self._buffer = b""
        self._position = 0
        self._digits = b""
        self._sent = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Record a complete response and send the next request."""
        self._buffer += data
        if not _is_complete(self._buffer):
            return
        run = self._run
        run.times.append(time.perf_counter() - self._sent)
        if self._buffer[9] != run.requests[self._position][1]:
            run.unexpected_status = run.unexpected_status or self._buffer[9:200].decode("latin-1")
        self._buffer = b""
        self._position = (self._position + 1) % len(run.requests)
        if self._position == 0 and run.is_over:  # what a turn has created, it also deletes
            self._done.set_result(None)
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the run if the server closed the connection early."""
        if not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server closed a connection"))

    def _send(self) -> None:
        run = self._run
        if self._position == 0:
            self._digits = b"%08d" % run.number
            run.number += 1
        run.remaining -= 1
        self._sent = time.perf_counter()
        self._transport.write(self._digits.join(run.requests[self._position][0]))


def _is_complete(data: bytes) -> bool:
    """Return True if ``data`` is a complete response, which must have a Content-Length."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    at = data[:end].lower().find(_CONTENT_LENGTH)
    if at < 0:
        raise ValueError("the response has no content-length")
    return len(data) >= end + 4 + int(data[at + len(_CONTENT_LENGTH) : data.find(b"\r\n", at)])


async def run_load(order: LoadOrder) -> LoadResult:
    """Execute ``order``.

    Raises:
        ConnectionError: the server closed a connection.
        TimeoutError: the last responses took too long.
    """
    loop = asyncio.get_running_loop()
    computed, start, run = time.process_time(), time.perf_counter(), LoadRun(order)
    waits = [loop.create_future() for _ in range(order.connections)]
    for wait in waits:
        await loop.create_connection(lambda wait=wait: LoadConnection(run, wait), "127.0.0.1", order.port)  # type: ignore[misc]
    async with asyncio.timeout(order.seconds + _DRAIN_TIMEOUT):
        await asyncio.gather(*waits)
    seconds = time.perf_counter() - start
    busy = (time.process_time() - computed) / seconds
    return LoadResult(len(run.times), seconds, statistics.median(run.times), max(run.times), run.unexpected_status, busy,
                run.number - order.first_number)  # fmt: skip


@cli.command()
def main() -> int:
    """Read an order from standard input, carry it out and print its result; 2 if the server fails."""
    order = LoadOrder(**json.loads(sys.stdin.read()))
    try:
        load = uvloop.run(run_load(order))
    except (OSError, TimeoutError, ValueError) as error:
        raise InconclusiveError(str(error) or type(error).__name__) from error
    print(json.dumps(asdict(load)))
    return cli.ExitStatus.OK


if __name__ == "__main__":
    sys.exit(main())
