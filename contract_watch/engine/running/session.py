"""One run against one target: what was sent, what is known of the target, what disagreed."""

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.model import Account, ModelState
from contract_watch.contracts.openapi import Operation, split_arguments
from contract_watch.contracts.redaction import Redactor, find_password_names
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.engine.account.gate import NEVER_SENT, Gate, RunStoppedError
from contract_watch.engine.account.guard import BlockedRequestError, LiveMode
from contract_watch.engine.account.ledger import LedgerError
from contract_watch.engine.account.object_names import NameGenerator, is_same_name
from contract_watch.engine.judging.attempt import Attempt, RunAbortedError
from contract_watch.engine.judging.findings import build_finding, redact_disagreement
from contract_watch.engine.judging.judge import JudgeResult, ResponseJudge
from contract_watch.engine.judging.reproduction import build_key_variables, format_script, select_exchanges
from contract_watch.engine.judging.response_checks import Disagreement, SecretDetector, list_properties, parse_json
from contract_watch.engine.planning.passwords import SecretSubstituter, build_wrong_key
from contract_watch.engine.protocols.call import Call
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.httpx_transport import AsyncHttpxTransport, HttpxTransport
from contract_watch.engine.protocols.protocol import EncodedRequest, RestProtocol, WireProtocol
from contract_watch.engine.protocols.request_parser import RequestParser
from contract_watch.engine.protocols.wire import Response, TransportError, Wire
from contract_watch.engine.running.log_redaction import redact_log_records
from contract_watch.report.finding import Finding
from contract_watch.report.record import CoverageCell, Record

_FIRST_PAUSE = 0.1
"""Seconds after which a reading that may lag is asked again; each further pause is twice as long."""


class Session:
    """A run in progress. ``base`` is the target's address with its path; ``keys`` maps accounts to keys.

    Whatever sends (probes, the generated client, Schemathesis, a state machine) does it through here, so that
    every exchange is counted, judged and, where it disagrees, recorded. ``surface`` is how `ask` speaks, REST by default.
    On a real account there is a ``gate``, which the requests of ``surface`` and ``wire`` pass too; ``wire`` carries what REST
    says. ``redactor`` is that of an earlier session on the same account: what was a secret there is one here.
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
    ) -> None:
        self.contract = contract
        self.base = base.rstrip("/")
        self.keys = dict(keys)
        self.names = names
        self.record = record
        self.stage = "probes"
        self.exercised_clauses: set[str] = set()
        self.satisfied_clauses: set[str] = set()
        self.created_objects: dict[tuple[str, str], None] = {}
        self.ids_by_name: dict[str, str] = {}
        self.secret_substituter = SecretSubstituter(record.seed if gate is None else None)
        self.received_ids: set[str] = set()
        self.requested_names: set[str] = set()
        self.is_mock = False
        self.removal_count = 0
        self.stop_reason: str | None = None
        self.scripted_status: int | None = None
        self.control_exchanges: dict[str, Exchange] = {}
        self.mutations: list[Exchange] = []
        self.changed_at = -math.inf
        self.max_lag = contract.lifecycle.lag
        self._settled_disagreements: set[str] = set()
        self.exchanges_by_status: dict[tuple[str, int], Exchange] = {}
        self.attempt = Attempt()
        self.failed_attempt: Attempt | None = None
        self.failed_at = 0
        self.sighting_counts: dict[str, int] = {}
        self.transport = HttpxTransport(self.send_http_request)
        self.async_transport = AsyncHttpxTransport(self.send_http_request)
        self.gate = gate
        self._rest = RestProtocol(self.base, wire or Wire(f"{urlsplit(base).scheme}://{urlsplit(base).netloc}", gate))
        self.protocol: WireProtocol = protocol or self._rest
        self._judge = ResponseJudge(contract)
        self._parser = RequestParser(contract, urlsplit(self.base).path, self.keys)
        self.password_names = find_password_names(contract.effective.raw)
        places = {
            name.lower() for place in contract.credential_locations for name in (place.header, place.field) if name
        }
        self.redactor = redactor or Redactor(self.password_names | places, public=contract.public_content)
        for key in self.keys.values():
            self.redactor.add_secret(key)
            self.redactor.add_secret(build_wrong_key(key))
        redact_log_records(self.redactor)
        self._sent_secrets: dict[str, None] = dict.fromkeys(key for key in self.keys.values() if len(key) >= 8)
        self._received_passwords: set[str] = set()
        self._secret_detector = SecretDetector(
            self.password_names, self.redactor, self._sent_secrets, self._received_passwords
        )
        accounts = [Account(name, key) for name, key in self.keys.items()]
        readings = Interpretations(contract.model.interpretations)
        self.possible_states: list[ModelState] = [contract.model.start(accounts, readings, names.name_prefix)]

    @property
    def may_mutate(self) -> bool:
        """Whether the run may make, change and remove objects."""
        return self.gate is None or self.gate.guard.mode is LiveMode.MUTATE

    def may_perform(self, operation: str) -> bool:
        """Whether the run may do ``operation`` to objects of its own: on a real account some need consent."""
        return self.gate is None or self.gate.guard.allows_operation(operation)

    def close(self) -> None:
        """Give the connections up."""
        self._rest.close()
        self.protocol.close()

    # -- names

    def get_identity(self, name: str) -> str:
        """What names the object that was made under ``name``: its id where the server handed one out."""
        return self.ids_by_name.get(name, name)

    def owns(self, identity: str) -> bool:
        """Whether an object is this run's own: by the form of its name, or because the run got its id."""
        return self.names.owns(identity) or identity in self.received_ids

    def has_requested(self, text: str) -> bool:
        """Whether an object that a list shows under ``text`` is one that this run asked for: names like it are not."""
        exact = text in self.requested_names or text in self.received_ids
        return exact or (self.names.owns(text) and any(is_same_name(asked, text) for asked in self.requested_names))

    # -- sending

    @contextmanager
    def record_attempt(self, *intended_clauses: str) -> Iterator[Attempt]:
        """Gather what happens inside as one attempt, made for the clauses ``aim``."""
        before, self.attempt = self.attempt, Attempt(intended_clauses)
        try:
            yield self.attempt
        finally:
            self.attempt = before

    def send_operation(self, operation: str, arguments: Any = None, account: str | None = None) -> Exchange:
        """One request to a declared operation with the account's key (the first account's by default)."""
        parameters, body = split_arguments(arguments or {})
        declared = self.contract.operations[operation]
        if not body and declared.body is None:
            body = MissingBody.ABSENT
        return self.send_call(self.build_call(declared, parameters, body, self.build_credential_headers(account)))

    @staticmethod
    def build_call(operation: Operation, parameters: Mapping[str, Any], body: Any, headers: Mapping[str, str]) -> Call:
        """A call of a declared operation."""
        return Call(operation, operation.method, operation.build_path(parameters), body, headers, parameters)

    def build_credential_headers(self, account: str | None = None) -> dict[str, str]:
        """The usual credential header of an account."""
        place = self.contract.credential_locations[0]
        return {place.header: place.form.format(self.keys[account or self.contract.credentials[0].account])}

    def send_call(self, call: Call) -> Exchange:
        """One request on the session's surface; `CannotSayError` where that has no words for it."""
        spoken = self.protocol.encode(call)
        headers = {name.lower(): value for name, value in call.headers.items()}
        parameters = {name: str(value) for name, value in call.parameters.items()}
        operation = call.operation.id if call.operation is not None else None
        asked = Request(operation, call.method, call.path, headers, call.body, parameters, time.time())
        with contextlib.suppress(TransportError):
            self._send_until_settled(asked, spoken)
        return self.attempt.exchanges[-1]

    def resend(self, exchange: Exchange) -> Response:
        """Send the same request once more; `TransportError` where no answer comes."""
        return self._send_until_settled(replace(exchange.request, timestamp=time.time()), exchange.encoded_request)

    def send_http_request(self, request: httpx.Request) -> Response:
        """Send a request that a library made, over REST; `TransportError` where no answer comes."""
        return self._send_until_settled(self._parser.parse_request(request), self._rest.encode_http_request(request))

    def _send_until_settled(self, asked: Request, spoken: EncodedRequest) -> Response:
        """Send a request, judge the answer, and note all that the reports need; `TransportError` where none comes.

        A reading that shows what was before a change is asked again, for as long as the vendor may lag behind.
        """
        reply, judged, exchange = self._send_and_judge(asked, spoken)
        pause = _FIRST_PAUSE
        while self._may_lag(asked, judged, pause):
            time.sleep(pause)  # nothing else tells when the vendor has caught up; `patience` bounds it
            pause *= 2
            again, rejudged, other = self._send_and_judge(replace(asked, timestamp=time.time()), spoken)
            self.attempt.exchanges.pop(-2)  # the answer that lagged is no part of what happened
            reply, judged, exchange = again, rejudged, other
        if pause > _FIRST_PAUSE:
            self._settled_disagreements |= {found.id for found in judged.disagreements}
        self._record_result(asked, exchange, judged)
        return reply

    def _may_lag(self, asked: Request, judged: JudgeResult, pause: float) -> bool:
        """Whether a reading that disagrees may still show what was before the last change, after ``pause`` seconds more.

        What was waited for once in vain does not lag: it is so.
        """
        reads = self.contract.is_read_only(asked.operation) and self.scripted_status is None
        new = any(found.id not in self._settled_disagreements for found in judged.disagreements)
        return reads and new and time.monotonic() + pause < self.changed_at + self.max_lag

    def _send_and_judge(self, asked: Request, spoken: EncodedRequest) -> tuple[Response, JudgeResult, Exchange]:
        """One answer, counted and judged, but not noted."""
        if self.stop_reason is not None:
            raise RunAbortedError(self.stop_reason)
        self._learn_secrets(asked.body)
        names = self._parser.find_names(asked)
        account, before = self._parser.find_account(asked), dict(self.created_objects)
        self.requested_names |= self._parser.find_names(asked, "new")
        self.created_objects.update(
            {(account, name): None for name in self._parser.find_names(asked, "new")}
        )  # it may be made, answered or not
        reply = self._send_counted(asked, spoken, names, before)
        if 400 <= reply.status < 500 or self.scripted_status is not None:
            self.created_objects = before
        exchange = Exchange(asked, spoken, reply, names=names)
        self.attempt.exchanges.append(exchange)
        if reply.status == 429 and self.scripted_status != 429:
            if self.gate is not None:
                self.gate.handle_rate_limit(reply.headers.get("retry-after"))
            raise self.stop("the target's rate limit was passed (429): run again later, or alone")
        states, detector = self.possible_states, self._secret_detector
        if self.scripted_status is not None:
            judged = self._judge.judge_fault(states, asked, reply, self.scripted_status, detector)
        else:
            judged = self._judge.judge_response(
                states, asked, reply, self.attempt.intended_clauses, detector, self.satisfied_clauses
            )
        return reply, judged, exchange

    def _send_counted(
        self, asked: Request, spoken: EncodedRequest, names: frozenset[str], before: dict[tuple[str, str], None]
    ) -> Response:
        """Send a request, counted; where none went out, what was made is as it was ``before``."""
        try:
            reply = spoken.send()
        except KeyboardInterrupt:
            self.forget_objects(names)
            raise
        except BlockedRequestError:
            self.created_objects = before
            raise
        except RunStoppedError as end:
            self.created_objects = before
            raise self.stop(str(end)) from end
        except TransportError as trouble:
            if trouble.kind not in ("refused", "elsewhere"):
                self._count_request()
            self._record_transport_error(asked, Exchange(asked, spoken, None, trouble.message, names), trouble)
            self._report_to_gate(asked, None if trouble.kind != "refused" else NEVER_SENT)
            raise
        self._count_request()
        self._report_to_gate(asked, reply.status)
        return reply

    def _report_to_gate(self, asked: Request, status: int | None) -> None:
        """For the ledger of a gate: what came of a request; ``status`` is None where no answer came."""
        if self.gate is None:
            return
        try:
            self.gate.record_response(
                asked.operation,
                self._parser.find_names(asked, "new"),
                self._parser.find_names(asked, "existing"),
                status,
            )
        except LedgerError as error:
            self.stop_reason = self.stop_reason or str(error)  # what is sent next finds the run ended

    def _count_request(self) -> None:
        self.record.count_request(self.stage, self.protocol.name)

    def stop(self, reason: str) -> RunAbortedError:
        """End the run for ``reason``: nothing more is sent."""
        self.stop_reason = reason
        return RunAbortedError(reason)

    # -- what an exchange leaves

    def _learn_secrets(self, body: Any) -> None:
        self.redactor.add_secrets_from(body)
        if self.stage == "explore":
            return  # a password drawn at random may be any word, and turn up in an answer by chance
        for name in self.password_names:
            if isinstance(body, dict) and isinstance(value := body.get(name), str) and _is_distinctive(value):
                self._sent_secrets[value] = None

    def _record_transport_error(self, asked: Request, exchange: Exchange, trouble: TransportError) -> None:
        self.attempt.exchanges.append(exchange)
        self.attempt.transport_error = trouble
        self.forget_objects(self._parser.find_names(asked))

    def forget_objects(self, names: frozenset[str] | set[str]) -> None:
        """Take nothing about ``names`` for known any more."""
        if names:
            self.possible_states = [self.contract.model.forget(world, names) for world in self.possible_states]

    def _record_result(self, asked: Request, exchange: Exchange, judged: JudgeResult) -> None:
        assert exchange.response is not None
        status = exchange.response.status
        self.possible_states = judged.possible_states
        self.forget_objects(judged.unknown_objects)
        for name in self.password_names:
            if isinstance(judged.json, dict) and isinstance(text := judged.json.get(name), str):
                self._received_passwords.add(text)
        if not any(found.may_be_outage for found in judged.disagreements):
            self._track_change(asked, exchange)
        for found in map(self.redact_disagreement, judged.disagreements):
            self.attempt.disagreements.setdefault(found.id, (found, exchange))
            self.attempt.occurrences.add((found.id, len(self.attempt.exchanges) - 1))
        if asked.operation is None:
            return
        operation = self.contract.operations[asked.operation]
        self.exchanges_by_status.setdefault((operation.id, status), exchange)
        documented = operation.find_response(status) is not None
        cell = self.record.coverage.setdefault((operation.name, status), CoverageCell(is_documented=documented))
        if judged.disagreements:
            cell.drifted += 1
        else:
            cell.conforming += 1
            if status >= 400 or self.contract.is_read_only(operation.id):
                self.control_exchanges[operation.id] = exchange
        self.exercised_clauses |= judged.satisfied_clauses
        self.satisfied_clauses |= judged.satisfied_clauses
        key = operation.get_response_key(status)
        self.exercised_clauses.add(f"{operation.id}/response/{key}")
        self.exercised_clauses |= {f"{operation.id}/{key}/body/{pointer}" for pointer in list_properties(judged.json)}

    def _track_change(self, asked: Request, exchange: Exchange) -> None:
        """Note a change that succeeded, and what it made or removed: nothing of this run's is to be left behind."""
        life = self.contract.lifecycle
        if not exchange.succeeded or asked.operation is None or self.contract.is_read_only(asked.operation):
            return
        self.changed_at = time.monotonic()
        account = self._parser.find_account(asked)
        if asked.operation == life.create and life.id:
            exchange = self._learn_id(asked, exchange, account)
        self.mutations.append(exchange)
        if asked.operation == life.remove or (self._parser.find_names(asked, "new") and not life.id):
            for name in self._parser.find_names(asked, "existing") - self._parser.find_names(asked, "new"):
                self.created_objects.pop((account, name), None)

    def _learn_id(self, asked: Request, exchange: Exchange, account: str) -> Exchange:
        """Take in the id that create's answer tells; gives the exchange as one about that object."""
        assert exchange.response is not None
        found = self.contract.lifecycle.extract_id(parse_json(exchange.response.body))
        marks = self._parser.find_names(asked, "new")
        if (
            found is None or self.redactor.redact_string(found) != found
        ):  # an id that is a secret could not be written down
            return exchange
        try:
            if self.gate is not None and not self.gate.claim_id(marks, found):
                return exchange
        except LedgerError as error:
            self.stop_reason = self.stop_reason or str(error)
        for mark in marks:
            self.ids_by_name[mark] = found
            self.created_objects.pop((account, mark), None)
        self.received_ids.add(found)
        self.created_objects[account, found] = None
        return replace(exchange, names=marks | {found})

    # -- findings

    def redact_disagreement(self, found: Disagreement) -> Disagreement:
        """See `findings.redacted`."""
        return redact_disagreement(found, self.redactor)

    def build_finding(self, found: Disagreement, exchange: Exchange) -> Finding:
        """The disagreement, `redact_disagreement`, as the reports tell it."""
        wanted = select_exchanges(self.mutations, exchange, found.object_name, self.contract.lifecycle)
        keys = build_key_variables(self.contract, self.keys)
        reproduce = format_script(wanted, self.redactor, keys, self.base, self.contract.lifecycle)
        return build_finding(found, exchange, self.contract, self.protocol.name, self.redactor, reproduce)


def _is_distinctive(secret: str) -> bool:
    """Whether a secret that turns up in an answer cannot be there by chance, as ``00000000`` in a time can."""
    return len(secret) >= 8 and len(set(secret)) >= 6 and not secret.isdigit()
