"""Refusals that only an object unknown to the run may excuse: a short name, say, that somebody else may have taken."""

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations, ModelState, Outcome
from contract_watch.contracts.schema import parse_json
from contract_watch.engine.judging.findings import redact_disagreement
from contract_watch.engine.judging.judge import Attempt
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.running.session import Session

MAX_OTHER_VALUES = 3
"""Times that a request is sent again with other values: nobody has taken all of them."""


class ExcuseCheck:
    """Asks the model which refusals it allows only because it does not know every object."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find_refusals(self, attempt: Attempt) -> list[tuple[Exchange, list[Outcome]]]:
        """Return the refusals of an attempt that only unknown objects excuse, with the outcomes expected without them."""
        found = []
        for exchange, change_count in attempt.excused_refusals:
            outcomes = self._list_outcomes_if_all_is_known(exchange, change_count)
            if outcomes and all(one.status < 300 for one in outcomes):
                found.append((exchange, outcomes))
        return found

    def reject(self, attempt: Attempt) -> bool:
        """Add a disagreement for each refusal of an attempt that no document excuses any more; return True if there is one."""
        session = self._session
        if attempt.may_be_outage or attempt.disagreements:
            return False
        for exchange, outcomes in self.find_refusals(attempt):
            found = session.judge_unexcused_refusal(exchange, outcomes, attempt.intended_clauses)
            redacted = redact_disagreement(found, session.redactor)
            attempt.disagreements.setdefault(redacted.id, (redacted, exchange))
            attempt.occurrences.add((redacted.id, attempt.exchanges.index(exchange)))
        return bool(attempt.disagreements)

    def _list_outcomes_if_all_is_known(self, exchange: Exchange, change_count: int) -> list[Outcome]:
        """Return the outcomes of a request on an account on which this run's objects are all there are.

        ``change_count`` is the number of changes before the request.
        """
        contract, keys = self._session.contract, self._session.keys
        accounts = [Account(name, key) for name, key in keys.items()]
        state: ModelState = contract.model.start(accounts, Interpretations(contract.model.interpretations), "")
        for earlier in self._session.target.mutations[:change_count]:
            state = self._replay(state, earlier)
        return list(contract.model.outcomes(state, exchange.request))

    def _replay(self, state: ModelState, exchange: Exchange) -> ModelState:
        """Return the state after a change that succeeded."""
        response = exchange.response
        body = parse_json(response.body) if response is not None else None
        for outcome in self._session.contract.model.outcomes(state, exchange.request):
            if response is not None and outcome.status == response.status:
                return outcome.resolve_next_state(body)
        return state
