"""Rate limiters in a Redis for tests."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from contract_watch.engine.account.rate_limiter import LimiterUnavailableError, Slot
from contract_watch.engine.account.redis_rate_limiter import URL_VARIABLE, RedisRateLimiter
from tests.support.rate_limits.limiter_processes import wait_until

ACCOUNT = "acme/paid"
SECRET = "s3cret-pass"  # noqa: S105 (must not be revealed)


@contextmanager
def open_limiter(url: str, requests: int = 2, seconds: float = 0.2, lease: float = 0.3) -> Iterator[RedisRateLimiter]:
    found = RedisRateLimiter(url, ACCOUNT, requests, seconds, lease)
    try:
        yield found
    finally:
        found.close()


def take_slot(window: RedisRateLimiter) -> Slot:
    """Acquire a slot as soon as one is free."""
    found: list[Slot] = []

    def taken() -> bool:
        answer = window.acquire()
        found.extend([answer] if isinstance(answer, Slot) else [])
        return bool(found)

    wait_until(taken)
    return found[0]


def read_refusal(window: RedisRateLimiter) -> str:
    """Return the error of an unavailable limiter, which all three methods raise."""
    lines = set()
    for ask in (window.acquire, lambda: window.release(Slot("x")), lambda: window.block(5)):
        with pytest.raises(LimiterUnavailableError) as caught:
            ask()
        lines.add(str(caught.value))
    assert len(lines) == 1
    (line,) = lines
    assert line.startswith(f"{URL_VARIABLE}: ")
    assert "\n" not in line
    assert SECRET not in line
    return line
