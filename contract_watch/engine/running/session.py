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
from contract_watch.engine.account.gate import NEVER_SENT, EndedError, Gate
from contract_watch.engine.account.guard import HeldBackError, Mode
from contract_watch.engine.account.ledger import LedgerError
from contract_watch.engine.account.object_names import Names, became
from contract_watch.engine.judging.attempt import Attempt, Stop
from contract_watch.engine.judging.findings import finding, redacted
from contract_watch.engine.judging.judge import Judge, Judged
from contract_watch.engine.judging.reproduction import lines, steps, variables
from contract_watch.engine.judging.response_checks import Disagreement, SecretTest, parsed, properties
from contract_watch.engine.planning.passwords import Disguise, wrong
from contract_watch.engine.protocols.call import Call
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.httpx_transport import AsyncTransport, Transport
from contract_watch.engine.protocols.protocol import Rest, Spoken, Surface
from contract_watch.engine.protocols.request_parser import View
from contract_watch.engine.protocols.wire import Reply, Trouble, Wire
from contract_watch.engine.running.log_redaction import watch
from contract_watch.report.finding import Finding
from contract_watch.report.record import Cell, Record

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
        names: Names,
        record: Record,
        surface: Surface | None = None,
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
        self.exercised: set[str] = set()
        self.kept: set[str] = set()
        self.made: dict[tuple[str, str], None] = {}
        self.ids: dict[str, str] = {}
        self.disguise = Disguise(record.seed if gate is None else None)
        self.handed: set[str] = set()
        self.asked_for: set[str] = set()
        self.is_mock = False
        self.removals = 0
        self.stopped: str | None = None
        self.faulted: int | None = None
        self.good: dict[str, Exchange] = {}
        self.mutations: list[Exchange] = []
        self.changed_at = -math.inf
        self.patience = contract.lifecycle.lag
        self._steady: set[str] = set()
        self.seen: dict[tuple[str, int], Exchange] = {}
        self.attempt = Attempt()
        self.failed: Attempt | None = None
        self.failed_at = 0
        self.told: dict[str, int] = {}
        self.transport = Transport(self.exchange)
        self.async_transport = AsyncTransport(self.exchange)
        self.gate = gate
        self._rest = Rest(self.base, wire or Wire(f"{urlsplit(base).scheme}://{urlsplit(base).netloc}", gate))
        self.surface: Surface = surface or self._rest
        self._judge = Judge(contract)
        self._view = View(contract, urlsplit(self.base).path, self.keys)
        self.password_names = find_password_names(contract.effective.raw)
        places = {
            name.lower() for place in contract.credential_locations for name in (place.header, place.field) if name
        }
        self.redactor = redactor or Redactor(self.password_names | places, public=contract.public_content)
        for key in self.keys.values():
            self.redactor.add_secret(key)
            self.redactor.add_secret(wrong(key))
        watch(self.redactor)
        self._sent_secrets: dict[str, None] = dict.fromkeys(key for key in self.keys.values() if len(key) >= 8)
        self._received: set[str] = set()
        self._secret = SecretTest(self.password_names, self.redactor, self._sent_secrets, self._received)
        accounts = [Account(name, key) for name, key in self.keys.items()]
        readings = Interpretations(contract.model.interpretations)
        self.worlds: list[ModelState] = [contract.model.start(accounts, readings, names.fresh)]

    @property
    def makes(self) -> bool:
        """Whether the run may make, change and remove objects."""
        return self.gate is None or self.gate.guard.mode is Mode.MUTATE

    def grants(self, operation: str) -> bool:
        """Whether the run may do ``operation`` to objects of its own: on a real account some need consent."""
        return self.gate is None or self.gate.guard.grants(operation)

    def close(self) -> None:
        """Give the connections up."""
        self._rest.close()
        self.surface.close()

    # -- names

    def identity(self, name: str) -> str:
        """What names the object that was made under ``name``: its id where the server handed one out."""
        return self.ids.get(name, name)

    def owns(self, identity: str) -> bool:
        """Whether an object is this run's own: by the form of its name, or because the run got its id."""
        return self.names.owns(identity) or identity in self.handed

    def made_it(self, text: str) -> bool:
        """Whether an object that a list shows under ``text`` is one that this run asked for: names like it are not."""
        exact = text in self.asked_for or text in self.handed
        return exact or (self.names.owns(text) and any(became(asked, text) for asked in self.asked_for))

    # -- sending

    @contextmanager
    def attempting(self, *aim: str) -> Iterator[Attempt]:
        """Gather what happens inside as one attempt, made for the clauses ``aim``."""
        before, self.attempt = self.attempt, Attempt(aim)
        try:
            yield self.attempt
        finally:
            self.attempt = before

    def send(self, operation: str, arguments: Any = None, account: str | None = None) -> Exchange:
        """One request to a declared operation with the account's key (the first account's by default)."""
        parameters, body = split_arguments(arguments or {})
        declared = self.contract.operations[operation]
        if not body and declared.body is None:
            body = MissingBody.ABSENT
        return self.ask(self.call(declared, parameters, body, self.authorization(account)))

    @staticmethod
    def call(operation: Operation, parameters: Mapping[str, Any], body: Any, headers: Mapping[str, str]) -> Call:
        """A call of a declared operation."""
        return Call(operation, operation.method, operation.build_path(parameters), body, headers, parameters)

    def authorization(self, account: str | None = None) -> dict[str, str]:
        """The usual credential header of an account."""
        place = self.contract.credential_locations[0]
        return {place.header: place.form.format(self.keys[account or self.contract.credentials[0].account])}

    def ask(self, call: Call) -> Exchange:
        """One request on the session's surface; `CannotSayError` where that has no words for it."""
        spoken = self.surface.speak(call)
        headers = {name.lower(): value for name, value in call.headers.items()}
        parameters = {name: str(value) for name, value in call.parameters.items()}
        operation = call.operation.id if call.operation is not None else None
        asked = Request(operation, call.method, call.path, headers, call.body, parameters, time.time())
        with contextlib.suppress(Trouble):
            self._exchange(asked, spoken)
        return self.attempt.exchanges[-1]

    def again(self, exchange: Exchange) -> Reply:
        """Send the same request once more; `Trouble` where no answer comes."""
        return self._exchange(replace(exchange.asked, timestamp=time.time()), exchange.spoken)

    def exchange(self, request: httpx.Request) -> Reply:
        """Send a request that a library made, over REST; `Trouble` where no answer comes."""
        return self._exchange(self._view.asked(request), self._rest.spoken(request))

    def _exchange(self, asked: Request, spoken: Spoken) -> Reply:
        """Send a request, judge the answer, and note all that the reports need; `Trouble` where none comes.

        A reading that shows what was before a change is asked again, for as long as the vendor may lag behind.
        """
        reply, judged, exchange = self._answered(asked, spoken)
        pause = _FIRST_PAUSE
        while self._may_lag(asked, judged, pause):
            time.sleep(pause)  # nothing else tells when the vendor has caught up; `patience` bounds it
            pause *= 2
            again, rejudged, other = self._answered(replace(asked, timestamp=time.time()), spoken)
            self.attempt.exchanges.pop(-2)  # the answer that lagged is no part of what happened
            reply, judged, exchange = again, rejudged, other
        if pause > _FIRST_PAUSE:
            self._steady |= {found.id for found in judged.disagreements}
        self._note(asked, exchange, judged)
        return reply

    def _may_lag(self, asked: Request, judged: Judged, pause: float) -> bool:
        """Whether a reading that disagrees may still show what was before the last change, after ``pause`` seconds more.

        What was waited for once in vain does not lag: it is so.
        """
        reads = self.contract.is_read_only(asked.operation) and self.faulted is None
        new = any(found.id not in self._steady for found in judged.disagreements)
        return reads and new and time.monotonic() + pause < self.changed_at + self.patience

    def _answered(self, asked: Request, spoken: Spoken) -> tuple[Reply, Judged, Exchange]:
        """One answer, counted and judged, but not noted."""
        if self.stopped is not None:
            raise Stop(self.stopped)
        self._learn(asked.body)
        names = self._view.named(asked)
        account, before = self._view.account(asked), dict(self.made)
        self.asked_for |= self._view.named(asked, "new")
        self.made.update(
            {(account, name): None for name in self._view.named(asked, "new")}
        )  # it may be made, answered or not
        reply = self._sent(asked, spoken, names, before)
        if 400 <= reply.status < 500 or self.faulted is not None:
            self.made = before
        exchange = Exchange(asked, spoken, reply, names=names)
        self.attempt.exchanges.append(exchange)
        if reply.status == 429 and self.faulted != 429:
            if self.gate is not None:
                self.gate.limited(reply.headers.get("retry-after"))
            raise self.stop("the target's rate limit was passed (429): run again later, or alone")
        if self.faulted is not None:
            judged = self._judge.judge_fault(self.worlds, asked, reply, self.faulted, self._secret)
        else:
            judged = self._judge.judge(self.worlds, asked, reply, self.attempt.aim, self._secret, self.kept)
        return reply, judged, exchange

    def _sent(
        self, asked: Request, spoken: Spoken, names: frozenset[str], before: dict[tuple[str, str], None]
    ) -> Reply:
        """Send a request, counted; where none went out, what was made is as it was ``before``."""
        try:
            reply = spoken.send()
        except KeyboardInterrupt:
            self.forget(names)
            raise
        except HeldBackError:
            self.made = before
            raise
        except EndedError as end:
            self.made = before
            raise self.stop(str(end)) from end
        except Trouble as trouble:
            if trouble.kind not in ("refused", "elsewhere"):
                self._count()
            self._unanswered(asked, Exchange(asked, spoken, None, trouble.words, names), trouble)
            self._tell(asked, None if trouble.kind != "refused" else NEVER_SENT)
            raise
        self._count()
        self._tell(asked, reply.status)
        return reply

    def _tell(self, asked: Request, status: int | None) -> None:
        """For the ledger of a gate: what came of a request; ``status`` is None where no answer came."""
        if self.gate is None:
            return
        try:
            self.gate.answered(
                asked.operation, self._view.named(asked, "new"), self._view.named(asked, "existing"), status
            )
        except LedgerError as error:
            self.stopped = self.stopped or str(error)  # what is sent next finds the run ended

    def _count(self) -> None:
        self.record.count(self.stage, self.surface.name)

    def stop(self, reason: str) -> Stop:
        """End the run for ``reason``: nothing more is sent."""
        self.stopped = reason
        return Stop(reason)

    # -- what an exchange leaves

    def _learn(self, body: Any) -> None:
        self.redactor.add_secrets_from(body)
        if self.stage == "explore":
            return  # a password drawn at random may be any word, and turn up in an answer by chance
        for name in self.password_names:
            if isinstance(body, dict) and isinstance(value := body.get(name), str) and _distinctive(value):
                self._sent_secrets[value] = None

    def _unanswered(self, asked: Request, exchange: Exchange, trouble: Trouble) -> None:
        self.attempt.exchanges.append(exchange)
        self.attempt.trouble = trouble
        self.forget(self._view.named(asked))

    def forget(self, names: frozenset[str] | set[str]) -> None:
        """Take nothing about ``names`` for known any more."""
        if names:
            self.worlds = [self.contract.model.forget(world, names) for world in self.worlds]

    def _note(self, asked: Request, exchange: Exchange, judged: Judged) -> None:
        assert exchange.reply is not None
        status = exchange.reply.status
        self.worlds = judged.worlds
        self.forget(judged.lost)
        for name in self.password_names:
            if isinstance(judged.json, dict) and isinstance(text := judged.json.get(name), str):
                self._received.add(text)
        if not any(found.outage for found in judged.disagreements):
            self._track(asked, exchange)
        for found in map(self.redacted, judged.disagreements):
            self.attempt.disagreements.setdefault(found.id, (found, exchange))
            self.attempt.places.add((found.id, len(self.attempt.exchanges) - 1))
        if asked.operation is None:
            return
        operation = self.contract.operations[asked.operation]
        self.seen.setdefault((operation.id, status), exchange)
        documented = operation.find_response(status) is not None
        cell = self.record.cells.setdefault((operation.name, status), Cell(documented=documented))
        if judged.disagreements:
            cell.drifted += 1
        else:
            cell.conforming += 1
            if status >= 400 or self.contract.is_read_only(operation.id):
                self.good[operation.id] = exchange
        self.exercised |= judged.kept
        self.kept |= judged.kept
        key = operation.get_response_key(status)
        self.exercised.add(f"{operation.id}/response/{key}")
        self.exercised |= {f"{operation.id}/{key}/body/{pointer}" for pointer in properties(judged.json)}

    def _track(self, asked: Request, exchange: Exchange) -> None:
        """Note a change that succeeded, and what it made or removed: nothing of this run's is to be left behind."""
        life = self.contract.lifecycle
        if not exchange.succeeded or asked.operation is None or self.contract.is_read_only(asked.operation):
            return
        self.changed_at = time.monotonic()
        account = self._view.account(asked)
        if asked.operation == life.create and life.id:
            exchange = self._learn_id(asked, exchange, account)
        self.mutations.append(exchange)
        if asked.operation == life.remove or (self._view.named(asked, "new") and not life.id):
            for name in self._view.named(asked, "existing") - self._view.named(asked, "new"):
                self.made.pop((account, name), None)

    def _learn_id(self, asked: Request, exchange: Exchange, account: str) -> Exchange:
        """Take in the id that create's answer tells; gives the exchange as one about that object."""
        assert exchange.reply is not None
        found = self.contract.lifecycle.extract_id(parsed(exchange.reply.body))
        marks = self._view.named(asked, "new")
        if (
            found is None or self.redactor.redact_string(found) != found
        ):  # an id that is a secret could not be written down
            return exchange
        try:
            if self.gate is not None and not self.gate.handed(marks, found):
                return exchange
        except LedgerError as error:
            self.stopped = self.stopped or str(error)
        for mark in marks:
            self.ids[mark] = found
            self.made.pop((account, mark), None)
        self.handed.add(found)
        self.made[account, found] = None
        return replace(exchange, names=marks | {found})

    # -- findings

    def redacted(self, found: Disagreement) -> Disagreement:
        """See `findings.redacted`."""
        return redacted(found, self.redactor)

    def finding(self, found: Disagreement, exchange: Exchange) -> Finding:
        """The disagreement, `redacted`, as the reports tell it."""
        wanted = steps(self.mutations, exchange, found.about, self.contract.lifecycle)
        keys = variables(self.contract, self.keys)
        reproduce = lines(wanted, self.redactor, keys, self.base, self.contract.lifecycle)
        return finding(found, exchange, self.contract, self.surface.name, self.redactor, reproduce)


def _distinctive(secret: str) -> bool:
    """Whether a secret that turns up in an answer cannot be there by chance, as ``00000000`` in a time can."""
    return len(secret) >= 8 and len(set(secret)) >= 6 and not secret.isdigit()
