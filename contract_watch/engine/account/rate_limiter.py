"""An account's trailing window: who may send a request now, over all processes that use the account.

In no span of ``seconds``, wherever it begins, do more than ``requests`` go out, where a request may reach the vendor at
any moment between the take of its place and the release of it. Who holds a place for longer than `LEASE` has lost it
and must not send.
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
"""Seconds after which a lock that somebody else holds will not come any more: it is held for milliseconds."""
MAX_SLEEP = 0.5
"""Seconds that are waited at most before it is asked whether the run goes on."""
_MAX_FILE_SIZE = 1024 * 1024
_T = TypeVar("_T")


class LimiterUnavailableError(Exception):
    """The window cannot be asked, so nothing may be sent. One line: what, where, the remedy, and never a password."""


class WaitTooLongError(Exception):
    """There will be no place in the time there is. One line."""


@dataclass(frozen=True)
class Slot:
    """The right to send one request now; ``id`` is the window's own business."""

    id: str


class RateLimiter(Protocol):
    """An account's trailing window. `LimiterUnavailableError` where it cannot be asked: then nothing may be sent."""

    def acquire(self) -> Slot | float:
        """A place when a request may go out now, else the seconds, above 0, until it is worth asking again."""
        ...

    def release(self, slot: Slot) -> None:
        """The request is over, answered or given up: its place counts until a whole window has passed from now."""
        ...

    def block(self, seconds: float) -> None:
        """Nobody on the account sends for so long, a day at most; a longer block stays."""
        ...

    def close(self) -> None:
        """Give up what is held open. Places that are out stay out."""
        ...


def acquire_slot(limiter: RateLimiter, clock: Clock, check_run: Callable[[], None], max_wait: float) -> Slot:
    """Ask ``window`` until it has a place, and wait in between.

    ``give_up`` is called before each piece of waiting, half a second at most, and raises where the run is to end; no
    place is held then.

    Raises:
        TooLongError: the next wait would make it more than ``most`` seconds in all; it is not begun.
        AwayError: the window cannot be asked.
    """
    waited = 0.0
    while True:
        found = limiter.acquire()
        if isinstance(found, Slot):
            return found
        # However little a window asks for, some time passes: so the loop is bounded by `most`.
        left = max(found, MARGIN)
        if waited + left > max_wait:
            raise WaitTooLongError(
                f"the account's rate limit has no room for {left:.0f} more seconds, after {waited:.0f} of at most "
                f"{max_wait:.0f} were waited: let other runs on the account end, or try again later"
            )
        waited += left
        while left > 0:
            check_run()
            clock.wait(min(left, MAX_SLEEP))
            left -= MAX_SLEEP


class LocalRateLimiter:
    """The window for all processes of one machine: a small file for each account below ``folder``, and a lock.

    The file is replaced as a whole, so that a process killed at any moment leaves what was there before or what should
    be there now. ``clock`` gives a moment that all processes of the machine share, so that a wrong wall clock does not
    matter; what seems to be later than now is from before a new start of the machine, and counts as now.
    Other machines do not see the file: where several use an account at once, they need a `RedisWindow`.
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
        """See Window."""
        place = Slot(uuid.uuid4().hex)
        wait = self._update(lambda book, now: book.acquire(self._limit, place.id, now))
        return wait if wait > 0 else place

    def release(self, slot: Slot) -> None:
        """See Window."""
        self._update(lambda book, now: book.release(slot.id, now))

    def block(self, seconds: float) -> None:
        """See Window."""
        self._update(lambda book, now: book.block(seconds, now))

    def close(self) -> None:
        """See Window; nothing is held open."""

    def _update(self, action: Callable[[SlidingWindow, float], _T]) -> _T:
        """What ``act`` answers on the book as it stands, which is kept as it then is, while nobody else looks."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._hold_lock():
                before = self._read_file()
                book = self._parse_content(before)
                # The moment is read under the lock: one read before it could be older than what others wrote meanwhile.
                now = self._clock.now()
                book.discard_expired(self._limit, now)
                answer = action(book, now)
                after = json.dumps({"last": book.slots, "blocked": book.block_period}).encode()
                if after != before:
                    self._write_file(after)
                return answer
        except OSError as error:
            raise LimiterUnavailableError(
                f"{self._directory}: the rate window cannot be kept there ({error.strerror}): make it a folder that can be "
                "written"
            ) from error

    @contextmanager
    def _hold_lock(self) -> Iterator[None]:
        """Hold the account's lock; the system frees it where its holder dies."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            # Real time, whatever clock is given: what is waited for is another process.
            deadline = time.monotonic() + LOCK_TIMEOUT
            while not _try_lock(descriptor):
                if time.monotonic() > deadline:
                    raise LimiterUnavailableError(
                        f"{self._lock}: another process has held this lock for {LOCK_TIMEOUT:.0f} seconds: end it and try "
                        "again"
                    )
                # A lock tells nobody when it comes free, and a call that waits for it cannot be given a deadline.
                time.sleep(random.uniform(0.0005, 0.003))
            yield
        finally:
            os.close(descriptor)

    def _read_file(self) -> bytes | None:
        """What the file holds; None where there is none."""
        try:
            # Not blocking: what lies there in the file's place may be a pipe.
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
                f"{self._file}: is not what was written there, so nobody knows what was sent: use the account for "
                f"nothing for {pause:.0f} seconds, then remove the file"
            ) from error

    def _write_file(self, content: bytes) -> None:
        """Put ``content`` in the file's place at once; what a killed process left half done is written over."""
        new = self._file.with_suffix(".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(new, flags, 0o600), "wb") as file:
            file.write(content)
        new.replace(self._file)


def _format_file_name(account: str) -> str:
    """A name that stays in its folder whatever ``account`` is: what is readable of it, and what tells it from others."""
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
    """The book that a file holds; ValueError, TypeError, KeyError or OverflowError where it is none."""
    last = raw["last"]
    if not isinstance(last, dict):
        raise TypeError("no places")
    since, until = (_parse_moment(value) for value in raw["blocked"])
    return SlidingWindow({place: _parse_moment(moment) for place, moment in last.items()}, (since, until))


def _parse_moment(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("no moment")
    return float(value)
