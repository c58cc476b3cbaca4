"""What an account's trailing window knows and how it decides: no file, no clock, no lock.

A request goes out at some moment between the take of its place and the release of it, and nobody can say which. So a
place stands for the *last* moment at which its request may go out: a lease after its take while it is out, the moment
of its release afterwards. It counts until a whole window has passed since then.
"""

from dataclasses import dataclass, field

LEASE = 45.0
"""Seconds after which a place that nobody released counts as released: its owner died.

Longer than the 30 seconds that a request may take in all, so that a slow one still has its place.
"""
MAX_BLOCK = 24 * 3600.0
"""Seconds for which an account is blocked at most, whatever is asked for."""
MARGIN = 0.001
"""Seconds that are waited beyond the moment at which a place is free, so that asking then is not in vain."""


@dataclass(frozen=True)
class RateLimit:
    """``requests`` in any ``seconds``; ``lease`` see `LEASE`."""

    requests: int
    seconds: float
    lease: float = LEASE

    def __post_init__(self) -> None:
        """Refuse what is no rule: an error of ours, never of a user's."""
        if self.requests < 1 or not 0 < self.seconds < 3600 or not 0 < self.lease < 3600:
            raise ValueError(f"{self} is no rule for a window")


@dataclass
class SlidingWindow:
    """``last`` is the last moment of each place; ``blocked`` from when until when nobody sends.

    All moments are of one clock that never goes back but for a new start of the machine. What is later than can be was
    written before that, and is moved to now: it counts as long as if it had just happened. `settle` does so, and is
    called first; what it changes has to be kept, or the old moments would be later than now for as long as the machine
    had been up.
    """

    slots: dict[str, float] = field(default_factory=dict)
    block_period: tuple[float, float] = (0.0, 0.0)

    def discard_expired(self, limit: RateLimit, now: float) -> None:
        """Forget what does not count any more, and move what is from before a new start."""
        moved = {place: min(last, now + limit.lease) for place, last in self.slots.items()}
        self.slots = {place: last for place, last in moved.items() if last + limit.seconds >= now}
        since, until = self.block_period
        if since > now:
            self.block_period = (now, now + until - since)

    def acquire(self, limit: RateLimit, slot: str, now: float) -> float:
        """Note ``place`` and give 0 where a request may go out; else the seconds until it is worth asking again.

        The estimate is the earliest possible: a place that is out could be released this very moment.
        """
        waits = [self.block_period[1] - now] if self.block_period[1] >= now else []
        if len(self.slots) >= limit.requests:
            ends = sorted(min(last, now) + limit.seconds for last in self.slots.values())
            waits.append(ends[len(ends) - limit.requests] - now)
        if waits:
            return max(0.0, *waits) + MARGIN
        self.slots[slot] = now + limit.lease
        return 0.0

    def release(self, slot: str, now: float) -> None:
        """The request of ``place`` is over. A place that is not known (any more) counts from now on all the same."""
        self.slots[slot] = now

    def block(self, seconds: float, now: float) -> None:
        """Nobody sends for ``seconds``; a longer block stays."""
        until = now + min(seconds, MAX_BLOCK)
        if until > max(now, self.block_period[1]):
            self.block_period = (now, until)
