"""One run against one target: what was sent, what is known of the target, what disagreed."""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from contract_tests.harness.attempt import Attempt, Stop
from contract_tests.harness.exchange import Exchange, of_request
from contract_tests.harness.form import Disagreement, SecretTest, properties
from contract_tests.harness.judge import Judge, Judged
from contract_tests.harness.names import Names, wrong
from contract_tests.harness.reproduce import lines, steps, variables
from contract_tests.harness.transport import AsyncTransport, Transport
from contract_tests.harness.wire import Reply, Trouble, Wire
from contracts.catalogue import Contract
from contracts.clauses import clauses
from contracts.model import Account, State
from contracts.readings import Readings
from contracts.redaction import Redactor, password_names
from contracts.request import Body, Request
from drift.finding import Finding
from drift.record import Cell, Record


class Session:
    """A run in progress. ``base`` is the target's address with its path; ``keys`` maps accounts to keys.

    Whatever sends (probes, the generated client, Schemathesis, a state machine) does it through `transport`, so that
    every exchange is counted, judged and, where it disagrees, recorded.
    """

    def __init__(self, contract: Contract, base: str, keys: Mapping[str, str], names: Names, record: Record) -> None:
        self.contract = contract
        self.base = base.rstrip("/")
        self.keys = dict(keys)
        self.names = names
        self.record = record
        self.stage = "probes"
        self.exercised: set[str] = set()
        self.kept: set[str] = set()
        self.made: dict[tuple[str, str], None] = {}
        self.is_mock = False
        self.stopped: str | None = None
        self.faulted: int | None = None
        self.good: dict[str, Exchange] = {}
        self.mutations: list[Exchange] = []
        self.seen: dict[tuple[str, int], Exchange] = {}
        self.attempt = Attempt()
        self.failed: Attempt | None = None
        self.failed_at = 0
        self.told: dict[str, int] = {}
        self.transport = Transport(self.exchange)
        self.async_transport = AsyncTransport(self.exchange)
        self._wire = Wire(f"{urlsplit(base).scheme}://{urlsplit(base).netloc}")
        self._judge = Judge(contract)
        self._base_path = urlsplit(self.base).path
        self._accounts = {key: account for account, key in self.keys.items()}
        self.password_names = password_names(contract.effective.raw)
        places = {place.header.lower() for place in contract.places}
        self.redactor = Redactor(self.password_names | places, self.keys.values())
        for key in self.keys.values():
            self.redactor.learn(wrong(key))
        self._sent_secrets: dict[str, None] = dict.fromkeys(key for key in self.keys.values() if len(key) >= 8)
        self._received: set[str] = set()
        self._secret = SecretTest(self.password_names, self.redactor.secret_name, self._sent_secrets, self._received)
        accounts = [Account(name, key) for name, key in self.keys.items()]
        readings = Readings(contract.model.readings)
        self.worlds: list[State] = [contract.model.start(accounts, readings, names.prefix)]

    def close(self) -> None:
        """Give the connection up."""
        self._wire.close()

    # -- sending

    @contextmanager
    def attempting(self, *aim: str) -> Iterator[Attempt]:
        """Gather what happens inside as one attempt, made for the clauses ``aim``."""
        before, self.attempt = self.attempt, Attempt(aim)
        try:
            yield self.attempt
        finally:
            self.attempt = before

    def send(self, operation: str, body: Any = Body.ABSENT, account: str | None = None) -> Exchange:
        """One request to a declared operation with the account's key (the first account's by default)."""
        declared = self.contract.operations[operation]
        return self.ask(declared.method, declared.path, body, self.authorization(account))

    def authorization(self, account: str | None = None) -> dict[str, str]:
        """The usual credential header of an account."""
        place = self.contract.places[0]
        return {place.header: place.form.format(self.keys[account or self.contract.credentials[0].account])}

    def ask(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Exchange:
        """One request below the target's address; ``body`` is a JSON value or `Body.ABSENT`."""
        content = b"" if body is Body.ABSENT else json.dumps(body).encode()
        sent = {**headers, **({"Content-Type": "application/json"} if content else {})}
        request = httpx.Request(method, self.base + path, headers=sent, content=content)
        with contextlib.suppress(Trouble):
            self.exchange(request)
        return self.attempt.exchanges[-1]

    def exchange(self, request: httpx.Request) -> Reply:
        """Send ``request``, judge the answer, and note all that the reports need; `Trouble` where none comes."""
        if self.stopped is not None:
            raise Stop(self.stopped)
        content = request.read()
        asked = self._asked(request, content)
        self._learn(asked.body)
        parts = {**of_request(request, content), "operation": asked.operation, "body": asked.body,
                 "names": self._named(asked, None)}  # fmt: skip
        account, before = self._account(asked), dict(self.made)
        self.made.update(
            {(account, name): None for name in self._named(asked, "new")}
        )  # it may be made, answered or not
        try:
            reply = self._wire.send(request)
        except KeyboardInterrupt:
            self.forget(self._named(asked, None))
            raise
        except Trouble as trouble:
            if trouble.kind not in ("refused", "elsewhere"):
                self.record.requests[self.stage] += 1
            self._unanswered(asked, Exchange(**parts, reply=None, trouble=trouble.words), trouble)
            raise
        self.record.requests[self.stage] += 1
        if 400 <= reply.status < 500:
            self.made = before
        exchange = Exchange(**parts, reply=reply)
        self.attempt.exchanges.append(exchange)
        if reply.status == 429:
            raise self.stop("the target's rate limit was passed (429): run again later, or alone")
        if self.faulted is not None:
            judged = self._judge.judge_fault(self.worlds, asked, reply, self.faulted, self._secret)
        else:
            judged = self._judge.judge(self.worlds, asked, reply, self.attempt.aim, self._secret, self.kept)
        self._note(asked, exchange, judged)
        return reply

    def stop(self, reason: str) -> Stop:
        """End the run for ``reason``: nothing more is sent."""
        self.stopped = reason
        return Stop(reason)

    # -- what an exchange leaves

    def _asked(self, request: httpx.Request, content: bytes) -> Request:
        path = request.url.path.removeprefix(self._base_path)
        operation = self.contract.effective.at(path, request.method)
        body: Any = Body.ABSENT
        if content:
            try:
                body = json.loads(content)
            except (ValueError, RecursionError):
                body = Body.MALFORMED
        headers = {name.lower(): value for name, value in request.headers.items()}
        return Request(operation.id if operation else None, request.method, path, headers, body, {}, time.time())

    def _account(self, asked: Request) -> str:
        sent = " ".join(asked.headers.values())
        return next((name for key, name in self._accounts.items() if key in sent), self.contract.credentials[0].account)

    def _named(self, asked: Request, role: str | None) -> frozenset[str]:
        """What the request names in fields of ``role`` (any role: None), as text."""
        fields = self.contract.identities.get(asked.operation or "", {})
        body = asked.body if isinstance(asked.body, dict) else {}
        values = (body.get(pointer[1:]) for pointer, its in fields.items() if role in (None, its))
        return frozenset(str(value) for value in values if isinstance(value, str | int | float))

    def _learn(self, body: Any) -> None:
        self.redactor.learn_from(body)
        if self.stage == "explore":
            return  # a password drawn at random may be any word, and turn up in an answer by chance
        for name in self.password_names:
            if isinstance(body, dict) and isinstance(value := body.get(name), str) and _distinctive(value):
                self._sent_secrets[value] = None

    def _unanswered(self, asked: Request, exchange: Exchange, trouble: Trouble) -> None:
        self.attempt.exchanges.append(exchange)
        self.attempt.trouble = trouble
        self.forget(self._named(asked, None))

    def forget(self, names: frozenset[str] | set[str]) -> None:
        """Take nothing about ``names`` for known any more."""
        if names:
            self.worlds = [self.contract.model.forget(world, names) for world in self.worlds]

    def _note(self, asked: Request, exchange: Exchange, judged: Judged) -> None:
        assert exchange.reply is not None
        status = exchange.reply.status
        self.worlds = judged.worlds
        self.forget(judged.lost)
        self.redactor.learn_from(judged.json)
        for name in self.password_names:
            if isinstance(judged.json, dict) and isinstance(text := judged.json.get(name), str):
                self._received.add(text)
        if not any(found.outage for found in judged.disagreements):
            self._track(asked, exchange)
        for found in judged.disagreements:
            self.attempt.disagreements.setdefault(found.id, (found, exchange))
            self.attempt.places.add((found.id, len(self.attempt.exchanges) - 1))
        if asked.operation is None:
            return
        operation = self.contract.operations[asked.operation]
        self.seen.setdefault((operation.id, status), exchange)
        cell = self.record.cells.setdefault((operation.name, status), Cell(documented=status in operation.answers))
        if judged.disagreements:
            cell.drifted += 1
        else:
            cell.conforming += 1
            if status >= 400 or operation.reads_only:
                self.good[operation.id] = exchange
        self.exercised |= judged.kept
        self.kept |= judged.kept
        self.exercised.add(f"{operation.id}/response/{status}")
        self.exercised |= {f"{operation.id}/{status}/body/{pointer}" for pointer in properties(judged.json)}

    def _track(self, asked: Request, exchange: Exchange) -> None:
        """Note a change that succeeded, and what it made or removed: nothing of this run's is to be left behind."""
        life = self.contract.lifecycle
        if not exchange.succeeded or asked.operation in (None, life.read):
            return
        self.mutations.append(exchange)
        account = self._account(asked)
        if asked.operation == life.remove or self._named(asked, "new"):
            for name in self._named(asked, "existing") - self._named(asked, "new"):
                self.made.pop((account, name), None)

    # -- findings

    def finding(self, found: Disagreement, exchange: Exchange) -> Finding:
        """The disagreement as the reports tell it."""
        operation = self.contract.operations.get(found.operation)
        recorded = exchange.recorded(self.redactor)
        wanted = steps(self.mutations, exchange, found.about, self.contract.lifecycle)
        return Finding(
            id=self.redactor.text(found.id),
            severity=found.severity,
            operation=operation.name if operation else found.operation,
            surface="rest",
            status=exchange.reply.status if exchange.reply else None,
            title=self.redactor.text(found.title),
            why=found.why,
            clause=found.clause,
            promise=self.promise(found.clause),
            exchange=recorded,
            reproduce=lines(wanted, self.redactor, variables(self.contract, self.keys)),
        )

    def promise(self, clause: str) -> str:
        """What a clause promises, in words."""
        return clauses(self.contract).get(clause, clause)


def _distinctive(secret: str) -> bool:
    """Whether a secret that turns up in an answer cannot be there by chance, as ``00000000`` in a time can."""
    return len(secret) >= 8 and len(set(secret)) >= 6 and not secret.isdigit()
