"""The gate: the one way out of a live run. A request passes guard, limits, ledger and rate limiter, in this order."""

import contextlib
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from contract_watch.engine.account.clock import Clock
from contract_watch.engine.account.guard import Decision, Guard
from contract_watch.engine.account.ledger import Ledger, LedgerError, LedgerRun, LedgerState
from contract_watch.engine.account.network_sandbox import allow_connections
from contract_watch.engine.account.object_names import is_same_name
from contract_watch.engine.account.rate_limiter import (
    LimiterUnavailableError,
    RateLimiter,
    Slot,
    WaitTooLongError,
    acquire_slot,
)
from contract_watch.engine.account.retry_after import MAX_RETRY_AFTER, parse_retry_after
from contract_watch.engine.protocols.encoded_request import EncodedRequest

ResponseT = TypeVar("ResponseT")
NEVER_SENT = 0
"""Stands for a status where no connection was made."""
_TOO_MANY_REQUESTS = 429
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
"""Shape of an acceptable id: it cannot lead elsewhere in a path."""
CLEANUP_SECONDS = 20 * 60.0
"""Seconds for cleanup after a run's time limit: as long as a vendor may ask to wait, and some."""
_CLEANUP_SHARE = 0.25
"""Share of a run's requests that is reserved for cleanup."""


class RunStoppedError(Exception):
    """The run may send nothing more; the message is the reason for the report."""


@dataclass(frozen=True)
class RunLimits:
    """Limits of a run: ``rate`` requests in any ``seconds``, ``requests`` in all, ``objects`` at once, ``minutes``."""

    rate: int
    seconds: float
    requests: int
    objects: int
    minutes: float

    def describe(self) -> str:
        """Format the limits as one line."""
        return (f"at most {self.rate} requests in any {self.seconds:g} s, {self.requests} in all, {self.objects} objects at "
                f"once, {self.minutes:g} minutes")  # fmt: skip


class Gate:
    """Gate of one run on one account."""

    def __init__(
        self, guard: Guard, limits: RunLimits, limiter: RateLimiter, ledger: Ledger, run: LedgerRun, clock: Clock
    ) -> None:
        self.guard, self.limits, self.ledger, self.run = guard, limits, ledger, run
        self._limiter, self._clock = limiter, clock
        self._started_at = clock.now()
        self._is_cleaning_up = False
        self.sent_count = 0
        self._holder = ""
        self.has_inventory = False
        """True once every object was listed before the run created any."""
        self.is_restored = False
        """True once a final listing shows every changed object restored."""
        self.preexisting_ids: set[str] = set()
        """Ids that existed before the run began, as far as they were listed."""

    def send(self, encoded: EncodedRequest, deliver: Callable[[], ResponseT]) -> ResponseT:
        """Send a request by ``deliver`` if guard, limits, ledger and rate limiter permit it.

        Raises:
            BlockedRequestError: the guard blocks it: a defect of the code that made it.
            RunStoppedError: a limit of the run is reached, or ledger or rate limiter is unavailable.
        """
        decision = self.guard.check_request(encoded)
        try:
            self._check_limits(decision)
            self._holder = decision.holder
            self._record_intent(decision)
            slot = self._acquire_slot()
            try:
                with allow_connections():
                    self.sent_count += 1
                    return deliver()
            finally:
                # If the limiter is unavailable now, the next request ends the run; this response is complete.
                with allow_connections(), contextlib.suppress(LimiterUnavailableError):
                    self._limiter.release(slot)
        except LimiterUnavailableError as error:
            raise RunStoppedError(f"nothing is sent while the rate limiter is unavailable: {error}") from error
        except WaitTooLongError as error:
            raise RunStoppedError(f"the account's rate limit is used up: {error}") from error
        except LedgerError as error:
            raise RunStoppedError(str(error)) from error

    def _acquire_slot(self) -> Slot:
        with allow_connections():
            return acquire_slot(self._limiter, self._clock, self._check_time, MAX_RETRY_AFTER)

    def _record_intent(self, decision: Decision) -> None:
        """Write the objects that this request may create to disk before anything is sent."""
        creates = self.guard.contract.creates_names(decision.operation.id)
        if decision.is_mutating and decision.new_names and creates:
            self.ledger.record_requested(self.run.run_id, decision.new_names, decision.holder, self._clock.wall())

    def _check_limits(self, decision: Decision) -> None:
        self._check_time()
        reserve = 0 if self._is_cleaning_up else int(self.limits.requests * _CLEANUP_SHARE)
        if self.sent_count >= self.limits.requests - reserve:
            raise RunStoppedError(
                f"request limit reached ({self.limits.requests}, {reserve} of them reserved for cleanup)"
            )
        if decision.operation.id == self.guard.contract.lifecycle.create and decision.holder and self.is_full:
            raise RunStoppedError(f"object limit reached ({self.limits.objects})")

    @property
    def is_full(self) -> bool:
        """Return True if the run has as many objects as it may."""
        return self.ledger.count_objects(self.run.run_id) >= self.limits.objects

    @property
    def is_half_full(self) -> bool:
        """Return True if the run has more than half of the objects that it may."""
        return self.ledger.count_objects(self.run.run_id) > self.limits.objects // 2

    def _check_time(self) -> None:
        max_seconds = 60 * self.limits.minutes + (CLEANUP_SECONDS if self._is_cleaning_up else 0)
        if self._clock.now() - self._started_at > max_seconds:
            raise RunStoppedError(f"time limit reached ({self.limits.minutes:g} minutes)")

    @contextmanager
    def use_cleanup_reserve(self) -> Iterator[None]:
        """Permit the requests and the time that are reserved for cleanup inside the block."""
        before, self._is_cleaning_up = self._is_cleaning_up, True
        try:
            yield
        finally:
            self._is_cleaning_up = before

    def note_inventory(self, ids: Collection[str]) -> None:
        """Note that every object was listed before the run created any; ``ids`` are never the run's own."""
        self.preexisting_ids |= set(ids)
        self.has_inventory = True

    def note_restored(self, *, restored: bool) -> None:
        """Note if the last listing shows every changed object restored."""
        self.is_restored = restored

    def wall(self) -> float:
        """Return seconds since 1970 by the run's clock."""
        return self._clock.wall()

    def wait(self, seconds: float) -> None:
        """Let time pass while a vendor catches up."""
        self._check_time()
        self._clock.wait(seconds)

    # -- results

    def handle_rate_limit(self, header: str | None) -> float:
        """Block the account after a 429 for as long as Retry-After asks; return the seconds."""
        default = self.guard.contract.rate.block
        seconds = parse_retry_after(header, self._clock.wall(), default)
        try:
            with allow_connections():
                self._limiter.block(seconds)
        except LimiterUnavailableError:
            pass  # then the limiter admits nothing anyway
        return seconds

    def record_response(
        self, operation: str | None, new: Collection[str], existing: Collection[str], status: int | None
    ) -> None:
        """Record a response in the ledger by the names in its request; ``status`` is None if none came."""
        life = self.guard.contract.lifecycle
        if status is not None and 200 <= status < 300:
            if not life.id:
                self.update_states(new, LedgerState.CREATED, self._holder)
            if operation == life.remove or (new and not life.id):
                gone = set(existing) - set(new)
                remaining = self.ledger.list_remaining(self.run.run_id) if gone else []
                self.update_states(
                    gone | {entry.name for entry in remaining if any(is_same_name(entry.name, name) for name in gone)},
                    LedgerState.DELETED,
                    self._holder,
                )
        elif status is not None and (status == NEVER_SENT or (400 <= status < 500 and status != _TOO_MANY_REQUESTS)):
            self.update_states(new, LedgerState.REJECTED, self._holder)
        else:
            self.update_states(new, LedgerState.UNKNOWN, self._holder)

    def update_states(self, identities: Collection[str], state: LedgerState, holder: str | None = None) -> None:
        """Record the state of this run's objects that ``holder`` requested (None: any holder)."""
        if identities:
            self.ledger.update_states(self.run.run_id, identities, state, holder)

    def claim_id(self, names: Collection[str], identity: str) -> bool:
        """Claim an id that the server assigned to a marked object; return True if the run owns it now.

        An id that existed before the run, or that does not look like one, is not claimed.
        """
        if identity in self.preexisting_ids or _ID.fullmatch(identity) is None:
            return False
        self.guard.ids.add(identity)
        for name in names:
            self.ledger.record_id(self.run.run_id, name, identity, self._holder)
        return True

    def close(self, *, is_clean: bool) -> None:
        """End the run; if ``is_clean``, delete it from the ledger, else leave it for the next sweep."""
        try:
            if is_clean and (self.is_restored or not self.guard.consents):
                self.ledger.clear_former(self.run.run_id)
            if is_clean:
                self.ledger.end_run(self.run.run_id)
        finally:
            self._limiter.close()
