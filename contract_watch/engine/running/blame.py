"""Blame: is an operation at fault whose effect a read does not show, or the read itself?

A list that hides an object looks like a creation that made none. One more request tells them apart: another read of the
object, or else a change of it, which only an object that exists takes. Where nothing else tells, both are suspected.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from contract_watch.engine.account.guard import BlockedRequestError
from contract_watch.engine.judging.disagreement import Disagreement
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.protocols.encoded_request import CannotEncodeError
from contract_watch.engine.running.exploration_budget import ExplorationEndedError
from contract_watch.errors import RunAbortedError

if TYPE_CHECKING:
    from contract_watch.contracts.openapi import Operation
    from contract_watch.engine.judging.judge import Attempt, JudgeResult
    from contract_watch.engine.protocols.exchange import Exchange
    from contract_watch.engine.running.session import Session

MAX_QUESTIONS = 20
"""Requests of one session that ask who is at fault; later ones of the same kind have the first one's answer."""
_EXISTENCE_KINDS = ("row-missing", "unexpected")
"""The kinds of disagreements about which a change tells: whether the object exists."""


@dataclass(frozen=True)
class _Verdict:
    """The answer of ``operation`` (``METHOD path``): the read is at fault if the ``witness`` contradicts it."""

    operation: str
    blames_reader: bool
    witness: Exchange


class BlameCheck:
    """The questions of one session; each is about an object of the run, and its answer decides no other finding."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._simulation = Simulation(session.contract)
        self._verdicts: dict[str, _Verdict] = {}
        self._count = 0
        self._is_asking = False

    def settle(self, exchange: Exchange, judged: JudgeResult) -> list[Disagreement]:
        """Return what is wrong with a read, each on the operation that is at fault.

        It is called before the session takes over the states that the read leaves possible.
        """
        if self._is_asking or self._session.scripted_status is not None:
            return judged.disagreements
        return [self._settle_one(exchange, found) for found in judged.disagreements]

    def _settle_one(self, exchange: Exchange, found: Disagreement) -> Disagreement:
        if found.of_reader is None:
            return found
        name, reader = found.object_name, self._session.contract.operations[found.of_reader.operation]
        later = self._list_later_changes(found, name)
        verdict = self._find_verdict(exchange, found, name) if name is not None else None
        if verdict is None:
            return replace(found, suspects=(*later, reader.name))
        if not verdict.blames_reader:
            return replace(found, suspects=tuple(later))
        if name not in verdict.witness.names:
            return found.of_reader
        title = f"{found.of_reader.title}; {verdict.operation} says otherwise"
        return replace(found.of_reader, title=title, witness=verdict.witness)

    def _find_verdict(self, exchange: Exchange, found: Disagreement, name: str) -> _Verdict | None:
        """Return the answer to the question about a disagreement; None if nothing can be asked."""
        if self._count < MAX_QUESTIONS and self._may_ask_about(name):
            verdict = self._ask(exchange, found, name)
            if verdict is None:
                self._verdicts.pop(found.id, None)
            else:
                self._verdicts[found.id] = verdict
            return verdict
        return self._verdicts.get(found.id)

    def _list_later_changes(self, found: Disagreement, name: str | None) -> list[str]:
        """Return the operations that can have changed an object since the one at fault: also a refused request can.

        Only a removal makes an object disappear, its own or another's; a request that did not find it changed nothing.
        """
        contract, operations = self._session.contract, dict[str, None]()
        for one in reversed(self._session.target.attempted_changes):
            if one.operation is None or (name not in one.names and not self._may_remove_another(found, one)):
                continue
            if one.operation == found.operation:
                break
            is_lost = one.response is not None and one.response.status == HTTPStatus.NOT_FOUND
            if not is_lost and (one.operation == contract.lifecycle.remove or not found.id.endswith("row-missing")):
                operations[contract.operations[one.operation].name] = None
        return list(operations)

    def _may_remove_another(self, found: Disagreement, one: Exchange) -> bool:
        """Return True for a removal that can have taken a new object with it, which no response has shown yet."""
        life = self._session.contract.lifecycle
        is_new = found.operation == life.create and found.id.endswith("row-missing")
        return is_new and one.operation == life.remove and one.response is not None and one.response.status < 300

    def _may_ask_about(self, name: str) -> bool:
        """Return True for an object of this run; where no guard protects an account, for any that the run asked for."""
        target = self._session.target
        return target.owns(name) or (self._session.gate is None and target.has_requested(name))

    def _ask(self, exchange: Exchange, found: Disagreement, name: str) -> _Verdict | None:
        """Ask about one object; None if nothing could be asked."""
        session = self._session
        for operation in self._list_witnesses(exchange, found):
            if self._count >= MAX_QUESTIONS or session.stop_reason is not None:
                return None
            self._count += 1
            # A run that ends here still reports what it found.
            with contextlib.suppress(BlockedRequestError, CannotEncodeError, RunAbortedError, ExplorationEndedError):
                attempt = self._send(operation, name, exchange.request.account)
                if not attempt.may_be_outage and attempt.exchanges[-1].response is not None:
                    return _Verdict(operation.name, not attempt.disagreements, attempt.exchanges[-1])
        return None

    def _send(self, operation: Operation, name: str, account: str) -> Attempt:
        """Send a request about one object, judged by the states before the read; the states stay those."""
        session = self._session
        states, self._is_asking = session.target.possible_states, True
        try:
            with session.record_attempt() as attempt:
                session.send_operation(operation.id, self._simulation.build_arguments(operation, name), account)
        finally:
            self._is_asking = False
            session.target.reset_states(states)
        return attempt

    def _list_witnesses(self, exchange: Exchange, found: Disagreement) -> Iterator[Operation]:
        """Yield the operations that can tell: other reads of one object, then changes of one, which need it to exist."""
        session, contract = self._session, self._session.contract
        about_one = [one for one in contract.operations.values() if "existing" in contract.get_roles(one.id).values()]
        for operation in about_one:
            if contract.is_read_only(operation.id) and operation.id != exchange.operation:
                yield operation
        if not session.may_mutate or not found.id.endswith(_EXISTENCE_KINDS):
            return
        life = contract.lifecycle
        for operation in about_one:
            is_change = not contract.is_read_only(operation.id) and operation.id not in (life.create, life.remove)
            if is_change and operation.id not in life.affects_others and session.may_perform(operation.id):
                yield operation
                return
