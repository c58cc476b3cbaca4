"""The knowledge of a run about the target: its possible states, the run's own objects, and good responses."""

import re
from collections import deque
from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations, ModelState
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from contract_watch.contracts.schema import parse_json
from contract_watch.engine.account.object_names import NameGenerator, is_same_name, normalize_name, parse_name
from contract_watch.engine.judging.judge import JudgeResult
from contract_watch.engine.planning.probe import find_object_names
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.running.lag import Lag

ClaimId = Callable[[Collection[str], str], bool]
_MAX_ATTEMPTED = 500
"""Requests for changes that are remembered with any response: a refused one can be at fault."""


class TargetKnowledge:
    """The knowledge of one session, which only its methods change.

    ``created_objects`` holds (account, name or id) of everything that the run may have created and not removed,
    ``mutations`` the changes that succeeded, oldest first, ``attempted_changes`` the last ones with any response,
    ``forgotten_objects`` the objects whose state was unknown at any time. ``lag`` is told of every change.
    ``gone_operations`` maps operations to the status that they give to every request. ``claim_id`` takes the names in a
    create request and the id in its response, and returns True if that id is the run's own.
    """

    def __init__(
        self, contract: Contract, keys: Mapping[str, str], names: NameGenerator, lag: Lag, claim_id: ClaimId
    ) -> None:
        self._contract, self._names, self._claim_id = contract, names, claim_id
        accounts = [Account(name, key) for name, key in keys.items()]
        interpretations = Interpretations(contract.model.interpretations)
        self.possible_states: list[ModelState] = [contract.model.start(accounts, interpretations, names.name_prefix)]
        self.created_objects: dict[tuple[str, str], None] = {}
        self.ids_by_name: dict[str, str] = {}
        self.received_ids: set[str] = set()
        self.forgotten_objects: set[str] = set()
        self._requested_names: set[str] = set()
        self.mutations: list[Exchange] = []
        self.attempted_changes: deque[Exchange] = deque(maxlen=_MAX_ATTEMPTED)
        self._control_exchanges: dict[str, Exchange] = {}
        self.is_mock = False
        self.gone_operations: dict[str, int] = {}
        self._lag = lag

    def mark_as_mock(self) -> None:
        """Note that the target is the project's own mock."""
        self.is_mock = True
        self._lag.expect_none()

    def reset_states(self, states: Collection[ModelState]) -> None:
        """Set the possible states, after somebody has reset the target."""
        self.possible_states = list(states)

    # -- names

    def get_identity(self, name: str) -> str:
        """Return the id of the object created under ``name``; ``name`` itself if the server gave no id."""
        return self.ids_by_name.get(name, name)

    def list_identities(self, names: AbstractSet[str]) -> set[str]:
        """Return ``names`` with the ids of the objects that were created under them."""
        return {*names, *map(self.get_identity, names)}

    def owns(self, identity: str) -> bool:
        """Return True if an object is this run's own, by the form of its name or by an id that this run received."""
        return self._names.owns(identity) or identity in self.received_ids

    def has_requested(self, text: str) -> bool:
        """Return True if this run asked for the object that a list shows under ``text``; similar names do not count."""
        exact = text in self._requested_names or text in self.received_ids
        return exact or (
            self._names.owns(text)
            and any(
                is_same_name(asked, text) or _may_sanitise(asked, text, self._names.suffix)
                for asked in self._requested_names
            )
        )

    @property
    def own_strings(self) -> Collection[str]:
        """Return the names and ids of every object that this run asked for."""
        return self._requested_names | self.received_ids

    def list_owned(self) -> set[tuple[str, str]]:
        """Return (account, name) of every object that may exist, by the model or by the requests sent."""
        modelled = {pair for state in self.possible_states for pair in self._contract.model.list_owned(state)}
        return modelled | set(self.created_objects)

    # -- what exchanges teach

    def expect_creation(self, request: Request) -> Callable[[], None]:
        """Note the names that a request may create, answered or not; return a function that takes them back."""
        before = dict(self.created_objects)
        new = find_object_names(self._contract, request, "new")
        self._requested_names |= new
        self.created_objects.update({(request.account, name): None for name in new})

        def take_back() -> None:
            self.created_objects = before

        return take_back

    def note_response(self, exchange: Exchange, judged: JudgeResult, *, is_scripted: bool = False) -> None:
        """Take over the states that a judged response leaves possible, and any change that it confirms.

        A response that the mock's faults scripted is no control: without the fault it does not come again.
        """
        self.possible_states = judged.possible_states
        self.forget_objects(judged.unknown_objects)
        if judged.is_conclusive and not any(found.may_be_outage for found in judged.disagreements):
            self._track_change(exchange)
        operation, response = exchange.request.operation, exchange.response
        if operation is not None and not self._contract.is_read_only(operation):
            self.attempted_changes.append(exchange)
        if operation is None or response is None or judged.disagreements or not judged.is_conclusive or is_scripted:
            return
        before = self._control_exchanges.get(operation)
        is_better = before is None or response.succeeded or not before.succeeded
        if (response.status >= 400 or self._contract.is_read_only(operation)) and is_better:
            self._control_exchanges[operation] = exchange

    def note_removed(self, account: str, names: Collection[str]) -> None:
        """Note that objects are gone: their removal was asked for, and a read does not show them any more."""
        for name in names:
            self.created_objects.pop((account, name), None)

    def forget_objects(self, names: AbstractSet[str]) -> None:
        """Treat the state of the objects ``names`` as unknown."""
        if names:
            self.forgotten_objects |= names
            self.possible_states = [self._contract.model.forget(state, names) for state in self.possible_states]

    def _track_change(self, exchange: Exchange) -> None:
        """Note a change that succeeded and the objects that it created or removed: the run removes all of its own."""
        request, life = exchange.request, self._contract.lifecycle
        succeeded = exchange.response is not None and exchange.response.succeeded
        if not succeeded or request.operation is None or self._contract.is_read_only(request.operation):
            return
        self._lag.note_change()
        if request.operation == life.create and life.id:
            exchange = self._learn_id(exchange)
        self.mutations.append(exchange)
        new = find_object_names(self._contract, request, "new")
        if request.operation == life.remove or (new and not life.id):
            for name in find_object_names(self._contract, request, "existing") - new:
                self.created_objects.pop((request.account, name), None)

    def _learn_id(self, exchange: Exchange) -> Exchange:
        """Learn the id in a create response; return the exchange with that id among its names."""
        assert exchange.response is not None
        identity = self._contract.lifecycle.extract_id(parse_json(exchange.response.body))
        names = find_object_names(self._contract, exchange.request, "new")
        if identity is None or not self._claim_id(names, identity):
            return exchange
        account = exchange.request.account
        for name in names:
            self.ids_by_name[name] = identity
            self.created_objects.pop((account, name), None)
        self.received_ids.add(identity)
        self.created_objects[account, identity] = None
        return replace(exchange, names=names | {identity})

    # -- operations that conformed, or are gone

    def mark_as_gone(self, operation: str, status: int) -> None:
        """Note that an operation gives ``status`` to every request."""
        self.gone_operations[operation] = status

    def find_controls(self, operation: str, status: int | None) -> list[Exchange]:
        """Return exchanges that conformed with another status than ``status``: other operations first, successes first."""
        found = [
            (name == operation, not exchange.succeeded, exchange)
            for name, exchange in self._control_exchanges.items()
            if exchange.response is not None and exchange.response.status != status
        ]
        return [exchange for *_, exchange in sorted(found, key=lambda one: one[:2])]


def _may_sanitise(requested: str, listed: str, suffix: str) -> bool:
    """Return True if a vendor may have made the plain name ``listed`` of a ``requested`` name that is not plain.

    Only exploring without a guard sends such names: they are not of the form that a guarded run may use.
    """
    is_plain = re.compile(r"[a-z0-9-]+").fullmatch
    free = parse_name(requested, suffix) is None and not is_plain(requested)
    return free and bool(is_plain(listed)) and normalize_name(requested) == normalize_name(listed)
