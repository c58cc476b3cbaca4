"""The budget of a run's exploration: the requests and seconds after which it ends, however much is wrong.

A search stops a little before the end: the rest is a reserve that confirms what it has just found.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from contract_watch.report.record import Record

MAX_REQUESTS = 600
"""Requests of the exploring stage, over all protocols; removals of its objects that are still to come count too."""
MAX_SECONDS = 60.0
RESERVED_REQUESTS = 40
"""Requests for confirmation: a workflow of ten steps, its objects' removal and the control requests take fewer."""
RESERVED_SECONDS = 6.0
"""Seconds for confirmation: the pauses before control requests take four."""


class ExplorationEndedError(BaseException):
    """The end of the budget; Hypothesis would take an `Exception` for a failing example."""


class ExplorationBudget:
    """The requests and seconds that one run may explore for, shared by ``searches`` searches over all its protocols.

    ``record`` counts the requests; it gets a note with ``advice`` if exploration ends early. ``clock``
    returns seconds.
    """

    def __init__(
        self,
        record: Record,
        searches: int,
        max_requests: float = MAX_REQUESTS,
        max_seconds: float = MAX_SECONDS,
        advice: str = "MINUTES=5 explores longer",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._record, self._searches, self._clock = record, searches, clock
        self._max_requests, self._max_seconds = max_requests, max_seconds
        self._advice = advice
        self._begun = 0
        self._seconds = 0.0
        self._resumed_at: float | None = None
        self._may_use_reserve = False
        self.end_reason = ""

    @contextmanager
    def measure_time(self) -> Iterator[None]:
        """Count the seconds of the block."""
        self._resumed_at = self._clock()
        try:
            yield
        finally:
            self._seconds, self._resumed_at = self._count_seconds(), None

    def _count_seconds(self) -> float:
        return self._seconds + (0.0 if self._resumed_at is None else self._clock() - self._resumed_at)

    def begin_search(self, object_count: int) -> None:
        """Note that one more search begins; raise as `check_request` does if it may send nothing."""
        self._may_use_reserve = False
        self.check_request(object_count)
        self._begun += 1

    @contextmanager
    def use_reserve(self) -> Iterator[None]:
        """Permit the reserve in the block."""
        before, self._may_use_reserve = self._may_use_reserve, True
        try:
            yield
        finally:
            self._may_use_reserve = before

    def permit_reserve(self, *, permitted: bool) -> None:
        """Permit the reserve until a disagreement is confirmed, or end that permission."""
        self._may_use_reserve = permitted

    @property
    def seconds_left(self) -> float:
        """Return the seconds that a search has left; the reserve is for confirmation."""
        reserved = 0.0 if self._may_use_reserve else RESERVED_SECONDS
        return self._max_seconds - reserved - self._count_seconds()

    def compute_shrink_limits(self) -> tuple[float, float]:
        """Return the requests and the seconds that a search may take to shrink an example.

        Each search that is still to come gets as many requests.
        """
        left = self._max_requests - RESERVED_REQUESTS - self._record.requests["explore"]
        share = left / max(self._searches - self._begun + 1, 1)
        seconds = self._max_seconds - RESERVED_SECONDS - self._count_seconds()
        return share if math.isinf(share) else max(share // 1, 0), max(seconds / 2, 0.0)

    def check_request(self, object_count: int) -> None:
        """Raise if no request may be sent any more; the run still has to remove ``object_count`` objects.

        Raises:
            ExplorationEndedError: the requests or the seconds are used up.
        """
        reserved = 0 if self._may_use_reserve else RESERVED_REQUESTS
        spent = self._record.requests["explore"] + object_count
        if self.end_reason or spent >= self._max_requests - reserved or self.seconds_left <= 0:
            self._end()
            raise ExplorationEndedError

    def _end(self) -> None:
        """Note once that exploration ends early: first of all notes, because a terminal shows only a few."""
        if self.end_reason:
            return
        requests, left_out = self._record.requests["explore"], self._searches - self._begun
        limits = [] if math.isinf(self._max_requests) else [f"{self._max_requests:g} requests"]
        limits += [] if math.isinf(self._max_seconds) else [f"{self._max_seconds:g} s"]
        searches = f", {left_out} of {self._searches} searches left out" if left_out > 0 else ""
        self.end_reason = (
            f"exploration ended early, after {requests} requests and {self._count_seconds():.0f} s{searches}: it may take "
            f"{' and '.join(limits)}; {self._advice}"
        )
        self._record.notes.insert(0, self.end_reason)
