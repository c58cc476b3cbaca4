"""The gate: the one way out of a run on a real account. Each request passes guard, limits, ledger and rate, in this order."""

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
"""In the place of a status: no connection was made."""
_TOO_MANY_REQUESTS = 429
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
"""What an id looks like: nothing that leads elsewhere in a path."""
CLEANUP_SECONDS = 20 * 60.0
"""Seconds that cleaning up may take when the time of a run is over: as long as a vendor may ask to wait, and some."""
_CLEANUP_SHARE = 0.25
"""The share of a run's requests that is kept for cleaning up."""


class RunStoppedError(Exception):
    """The run may send nothing more; its text is the reason, in words for the report."""


@dataclass(frozen=True)
class RunLimits:
    """What a run may do at most: ``rate`` requests in any ``seconds``, ``requests`` in all, ``objects`` at once, ``minutes``."""

    rate: int
    seconds: float
    requests: int
    objects: int
    minutes: float

    def describe(self) -> str:
        """For people: one line."""
        return (f"at most {self.rate} requests in any {self.seconds:g} s, {self.requests} in all, {self.objects} objects at "
                f"once, {self.minutes:g} minutes")  # fmt: skip


class Gate:
    """Of one run on one account."""

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
        """Whether all that is there was seen before anything was made."""
        self.is_restored = False
        """Whether a list has shown, at the end, that all is as it was."""
        self.preexisting_ids: set[str] = set()
        """Ids that were there before the run began, as far as a list has shown them."""

    def send(self, encoded: EncodedRequest, deliver: Callable[[], ResponseT]) -> ResponseT:
        """Send a request by ``deliver``, once everything speaks for it.

        Raises:
            HeldBackError: the guard does not let it through: a defect of whoever made it.
            EndedError: a limit of the run is reached, or what keeps its promises cannot be asked.
        """
        passage = self.guard.check_request(encoded)
        try:
            self._check_limits(passage)
            self._holder = passage.holder
            self._record_intent(passage)
            place = self._acquire_slot()
            try:
                with allow_connections():
                    self.sent_count += 1
                    return deliver()
            finally:
                # An allowance that cannot be asked now ends the run at its next request; this answer has come.
                with allow_connections(), contextlib.suppress(LimiterUnavailableError):
                    self._limiter.release(place)
        except LimiterUnavailableError as error:
            raise RunStoppedError(f"nothing is sent while the allowance cannot be asked for: {error}") from error
        except WaitTooLongError as error:
            raise RunStoppedError(f"the account's allowance is used up: {error}") from error
        except LedgerError as error:
            raise RunStoppedError(str(error)) from error

    def _acquire_slot(self) -> Slot:
        with allow_connections():
            return acquire_slot(self._limiter, self._clock, self._check_time, MAX_RETRY_AFTER)

    def _record_intent(self, decision: Decision) -> None:
        """On disk before anything leaves: what this request may make."""
        if decision.is_mutating and decision.new_names:
            self.ledger.record_requested(self.run.run_id, decision.new_names, decision.holder, self._clock.wall())

    def _check_limits(self, decision: Decision) -> None:
        self._check_time()
        kept = 0 if self._is_cleaning_up else int(self.limits.requests * _CLEANUP_SHARE)
        if self.sent_count >= self.limits.requests - kept:
            raise RunStoppedError(
                f"the run has sent all the requests that it may: {self.limits.requests}, {kept} kept to clean up"
            )
        if decision.operation.id == self.guard.contract.lifecycle.create and decision.holder and self.is_full:
            raise RunStoppedError(f"the run has as many objects as it may: {self.limits.objects}")

    @property
    def is_full(self) -> bool:
        """Whether the run has as many objects as it may."""
        return self.ledger.count_objects(self.run.run_id) >= self.limits.objects

    @property
    def is_half_full(self) -> bool:
        """Whether half of the objects that the run may have are there."""
        return self.ledger.count_objects(self.run.run_id) > self.limits.objects // 2

    def _check_time(self) -> None:
        most = 60 * self.limits.minutes + (CLEANUP_SECONDS if self._is_cleaning_up else 0)
        if self._clock.now() - self._started_at > most:
            raise RunStoppedError(f"the run has taken all the time that it may: {self.limits.minutes:g} minutes")

    @contextmanager
    def use_cleanup_reserve(self) -> Iterator[None]:
        """While the block lasts what was kept for cleaning up may be used."""
        before, self._is_cleaning_up = self._is_cleaning_up, True
        try:
            yield
        finally:
            self._is_cleaning_up = before

    def wall(self) -> float:
        """Seconds since 1970, by the run's clock."""
        return self._clock.wall()

    def wait(self, seconds: float) -> None:
        """Let time pass, where a vendor may need it."""
        self._check_time()
        self._clock.wait(seconds)

    # -- what came of it

    def handle_rate_limit(self, header: str | None) -> float:
        """The target answered 429: nobody on the account sends before the time that it asks for; gives the seconds."""
        usual = self.guard.contract.rate.block
        seconds = parse_retry_after(header, self._clock.wall(), usual)
        try:
            with allow_connections():
                self._limiter.block(seconds)
        except LimiterUnavailableError:
            pass  # then nothing is sent at all
        return seconds

    def record_response(
        self, operation: str | None, new: Collection[str], existing: Collection[str], status: int | None
    ) -> None:
        """What came of a request, by the names in it, for the ledger; ``status`` is None where no answer came."""
        life = self.guard.contract.lifecycle
        if status is not None and 200 <= status < 300:
            if not life.id:
                self.update_states(new, LedgerState.CREATED, self._holder)
            if operation == life.remove or (new and not life.id):
                gone = set(existing) - set(new)
                left = self.ledger.list_remaining(self.run.run_id) if gone else []
                self.update_states(
                    gone | {e.name for e in left if any(is_same_name(e.name, name) for name in gone)},
                    LedgerState.DELETED,
                    self._holder,
                )
        elif status is not None and (status == NEVER_SENT or (400 <= status < 500 and status != _TOO_MANY_REQUESTS)):
            self.update_states(new, LedgerState.REJECTED, self._holder)
        else:
            self.update_states(new, LedgerState.UNKNOWN, self._holder)

    def update_states(self, identities: Collection[str], state: LedgerState, holder: str | None = None) -> None:
        """What is known of objects of this run, that ``holder`` asked for (None: whoever did), for the ledger."""
        if identities:
            self.ledger.update_states(self.run.run_id, identities, state, holder)

    def claim_id(self, names: Collection[str], identity: str) -> bool:
        """The server handed out an id for what was made under a mark: the run owns it from now on.

        Not so where something else had that id before the run began, or where it is no id: gives whether it is the run's.
        """
        if identity in self.preexisting_ids or _ID.fullmatch(identity) is None:
            return False
        self.guard.ids.add(identity)
        for mark in names:
            self.ledger.record_id(self.run.run_id, mark, identity, self._holder)
        return True

    def close(self, *, is_clean: bool) -> None:
        """The run is over: its part of the ledger is ``struck`` where nothing is left; else the next start finds it."""
        try:
            if is_clean and (self.is_restored or not self.guard.consents):
                self.ledger.clear_former(self.run.run_id)
            if is_clean:
                self.ledger.end_run(self.run.run_id)
        finally:
            self._limiter.close()
