"""What a mutant is: one deliberate drift of the mock, with a stable id, and how it is played."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from contract_watch.contracts.openapi import Operation, join_arguments, split_arguments
from contract_watch.engine.protocols.wire import Response

if TYPE_CHECKING:
    from contract_watch.mutants.mutated_vendor import MutatedVendor

FAMILIES = ("status", "body", "media", "requests", "credentials", "state", "methods")
"""What may drift, one module of derivations each or nearly so."""


@dataclass(frozen=True)
class VendorRequest:
    """One request to a declared operation, as the mock received it; ``at`` is when, in seconds since the epoch."""

    operation: Operation
    path: str
    headers: Mapping[str, str]
    body: Any
    received_at: float
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> dict[str, Any]:
        """What was asked for, by argument (see `Operation`)."""
        return join_arguments(self.parameters, self.body)

    def with_arguments(self, arguments: Mapping[str, Any]) -> "VendorRequest":
        """The same request with other arguments; a body that is no object stays as it is."""
        parameters, body = split_arguments(dict(arguments))
        return replace(self, parameters=parameters, body=body if isinstance(self.body, dict) or body else self.body)


class Mutation:
    """How a drift is played, for one life of a mock. A play may remember; this one is the honest vendor.

    ``touched`` counts how often the drift made a difference: none says that nothing provoked it. ``delay`` is how long
    each answer takes, in seconds.
    """

    activations = 0
    delay = 0.0

    def respond(self, vendor: "MutatedVendor", request: VendorRequest) -> tuple[int, Any]:
        """Status and JSON body of the answer to a declared operation; the actor's state goes on."""
        return vendor.apply_outcome(vendor.compute_outcome(request))

    def intercept(self, operation: Operation | None, method: str, path: str) -> Response | None:  # noqa: ARG002 (for heirs)
        """An answer given before the vendor sees the request, if any. ``path`` is the document's."""
        return None

    def edit_response(self, operation: Operation | None, response: Response) -> Response:  # noqa: ARG002 (for heirs)
        """The answer as it goes over the wire."""
        return response


@dataclass(frozen=True)
class Mutant:
    """One deliberate drift. ``id`` begins with its ``family``.

    ``operation`` is the id of the operation that drifts (empty: all of them), ``field`` the last part of the name of the
    property that does, if one does. ``play`` makes a fresh play. ``undeclared`` is the method and path answered that no
    document declares, if that is the drift.
    """

    id: str
    operation: str
    field: str
    description: str
    create_mutation: Callable[[], Mutation]
    undeclared_method: str = ""

    @property
    def family(self) -> str:
        """The first part of the id."""
        return self.id.split("/", 1)[0]
