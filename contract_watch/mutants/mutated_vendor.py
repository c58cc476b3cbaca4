"""The mock with a play in it: a vendor that drifts in one way, over HTTP."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract_watch.contracts.config import CredentialLocation
from contract_watch.contracts.model import ModelState, Outcome
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from contract_watch.engine.planning.simulation import Rehearsal
from contract_watch.engine.planning.values import sample
from contract_watch.engine.protocols.wire import Reply
from contract_watch.mock.app import Mock
from contract_watch.mock.vendor import MockVendor
from contract_watch.mutants.mutant import Asked, Play


class Actor(MockVendor):
    """A vendor whose answers a play gives, with what plays need of the model."""

    def __init__(
        self, contract: Contract, environment: Mapping[str, str], play: Play, interpretations: Mapping[str, str] = {}
    ) -> None:
        super().__init__(contract, environment, interpretations)
        self.play = play

    def handle_request(
        self,
        operation: Operation,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        parameters: Mapping[str, str] = {},
    ) -> tuple[int, Any]:
        """See `MockVendor.answer`."""
        return self.play.answer(self, Asked(operation, path, headers, body, time.time(), parameters))

    def outcome(self, asked: Asked, state: ModelState = None) -> Outcome:
        """The honest outcome of a request, in the present state or another."""
        return self._outcomes(asked, frozenset(), state)[0]

    def excused(self, asked: Asked, clauses: Collection[str], state: ModelState = None) -> Outcome | None:
        """The outcome of a request that is not held to ``clauses``; None where the model has no answer to it then."""
        try:
            return next(iter(self._outcomes(asked, frozenset(clauses), state)), None)
        except Exception:  # noqa: BLE001 (a body that no check has passed may break a model anywhere)
            return None

    def _outcomes(self, asked: Asked, excused: frozenset[str], state: ModelState) -> Sequence[Outcome]:
        operation = asked.operation
        request = Request(operation.id, operation.method, asked.path, asked.headers, asked.body, asked.parameters,
                          asked.at, excused)  # fmt: skip
        return self.contract.model.outcomes(self.state if state is None else state, request)

    def done(self, asked: Asked, state: ModelState = None, *, whatever: bool = False) -> Outcome | None:
        """The outcome where it is a success; with ``whatever`` refusals are excused until it is one. None: it is none."""
        excused: set[str] = set()
        while True:
            outcome = self.excused(asked, excused, state)
            if outcome is None or outcome.status < 300:
                return outcome
            if not whatever or outcome.clause in excused:
                return None
            excused.add(outcome.clause)

    def shows(self, asked: Asked, state: ModelState) -> bool:
        """Whether the objects of a state can be read back: not so where they hold what no check has passed."""
        names = [name for _, name in self.contract.model.list_owned(state)] or [""]
        try:
            return all(self._shown(asked, state, name) for name in names)
        except Exception:  # noqa: BLE001 (as in `excused`)
            return False

    def _shown(self, asked: Asked, state: ModelState, name: str) -> bool:
        """Whether reading ``name`` (or the list) gives an answer that says something."""
        read = self.contract.operations[self.contract.lifecycle.read]
        rehearsal = Rehearsal(self.contract)
        looking = rehearsal.request(read, rehearsal.about(read, name))
        outcome = self.outcome(replace(asked, operation=read, body=looking.body, parameters=looking.parameters), state)
        return outcome.body is None or bool(outcome.body.render())

    def refuse(self, operation: Operation, status: int = 400) -> tuple[int, Any]:
        """A refusal as the document shows it, with ``status`` or the first documented one of its class."""
        status = (
            status if status in operation.responses else min((s for s in operation.responses if s >= 400), default=400)
        )
        return status, self.shown(operation, status)

    @staticmethod
    def shown(operation: Operation, status: int) -> Any:
        """The body that the document's examples show for a status; of an undocumented status, an empty object."""
        answer = operation.find_response(status)
        schema = next(iter(answer.media.values()), None) if answer is not None else None
        return sample(schema) if schema is not None else {}

    # -- whose and what a request is about

    def account(self, asked: Asked) -> str | None:
        """The account whose key the request carries."""
        sent = {value for place in self.contract.credential_locations if (value := stands(place, asked)) is not None}
        forms = [place.form for place in self.contract.credential_locations]
        good = ((account.name, form.format(account.key)) for account in self.accounts for form in forms)
        return next((name for name, value in good if value in sent), None)

    def credential(self, account: str) -> dict[str, str]:
        """The credential header of an account."""
        place = self.contract.credential_locations[0]
        key = next(known.key for known in self.accounts if known.name == account)
        return {place.header.lower(): place.form.format(key)}

    def roles(self, operation: Operation) -> dict[str, str]:
        """The arguments that name objects of the account: `new` or `existing`."""
        return {name: role for name, role in self.contract.get_roles(operation.id).items() if role != "foreign"}

    def named(self, asked: Asked, role: str) -> list[str]:
        """The objects that a request names in a role."""
        arguments = asked.arguments
        return [arguments[name] for name, its in self.roles(asked.operation).items()
                if its == role and isinstance(arguments.get(name), str)]  # fmt: skip

    def owned(self, account: str | None = None) -> list[str]:
        """The names of the objects that exist, of one account or of all."""
        return [name for held, name in self.contract.model.list_owned(self.state) if account in (None, held)]


def renamed(asked: Asked, names: Mapping[str, Any]) -> Asked:
    """The request with other arguments beside its own."""
    return asked.asking({**asked.arguments, **names})


def without(asked: Asked, *names: str) -> Asked:
    """The request without some arguments."""
    return asked.asking({name: value for name, value in asked.arguments.items() if name not in names})


def stands(place: CredentialLocation, asked: Asked) -> str | None:
    """What stands in a credential's place, if anything does."""
    if place.header:
        return asked.headers.get(place.header.lower())
    value = asked.body.get(place.field) if isinstance(asked.body, dict) else None
    return value if isinstance(value, str) else None


class Stage:
    """An ASGI application: a mock of one contract with a play in it, which the mock's controls never see."""

    def __init__(self, contract: Contract, play: Play, readings: Mapping[str, str] = {}) -> None:
        self._contract = contract
        self._play = play
        self._mock = Mock([Actor(contract, {}, play, readings)], {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"].startswith("/__mock/"):
            await self._mock(scope, receive, send)
            return
        raw = scope.get("raw_path", b"").decode("ascii").partition("?")[0] or scope["path"]
        path = raw.removeprefix(self._contract.base_path)
        operation, _ = self._contract.effective.match_request(path, scope["method"])
        path = self._contract.effective.find_path_template(path) or path
        reply = self._play.instead(operation, scope["method"], path)
        if reply is None:
            reply = await _heard(self._mock, scope, receive)
        if self._play.delay:
            await asyncio.sleep(self._play.delay)
        if reply is not None:
            await _say(send, self._play.reply(operation, reply))


class House:
    """A server's application that can be another one from request to request: a server for many plays."""

    def __init__(self) -> None:
        self.showing: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as what is showing does."""
        assert self.showing is not None
        await self.showing(scope, receive, send)


async def _heard(app: ASGIApp, scope: Scope, receive: Receive) -> Reply | None:
    """The answer of ``app``, kept back; None where it broke the connection instead."""
    heard: list[Message] = []

    async def keep(message: Message) -> None:
        heard.append(message)

    await app(scope, receive, keep)
    if not heard:
        return None
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in heard[0].get("headers", ())}
    return Reply(heard[0]["status"], headers, b"".join(message.get("body", b"") for message in heard[1:]))


async def _say(send: Send, reply: Reply) -> None:
    """Send an answer; one that has an empty content-length goes in chunks."""
    chunked = reply.headers.get("content-length") == ""
    headers = {**reply.headers, "content-length": "" if chunked else str(len(reply.body))}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items() if value]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    middle = len(reply.body) // 2 if chunked else 0
    await send({"type": "http.response.body", "body": reply.body[:middle], "more_body": True})
    await send({"type": "http.response.body", "body": reply.body[middle:]})
