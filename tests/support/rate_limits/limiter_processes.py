"""Processes that use a rate limiter at full speed, and a check of their requests.

As a module (`python -m tests.support.rate_limits.limiter_processes '{…}'`) it is one such process: it writes each
request's moments, on the machine's real clock, until it is killed.
"""

import bisect
import fcntl
import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from contract_watch.contracts.registry import ROOT
from contract_watch.engine.account.clock import SystemClock
from contract_watch.engine.account.rate_limiter import (
    LimiterUnavailableError,
    LocalRateLimiter,
    RateLimiter,
    Slot,
    acquire_slot,
)
from contract_watch.engine.account.redis_rate_limiter import RedisRateLimiter
from tests.support.patience import PATIENCE


@dataclass(frozen=True)
class LimiterUse:
    """Use of a limiter: ``kind`` is `local`, `bucket` or the URL of a Redis."""

    kind: str
    directory: str
    requests: int = 20
    seconds: float = 0.5
    lease: float = 0.8


class SkewedClock(SystemClock):
    """Clock of a machine with the wrong time; unless ``shared``, it also started at another moment."""

    def __init__(self, skew: float, shared: bool) -> None:
        self._skew = skew
        self._shared = shared

    def now(self) -> float:
        """Implement `Clock.now`."""
        return super().now() + (0.0 if self._shared else 100.0 + self._skew)

    def wall(self) -> float:
        """Implement `Clock.wall`."""
        return super().wall() + self._skew


class TokenBucket:
    """Token bucket, the opposite of a sliding window: ``requests`` tokens that refill evenly over ``seconds``. Shared by a file."""

    def __init__(self, use: LimiterUse) -> None:
        self._use = use
        self._file = os.open(Path(use.directory) / "bucket", os.O_RDWR | os.O_CREAT, 0o600)

    def acquire(self) -> Slot | float:
        """Implement `RateLimiter.acquire`."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        now = time.monotonic()
        tokens, since = json.loads(os.pread(self._file, 200, 0) or json.dumps([self._use.requests, now]))
        pace_of_filling = self._use.requests / self._use.seconds
        tokens = min(self._use.requests, tokens + (now - since) * pace_of_filling)
        granted = tokens >= 1
        os.pwrite(self._file, json.dumps([tokens - granted, now]).ljust(100).encode(), 0)
        fcntl.flock(self._file, fcntl.LOCK_UN)
        return Slot("token") if granted else (1 - tokens) / pace_of_filling

    def release(self, place: Slot) -> None:
        """Implement `RateLimiter.release`."""

    def block(self, seconds: float) -> None:
        """Implement `RateLimiter.block`."""

    def close(self) -> None:
        """Implement `RateLimiter.close`."""
        os.close(self._file)


class _RecordingLimiter:
    """Limiter that records its last `acquire`: a slot's lease begins no earlier."""

    def __init__(self, window: RateLimiter) -> None:
        self._window = window
        self.last_request = 0.0
        self.release, self.block, self.close = window.release, window.block, window.close

    def acquire(self) -> Slot | float:
        """Implement `RateLimiter.acquire`."""
        self.last_request = time.monotonic()
        return self._window.acquire()


def _make_limiter(use: LimiterUse, clock: SystemClock) -> RateLimiter:
    if use.kind == "bucket":
        return TokenBucket(use)
    if use.kind == "local":
        return LocalRateLimiter(Path(use.directory), "acme/paid", use.requests, use.seconds, clock, use.lease)
    return RedisRateLimiter(use.kind, "acme/paid", use.requests, use.seconds, use.lease)


def _run_process(use: LimiterUse, name: str, skew: float) -> None:
    """Send as fast as the limiter permits; retry an unavailable one."""
    clock = SkewedClock(skew, shared=use.kind == "local")
    window = _RecordingLimiter(_make_limiter(use, clock))
    dice = random.Random(name)
    log = os.open(Path(use.directory) / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def give_up() -> None:
        """Do nothing: the process is killed when the run is to end."""

    while True:
        try:
            place = acquire_slot(window, clock, give_up, PATIENCE)
            os.write(log, f"take {window.last_request!r} {time.monotonic()!r}\n".encode())
            # A request: mostly quick, sometimes slow.
            clock.wait(dice.choice((0.0, 0.001, 0.01, 0.1)))
            os.write(log, f"release {time.monotonic()!r}\n".encode())
            window.release(place)
        except LimiterUnavailableError:
            clock.wait(0.02)


class LimiterProcesses:
    """Processes that share a limiter; ``skews`` are their clocks' errors in turn."""

    def __init__(self, use: LimiterUse, skews: tuple[float, ...]) -> None:
        self._use = use
        self._skews = skews
        self._started = 0
        self._processes: list[subprocess.Popen[bytes]] = []

    def start_process(self) -> None:
        """Start one more process."""
        skew = self._skews[self._started % len(self._skews)]
        settings = json.dumps({"use": asdict(self._use), "name": f"user-{self._started}", "skew": skew})
        command = [sys.executable, "-m", "tests.support.rate_limits.limiter_processes", settings]
        self._processes.append(subprocess.Popen(command, cwd=ROOT))  # noqa: S603 (our own)
        self._started += 1

    def kill_oldest(self, count: int = 1) -> None:
        """Kill the ``count`` oldest with SIGKILL; none has ended by itself before."""
        killed, self._processes = self._processes[:count], self._processes[count:]
        by_itself = [process.pid for process in killed if process.poll() is not None]
        for process in killed:
            process.kill()
            process.wait()
        assert not by_itself, "a user ended by itself"

    def kill_all(self) -> None:
        """Kill all processes."""
        self.kill_oldest(len(self._processes))

    def list_requests(self) -> list[tuple[float, float]]:
        """List each request by the first and the last moment at which it may have gone out.

        The last moment is its release or, if its owner died or was too slow, the end of its lease: a process that lost
        its slot does not send.
        """
        found = []
        for log in sorted(Path(self._use.directory).glob("user-*.log")):
            lines = [line.split() for line in log.read_text().split("\n")[:-1]]
            for line, after in itertools.zip_longest(lines, lines[1:]):
                if line[0] == "take":
                    acquired, first = float(line[1]), float(line[2])
                    released = float(after[1]) if after else first + self._use.lease
                    last = min(released, acquired + self._use.lease)
                    found.extend([(first, last)] if first <= last else [])
        return sorted(found)

    def wait_for_requests(self, more: int) -> None:
        """Wait until ``more`` requests have gone out from now on."""
        wanted = len(self.list_requests()) + more
        wait_until(lambda: len(self.list_requests()) >= wanted)


@contextmanager
def start_processes(
    use: LimiterUse, count: int = 8, skews: tuple[float, ...] = (0.0, -2.0, 2.0, -0.7, 1.3, 86400.0)
) -> Iterator[LimiterProcesses]:
    """Start ``count`` processes, which end with the block."""
    found = LimiterProcesses(use, skews)
    try:
        for _ in range(count):
            found.start_process()
        yield found
    finally:
        found.kill_all()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.02)  # between looks at other processes' files, which tell nobody


def count_worst_span(sent: list[tuple[float, float]], seconds: float) -> int:
    """Count the most requests that any span of ``seconds`` may have held, each sent at its worst moment.

    Only spans that begin at a request's last moment are compared: shifting a span later until then loses no request.
    """
    firsts = sorted(first for first, _ in sent)
    lasts = sorted(last for _, last in sent)
    # Those that may have gone out in [start, start + seconds]: begun by its end, less those over before its start.
    return max(
        (bisect.bisect_right(firsts, start + seconds) - bisect.bisect_left(lasts, start) for start in lasts), default=0
    )


if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    _run_process(LimiterUse(**settings["use"]), settings["name"], settings["skew"])
