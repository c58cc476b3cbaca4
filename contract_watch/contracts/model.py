"""What a vendor's model is: behaviour as pure functions over immutable state."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.matchers import Matcher
from contract_watch.contracts.request import Request

ModelState = Any


@dataclass(frozen=True)
class Account:
    """One account at the vendor: its name in the model, and the plan or permission that the name stands for."""

    name: str
    key: str


@dataclass(frozen=True)
class Outcome:
    """One answer that the contract allows to a request, with the state that follows.

    ``clause`` is the id of the promise that calls for this answer; ``why`` says it in words. ``body`` is None where no
    body is promised. ``state`` is what follows: a state, or a function of the body actually answered, for what only
    the answer tells (an id, a name that the vendor made).
    """

    status: int
    clause: str
    why: str
    body: Matcher | None
    next_state: ModelState | Callable[[Any], ModelState]

    def resolve_next_state(self, body: Any) -> ModelState:
        """The state after this outcome was answered with ``body``."""
        return self.next_state(body) if callable(self.next_state) else self.next_state


class Model(Protocol):
    """A vendor's behaviour. Nothing here does I/O or reads a clock; time comes in with the request."""

    interpretations: Mapping[str, tuple[str, ...]]
    """Every reading by name with its values; the mock takes the first unless told."""

    rules: Mapping[str, str]
    """Clauses that no schema can state, id to sentence; the document's own clauses are derived."""

    def start(self, accounts: Sequence[Account], interpretations: Interpretations, own_prefix: str) -> ModelState:
        """The first state.

        Names that begin with ``fresh`` exist only if a request made them; of others nothing is known. The mock, which
        knows everything, passes an empty text.
        """

    def outcomes(self, state: ModelState, request: Request) -> Sequence[Outcome]:
        """Every answer allowed to a declared operation's ``request``; the mock gives the first."""

    def forget(self, state: ModelState, names: Iterable[str]) -> ModelState:
        """The state in which it is unknown whether any of ``names`` exists: a target left the contract there."""

    def list_owned(self, state: ModelState) -> Sequence[tuple[str, str]]:
        """What this state says exists, as (account name, object name): what a run must clean up."""

    def dump(self, state: ModelState) -> Any:
        """The state as JSON, without secrets."""
