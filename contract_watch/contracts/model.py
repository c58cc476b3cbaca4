"""What a vendor's model is: behaviour as pure functions over immutable state."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from contract_watch.contracts.interpretations import Readings
from contract_watch.contracts.matchers import Pattern
from contract_watch.contracts.request import Request

State = Any


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
    body: Pattern | None
    state: State | Callable[[Any], State]

    def follow(self, body: Any) -> State:
        """The state after this outcome was answered with ``body``."""
        return self.state(body) if callable(self.state) else self.state


class Model(Protocol):
    """A vendor's behaviour. Nothing here does I/O or reads a clock; time comes in with the request."""

    readings: Mapping[str, tuple[str, ...]]
    """Every reading by name with its values; the mock takes the first unless told."""

    rules: Mapping[str, str]
    """Clauses that no schema can state, id to sentence; the document's own clauses are derived."""

    def start(self, accounts: Sequence[Account], readings: Readings, fresh: str) -> State:
        """The first state.

        Names that begin with ``fresh`` exist only if a request made them; of others nothing is known. The mock, which
        knows everything, passes an empty text.
        """

    def outcomes(self, state: State, request: Request) -> Sequence[Outcome]:
        """Every answer allowed to a declared operation's ``request``; the mock gives the first."""

    def forget(self, state: State, names: Iterable[str]) -> State:
        """The state in which it is unknown whether any of ``names`` exists: a target left the contract there."""

    def owned(self, state: State) -> Sequence[tuple[str, str]]:
        """What this state says exists, as (account name, object name): what a run must clean up."""

    def dump(self, state: State) -> Any:
        """The state as JSON, without secrets."""
