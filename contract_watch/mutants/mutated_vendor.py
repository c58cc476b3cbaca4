"""The vendor of a mutant: a model that drifts in one way."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.responses import Response as HttpResponse
from starlette.types import Scope

from contract_watch.contracts.config import CredentialLocation
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import ModelState, Outcome
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from contract_watch.contracts.samples import build_sample
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.protocols.wire import Response
from contract_watch.mock.clock import MockClock
from contract_watch.mock.vendor import MockVendor
from contract_watch.mutants.mutant import Mutation, VendorRequest


class MutatedVendor(MockVendor):
    """A vendor whose responses come from a mutation, with the parts of the model that mutations need.

    Mutations that edit or intercept responses play over HTTP alone, all others over gRPC too.
    """

    edits_responses = True

    def __init__(
        self,
        contract: Contract,
        environment: Mapping[str, str],
        mutation: Mutation,
        interpretations: Mapping[str, str] = {},
        clock: MockClock | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(contract, environment, interpretations, clock, seed)
        self.mutation = mutation
        self._has_drifted = False

    def handle_request(
        self,
        operation: Operation,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        parameters: Mapping[str, Any] = {},
    ) -> tuple[int, Any]:
        """Implement `MockVendor.handle_request`."""
        before = self.mutation.activations
        request = VendorRequest(operation, path, headers, body, self.clock.take(), parameters)
        with self.draw():
            response = self.mutation.respond(self, request)
        self._has_drifted = self.mutation.activations > before
        return response

    def intercept_request(self, operation: Operation | None, scope: Scope) -> HttpResponse | None:
        """Implement `MockVendor.intercept_request`."""
        raw = scope.get("raw_path", b"").decode("latin-1").partition("?")[0] or scope["path"]
        path = raw.removeprefix(self.contract.base_path)
        found = self.mutation.intercept(
            operation, scope["method"], self.contract.effective.find_path_template(path) or path
        )
        self._has_drifted = found is not None
        return _build_http_response(found) if found is not None else None

    def edit_response(self, operation: Operation | None, response: HttpResponse) -> HttpResponse:
        """Implement `MockVendor.edit_response`."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in response.raw_headers}
        given = Response(response.status_code, headers, bytes(response.body))
        edited = self.mutation.edit_response(operation, given)
        if edited == given:
            return response
        self._has_drifted = True
        return _build_http_response(edited)

    def take_drift(self) -> str:
        """Implement `MockVendor.take_drift`."""
        has_drifted, self._has_drifted = self._has_drifted, False
        return self.drift if has_drifted else ""

    @property
    def response_delay(self) -> float:
        """Implement `MockVendor.response_delay`."""
        return self.mutation.delay

    def find_client(self, key: str) -> str | None:
        """Implement `MockVendor.find_client`."""
        return super().find_client(key) or self.mutation.find_client(self, key)

    def compute_outcome(self, request: VendorRequest, state: ModelState = None) -> Outcome:
        """Compute the faithful outcome of a request, in the present state or another."""
        return self._list_outcomes(request, frozenset(), state)[0]

    def compute_exempt_outcome(
        self, request: VendorRequest, exempt_clauses: Collection[str], state: ModelState = None
    ) -> Outcome | None:
        """Compute the outcome of a request without ``exempt_clauses``; return None if the model has none."""
        try:
            return next(iter(self._list_outcomes(request, frozenset(exempt_clauses), state)), None)
        except Exception:  # noqa: BLE001 (an unvalidated body may break a model anywhere)
            return None

    def _list_outcomes(
        self, vendor_request: VendorRequest, exempt_clauses: frozenset[str], state: ModelState
    ) -> Sequence[Outcome]:
        operation = vendor_request.operation
        request = Request(operation.id, operation.method, vendor_request.path, vendor_request.headers, vendor_request.body, vendor_request.parameters,
                          vendor_request.received_at, exempt_clauses)  # fmt: skip
        return self.contract.model.outcomes(self.state if state is None else state, request)

    def find_success(self, request: VendorRequest, state: ModelState = None, *, force: bool = False) -> Outcome | None:
        """Find the outcome if it is a success; ``force`` exempts clauses until it is one. Return None if it is none."""
        exempt_clauses: set[str] = set()
        while True:
            outcome = self.compute_exempt_outcome(request, exempt_clauses, state)
            if outcome is None or outcome.status < 300:
                return outcome
            if not force or outcome.clause in exempt_clauses:
                return None
            exempt_clauses.add(outcome.clause)

    def is_readable(self, request: VendorRequest, state: ModelState) -> bool:
        """Return True if every object of a state can be read; unvalidated data may break the model."""
        names = [name for _, name in self.contract.model.list_owned(state)] or [""]
        try:
            return all(self._can_read(request, state, name) for name in names)
        except Exception:  # noqa: BLE001 (as in `compute_exempt_outcome`)
            return False

    def _can_read(self, request: VendorRequest, state: ModelState, name: str) -> bool:
        """Return True if reading ``name`` (or the list) gives a response with content."""
        read = self.contract.operations[self.contract.lifecycle.read]
        simulation = Simulation(self.contract)
        probing = simulation.build_request(read, simulation.build_arguments(read, name))
        outcome = self.compute_outcome(
            replace(request, operation=read, body=probing.body, parameters=probing.parameters), state
        )
        return outcome.body is None or bool(outcome.body.render())

    def build_error(self, operation: Operation, status: int = 400) -> tuple[int, Any]:
        """Build a documented error response, with ``status`` or the first documented 4xx."""
        status = (
            status if status in operation.responses else min((s for s in operation.responses if s >= 400), default=400)
        )
        return status, self.build_example_body(operation, status)

    @staticmethod
    def build_example_body(operation: Operation, status: int) -> Any:
        """Build the example body of a status; an undocumented status has an empty object."""
        spec = operation.find_response(status)
        schema = next(iter(spec.media.values()), None) if spec is not None else None
        return build_sample(schema) if schema is not None else {}

    # -- accounts and names of a request

    def find_account(self, request: VendorRequest) -> str | None:
        """Find the account whose key the request carries in one of its locations."""
        sent = [(location, read_credential(location, request)) for location in self.contract.credential_locations]
        return next(
            (account.name for account in self.accounts for one, value in sent if value == one.build_value(account.key)),
            None,
        )

    def build_credential(self, account: str) -> dict[str, str]:
        """Build the credential header of an account."""
        location = self.contract.credential_locations[0]
        key = next(known.key for known in self.accounts if known.name == account)
        return {location.key: location.build_value(key)}

    def list_roles(self, operation: Operation) -> dict[str, str]:
        """List the arguments that name objects of the account, each with its role `new` or `existing`."""
        return {name: role for name, role in self.contract.get_roles(operation.id).items() if role != "foreign"}

    def list_names(self, request: VendorRequest, role: str) -> list[str]:
        """List the objects that a request names in a role."""
        arguments = request.arguments
        return [arguments[name] for name, named_role in self.list_roles(request.operation).items()
                if named_role == role and isinstance(arguments.get(name), str)]  # fmt: skip

    def list_owned(self, account: str | None = None) -> list[str]:
        """List the names of existing objects, of one account or of all."""
        return [name for owner, name in self.contract.model.list_owned(self.state) if account in (None, owner)]


def _build_http_response(response: Response) -> HttpResponse:
    """Build a response to send, chunked if its content-length is empty."""
    is_chunked = response.headers.get("content-length") == ""
    headers = {**response.headers, "content-length": "" if is_chunked else str(len(response.body))}
    built = HttpResponse(response.body, response.status)
    built.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items() if value]
    return built


def replace_arguments(request: VendorRequest, names: Mapping[str, Any]) -> VendorRequest:
    """Replace arguments of a request."""
    return request.with_arguments({**request.arguments, **names})


def remove_arguments(request: VendorRequest, *names: str) -> VendorRequest:
    """Remove arguments from a request."""
    return request.with_arguments({name: value for name, value in request.arguments.items() if name not in names})


def read_credential(location: CredentialLocation, request: VendorRequest) -> str | None:
    """Read the value in a credential's location; None if there is none."""
    if not location.field:
        return request.headers.get(location.key)
    value = request.body.get(location.field) if isinstance(request.body, dict) else None
    return value if isinstance(value, str) else None
