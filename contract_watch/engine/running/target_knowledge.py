"""The knowledge of a run about the target: its possible states, the run's own objects, and good responses."""

import math
import re
import time
from collections.abc import Callable, Collection, Mapping
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

ClaimId = Callable[[Collection[str], str], bool]


class TargetKnowledge:
    """The knowledge of one session, which only its methods change.

    ``created_objects`` holds (account, name or id) of everything that the run may have created and not removed,
    ``mutations`` the changes that succeeded, oldest first. ``max_lag`` is the number of seconds for which a read may
    still show the state before a change. ``claim_id`` takes the names in a create request and the id in its response,
    and returns True if that id is the run's own.
    """

    def __init__(
        self, contract: Contract, keys: Mapping[str, str], names: NameGenerator, max_lag: float, claim_id: ClaimId
    ) -> None:
        self._contract, self._names, self._claim_id = contract, names, claim_id
        accounts = [Account(name, key) for name, key in keys.items()]
        interpretations = Interpretations(contract.model.interpretations)
        self.possible_states: list[ModelState] = [contract.model.start(accounts, interpretations, names.name_prefix)]
        self.created_objects: dict[tuple[str, str], None] = {}
        self.ids_by_name: dict[str, str] = {}
        self.received_ids: set[str] = set()
        self._requested_names: set[str] = set()
        self.mutations: list[Exchange] = []
        self._control_exchanges: dict[str, Exchange] = {}
        self.is_mock = False
        self._max_lag, self._changed_at = max_lag, -math.inf
        self._settled_disagreements: set[str] = set()

    def mark_as_mock(self) -> None:
        """Note that the target is the project's own mock."""
        self.is_mock = True

    def reset_states(self, states: Collection[ModelState]) -> None:
        """Set the possible states, after somebody has reset the target."""
        self.possible_states = list(states)

    # -- names

    def get_identity(self, name: str) -> str:
        """Return the id of the object created under ``name``; ``name`` itself if the server gave no id."""
        return self.ids_by_name.get(name, name)

    def owns(self, identity: str) -> bool:
        """Return True if an object is this run's own, by the form of its name or by an id that this run received."""
        return self._names.owns(identity) or identity in self.received_ids

    def has_requested(self, text: str) -> bool:
        """Return True if this run asked for the object that a list shows under ``text``; similar names do not count."""
        exact = text in self._requested_names or text in self.received_ids
        return exact or (
            self._names.owns(text)
            and any(is_same_name(asked, text) or _may_sanitise(asked, text) for asked in self._requested_names)
        )

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

    def note_response(self, exchange: Exchange, judged: JudgeResult) -> None:
        """Take over the states that a judged response leaves possible, and any change that it confirms."""
        self.possible_states = judged.possible_states
        self.forget_objects(judged.unknown_objects)
        if not any(found.may_be_outage for found in judged.disagreements):
            self._track_change(exchange)
        operation, response = exchange.request.operation, exchange.response
        if operation is None or response is None or judged.disagreements:
            return
        if response.status >= 400 or self._contract.is_read_only(operation):
            self._control_exchanges[operation] = exchange

    def forget_objects(self, names: Collection[str]) -> None:
        """Treat the state of the objects ``names`` as unknown."""
        if names:
            self.possible_states = [self._contract.model.forget(state, names) for state in self.possible_states]

    def _track_change(self, exchange: Exchange) -> None:
        """Note a change that succeeded and the objects that it created or removed: the run removes all of its own."""
        request, life = exchange.request, self._contract.lifecycle
        succeeded = exchange.response is not None and exchange.response.succeeded
        if not succeeded or request.operation is None or self._contract.is_read_only(request.operation):
            return
        self._changed_at = time.monotonic()
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

    # -- lag and controls

    def may_lag(self, request: Request, judged: JudgeResult, pause: float) -> bool:
        """Return True if a read that disagrees may, after ``pause`` seconds more, still show the state before a change.

        If one retry did not help, the value is treated as final.
        """
        is_new = any(found.id not in self._settled_disagreements for found in judged.disagreements)
        in_time = time.monotonic() + pause < self._changed_at + self._max_lag
        return self._contract.is_read_only(request.operation) and is_new and in_time

    def settle(self, judged: JudgeResult) -> None:
        """Treat the disagreements of a read as final: it was retried for as long as the vendor may lag."""
        self._settled_disagreements |= {found.id for found in judged.disagreements}

    def find_control(self, other_than: str) -> Exchange | None:
        """Return an exchange that conformed, of another operation than ``other_than`` if there is one."""
        others = (exchange for name, exchange in self._control_exchanges.items() if name != other_than)
        return next(others, self._control_exchanges.get(other_than))


def _may_sanitise(requested: str, listed: str) -> bool:
    """Return True if a vendor may have made the plain name ``listed`` of a ``requested`` name that is not plain.

    Only exploring without a guard sends such names: they are not of the form that a guarded run may use.
    """
    is_plain = re.compile(r"[a-z0-9-]+").fullmatch
    free = parse_name(requested) is None and not is_plain(requested)
    return free and bool(is_plain(listed)) and normalize_name(requested) == normalize_name(listed)
