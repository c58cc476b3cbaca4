"""Reads that lag: a list or an object that shows the state before a change, for as long as a cache or replica may.

Such a read is sent again until it shows the change. If it never does, its value is final: then it is no lag, and the run
does not wait for others of its kind.
"""

import math

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.clock import Clock
from contract_watch.engine.judging.judge import JudgeResult
from contract_watch.report.record import Record

DEFAULT_LAG = 5.0
"""Seconds for which reads may lag if the contract does not say."""
_FIRST_PAUSE = 0.1
"""Seconds before a read that may lag is retried; each later pause is twice as long."""
_MAX_VAIN_SECONDS = 3 * DEFAULT_LAG
"""Seconds that a run waits for reads that turn out to be final."""
_MAX_SECONDS = 180.0
"""Seconds that a run waits for lagging reads in all."""
_NOTE = "reads lag behind changes"


class Lag:
    """The knowledge of one run about the lag of its target, over all protocols.

    ``seconds`` replaces the contract's seconds for which a read may lag.
    """

    def __init__(self, contract: Contract, record: Record, clock: Clock, seconds: float | None = None) -> None:
        self._contract, self._record, self._clock = contract, record, clock
        self._max_lag = (contract.lifecycle.lag or DEFAULT_LAG) if seconds is None else seconds
        self._changed_at = -math.inf
        self._measured = 0.0
        self._final_ids: set[str] = set()
        self._waited, self._waited_in_vain = 0.0, 0.0

    def expect_none(self) -> None:
        """Note that only the contract's own lag is possible: the target is the project's mock."""
        self._max_lag = min(self._max_lag, self._contract.lifecycle.lag)

    def note_change(self) -> None:
        """Note that a change has just succeeded: reads may lag from now on."""
        self._changed_at = self._clock.now()

    @property
    def is_time_used_up(self) -> bool:
        """Return True if the run may not wait for a lagging read any more, though reads of this target do lag."""
        return self._measured > 0 and self._waited >= _MAX_SECONDS

    def explain_time_used_up(self) -> str:
        """Explain why a read could not be judged."""
        return (
            f"{_NOTE} by up to {self._measured:.1f} s, and the run has waited for {_MAX_SECONDS:.0f} s in all, as long "
            "as it may"
        )

    def may_explain(self, operation: str | None, judged: JudgeResult) -> bool:
        """Return True if all that is wrong with a response may be that it shows an earlier state."""
        found = judged.disagreements
        in_time = self._clock.now() < self._changed_at + self._max_lag
        return bool(found) and all(one.may_lag for one in found) and self._contract.is_read_only(operation) and in_time

    def plan_pause(self, operation: str | None, judged: JudgeResult, last: float) -> float:
        """Return the seconds to wait before a read is sent again, the ``last`` time 0; 0 if it is not sent again."""
        if not self.may_explain(operation, judged) or self._waited >= _MAX_SECONDS:
            return 0.0
        if not self._measured and self._waited_in_vain >= _MAX_VAIN_SECONDS:
            return 0.0
        if not any(self._is_open(found.id) for found in judged.disagreements):
            return 0.0
        now = self._clock.now()
        pause = 2 * last if last else max(_FIRST_PAUSE, self._changed_at + self._measured - now)
        return pause if now + pause < self._changed_at + self._max_lag else 0.0

    def _is_open(self, name: str) -> bool:
        """Return True if a disagreement is not known to be final; without any lag so far, one of its kind is enough."""
        kinds = {known.rpartition("/")[2] for known in self._final_ids}
        return name not in self._final_ids and (self._measured > 0 or name.rpartition("/")[2] not in kinds)

    def settle(self, judged: JudgeResult, waited: float) -> None:
        """Take over the result of a read that was retried for ``waited`` seconds."""
        self._waited += waited
        if judged.disagreements:
            self._waited_in_vain += waited
            self._final_ids |= {found.id for found in judged.disagreements}
            return
        self._measured = max(self._measured, self._clock.now() - self._changed_at)
        notes = self._record.notes
        notes[:] = [note for note in notes if not note.startswith(_NOTE)]
        notes.append(f"{_NOTE} by up to {self._measured:.1f} s: the run waited for them")
