"""One run against one target: sends every request, judges every response, and collects the disagreements."""

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import httpx

from contract_watch.contracts.outcomes import Outcome
from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from contract_watch.engine.account.clock import Clock, SystemClock
from contract_watch.engine.account.gate import NEVER_SENT, Gate, RunStoppedError
from contract_watch.engine.account.guard import BlockedRequestError, LiveMode
from contract_watch.engine.account.ledger import LedgerError
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.judging.disagreement import Disagreement
from contract_watch.engine.judging.findings import redact_disagreement
from contract_watch.engine.judging.interception import may_be_intercepted
from contract_watch.engine.judging.judge import Attempt, JudgeResult, ResponseJudge
from contract_watch.engine.judging.run_secrets import RunSecrets
from contract_watch.engine.planning.probe import build_credential_headers, find_object_names, make_operation_request
from contract_watch.engine.protocols.encoded_request import CannotEncodeError, EncodedRequest
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.protocol import WireProtocol
from contract_watch.engine.protocols.request_parser import parse_library_request
from contract_watch.engine.protocols.targets import get_origin
from contract_watch.engine.protocols.wire import (
    Response,
    RestProtocol,
    TransportError,
    Wire,
    encode_as_rest,
    encode_library_request,
)
from contract_watch.engine.running.access_tokens import AccessTokens
from contract_watch.engine.running.blame import BlameCheck
from contract_watch.engine.running.coverage import Coverage
from contract_watch.engine.running.lag import Lag
from contract_watch.engine.running.log_redaction import redact_log_records
from contract_watch.engine.running.target_knowledge import TargetKnowledge
from contract_watch.engine.running.throttling import THROTTLED_STATUSES, Throttling, explain_refused_wait, is_throttled
from contract_watch.errors import RunAbortedError
from contract_watch.report.record import Record


@dataclass(frozen=True)
class Patience:
    """The waits of one run, which the sessions of all its protocols share; ``stamp`` gives the times of requests."""

    clock: Clock
    lag: Lag
    throttling: Throttling
    stamp: Callable[[], float] = time.time

    @classmethod
    def begin(
        cls, contract: Contract, record: Record, clock: Clock | None = None, lag: float | None = None
    ) -> "Patience":
        """Begin a run; ``lag`` replaces the contract's seconds for which a read may lag."""
        clock = clock or SystemClock()
        return cls(clock, Lag(contract, record, clock, lag), Throttling(clock))


class Session:
    """A run in progress: all requests go through it.

    ``base`` is the target's address with its path; ``keys`` maps accounts to keys; ``protocol`` encodes requests, REST by
    default. On a real account every request passes ``gate``. ``wire`` carries REST. ``redactor`` is that of an earlier
    session on the same account, ``patience`` that of the run. ``lag`` replaces the contract's, in a run of one session.
    """

    def __init__(
        self,
        contract: Contract,
        base: str,
        keys: Mapping[str, str],
        names: NameGenerator,
        record: Record,
        protocol: WireProtocol | None = None,
        gate: Gate | None = None,
        wire: Wire | None = None,
        redactor: Redactor | None = None,
        lag: float | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.contract, self.base, self.names, self.gate = contract, base.rstrip("/"), names, gate
        self.keys = dict(keys)
        carrier = wire or Wire(get_origin(base), gate)
        self._rest = RestProtocol(self.base, carrier, contract.operations)
        self.protocol: WireProtocol = protocol or self._rest
        self.secrets = RunSecrets(contract, self.keys, record.seed if gate is None else None, redactor)
        redact_log_records(self.redactor)
        self.patience = patience or Patience.begin(contract, record, lag=lag)
        self.target = TargetKnowledge(contract, self.keys, names, self.patience.lag, self._claim_id)
        self.coverage = Coverage(contract, record, self.protocol.name)
        self.attempt = Attempt()
        self._judge = ResponseJudge(contract, self.secrets)
        self.scripted_status: int | None = None
        self._stop_reason: str | None = None
        if contract.token is not None:
            carrier.authorizer = AccessTokens(self, contract.token)

    @cached_property
    def _blame(self) -> BlameCheck:
        return BlameCheck(self)

    @property
    def record(self) -> Record:
        """Return the record of the run."""
        return self.coverage.record

    @property
    def redactor(self) -> Redactor:
        """Return the redactor that knows every secret of the run."""
        return self.secrets.redactor

    @property
    def may_mutate(self) -> bool:
        """Return True if the run may create, change and remove objects."""
        return self.gate is None or self.gate.guard.mode is LiveMode.MUTATE

    def may_perform(self, operation: str) -> bool:
        """Return True if the run may do ``operation`` to its own objects: a real account needs consent; none that is gone."""
        if operation in self.target.gone_operations:
            return False
        return self.gate is None or self.gate.guard.allows_operation(operation)

    def may_send(self, request: Request) -> bool:
        """Return True if the protocol can express a request and the guard of a real account permits it."""
        try:
            self.protocol.encode(request)
            if self.gate is not None:
                self.gate.guard.check_request(encode_as_rest(self.base, request, self.contract.operations))
        except (CannotEncodeError, BlockedRequestError):
            return False
        return True

    def drop_account(self, account: str) -> None:
        """Forget an account whose key the target does not accept."""
        del self.keys[account]

    def close(self) -> None:
        """Close the connections."""
        self._rest.close()
        self.protocol.close()

    # -- stopping

    @property
    def stop_reason(self) -> str | None:
        """Return the reason why nothing more is sent; None while the run goes on."""
        return self._stop_reason

    def stop(self, reason: str) -> RunAbortedError:
        """Stop the run: nothing more is sent. The first reason stays. Return an error for the caller to raise."""
        self._stop_reason = self._stop_reason or reason
        return RunAbortedError(reason)

    @contextmanager
    def resume(self) -> Iterator[None]:
        """Let a stopped run send again while the block lasts, to clean up; the reason why it was stopped stays."""
        before, self._stop_reason = self._stop_reason, None
        try:
            yield
        finally:
            self._stop_reason = before or self._stop_reason

    @contextmanager
    def contain_stop(self) -> Iterator[None]:
        """Let a stop in the block end the block alone: nothing that is sent there decides the verdict."""
        before = self._stop_reason
        try:
            with contextlib.suppress(RunAbortedError):
                yield
        finally:
            self._stop_reason = before

    @contextmanager
    def expect_fault(self, status: int | None) -> Iterator[None]:
        """Judge the responses in the block as a scripted fault with ``status``; None: as usual."""
        self.scripted_status = status
        try:
            yield
        finally:
            self.scripted_status = None

    # -- sending

    @contextmanager
    def record_attempt(self, *intended_clauses: str) -> Iterator[Attempt]:
        """Collect the exchanges in the block as one attempt, made for ``intended_clauses``."""
        before, self.attempt = self.attempt, Attempt(intended_clauses)
        try:
            yield self.attempt
        finally:
            self.attempt = before

    def send_operation(self, operation: str, arguments: Any = None, account: str | None = None) -> Exchange:
        """Send a request to a declared operation with the key of ``account``, the first one by default."""
        declared = self.contract.operations[operation]
        headers = self.build_credential_headers(account)
        request = make_operation_request(self.contract, declared, arguments or {}, account or "", headers)
        return self.send_request(request)

    def build_credential_headers(self, account: str | None = None) -> dict[str, str]:
        """Build the usual credential header of an account."""
        return build_credential_headers(self.contract, self.keys[account or self.contract.credentials[0].account])

    def send_request(self, request: Request) -> Exchange:
        """Send a request over the session's protocol; raise `CannotEncodeError` if the protocol cannot express it."""
        encoded = self.protocol.encode(request)
        with contextlib.suppress(TransportError):
            self._send_until_settled(request, encoded, self.protocol)
        return self.attempt.exchanges[-1]

    def resend(self, exchange: Exchange) -> Response:
        """Send the request of an exchange once more; raise `TransportError` if no response comes."""
        return self._send_until_settled(exchange.request, exchange.encoded_request, exchange.protocol)

    def ask_again(self, exchange: Exchange, judged: JudgeResult, clauses: Sequence[str]) -> Attempt:
        """Send a request again and judge it by the states before its first result ``judged``, as if none had come since."""
        states = self.target.possible_states
        self.target.reset_states(judged.states_before)
        try:
            with self.record_attempt(*clauses) as attempt, contextlib.suppress(TransportError):
                self.resend(exchange)
        finally:
            self.target.reset_states(states)
        return attempt

    def send_http_request(self, request: httpx.Request) -> Response:
        """Send a request that a library built, over REST; raise `TransportError` if no response comes."""
        encoded = encode_library_request(request)
        parsed = parse_library_request(self.contract, self.base, self.keys, encoded)
        return self._send_until_settled(parsed, encoded, self._rest)

    def _send_until_settled(self, request: Request, encoded: EncodedRequest, protocol: WireProtocol) -> Response:
        """Send and judge a request, and note all that the reports need; raise `TransportError` if no response comes.

        A read that shows the state before a change is retried for as long as the vendor may lag.
        """
        exchange, judged = self._send_and_judge(request, encoded, protocol)
        if judged.disagreements and self.scripted_status is None:
            exchange, judged = self._wait_for_lag(exchange, judged)
        self._note_result(exchange, judged)
        assert exchange.response is not None
        return exchange.response

    def _wait_for_lag(self, exchange: Exchange, judged: JudgeResult) -> tuple[Exchange, JudgeResult]:
        """Retry a read for as long as lag may explain what is wrong with it; return the last response and its result."""
        request, lag, pause, waited = exchange.request, self.patience.lag, 0.0, 0.0
        while pause := lag.plan_pause(request.operation, judged, pause):
            self.wait(pause)
            waited += pause
            exchange, judged = self._send_and_judge(request, exchange.encoded_request, exchange.protocol)
            self.attempt.exchanges.pop(-2)  # the response that lagged is no part of the attempt
        if waited:
            lag.settle(judged, waited)
        elif lag.is_time_used_up and lag.may_explain(request.operation, judged):
            judged = self._judge.dismiss_response(self.target.possible_states, request, judged)
            if self.coverage.stage != "explore":
                self.record.reason = self.record.reason or lag.explain_time_used_up()
        return exchange, judged

    def wait(self, seconds: float) -> None:
        """Let time pass, on a real account within the minutes that a run may take."""
        try:
            (self.gate or self.patience.clock).wait(seconds)
        except RunStoppedError as end:
            raise self.stop(str(end)) from end

    def _send_and_judge(
        self, request: Request, encoded: EncodedRequest, protocol: WireProtocol
    ) -> tuple[Exchange, JudgeResult]:
        """Send and judge one request; nothing is noted yet."""
        if self._stop_reason is not None:
            raise RunAbortedError(self._stop_reason)
        request = replace(request, timestamp=self.patience.stamp())
        self.secrets.learn_request(request, find_later=self.coverage.stage != "explore")
        sent = Exchange(request, encoded, None, protocol, "", find_object_names(self.contract, request))
        exchange = self._deliver(sent)
        while self.scripted_status is None and self._asks_to_wait(exchange):
            self._wait_out(exchange)
            exchange = self._deliver(sent)
        response = exchange.response
        assert response is not None
        self.attempt.exchanges.append(exchange)
        states = self.target.possible_states
        if self.scripted_status is not None:
            return exchange, self._judge.judge_fault(states, request, response, self.scripted_status)
        clauses, satisfied = self.attempt.intended_clauses, self.coverage.satisfied_clauses
        judged = self._judge.judge_response(states, request, response, clauses, satisfied)
        if judged.disagreements and 300 <= response.status < 500 and self._may_be_intercepted(request, encoded):
            judged = self._judge.dismiss_response(states, request, judged)
        return exchange, judged

    def _may_be_intercepted(self, request: Request, encoded: EncodedRequest) -> bool:
        """Return True if something in front of the vendor may have refused a request for the way it names objects."""
        return not self.target.is_mock and may_be_intercepted(self.contract, request, encoded)

    @staticmethod
    def _asks_to_wait(exchange: Exchange) -> bool:
        return (got := exchange.response) is not None and got.status in THROTTLED_STATUSES and is_throttled(got)

    def _wait_out(self, exchange: Exchange) -> None:
        """Wait as long as a throttled response asks; stop the run if that is too long."""
        response = exchange.response
        assert response is not None
        self.attempt.exchanges.append(exchange)
        try:
            note = self.patience.throttling.wait(response, self.gate)
        except RunStoppedError as end:
            raise self.stop(str(end)) from end
        if not note:
            raise self.stop(explain_refused_wait(response))
        self.attempt.exchanges.pop()  # the answer to the request is still to come
        self.record.notes.append(note)
        if response.status >= 500:  # it may have been carried out nevertheless
            self.target.forget_objects(exchange.names)

    def _deliver(self, exchange: Exchange) -> Exchange:
        """Send the request of an exchange and count it; return the exchange with its response."""
        self.coverage.check_budget(len(self.target.created_objects))
        take_back = self.target.expect_creation(exchange.request)
        try:
            response = exchange.protocol.send(exchange.encoded_request)
        except KeyboardInterrupt:
            self.target.forget_objects(exchange.names)
            raise
        except BlockedRequestError:
            take_back()
            raise
        except RunStoppedError as end:
            take_back()
            raise self.stop(str(end)) from end
        except TransportError as error:
            if error.kind not in ("refused", "elsewhere"):
                self.coverage.count_request()
            self.attempt.exchanges.append(replace(exchange, error=error.message))
            self.attempt.transport_error = error
            self.target.forget_objects(exchange.names)
            self._report_to_gate(exchange.request, None if error.kind != "refused" else NEVER_SENT)
            raise
        self.coverage.count_request()
        if self.coverage.count_bytes(len(response.body)):
            self.stop("the target sends very large responses: nothing more is asked, to keep the memory bounded")
        self._report_to_gate(exchange.request, response.status)
        if 400 <= response.status < 500 or self.scripted_status is not None:
            take_back()
        return replace(exchange, response=response)

    def _report_to_gate(self, request: Request, status: int | None) -> None:
        """Report the status of a response to the gate's ledger; None if no response came."""
        if self.gate is None:
            return
        new, existing = (find_object_names(self.contract, request, role) for role in ("new", "existing"))
        try:
            self.gate.record_response(request.operation, new, existing, status)
        except LedgerError as error:
            self.stop(str(error))

    def _claim_id(self, names: Collection[str], identity: str) -> bool:
        """Return True if an id that the server handed out for ``names`` is the run's; a secret is never written down."""
        if self.redactor.redact_string(identity) != identity:
            return False
        try:
            return self.gate is None or self.gate.claim_id(names, identity)
        except LedgerError as error:
            self.stop(str(error))
            return True

    def judge_unexcused_refusal(
        self, exchange: Exchange, granted: Sequence[Outcome], clauses: Sequence[str]
    ) -> Disagreement:
        """Judge a refusal that no document excuses any more; ``granted`` are the outcomes that the contract allows."""
        assert exchange.response is not None
        return self._judge.build_unexcused_refusal(exchange.request, granted, exchange.response, clauses)

    def _note_result(self, exchange: Exchange, judged: JudgeResult) -> None:
        judged.disagreements = self._blame.settle(exchange, judged) if judged.disagreements else []
        # The state of an object that was lost is unknown for a reason that is reported.
        if judged.is_excused_refusal and exchange.names.isdisjoint(self.target.forgotten_objects):
            self.attempt.excused_refusals.append((exchange, len(self.target.mutations)))
        self.target.note_response(exchange, judged, is_scripted=self.scripted_status is not None)
        self.secrets.note_passwords(judged.json)
        self.secrets.note_generated(exchange.request, judged.json, self.target.list_identities(exchange.names))
        for found in judged.disagreements:
            redacted = redact_disagreement(found, self.redactor)
            self.attempt.disagreements.setdefault(redacted.id, (redacted, exchange))
            self.attempt.occurrences.add((redacted.id, len(self.attempt.exchanges) - 1))
        if judged.disagreements:
            self.attempt.held_back.append((exchange, judged))
        elif exchange.request.operation is not None and judged.is_conclusive:
            self.coverage.note_exchange(exchange, judged)
