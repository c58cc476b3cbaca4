"""The clock of a played vendor, from any thread."""

import datetime as dt
from collections.abc import Callable

from contract_watch.contracts.resource.preset_values import show_value
from contract_watch.errors import UsageError
from contract_watch.mock.clock import EARLIEST, LATEST, MockClock
from contract_watch.mock.state_controls import parse_moment

Moment = dt.datetime | str | float
"""A time: a datetime (UTC if it has no zone), ISO 8601, or seconds since the epoch."""


class PlayedClock:
    """The time that a vendor sees: the real one until a test changes it; in a mock with a seed it moves with each request."""

    def __init__(
        self,
        run: Callable[[Callable[[MockClock], float]], float],
        change: Callable[[Callable[[MockClock], float]], float],
    ) -> None:
        self._run, self._run_change = run, change

    @property
    def now(self) -> dt.datetime:
        """The present time, in UTC."""
        return dt.datetime.fromtimestamp(self.read(), dt.UTC)

    @property
    def is_frozen(self) -> bool:
        """True if the clock stands still."""
        return bool(self._run(lambda clock: clock.is_frozen))

    def read(self) -> float:
        """Return the present time in seconds since the epoch."""
        return self._run(lambda clock: clock.read())

    def set(self, moment: Moment) -> None:
        """Set the clock, forward or back; a running one goes on from there.

        Raises:
            UsageError: it is no time of the years 1970 to 9999.
        """
        seconds = _read_moment(moment)
        self._change(lambda clock: clock.set(seconds))

    def advance(self, duration: float | dt.timedelta) -> None:
        """Move the clock forward, by seconds or a `datetime.timedelta`.

        Raises:
            UsageError: the duration is negative, or leads beyond the year 9999.
        """
        seconds = duration.total_seconds() if isinstance(duration, dt.timedelta) else duration
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LATEST:
            raise UsageError(
                f"advance must be seconds or a timedelta, 0 or more, got {show_value(duration)}; use `set`"
            )

        def advance(clock: MockClock) -> None:
            if clock.read() + seconds > LATEST:
                raise UsageError("advance would lead beyond the year 9999; advance by less")
            clock.advance(seconds)

        self._change(advance)

    def freeze(self, moment: Moment | None = None) -> None:
        """Stop the clock, at ``moment`` or at the present time; see `set` for errors."""
        seconds = None if moment is None else _read_moment(moment)

        def freeze(clock: MockClock) -> None:
            clock.freeze()
            if seconds is not None:
                clock.set(seconds)

        self._change(freeze)

    def run(self) -> None:
        """Let a frozen clock go on from where it stands."""
        self._change(lambda clock: clock.run())

    def reset(self) -> None:
        """Return to the real time, with a seed to its first instant."""
        self._change(lambda clock: clock.reset())

    def _change(self, change: Callable[[MockClock], None]) -> None:
        def change_and_read(clock: MockClock) -> float:
            change(clock)
            return clock.read()

        self._run_change(change_and_read)


def _read_moment(moment: Moment) -> float:
    if isinstance(moment, dt.datetime):
        moment = (moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)).timestamp()
    if isinstance(moment, str):
        return parse_moment(moment, "clock")
    if isinstance(moment, bool) or not isinstance(moment, int | float) or not EARLIEST <= moment <= LATEST:
        raise UsageError(
            f"clock must be a datetime, ISO 8601 or seconds of the years 1970 to 9999, got {show_value(moment)}"
        )
    return moment
