"""The sliding window's state and rules, without file, clock or lock.

A request goes out at an unknown moment between the acquisition of its slot and its release. So a slot stands for the
*last* moment at which its request may go out: a lease after acquisition while it is in use, the moment of release
afterwards. It counts until a whole window has passed since then.
"""

from dataclasses import dataclass, field

LEASE = 45.0
"""Seconds after which an unreleased slot counts as released: its owner died.

Longer than the 30 seconds that a request may take in all, so a slow request still has its slot.
"""
MAX_BLOCK = 24 * 3600.0
"""Longest block of an account in seconds."""
MARGIN = 0.001
"""Seconds added to each wait, so that the next attempt is not a moment too early."""


@dataclass(frozen=True)
class RateLimit:
    """Limit of ``requests`` in any ``seconds``; see `LEASE` for ``lease``."""

    requests: int
    seconds: float
    lease: float = LEASE

    def __post_init__(self) -> None:
        """Reject impossible limits: a defect of ours, never a user's error."""
        if self.requests < 1 or not 0 < self.seconds < 3600 or not 0 < self.lease < 3600:
            raise ValueError(f"{self} is no limit of a window")


@dataclass
class SlidingWindow:
    """State of a window: ``slots`` maps each slot to its last moment, ``block_period`` is the start and end of a block.

    All moments are of one clock that goes back only at a reboot. A moment later than possible was written before the
    reboot and is moved to now: it counts as if it had just happened. `discard_expired` does so and runs first; its
    changes must be stored, or the old moments would stay in the future for as long as the machine had been up.
    """

    slots: dict[str, float] = field(default_factory=dict)
    block_period: tuple[float, float] = (0.0, 0.0)

    def discard_expired(self, limit: RateLimit, now: float) -> None:
        """Discard slots that no longer count, and move moments from before a reboot."""
        moved = {slot: min(last, now + limit.lease) for slot, last in self.slots.items()}
        self.slots = {slot: last for slot, last in moved.items() if last + limit.seconds >= now}
        since, until = self.block_period
        if since > now:
            self.block_period = (now, now + until - since)

    def acquire(self, limit: RateLimit, slot: str, now: float) -> float:
        """Reserve ``slot`` and return 0 if a request may go out; else return the seconds until the next attempt.

        The estimate is the earliest possible: a slot in use could be released at any moment.
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
        """Release a slot. An unknown (or expired) slot counts from now on all the same."""
        self.slots[slot] = now

    def block(self, seconds: float, now: float) -> None:
        """Block the account for ``seconds``; a longer block stays in force."""
        until = now + min(seconds, MAX_BLOCK)
        if until > max(now, self.block_period[1]):
            self.block_period = (now, until)
