"""Time as the guard sees it, in one place: what waits for a vendor can be tested without waiting."""

import time
from typing import Protocol


class Clock(Protocol):
    """Where time is read and passed."""

    def now(self) -> float:
        """Seconds that never go back, from a beginning that all processes since the machine's start share."""
        ...

    def wall(self) -> float:
        """Seconds since 1970, as people and servers tell time; may be wrong, and may go back."""
        ...

    def wait(self, seconds: float) -> None:
        """Return when ``seconds`` have passed; at once where they are not above 0."""
        ...


class FastClock:
    """A clock on which waiting takes no time: it goes on at once by what was to be waited for."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """See Clock."""
        return time.monotonic() + self._ahead

    def wall(self) -> float:
        """See Clock."""
        return time.time() + self._ahead

    def wait(self, seconds: float) -> None:
        """See Clock."""
        self._ahead += max(seconds, 0.0)


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        """See Clock."""
        return time.monotonic()

    def wall(self) -> float:
        """See Clock."""
        return time.time()

    def wait(self, seconds: float) -> None:
        """See Clock."""
        if seconds > 0:
            time.sleep(seconds)  # to let time pass is what it is for: a vendor's limit is about time
