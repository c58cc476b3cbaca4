"""A vendor's rate limit at its strictest: every request counts, and passing it blocks the whole account."""

import time
from collections import deque
from typing import Protocol

from contract_watch.contracts.config import RateConfig

BLOCK_SECONDS = 300.0
"""For how many seconds an account is blocked that passed its limit."""


class RateClock(Protocol):
    """What time it is."""

    def now(self) -> float:
        """Seconds that only ever grow."""

    def wall(self) -> float:
        """Seconds since the epoch."""


class MachineClock:
    """The machine's own clock."""

    def now(self) -> float:
        """See Clock."""
        return time.monotonic()

    def wall(self) -> float:
        """See Clock."""
        return time.time()


class StrictRateLimit:
    """``rate.requests`` of an account in any ``rate.seconds``, refused ones and those during a block among them."""

    def __init__(self, rate: RateConfig, clock: RateClock) -> None:
        self._rate, self._clock = rate, clock
        self._sent: dict[str, deque[float]] = {}
        self._until: dict[str, float] = {}
        self.is_enforced = True
        self.limit_hits: dict[str, int] = {}
        """How often each account passed its limit; what comes during a block passes nothing."""
        self.peak_requests: dict[str, int] = {}
        """The most requests that an account had in one window."""

    def admit_request(self, account: str) -> float | None:
        """Take note of a request: None where it may go on, else for how many seconds the account is still blocked."""
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
