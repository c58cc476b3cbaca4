"""Responses that ask to wait: 429, and 503 with Retry-After. They are waited out, and the request is sent again.

A run waits at most twice and for a minute in all. Beyond that nothing can be concluded, so the run stops.
"""

from contract_watch.engine.account.clock import Clock
from contract_watch.engine.account.gate import Gate
from contract_watch.engine.account.retry_after import MAX_RETRY_AFTER, parse_retry_after
from contract_watch.engine.protocols.wire import Response

MAX_WAITS = 2
MAX_SECONDS = 60.0
_TOO_MANY_REQUESTS, _UNAVAILABLE = 429, 503
THROTTLED_STATUSES = frozenset({_TOO_MANY_REQUESTS, _UNAVAILABLE})


def is_throttled(response: Response) -> bool:
    """Return True if a response says that the request came too early, and not what the vendor makes of it."""
    return response.status == _TOO_MANY_REQUESTS or (
        response.status == _UNAVAILABLE and "retry-after" in response.headers
    )


class Throttling:
    """The waits of one run, over all its protocols."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._count, self._seconds = 0, 0.0

    def wait(self, response: Response, gate: Gate | None) -> str:
        """Wait as long as a throttled ``response`` asks and return a note; return an empty string if that is too long.

        On a real account a 429 blocks the account for all runs, and the next request waits for its slot. The gate may
        raise `RunStoppedError`.
        """
        header, status = response.headers.get("retry-after"), response.status
        seconds = parse_retry_after(header, self._clock.wall(), MAX_RETRY_AFTER)
        if gate is not None and status == _TOO_MANY_REQUESTS:
            seconds = gate.handle_rate_limit(header)
        if header is None or self._count >= MAX_WAITS or self._seconds + seconds > MAX_SECONDS:
            return ""
        self._count, self._seconds = self._count + 1, self._seconds + seconds
        if gate is None:
            self._clock.wait(seconds)
        elif status == _UNAVAILABLE:
            gate.wait(seconds)
        return (
            f"the target answered {status} and asked to wait: the run waited {seconds:.0f} s and sent the request again"
        )


def explain_refused_wait(response: Response) -> str:
    """Explain why a run stops at a throttled response."""
    asked = response.headers.get("retry-after")
    if response.status == _TOO_MANY_REQUESTS:
        more = f", and it asks to wait longer than this run may ({asked})" if asked is not None else ""
        return f"the target's rate limit was passed (429){more}: run again later, or alone"
    return (
        f"the target answers {response.status} and asks to wait (Retry-After: {asked}); a run waits at most "
        f"{MAX_WAITS} times and {MAX_SECONDS:.0f} s in all: run again later"
    )
