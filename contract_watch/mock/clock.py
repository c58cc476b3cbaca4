"""The mock's clock: the real time, or one that a test sets."""

import datetime as dt
import time
from collections.abc import Callable


class MockClock:
    """The time that vendors see, in seconds since the epoch.

    It runs with ``source`` until `freeze` stops it. `set` and `advance` move it; a running one goes on from there.
    Tokens, rate limits and the times of objects follow it; delays of faults are real.
    """

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._offset = 0.0
        self._frozen_at: float | None = None

    @property
    def is_frozen(self) -> bool:
        """True if the clock stands still."""
        return self._frozen_at is not None

    def read(self) -> float:
        """Return the present time."""
        return self._source() + self._offset if self._frozen_at is None else self._frozen_at

    def set(self, moment: float) -> None:
        """Set the clock to ``moment``."""
        if self._frozen_at is not None:
            self._frozen_at = moment
        else:
            self._offset = moment - self._source()

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self.set(self.read() + seconds)

    def freeze(self) -> None:
        """Stop the clock at the present time."""
        self._frozen_at = self.read()

    def run(self) -> None:
        """Let a frozen clock run on from where it stands."""
        if self._frozen_at is not None:
            moment, self._frozen_at = self._frozen_at, None
            self.set(moment)

    def reset(self) -> None:
        """Return to the real time."""
        self._offset, self._frozen_at = 0.0, None

    def format(self) -> str:
        """Return the present time as ISO 8601, in UTC."""
        return dt.datetime.fromtimestamp(self.read(), dt.UTC).isoformat().replace("+00:00", "Z")
