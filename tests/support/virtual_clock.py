"""A clock that stands still until somebody waits: minutes of waiting take no time at all."""

import math
import threading
import time


class VirtualClock:
    """Shared by a server and its clients; `wait` moves it on at once, for all of them. Safe in several threads."""

    def __init__(self, wall: float | None = None) -> None:
        """``wall`` is the time of day that it begins at, in seconds since the epoch (the real one)."""
        self._began = time.time() if wall is None else wall
        self._passed = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds that only ever grow."""
        with self._lock:
            return self._passed

    def wall(self) -> float:
        """Seconds since the epoch."""
        with self._lock:
            return self._began + self._passed

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass, at once; less than none is none.

        Raises:
            ValueError: ``seconds`` is no number, or has no end.
        """
        if not math.isfinite(seconds):
            raise ValueError(f"the clock cannot wait for {seconds} seconds")
        with self._lock:
            self._passed += max(seconds, 0.0)
