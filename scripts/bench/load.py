"""A closed-loop load generator in a process of its own: each connection waits for its answer, then asks again.

It reads one JSON object from standard input, see `Order`, and writes one, see `Load`. Raw bytes and a minimal reading
of answers keep it well ahead of the servers that it measures; `Load.busy` shows whether that held.
"""

import asyncio
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from typing import cast

import uvloop

_LENGTH = b"content-length:"
_PATIENCE = 20.0
"""Seconds that the last answers may take once the time is up."""


@dataclass(frozen=True)
class Order:
    """What to send to ``port`` on loopback, over ``connections``, for ``seconds`` and at most ``most`` times.

    The ``turns`` come round in order, on each connection for itself. A turn is a request, cut where the object's
    number stands (a new one each round, eight digits, from ``first`` on), and the hundred of the status expected.
    """

    port: int
    turns: list[tuple[list[str], int]]
    first: int
    connections: int
    seconds: float
    most: int


@dataclass(frozen=True)
class Load:
    """What came of it. Times are in seconds; ``median`` and ``slowest`` are those of one answer.

    ``surprise`` is the first answer of another status than expected, empty where there was none. ``busy`` is the share
    of the time in which the generator itself was computing, 0 to 1. ``numbers`` were used up.
    """

    requests: int
    seconds: float
    median: float
    slowest: float
    surprise: str
    busy: float
    numbers: int


class Run:
    """What the connections of one order share."""

    def __init__(self, order: Order) -> None:
        self.turns = [([part.encode() for part in parts], ord(str(status))) for parts, status in order.turns]
        self.number = order.first
        self.left = order.most
        self.until = time.perf_counter() + order.seconds
        self.times: list[float] = []
        self.surprise = ""

    @property
    def over(self) -> bool:
        """Whether no more is to be sent."""
        return self.left <= 0 or time.perf_counter() >= self.until


class Connection(asyncio.Protocol):
    """One connection that takes turns until the run is over; ``done`` then holds."""

    def __init__(self, run: Run, done: "asyncio.Future[None]") -> None:
        self._run = run
        self._done = done
        self._buffer = b""
        self._turn = 0
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
        if not _whole(self._buffer):
            return
        run = self._run
        run.times.append(time.perf_counter() - self._sent)
        if self._buffer[9] != run.turns[self._turn][1]:
            run.surprise = run.surprise or self._buffer[9:200].decode("latin-1")
        self._buffer = b""
        self._turn = (self._turn + 1) % len(run.turns)
        if run.over:
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
        if self._turn == 0:
            self._digits = b"%08d" % run.number
            run.number += 1
        run.left -= 1
        self._sent = time.perf_counter()
        self._transport.write(self._digits.join(run.turns[self._turn][0]))


def _whole(data: bytes) -> bool:
    """Whether ``data`` is an answer with all of its body, whose length it must state."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    at = data[:end].lower().find(_LENGTH)
    if at < 0:
        raise ValueError("an answer without content-length")
    return len(data) >= end + 4 + int(data[at + len(_LENGTH) : data.find(b"\r\n", at)])


async def carry_out(order: Order) -> Load:
    """Send what ``order`` says; a `ConnectionError` or `TimeoutError` where the server fails."""
    loop = asyncio.get_running_loop()
    computed, start, run = time.process_time(), time.perf_counter(), Run(order)
    waits = [loop.create_future() for _ in range(order.connections)]
    for wait in waits:
        await loop.create_connection(lambda wait=wait: Connection(run, wait), "127.0.0.1", order.port)  # type: ignore[misc]
    async with asyncio.timeout(order.seconds + _PATIENCE):
        await asyncio.gather(*waits)
    seconds = time.perf_counter() - start
    busy = (time.process_time() - computed) / seconds
    return Load(len(run.times), seconds, statistics.median(run.times), max(run.times), run.surprise, busy,
                run.number - order.first)  # fmt: skip


def main() -> int:
    """Read the order, carry it out, write what came of it; 1 where the server failed."""
    order = Order(**json.loads(sys.stdin.read()))
    try:
        load = uvloop.run(carry_out(order))
    except (OSError, TimeoutError, ValueError) as error:
        print(error or type(error).__name__, file=sys.stderr)
        return 1
    print(json.dumps(asdict(load)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
