"""The rate limiter: admits requests of all processes that share an account, within one sliding window.

In no span of ``seconds`` do more than ``requests`` requests go out. A request may reach the vendor at any moment
between `acquire` and `release` of its slot. A process that holds a slot for longer than `LEASE` has lost it and must
not send.
"""

import fcntl
import hashlib
import json
import math
import os
import random
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from contract_watch.engine.account.clock import Clock
from contract_watch.engine.account.sliding_window import LEASE, MARGIN, RateLimit, SlidingWindow

LOCK_TIMEOUT = 5.0
"""Seconds after which another process's lock counts as stuck: it is normally held for milliseconds."""
MAX_SLEEP = 0.5
"""Longest single sleep in seconds before checking that the run may go on."""
_MAX_FILE_SIZE = 1024 * 1024
_T = TypeVar("_T")


class LimiterUnavailableError(Exception):
    """The limiter is unavailable, so nothing may be sent. The message is one line, without a password."""


class WaitTooLongError(Exception):
    """No slot becomes free within the permitted wait. The message is one line."""


@dataclass(frozen=True)
class Slot:
    """Permission to send one request now; ``id`` is private to the limiter."""

    id: str


class RateLimiter(Protocol):
    """A sliding window of one account. Every method may raise `LimiterUnavailableError`: then nothing may be sent."""

    def acquire(self) -> Slot | float:
        """Return a slot if a request may go out now, else the seconds (above 0) until the next attempt."""
        ...

    def release(self, slot: Slot) -> None:
        """Mark the slot's request as finished: the slot counts until a whole window has passed from now."""
        ...

    def block(self, seconds: float) -> None:
        """Block the account for ``seconds``, a day at most; a longer block stays in force."""
        ...

    def close(self) -> None:
        """Close the limiter; slots in use stay reserved."""
        ...


def acquire_slot(limiter: RateLimiter, clock: Clock, check_run: Callable[[], None], max_wait: float) -> Slot:
    """Acquire a slot from ``limiter``, sleeping between attempts.

    ``check_run`` is called before each sleep of at most `MAX_SLEEP` seconds and raises if the run is to end; no slot is
    held then.

    Raises:
        WaitTooLongError: the next sleep would make it more than ``max_wait`` seconds in all; it is not begun.
        LimiterUnavailableError: the limiter is unavailable.
    """
    waited = 0.0
    while True:
        found = limiter.acquire()
        if isinstance(found, Slot):
            return found
        # Some time passes in each round, so `max_wait` bounds the loop.
        left = max(found, MARGIN)
        if waited + left > max_wait:
            raise WaitTooLongError(
                f"the next slot is free in {left:.0f} seconds, after {waited:.0f} of at most {max_wait:.0f} seconds of waiting; "
                "let other runs on the account end, or try again later"
            )
        waited += left
        while left > 0:
            check_run()
            clock.wait(min(left, MAX_SLEEP))
            left -= MAX_SLEEP


class LocalRateLimiter:
    """Rate limiter for all processes of one machine: a small file per account in ``directory``, and a lock.

    The file is replaced as a whole, so a process killed at any moment leaves the old or the new content. ``clock`` is
    shared by all processes of the machine, so a wrong wall clock does not matter; moments in the future were written
    before a reboot and count as now. Several machines that share an account need a `RedisRateLimiter`.
    """

    def __init__(
        self, directory: Path, account: str, requests: int, seconds: float, clock: Clock, lease: float = LEASE
    ) -> None:
        self._directory = directory
        self._limit = RateLimit(requests, seconds, lease)
        self._clock = clock
        self._file = directory / f"{_format_file_name(account)}.json"
        self._lock = directory / f"{_format_file_name(account)}.lock"

    def acquire(self) -> Slot | float:
        """Implement `RateLimiter.acquire`."""
        slot = Slot(uuid.uuid4().hex)
        wait = self._update(lambda window, now: window.acquire(self._limit, slot.id, now))
        return wait if wait > 0 else slot

    def release(self, slot: Slot) -> None:
        """Implement `RateLimiter.release`."""
        self._update(lambda window, now: window.release(slot.id, now))

    def block(self, seconds: float) -> None:
        """Implement `RateLimiter.block`."""
        self._update(lambda window, now: window.block(seconds, now))

    def close(self) -> None:
        """Implement `RateLimiter.close`; nothing is open."""

    def _update(self, action: Callable[[SlidingWindow, float], _T]) -> _T:
        """Apply ``action`` to the window under the lock and store the window; return the action's result."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._hold_lock():
                before = self._read_file()
                window = self._parse_content(before)
                # Read the clock under the lock: an earlier moment could precede other processes' writes.
                now = self._clock.now()
                window.discard_expired(self._limit, now)
                result = action(window, now)
                after = json.dumps({"last": window.slots, "blocked": window.block_period}).encode()
                if after != before:
                    self._write_file(after)
                return result
        except OSError as error:
            raise LimiterUnavailableError(
                f"{self._directory}: cannot hold the rate limiter's file ({error.strerror}); make the directory writable"
            ) from error

    @contextmanager
    def _hold_lock(self) -> Iterator[None]:
        """Hold the account's lock; the system releases it if its holder dies."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            # Real time, whatever the clock: the lock belongs to another process.
            deadline = time.monotonic() + LOCK_TIMEOUT
            while not _try_lock(descriptor):
                if time.monotonic() > deadline:
                    raise LimiterUnavailableError(
                        f"{self._lock}: another process has held this lock for {LOCK_TIMEOUT:.0f} seconds; end it "
                        "and try again"
                    )
                # A blocking flock() has no timeout.
                time.sleep(random.uniform(0.0005, 0.003))
            yield
        finally:
            os.close(descriptor)

    def _read_file(self) -> bytes | None:
        """Read the file; return None if there is none."""
        try:
            # Non-blocking: a pipe may be in the file's place.
            descriptor = os.open(self._file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            return file.read(_MAX_FILE_SIZE)

    def _parse_content(self, content: bytes | None) -> SlidingWindow:
        if content is None:
            return SlidingWindow()
        try:
            return _parse_window(json.loads(content))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            pause = self._limit.seconds + self._limit.lease
            raise LimiterUnavailableError(
                f"{self._file}: is damaged, so the number of sent requests is unknown; do not use the account for "
                f"{pause:.0f} seconds, then remove the file"
            ) from error

    def _write_file(self, content: bytes) -> None:
        """Replace the file atomically; a half-written file of a killed process is overwritten."""
        new = self._file.with_suffix(".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(new, flags, 0o600), "wb") as file:
            file.write(content)
        new.replace(self._file)


def create_rate_limiter(
    url: str, directory: Path, account: str, requests: int, seconds: float, clock: Clock
) -> RateLimiter:
    """Create the limiter that ``url`` names; without one, the machine's own with its file in ``directory``.

    Raises:
        UsageError: ``url`` is not the address of a Redis. The message hides its password.
    """
    if not url:
        return LocalRateLimiter(directory, account, requests, seconds, clock)
    from contract_watch.engine.account.redis_rate_limiter import RedisRateLimiter  # noqa: PLC0415 (loads slowly)

    return RedisRateLimiter(url, account, requests, seconds)


def _format_file_name(account: str) -> str:
    """Format a file name that stays in its directory for any ``account``: readable part and digest."""
    readable = re.sub(r"[^a-z0-9]+", "-", account.lower()).strip("-")[:40]
    digest = hashlib.sha256(account.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{readable or 'account'}-{digest[:16]}"


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _parse_window(raw: Any) -> SlidingWindow:
    """Parse a file's content; raise ValueError, TypeError, KeyError or OverflowError if it is malformed."""
    last = raw["last"]
    if not isinstance(last, dict):
        raise TypeError("slots are missing")
    since, until = (_parse_moment(value) for value in raw["blocked"])
    return SlidingWindow({slot: _parse_moment(moment) for slot, moment in last.items()}, (since, until))


def _parse_moment(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a moment")
    return float(value)
