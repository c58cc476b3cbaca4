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
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.planning.values import build_sample
from contract_watch.engine.protocols.wire import Response
from contract_watch.mock.app import Mock
from contract_watch.mock.vendor import MockVendor
from contract_watch.mutants.mutant import Mutation, VendorRequest


class MutatedVendor(MockVendor):
    """A vendor whose answers a play gives, with what plays need of the model."""

    def __init__(
        self,
        contract: Contract,
        environment: Mapping[str, str],
        mutation: Mutation,
        interpretations: Mapping[str, str] = {},
    ) -> None:
        super().__init__(contract, environment, interpretations)
        self.mutation = mutation

    def handle_request(
        self,
        operation: Operation,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        parameters: Mapping[str, str] = {},
    ) -> tuple[int, Any]:
        """See `MockVendor.answer`."""
        return self.mutation.respond(self, VendorRequest(operation, path, headers, body, time.time(), parameters))

    def compute_outcome(self, request: VendorRequest, state: ModelState = None) -> Outcome:
        """The honest outcome of a request, in the present state or another."""
        return self._list_outcomes(request, frozenset(), state)[0]

    def compute_exempt_outcome(
        self, request: VendorRequest, exempt_clauses: Collection[str], state: ModelState = None
    ) -> Outcome | None:
        """The outcome of a request that is not held to ``clauses``; None where the model has no answer to it then."""
        try:
            return next(iter(self._list_outcomes(request, frozenset(exempt_clauses), state)), None)
        except Exception:  # noqa: BLE001 (a body that no check has passed may break a model anywhere)
            return None

    def _list_outcomes(
        self, vendor_request: VendorRequest, exempt_clauses: frozenset[str], state: ModelState
    ) -> Sequence[Outcome]:
        operation = vendor_request.operation
        request = Request(operation.id, operation.method, vendor_request.path, vendor_request.headers, vendor_request.body, vendor_request.parameters,
                          vendor_request.received_at, exempt_clauses)  # fmt: skip
        return self.contract.model.outcomes(self.state if state is None else state, request)

    def find_success(self, request: VendorRequest, state: ModelState = None, *, force: bool = False) -> Outcome | None:
        """The outcome where it is a success; with ``whatever`` refusals are excused until it is one. None: it is none."""
        excused: set[str] = set()
        while True:
            outcome = self.compute_exempt_outcome(request, excused, state)
            if outcome is None or outcome.status < 300:
                return outcome
            if not force or outcome.clause in excused:
                return None
            excused.add(outcome.clause)

    def is_readable(self, request: VendorRequest, state: ModelState) -> bool:
        """Whether the objects of a state can be read back: not so where they hold what no check has passed."""
        names = [name for _, name in self.contract.model.list_owned(state)] or [""]
        try:
            return all(self._can_read(request, state, name) for name in names)
        except Exception:  # noqa: BLE001 (as in `excused`)
            return False

    def _can_read(self, request: VendorRequest, state: ModelState, name: str) -> bool:
        """Whether reading ``name`` (or the list) gives an answer that says something."""
        read = self.contract.operations[self.contract.lifecycle.read]
        rehearsal = Simulation(self.contract)
        looking = rehearsal.build_request(read, rehearsal.build_arguments(read, name))
        outcome = self.compute_outcome(
            replace(request, operation=read, body=looking.body, parameters=looking.parameters), state
        )
        return outcome.body is None or bool(outcome.body.render())

    def build_error(self, operation: Operation, status: int = 400) -> tuple[int, Any]:
        """A refusal as the document shows it, with ``status`` or the first documented one of its class."""
        status = (
            status if status in operation.responses else min((s for s in operation.responses if s >= 400), default=400)
        )
        return status, self.build_example_body(operation, status)

    @staticmethod
    def build_example_body(operation: Operation, status: int) -> Any:
        """The body that the document's examples show for a status; of an undocumented status, an empty object."""
        answer = operation.find_response(status)
        schema = next(iter(answer.media.values()), None) if answer is not None else None
        return build_sample(schema) if schema is not None else {}

    # -- whose and what a request is about

    def find_account(self, request: VendorRequest) -> str | None:
        """The account whose key the request carries."""
        sent = {
            value
            for place in self.contract.credential_locations
            if (value := read_credential(place, request)) is not None
        }
        forms = [place.form for place in self.contract.credential_locations]
        good = ((account.name, form.format(account.key)) for account in self.accounts for form in forms)
        return next((name for name, value in good if value in sent), None)

    def build_credential(self, account: str) -> dict[str, str]:
        """The credential header of an account."""
        place = self.contract.credential_locations[0]
        key = next(known.key for known in self.accounts if known.name == account)
        return {place.header.lower(): place.form.format(key)}

    def list_roles(self, operation: Operation) -> dict[str, str]:
        """The arguments that name objects of the account: `new` or `existing`."""
        return {name: role for name, role in self.contract.get_roles(operation.id).items() if role != "foreign"}

    def list_names(self, request: VendorRequest, role: str) -> list[str]:
        """The objects that a request names in a role."""
        arguments = request.arguments
        return [arguments[name] for name, its in self.list_roles(request.operation).items()
                if its == role and isinstance(arguments.get(name), str)]  # fmt: skip

    def list_owned(self, account: str | None = None) -> list[str]:
        """The names of the objects that exist, of one account or of all."""
        return [name for held, name in self.contract.model.list_owned(self.state) if account in (None, held)]


def replace_arguments(request: VendorRequest, names: Mapping[str, Any]) -> VendorRequest:
    """The request with other arguments beside its own."""
    return request.with_arguments({**request.arguments, **names})


def remove_arguments(request: VendorRequest, *names: str) -> VendorRequest:
    """The request without some arguments."""
    return request.with_arguments({name: value for name, value in request.arguments.items() if name not in names})


def read_credential(location: CredentialLocation, request: VendorRequest) -> str | None:
    """What stands in a credential's place, if anything does."""
    if location.header:
        return request.headers.get(location.header.lower())
    value = request.body.get(location.field) if isinstance(request.body, dict) else None
    return value if isinstance(value, str) else None


class MutantApp:
    """An ASGI application: a mock of one contract with a play in it, which the mock's controls never see."""

    def __init__(self, contract: Contract, mutation: Mutation, interpretations: Mapping[str, str] = {}) -> None:
        self._contract = contract
        self._mutation = mutation
        self._mock = Mock([MutatedVendor(contract, {}, mutation, interpretations)], {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"].startswith("/__mock/"):
            await self._mock(scope, receive, send)
            return
        raw = scope.get("raw_path", b"").decode("ascii").partition("?")[0] or scope["path"]
        path = raw.removeprefix(self._contract.base_path)
        operation, _ = self._contract.effective.match_request(path, scope["method"])
        path = self._contract.effective.find_path_template(path) or path
        reply = self._mutation.intercept(operation, scope["method"], path)
        if reply is None:
            reply = await _capture_response(self._mock, scope, receive)
        if self._mutation.delay:
            await asyncio.sleep(self._mutation.delay)
        if reply is not None:
            await _send_response(send, self._mutation.edit_response(operation, reply))


class MutantServer:
    """A server's application that can be another one from request to request: a server for many plays."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as what is showing does."""
        assert self.app is not None
        await self.app(scope, receive, send)


async def _capture_response(app: ASGIApp, scope: Scope, receive: Receive) -> Response | None:
    """The answer of ``app``, kept back; None where it broke the connection instead."""
    heard: list[Message] = []

    async def keep(message: Message) -> None:
        heard.append(message)

    await app(scope, receive, keep)
    if not heard:
        return None
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in heard[0].get("headers", ())}
    return Response(heard[0]["status"], headers, b"".join(message.get("body", b"") for message in heard[1:]))


async def _send_response(send: Send, response: Response) -> None:
    """Send an answer; one that has an empty content-length goes in chunks."""
    chunked = response.headers.get("content-length") == ""
    headers = {**response.headers, "content-length": "" if chunked else str(len(response.body))}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items() if value]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    middle = len(response.body) // 2 if chunked else 0
    await send({"type": "http.response.body", "body": response.body[:middle], "more_body": True})
    await send({"type": "http.response.body", "body": response.body[middle:]})
