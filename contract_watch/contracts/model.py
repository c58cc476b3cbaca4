"""The protocol of a vendor's model: its behaviour as pure functions over immutable state."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from contract_watch.contracts.matchers import Matcher
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import Interpretations, ModelState, Outcome
from contract_watch.contracts.request import Request
from contract_watch.errors import UsageError


@dataclass(frozen=True)
class Account:
    """An account at the vendor: its name in ``contract.toml``, which tells its plan or permission, and its key."""

    name: str
    key: str


class Model(Protocol):
    """A vendor's behaviour.

    No method does I/O or reads a clock; the request carries the time. States are immutable.
    """

    interpretations: Mapping[str, tuple[str, ...]]
    """Values of each interpretation by name; the mock follows the first one by default."""

    rules: Mapping[str, str]
    """Clauses that no schema can state, as id and sentence; `clauses` derives the document's own."""

    def start(self, accounts: Sequence[Account], interpretations: Interpretations, own_prefix: str) -> ModelState:
        """Return the initial state.

        An object whose name starts with ``own_prefix`` exists only if a request created it; whether others exist is
        unknown. The mock knows every object, so it passes an empty string.
        """

    def outcomes(self, state: ModelState, request: Request) -> Sequence[Outcome]:
        """Return every outcome allowed to a request for a declared operation; the mock answers the first."""

    def forget(self, state: ModelState, names: Iterable[str]) -> ModelState:
        """Return a state in which the existence of ``names`` is unknown, after a target broke the contract there."""

    def list_owned(self, state: ModelState) -> Sequence[tuple[str, str]]:
        """Return the existing objects as (account name, object name); a run deletes them at its end."""

    def dump(self, state: ModelState) -> Any:
        """Return ``state`` as JSON without secrets."""


def preset_state(model: Model, state: ModelState, objects: Sequence[Any], at: float, label: str) -> ModelState:
    """Return an empty ``state`` with ``objects``, as responses and requests spell them; ``at`` is the present time.

    A model may have a method ``preset_state`` of the same parameters. ``label`` names the list of objects in errors.

    Raises:
        UsageError: an object breaks the contract, or the model has no such method.
    """
    build = getattr(model, "preset_state", None)
    if build is None:
        raise UsageError(f"{label}: the contract's own model takes no preset; create its objects with requests")
    return build(state, objects, at, label)


def match_headers(model: Model, operation: str, status: int, body: Any) -> Mapping[str, Matcher]:
    """Return the matchers of documented headers, by lower-case name, that follow from a response's ``body``.

    A model may have a method ``match_headers`` of the same parameters; one without it promises nothing about headers.
    """
    match = getattr(model, "match_headers", None)
    found: Mapping[str, Matcher] = match(operation, status, body) if match is not None else {}
    return found


def match_unserved(model: Model, operation: Operation | None, status: int) -> Matcher | None:
    """Return the matcher of a refusal that no operation documents, such as an unknown path's; None if it is open.

    ``operation`` is the nearest one. A model may have a method ``match_unserved`` of the same parameters.
    """
    match = getattr(model, "match_unserved", None)
    found: Matcher | None = match(operation, status) if match is not None else None
    return found
