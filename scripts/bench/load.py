"""A closed-loop load generator in a process of its own: each connection waits for its answer, then asks again.

It reads one JSON object from standard input, see `LoadOrder`, and writes one, see `LoadResult`. Raw bytes and a minimal reading
of answers keep it well ahead of the servers that it measures; `LoadResult.busy` shows whether that held.
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
"""Seconds that the last answers may take once the time is up."""


@dataclass(frozen=True)
class LoadOrder:
    """What to send to ``port`` on loopback, over ``connections``, for ``seconds`` and at most ``most`` times.

    The ``turns`` come round in order, on each connection for itself. A turn is a request, cut where the object's
    number stands (a new one each round, eight digits, from ``first`` on), and the hundred of the status expected.
    """

    port: int
    requests: list[tuple[list[str], int]]
    first_number: int
    connections: int
    seconds: float
    max_requests: int


@dataclass(frozen=True)
class LoadResult:
    """What came of it. Times are in seconds; ``median`` and ``slowest`` are those of one answer.

    ``surprise`` is the first answer of another status than expected, empty where there was none. ``busy`` is the share
    of the time in which the generator itself was computing, 0 to 1. ``numbers`` were used up.
    """

    requests: int
    seconds: float
    median: float
    slowest: float
    unexpected_status: str
    busy_share: float
    numbers_used: int


class LoadRun:
    """What the connections of one order share."""

    def __init__(self, order: LoadOrder) -> None:
        self.requests = [([part.encode() for part in parts], ord(str(status))) for parts, status in order.requests]
        self.number = order.first_number
        self.remaining = order.max_requests
        self.until = time.perf_counter() + order.seconds
        self.times: list[float] = []
        self.unexpected_status = ""

    @property
    def is_over(self) -> bool:
        """Whether no more is to be sent."""
        return self.remaining <= 0 or time.perf_counter() >= self.until


class LoadConnection(asyncio.Protocol):
    """One connection that takes turns until the run is over; ``done`` then holds."""

    def __init__(self, run: LoadRun, done: "asyncio.Future[None]") -> None:
        self._run = run
        self._done = done
        self._buffer = b""
        self._position = 0
        self._digits = b""
        self._sent = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._buffer += data
        if not _is_complete(self._buffer):
            return
        run = self._run
        run.times.append(time.perf_counter() - self._sent)
        if self._buffer[9] != run.requests[self._position][1]:
            run.unexpected_status = run.unexpected_status or self._buffer[9:200].decode("latin-1")
        self._buffer = b""
        self._position = (self._position + 1) % len(run.requests)
        if run.is_over:
            self._done.set_result(None)
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
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
    """Whether ``data`` is an answer with all of its body, whose length it must state."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    at = data[:end].lower().find(_CONTENT_LENGTH)
    if at < 0:
        raise ValueError("an answer without content-length")
    return len(data) >= end + 4 + int(data[at + len(_CONTENT_LENGTH) : data.find(b"\r\n", at)])


async def run_load(order: LoadOrder) -> LoadResult:
    """Send what ``order`` says; a `ConnectionError` or `TimeoutError` where the server fails."""
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
