"""The simulation of a vendor by its model: is a request granted, and how is an object prepared for it?"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contract_watch.contracts.model import Account
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import Interpretations, ModelState, Outcome
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.extremes import shrink_numbers
from contract_watch.engine.planning.probe import (
    build_credential_headers,
    fill_with_stand_ins,
    get_pool_stand_in,
    make_operation_request,
)

NAME_PREFIX = "ct-"


class Simulation:
    """The model of one contract, asked about planned requests. Nothing is sent."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._arguments = ArgumentBuilder(contract)
        self._prepared: dict[str, tuple[ModelState, str]] = {}
        self._accounts = [Account(credential.account, credential.test) for credential in contract.credentials]

    def build_request(self, operation: Operation, arguments: Any, key: str = "") -> Request:
        """Build a request as the model sees it, by default with the first account's key."""
        headers = build_credential_headers(self.contract, key or self.contract.credentials[0].test)
        return make_operation_request(self.contract, operation, arguments, "", headers)

    def is_granted_in(self, states: Iterable[ModelState], operation: Operation, arguments: Any, key: str = "") -> bool:
        """Return True if a request is granted in every one of ``states``, in every interpretation."""
        request = self.build_request(operation, arguments, key)
        outcomes = [self.contract.model.outcomes(world, request) for world in states]
        return all(found and all(outcome.status < 300 for outcome in found) for found in outcomes)

    def is_refused_in(self, states: Iterable[ModelState], operation: Operation, arguments: Any, key: str = "") -> bool:
        """Return True if a request is rejected in every one of ``states``, in every interpretation."""
        request = self.build_request(operation, arguments, key)
        outcomes = [self.contract.model.outcomes(world, request) for world in states]
        return all(outcome.status >= 400 for found in outcomes for outcome in found)

    def build_arguments(self, operation: Operation, identity: str) -> Any:
        """Build minimal valid arguments of ``operation`` about the object ``identity``."""
        return fill_with_stand_ins(self._arguments.build_baseline(operation), {"stock": identity}, self.contract)

    def find_preparation(
        self, states: Sequence[ModelState], operation: Operation, identity: str, key: str = ""
    ) -> list[str] | None:
        """Find the operations that prepare an object for ``operation``: none or one; None if that is not enough."""
        wanted = self.build_arguments(operation, identity)
        if self.is_granted_in(states, operation, wanted, key):
            return []
        for other in self.contract.operations.values():
            if not self._is_preparation(other):
                continue
            arguments = self.build_arguments(other, identity)
            if self.is_granted_in(states, other, arguments, key):
                request = self.build_request(other, arguments, key)
                after = [
                    _follow_outcome(outcome)
                    for world in states
                    for outcome in self.contract.model.outcomes(world, request)
                ]
                if self.is_granted_in(after, operation, wanted, key):
                    return [other.id]
        return None

    def _is_preparation(self, operation: Operation) -> bool:
        life = self.contract.lifecycle
        about = "existing" in self.contract.get_roles(operation.id).values()
        return about and operation.id not in (life.create, life.remove) and not self.contract.is_read_only(operation.id)

    def find_preparation_for_new(self, operation: Operation) -> list[str]:
        """Find the operations that prepare a new object for ``operation``; none if that is not enough."""
        state, identity = self._create_object()
        return self.find_preparation([state], operation, identity) or []

    def build_prepared_state(self, operation: Operation) -> tuple[ModelState, str]:
        """Build a state with an object that ``operation`` is granted on, if possible; return it with the identity."""
        if operation.id in self._prepared:
            return self._prepared[operation.id]
        state, identity = self._create_object()
        for name in self.find_preparation([state], operation, identity) or ():
            other = self.contract.operations[name]
            state = _follow_outcome(
                self.contract.model.outcomes(state, self.build_request(other, self.build_arguments(other, identity)))[0]
            )
        self._prepared[operation.id] = state, identity
        return state, identity

    def _create_object(self) -> tuple[ModelState, str]:
        """Build a state with one new object; return it with the identity."""
        model, life = self.contract.model, self.contract.lifecycle
        state = model.start(self._accounts, Interpretations(model.interpretations), NAME_PREFIX)
        create = self.contract.operations[life.create]
        name_given = get_pool_stand_in(self.contract)
        names = {name: name_given for name, role in self.contract.get_roles(create.id).items() if role == "new"}
        arguments = {**fill_with_stand_ins(self._arguments.build_baseline(create), {}, self.contract), **names}
        outcome = model.outcomes(state, self.build_request(create, arguments))[0]
        body = outcome.body.render() if outcome.body is not None else None
        return outcome.resolve_next_state(body), life.extract_id(body) or name_given

    def is_refused(self, operation: Operation, arguments: Any, key: str = "") -> bool:
        """Return True if a request is rejected in every interpretation once the object that it names exists.

        ``key`` is sent, by default the first account's, whose the object is.
        """
        state, identity = self.build_prepared_state(operation)
        request = self.build_request(operation, fill_with_stand_ins(arguments, {"stock": identity}, self.contract), key)
        return all(outcome.status >= 400 for outcome in self.contract.model.outcomes(state, request))

    def is_granted(self, operation: Operation, arguments: Any) -> bool:
        """Return True if a request about an existing object is granted, or conflicts, in every interpretation.

        A number beyond 32 bits counts as a smaller one: the vendor may refuse it, which is no reason not to ask.
        """
        state, identity = self.build_prepared_state(operation)
        arguments = shrink_numbers(arguments) if isinstance(arguments, Mapping) else arguments
        request = self.build_request(operation, fill_with_stand_ins(arguments, {"stock": identity}, self.contract))
        outcomes = self.contract.model.outcomes(state, request)
        return all(outcome.status < 300 or outcome.status == 409 for outcome in outcomes)


def _follow_outcome(outcome: Outcome) -> ModelState:
    return outcome.resolve_next_state(outcome.body.render() if outcome.body is not None else None)
