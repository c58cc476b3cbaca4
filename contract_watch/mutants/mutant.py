"""Mutants: deliberate drifts of the mock, each with a stable id and a mutation that plays it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from contract_watch.contracts.openapi import Operation, join_arguments, split_arguments
from contract_watch.engine.protocols.wire import Response

if TYPE_CHECKING:
    from contract_watch.mutants.mutated_vendor import MutatedVendor

FAMILIES = ("status", "body", "media", "headers", "requests", "credentials", "state", "methods")
"""Families of mutants, about one module of derivations each."""


@dataclass(frozen=True)
class VendorRequest:
    """Request to a declared operation as the mock received it; ``received_at`` is in seconds since the epoch."""

    operation: Operation
    path: str
    headers: Mapping[str, str]
    body: Any
    received_at: float
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def arguments(self) -> dict[str, Any]:
        """Return the arguments by name (see `Operation`)."""
        return join_arguments(self.parameters, self.body)

    def with_arguments(self, arguments: Mapping[str, Any]) -> "VendorRequest":
        """Return the request with other arguments; a body that is no object stays as it is."""
        parameters, body = split_arguments(dict(arguments))
        return replace(self, parameters=parameters, body=body if isinstance(self.body, dict) or body else self.body)


class Mutation:
    """Behaviour of a mutant during one life of a mock. It may keep state; this class is the faithful vendor.

    ``activations`` counts how often the drift made a difference: 0 means that nothing provoked it. ``delay`` is added
    to each response, in seconds. ``pace`` are the seconds that each request seems to take, 0 for as long as it does.
    """

    activations = 0
    delay = 0.0
    pace = 0.0

    def respond(self, vendor: "MutatedVendor", request: VendorRequest) -> tuple[int, Any]:
        """Return status and JSON body for a declared operation, and advance the vendor's state."""
        return vendor.apply_outcome(vendor.compute_outcome(request))

    def find_client(self, vendor: "MutatedVendor", key: str) -> str | None:  # noqa: ARG002 (for subclasses)
        """Return the account's key for which a wrong ``key`` gets an access token, or None."""
        return None

    def intercept(self, operation: Operation | None, method: str, path: str) -> Response | None:  # noqa: ARG002 (for subclasses)
        """Return a response before the vendor sees the request, or None. ``path`` is the document's."""
        return None

    def edit_response(self, operation: Operation | None, response: Response) -> Response:  # noqa: ARG002 (for subclasses)
        """Edit a response before it is sent."""
        return response


@dataclass(frozen=True)
class Mutant:
    """One deliberate drift. ``id`` begins with its ``family``.

    ``operation`` is the id of the drifting operation (empty: all of them), ``field`` the last part of the drifting
    property's name, if any. ``create_mutation`` creates a fresh mutation. ``undeclared_method`` is the undeclared
    method and path that the mutant serves, if any.
    """

    id: str
    operation: str
    field: str
    description: str
    create_mutation: Callable[[], Mutation]
    undeclared_method: str = ""

    @property
    def family(self) -> str:
        """Return the first part of the id."""
        return self.id.split("/", 1)[0]
