"""The gate: the one way out of a run on a real account. Each request passes guard, limits, ledger and rate, in this order."""

import contextlib
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from contract_watch.engine.account.clock import Clock
from contract_watch.engine.account.guard import Guard, Outgoing, Passage
from contract_watch.engine.account.ledger import Ledger, LedgerError, Run, State
from contract_watch.engine.account.network_sandbox import door
from contract_watch.engine.account.object_names import became
from contract_watch.engine.account.rate_limiter import AwayError, Place, TooLongError, Window, pace
from contract_watch.engine.account.retry_after import LONGEST, retry_after

Answer = TypeVar("Answer")
NEVER_SENT = 0
"""In the place of a status: no connection was made."""
_TOO_MANY = 429
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
"""What an id looks like: nothing that leads elsewhere in a path."""
TIDYING = 20 * 60.0
"""Seconds that cleaning up may take when the time of a run is over: as long as a vendor may ask to wait, and some."""
_KEPT = 0.25
"""The share of a run's requests that is kept for cleaning up."""


class EndedError(Exception):
    """The run may send nothing more; its text is the reason, in words for the report."""


@dataclass(frozen=True)
class Bounds:
    """What a run may do at most: ``rate`` requests in any ``seconds``, ``requests`` in all, ``objects`` at once, ``minutes``."""

    rate: int
    seconds: float
    requests: int
    objects: int
    minutes: float

    def words(self) -> str:
        """For people: one line."""
        return (f"at most {self.rate} requests in any {self.seconds:g} s, {self.requests} in all, {self.objects} objects at "
                f"once, {self.minutes:g} minutes")  # fmt: skip


class Gate:
    """Of one run on one account."""

    def __init__(self, guard: Guard, bounds: Bounds, window: Window, ledger: Ledger, run: Run, clock: Clock) -> None:
        self.guard, self.bounds, self.ledger, self.run = guard, bounds, ledger, run
        self._window, self._clock = window, clock
        self._began = clock.now()
        self._tidying = False
        self.sent = 0
        self._holder = ""
        self.listed = False
        """Whether all that is there was seen before anything was made."""
        self.restored = False
        """Whether a list has shown, at the end, that all is as it was."""
        self.foreign: set[str] = set()
        """Ids that were there before the run began, as far as a list has shown them."""

    def send(self, outgoing: Outgoing, deliver: Callable[[], Answer]) -> Answer:
        """Send a request by ``deliver``, once everything speaks for it.

        Raises:
            HeldBackError: the guard does not let it through: a defect of whoever made it.
            EndedError: a limit of the run is reached, or what keeps its promises cannot be asked.
        """
        passage = self.guard.check(outgoing)
        try:
            self._within_limits(passage)
            self._holder = passage.holder
            self._note(passage)
            place = self._place()
            try:
                with door():
                    self.sent += 1
                    return deliver()
            finally:
                # An allowance that cannot be asked now ends the run at its next request; this answer has come.
                with door(), contextlib.suppress(AwayError):
                    self._window.release(place)
        except AwayError as error:
            raise EndedError(f"nothing is sent while the allowance cannot be asked for: {error}") from error
        except TooLongError as error:
            raise EndedError(f"the account's allowance is used up: {error}") from error
        except LedgerError as error:
            raise EndedError(str(error)) from error

    def _place(self) -> Place:
        with door():
            return pace(self._window, self._clock, self._in_time, LONGEST)

    def _note(self, passage: Passage) -> None:
        """On disk before anything leaves: what this request may make."""
        if passage.changes and passage.new:
            self.ledger.asked(self.run.run_id, passage.new, passage.holder, self._clock.wall())

    def _within_limits(self, passage: Passage) -> None:
        self._in_time()
        kept = 0 if self._tidying else int(self.bounds.requests * _KEPT)
        if self.sent >= self.bounds.requests - kept:
            raise EndedError(
                f"the run has sent all the requests that it may: {self.bounds.requests}, {kept} kept to clean up"
            )
        if passage.operation.id == self.guard.contract.lifecycle.create and passage.holder and self.full:
            raise EndedError(f"the run has as many objects as it may: {self.bounds.objects}")

    @property
    def full(self) -> bool:
        """Whether the run has as many objects as it may."""
        return self.ledger.count(self.run.run_id) >= self.bounds.objects

    @property
    def crowded(self) -> bool:
        """Whether half of the objects that the run may have are there."""
        return self.ledger.count(self.run.run_id) > self.bounds.objects // 2

    def _in_time(self) -> None:
        most = 60 * self.bounds.minutes + (TIDYING if self._tidying else 0)
        if self._clock.now() - self._began > most:
            raise EndedError(f"the run has taken all the time that it may: {self.bounds.minutes:g} minutes")

    @contextmanager
    def tidying(self) -> Iterator[None]:
        """While the block lasts what was kept for cleaning up may be used."""
        before, self._tidying = self._tidying, True
        try:
            yield
        finally:
            self._tidying = before

    def wall(self) -> float:
        """Seconds since 1970, by the run's clock."""
        return self._clock.wall()

    def wait(self, seconds: float) -> None:
        """Let time pass, where a vendor may need it."""
        self._in_time()
        self._clock.wait(seconds)

    # -- what came of it

    def limited(self, header: str | None) -> float:
        """The target answered 429: nobody on the account sends before the time that it asks for; gives the seconds."""
        usual = self.guard.contract.rate.block
        seconds = retry_after(header, self._clock.wall(), usual)
        try:
            with door():
                self._window.block(seconds)
        except AwayError:
            pass  # then nothing is sent at all
        return seconds

    def answered(
        self, operation: str | None, new: Collection[str], existing: Collection[str], status: int | None
    ) -> None:
        """What came of a request, by the names in it, for the ledger; ``status`` is None where no answer came."""
        life = self.guard.contract.lifecycle
        if status is not None and 200 <= status < 300:
            if not life.id:
                self.tell(new, State.MADE, self._holder)
            if operation == life.remove or (new and not life.id):
                gone = set(existing) - set(new)
                left = self.ledger.left(self.run.run_id) if gone else []
                self.tell(
                    gone | {e.name for e in left if any(became(e.name, name) for name in gone)},
                    State.REMOVED,
                    self._holder,
                )
        elif status is not None and (status == NEVER_SENT or (400 <= status < 500 and status != _TOO_MANY)):
            self.tell(new, State.REFUSED, self._holder)
        else:
            self.tell(new, State.UNKNOWN, self._holder)

    def tell(self, identities: Collection[str], state: State, holder: str | None = None) -> None:
        """What is known of objects of this run, that ``holder`` asked for (None: whoever did), for the ledger."""
        if identities:
            self.ledger.tell(self.run.run_id, identities, state, holder)

    def handed(self, marks: Collection[str], identity: str) -> bool:
        """The server handed out an id for what was made under a mark: the run owns it from now on.

        Not so where something else had that id before the run began, or where it is no id: gives whether it is the run's.
        """
        if identity in self.foreign or _ID.fullmatch(identity) is None:
            return False
        self.guard.ids.add(identity)
        for mark in marks:
            self.ledger.identified(self.run.run_id, mark, identity, self._holder)
        return True

    def close(self, *, struck: bool) -> None:
        """The run is over: its part of the ledger is ``struck`` where nothing is left; else the next start finds it."""
        try:
            if struck and (self.restored or not self.guard.consents):
                self.ledger.restored(self.run.run_id)
            if struck:
                self.ledger.end(self.run.run_id)
        finally:
            self._window.close()
