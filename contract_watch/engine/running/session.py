"""One run against one target: sends every request, judges every response, and collects the disagreements."""

import contextlib
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx

from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from contract_watch.engine.account.gate import NEVER_SENT, Gate, RunStoppedError
from contract_watch.engine.account.guard import BlockedRequestError, LiveMode
from contract_watch.engine.account.ledger import LedgerError
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.judging.findings import redact_disagreement
from contract_watch.engine.judging.judge import Attempt, JudgeResult, ResponseJudge
from contract_watch.engine.judging.run_secrets import RunSecrets
from contract_watch.engine.planning.probe import build_credential_headers, find_object_names, make_operation_request
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.protocol import WireProtocol
from contract_watch.engine.protocols.request_parser import parse_library_request
from contract_watch.engine.protocols.targets import get_origin
from contract_watch.engine.protocols.wire import Response, RestProtocol, TransportError, Wire, encode_library_request
from contract_watch.engine.running.coverage import Coverage
from contract_watch.engine.running.log_redaction import redact_log_records
from contract_watch.engine.running.target_knowledge import TargetKnowledge
from contract_watch.errors import RunAbortedError
from contract_watch.report.record import Record

_FIRST_PAUSE = 0.1
"""Seconds before a read that may lag is retried; each later pause is twice as long."""


class Session:
    """A run in progress. Probes, the generated client, Schemathesis and the state machine all send through it.

    ``base`` is the target's address with its path; ``keys`` maps accounts to keys; ``protocol`` encodes requests, REST by
    default. On a real account every request passes ``gate``. ``wire`` carries REST. ``redactor`` is that of an earlier
    session on the same account. ``lag`` replaces the contract's seconds for which a read may lag.
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
    ) -> None:
        self.contract, self.base, self.names, self.gate = contract, base.rstrip("/"), names, gate
        self.keys = dict(keys)
        self._rest = RestProtocol(self.base, wire or Wire(get_origin(base), gate))
        self.protocol: WireProtocol = protocol or self._rest
        self.secrets = RunSecrets(contract, self.keys, record.seed if gate is None else None, redactor)
        redact_log_records(self.redactor)
        max_lag = contract.lifecycle.lag if lag is None else lag
        self.target = TargetKnowledge(contract, self.keys, names, max_lag, self._claim_id)
        self.coverage = Coverage(contract, record, self.protocol.name)
        self.attempt = Attempt()
        self._judge = ResponseJudge(contract, self.secrets)
        self._scripted_status: int | None = None
        self._stop_reason: str | None = None

    @property
    def record(self) -> Record:
        """Return the record of the run, for the reports."""
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
        """Return True if the run may do ``operation`` to its own objects: on a real account some need consent."""
        return self.gate is None or self.gate.guard.allows_operation(operation)

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
        self._scripted_status = status
        try:
            yield
        finally:
            self._scripted_status = None

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
        return self.send_request(
            make_operation_request(self.contract, declared, arguments or {}, account or "", headers)
        )

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
        pause = _FIRST_PAUSE
        while self._scripted_status is None and self.target.may_lag(request, judged, pause):
            time.sleep(pause)  # nothing else tells when the vendor has caught up; the contract bounds it
            pause *= 2
            exchange, judged = self._send_and_judge(request, encoded, protocol)
            self.attempt.exchanges.pop(-2)  # the response that lagged is no part of the attempt
        if pause > _FIRST_PAUSE:
            self.target.settle(judged)
        self._note_result(exchange, judged)
        assert exchange.response is not None
        return exchange.response

    def _send_and_judge(
        self, request: Request, encoded: EncodedRequest, protocol: WireProtocol
    ) -> tuple[Exchange, JudgeResult]:
        """Send and judge one request; nothing is noted yet."""
        if self._stop_reason is not None:
            raise RunAbortedError(self._stop_reason)
        request = replace(request, timestamp=time.time())
        self.secrets.learn_request(request.body, find_later=self.coverage.stage != "explore")
        exchange = self._deliver(
            Exchange(request, encoded, None, protocol, "", find_object_names(self.contract, request))
        )
        response = exchange.response
        assert response is not None
        self.attempt.exchanges.append(exchange)
        if response.status == 429 and self._scripted_status != 429:
            if self.gate is not None:
                self.gate.handle_rate_limit(response.headers.get("retry-after"))
            raise self.stop("the target's rate limit was passed (429): run again later, or alone")
        states = self.target.possible_states
        if self._scripted_status is not None:
            return exchange, self._judge.judge_fault(states, request, response, self._scripted_status)
        clauses, satisfied = self.attempt.intended_clauses, self.coverage.satisfied_clauses
        return exchange, self._judge.judge_response(states, request, response, clauses, satisfied)

    def _deliver(self, exchange: Exchange) -> Exchange:
        """Send the request of an exchange and count it; return the exchange with its response."""
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
        self._report_to_gate(exchange.request, response.status)
        if 400 <= response.status < 500 or self._scripted_status is not None:
            take_back()
        return replace(exchange, response=response)

    def _report_to_gate(self, request: Request, status: int | None) -> None:
        """Report the status of a response to the gate's ledger; None if no response came."""
        if self.gate is None:
            return
        new = find_object_names(self.contract, request, "new")
        existing = find_object_names(self.contract, request, "existing")
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

    def _note_result(self, exchange: Exchange, judged: JudgeResult) -> None:
        self.target.note_response(exchange, judged)
        self.secrets.note_passwords(judged.json)
        for found in judged.disagreements:
            redacted = redact_disagreement(found, self.redactor)
            self.attempt.disagreements.setdefault(redacted.id, (redacted, exchange))
            self.attempt.occurrences.add((redacted.id, len(self.attempt.exchanges) - 1))
        if exchange.request.operation is not None:
            self.coverage.note_exchange(exchange, judged)
