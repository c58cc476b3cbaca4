"""A vendor's rate limit at its strictest: every request counts, and exceeding it blocks the whole account."""

import time
from collections import deque
from typing import Protocol

from contract_watch.contracts.config import RateConfig

BLOCK_SECONDS = 300.0
"""Seconds for which an account that exceeded its limit is blocked."""


class RateClock(Protocol):
    """Source of time."""

    def now(self) -> float:
        """Return seconds that never go back."""

    def wall(self) -> float:
        """Return seconds since the epoch."""


class MachineClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Implement `RateClock.now`."""
        return time.monotonic()

    def wall(self) -> float:
        """Implement `RateClock.wall`."""
        return time.time()


class StrictRateLimit:
    """Limit of ``rate.requests`` in any ``rate.seconds``; rejected requests and those during a block count too."""

    def __init__(self, rate: RateConfig, clock: RateClock) -> None:
        self._rate, self._clock = rate, clock
        self._sent: dict[str, deque[float]] = {}
        self._until: dict[str, float] = {}
        self.is_enforced = True
        self.limit_hits: dict[str, int] = {}
        """Number of times that each account exceeded its limit, requests during a block excepted."""
        self.peak_requests: dict[str, int] = {}
        """Most requests of an account in one window."""

    def admit_request(self, account: str) -> float | None:
        """Record a request; return None if it may proceed, else the seconds for which the account is still blocked."""
        now = self._clock.now()
        sent = self._sent.setdefault(account, deque())
        while sent and sent[0] <= now - self._rate.seconds:
            sent.popleft()
        sent.append(now)
        self.peak_requests[account] = max(self.peak_requests.get(account, 0), len(sent))
        until = self._until.get(account, now)
        if until > now:
            return until - now if self.is_enforced else None
        if len(sent) <= self._rate.requests:
            return None
        self.limit_hits[account] = self.limit_hits.get(account, 0) + 1
        self._until[account] = now + BLOCK_SECONDS
        return BLOCK_SECONDS if self.is_enforced else None
