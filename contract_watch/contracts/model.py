"""The protocol of a vendor's model: its behaviour as pure functions over immutable state."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.matchers import Matcher
from contract_watch.contracts.request import Request

ModelState = Any


@dataclass(frozen=True)
class Account:
    """An account at the vendor: its name in ``contract.toml``, which tells its plan or permission, and its key."""

    name: str
    key: str


@dataclass(frozen=True)
class Outcome:
    """A response that the contract allows to a request, and the state that follows it.

    ``clause`` is the id of the promise that requires this response, ``why`` its reason in prose. ``body`` is None if no
    body is promised. ``next_state`` is a state, or a function from the actual response body to a state, for values that
    only the response contains (an id, a name that the vendor generated).
    """

    status: int
    clause: str
    why: str
    body: Matcher | None
    next_state: ModelState | Callable[[Any], ModelState]

    def resolve_next_state(self, body: Any) -> ModelState:
        """Return the state after a response with ``body``."""
        return self.next_state(body) if callable(self.next_state) else self.next_state


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
