"""Clocks: reading and passing time, so that tests of waits for a vendor need not wait."""

import time
from typing import Protocol


class Clock(Protocol):
    """Source of time for everything that waits for a vendor."""

    def now(self) -> float:
        """Return monotonic seconds, on a scale that all processes share since the machine's start."""
        ...

    def wall(self) -> float:
        """Return the wall-clock time in seconds since 1970, which may be wrong and may go back."""
        ...

    def wait(self, seconds: float) -> None:
        """Sleep for ``seconds``; return at once if they are not above 0."""
        ...


class FastClock:
    """Clock on which waiting takes no time: `wait` moves it ahead instead."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """Implement `Clock.now`."""
        return time.monotonic() + self._ahead

    def wall(self) -> float:
        """Implement `Clock.wall`."""
        return time.time() + self._ahead

    def wait(self, seconds: float) -> None:
        """Implement `Clock.wait`."""
        self._ahead += max(seconds, 0.0)


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        """Implement `Clock.now`."""
        return time.monotonic()

    def wall(self) -> float:
        """Implement `Clock.wall`."""
        return time.time()

    def wait(self, seconds: float) -> None:
        """Implement `Clock.wait`."""
        if seconds > 0:
            time.sleep(seconds)  # a vendor's limit counts real time
