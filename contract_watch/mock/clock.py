"""The mock's clock: the real time, one that a test sets, or one that moves with each request."""

import datetime as dt
import time
from collections.abc import Callable

EARLIEST = 0.0
LATEST = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC).timestamp()
"""The bounds of the clock: 1970 to 9999, the years that every vendor's times can hold."""
SEEDED_START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()
"""The time of each vendor's first request in a mock with a seed."""
SEEDED_STEP = 1.0
"""Seconds from one request of a vendor to its next one in a mock with a seed."""


class MockClock:
    """The time that vendors see, in seconds since the epoch.

    It runs with ``source`` until `freeze` stops it. `set` and `advance` move it; a running one goes on from there.
    Tokens, rate limits and the times of objects follow it; delays of faults are real.
    With a ``step`` the clock stands where it starts, and `VendorClock` counts its steps; ``stopwatch`` measures the real time.
    """

    def __init__(
        self,
        source: Callable[[], float] = time.time,
        *,
        start: float | None = None,
        step: float = 0.0,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self.step = step
        self._stopwatch, self._stopped = stopwatch, 0.0
        self._started: float | None = stopwatch()
        self.changes = 0
        """The number of times that the clock was set: it makes vendors forget their steps."""
        first = SEEDED_START if start is None else start
        self._source: Callable[[], float] = (lambda: first) if step else source
        self._offset = 0.0
        self._frozen_at: float | None = None
        if start is not None:
            self.set(start)

    @property
    def is_frozen(self) -> bool:
        """True if the clock stands still."""
        return self._frozen_at is not None

    def read(self) -> float:
        """Return the present time."""
        return min(self._source() + self._offset, LATEST) if self._frozen_at is None else self._frozen_at

    def take(self) -> float:
        """Return the time of a new request."""
        return self.read()

    def read_for_limits(self) -> float:
        """Return the time that rate limits count by.

        A clock with a step moves by a second with each request, which no limit of several a second would ever see: the
        real time counts instead, and every move of the clock.
        """
        return self.read() + (self._measure() if self.step else 0.0)

    def _measure(self) -> float:
        """Return the real seconds in which the clock was not frozen."""
        return self._stopped + (self._stopwatch() - self._started if self._started is not None else 0.0)

    def set(self, moment: float) -> None:
        """Set the clock to ``moment``."""
        self.changes += 1
        self._move(moment)

    def _move(self, moment: float) -> None:
        moment = min(max(moment, EARLIEST), LATEST)
        if self._frozen_at is not None:
            self._frozen_at = moment
        else:
            self._offset = moment - self._source()

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._move(self.read() + seconds)

    def freeze(self) -> None:
        """Stop the clock at the present time."""
        self._frozen_at = self.read()
        self._stopped, self._started = self._measure(), None

    def run(self) -> None:
        """Let a frozen clock go on from where it stands."""
        if self._frozen_at is not None:
            moment, self._frozen_at = self._frozen_at, None
            self._move(moment)
            self._started = self._stopwatch()

    def reset(self) -> None:
        """Return to the real time, with a step to the first instant."""
        self.changes += 1
        self._offset, self._frozen_at = 0.0, None
        self._stopped, self._started = 0.0, self._stopwatch()

    def format(self) -> str:
        """Return the present time as ISO 8601, in UTC."""
        return dt.datetime.fromtimestamp(self.read(), dt.UTC).isoformat().replace("+00:00", "Z")


class VendorClock(MockClock):
    """A vendor's view of a ``shared`` clock with a step: each of its requests moves it, and no other vendor's.

    Everything else happens to the shared clock, and so to all vendors.
    """

    def __init__(self, shared: MockClock) -> None:
        super().__init__(shared.read)
        self.shared, self._passed, self._seen = shared, 0.0, shared.changes

    @property
    def is_frozen(self) -> bool:
        """See `MockClock`."""
        return self.shared.is_frozen

    @property
    def passed(self) -> float:
        """The seconds that this vendor's requests have taken."""
        return self._passed if self._seen == self.shared.changes else 0.0

    @passed.setter
    def passed(self, seconds: float) -> None:
        self._passed, self._seen = seconds, self.shared.changes

    def read(self) -> float:
        """See `MockClock`."""
        return min(self.shared.read() + self.passed, LATEST)

    def read_for_limits(self) -> float:
        """See `MockClock`."""
        return self.shared.read_for_limits()

    def take(self) -> float:
        """See `MockClock`; the first request has the instant itself."""
        moment = self.read()
        if not self.is_frozen:
            self.passed += self.shared.step
        return moment

    def set(self, moment: float) -> None:
        """See `MockClock`."""
        self.shared.set(moment)

    def advance(self, seconds: float) -> None:
        """See `MockClock`."""
        self.shared.advance(seconds)

    def freeze(self) -> None:
        """See `MockClock`."""
        self.shared.freeze()

    def run(self) -> None:
        """See `MockClock`."""
        self.shared.run()

    def reset(self) -> None:
        """See `MockClock`."""
        self.shared.reset()
