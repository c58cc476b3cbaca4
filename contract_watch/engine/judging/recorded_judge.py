"""The judge of recorded exchanges: do fewer or simpler requests still show a disagreement? Nothing is sent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from contract_watch.contracts.outcomes import ModelState
from contract_watch.contracts.registry import Contract
from contract_watch.engine.judging.disagreement import Disagreement
from contract_watch.engine.judging.judge import ResponseJudge
from contract_watch.engine.judging.run_secrets import RunSecrets
from contract_watch.engine.protocols.exchange import Exchange


@dataclass(frozen=True)
class Replica:
    """The judgement of a sequence of exchanges: the last one's disagreements, and every wrong status with its index.

    They are not redacted: nothing of them is reported.
    """

    disagreements: Sequence[Disagreement]
    wrong_statuses: frozenset[tuple[int, str]]


class RecordedJudge:
    """A judge that starts from ``state``, the one before the run's first request, and follows recorded responses.

    A response was recorded for the original request. It tells if a simpler request could show the same disagreement; only
    the target tells if it does.
    """

    def __init__(
        self, contract: Contract, secrets: RunSecrets, state: ModelState, satisfied_clauses: Collection[str]
    ) -> None:
        self._contract, self._state = contract, state
        self._satisfied_clauses = satisfied_clauses
        self._judge = ResponseJudge(contract, secrets)

    def judge_sequence(self, exchanges: Sequence[Exchange], intended_clauses: Sequence[str]) -> Replica:
        """Judge ``exchanges`` in order; the last one was made for ``intended_clauses``."""
        states, wrong = [self._state], set[tuple[int, str]]()
        found: list[Disagreement] = []
        for number, exchange in enumerate(exchanges):
            assert exchange.response is not None
            clauses = intended_clauses if number == len(exchanges) - 1 else ()
            judged = self._judge.judge_response(
                states, exchange.request, exchange.response, clauses, self._satisfied_clauses
            )
            found = judged.disagreements
            wrong |= {(len(exchanges) - number, one.id) for one in found if one.is_wrong_status}
            # Values of a recorded response belong to the original request, and say nothing about a simpler one.
            unknown = judged.unknown_objects if any(one.is_wrong_status for one in found) else ()
            states = [self._contract.model.forget(one, unknown) if unknown else one for one in judged.possible_states]
        return Replica(found, frozenset(wrong))
