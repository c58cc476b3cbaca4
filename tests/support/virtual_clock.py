"""A clock that advances only by waiting: minutes of waiting take no time."""

import math
import threading
import time


class VirtualClock:
    """Clock shared by a server and its clients; `wait` advances it for all of them. Thread-safe."""

    def __init__(self, wall: float | None = None) -> None:
        """Start at ``wall``, in seconds since the epoch (default: the real time)."""
        self._began = time.time() if wall is None else wall
        self._passed = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return seconds that never go back."""
        with self._lock:
            return self._passed

    def wall(self) -> float:
        """Return seconds since the epoch."""
        with self._lock:
            return self._began + self._passed

    def wait(self, seconds: float) -> None:
        """Advance by ``seconds`` at once; a negative number counts as 0.

        Raises:
            ValueError: ``seconds`` is not finite.
        """
        if not math.isfinite(seconds):
            raise ValueError(f"the clock cannot wait for {seconds} seconds")
        with self._lock:
            self._passed += max(seconds, 0.0)
