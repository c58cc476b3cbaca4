"""What a contract's model says beforehand: whether a request would be granted, and how an object is got ready for it."""

from collections.abc import Iterable, Sequence
from typing import Any

from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.model import Account, ModelState, Outcome
from contract_watch.contracts.openapi import Operation, split_arguments
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.engine.planning.arguments import Bodies
from contract_watch.engine.planning.probe import STOCK, filled

PREFIX = "ct-"


class Rehearsal:
    """Asks the model of one contract; nothing is sent."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._bodies = Bodies(contract)
        self._accounts = [Account(credential.account, credential.test) for credential in contract.credentials]

    def request(self, operation: Operation, arguments: Any, key: str = "") -> Request:
        """A request as the model sees it, with the first account's key."""
        parameters, body = split_arguments(arguments)
        if not body and operation.body is None:
            body = MissingBody.ABSENT
        place = self._contract.credential_locations[0]
        headers = {place.header.lower(): place.form.format(key or self._contract.credentials[0].test)}
        path = operation.build_path(parameters)
        return Request(operation.id, operation.method, path, headers, body, parameters, 0.0)

    def takes(self, worlds: Iterable[ModelState], operation: Operation, arguments: Any, key: str = "") -> bool:
        """Whether a request is granted in every one of ``worlds``, whatever the documents leave open."""
        request = self.request(operation, arguments, key)
        outcomes = [self._contract.model.outcomes(world, request) for world in worlds]
        return all(found and all(outcome.status < 300 for outcome in found) for found in outcomes)

    def about(self, operation: Operation, identity: str) -> Any:
        """The least valid arguments of ``operation`` about the object ``identity``."""
        return filled(self._bodies.baseline(operation), {"stock": identity})

    def way(self, worlds: Sequence[ModelState], operation: Operation, identity: str, key: str = "") -> list[str] | None:
        """The operations that get the object ready for ``operation``: none, or one; None where that is not enough."""
        wanted = self.about(operation, identity)
        if self.takes(worlds, operation, wanted, key):
            return []
        for other in self._contract.operations.values():
            arguments = self.about(other, identity)
            if self._prepares(other) and self.takes(worlds, other, arguments, key):
                request = self.request(other, arguments, key)
                after = [
                    _followed(outcome) for world in worlds for outcome in self._contract.model.outcomes(world, request)
                ]
                if self.takes(after, operation, wanted, key):
                    return [other.id]
        return None

    def _prepares(self, operation: Operation) -> bool:
        life = self._contract.lifecycle
        about = "existing" in self._contract.get_roles(operation.id).values()
        return (
            about and operation.id not in (life.create, life.remove) and not self._contract.is_read_only(operation.id)
        )

    def needs(self, operation: Operation) -> list[str]:
        """The operations that get a new object ready for ``operation``; none where that is not enough."""
        state, identity = self._new()
        return self.way([state], operation, identity) or []

    def stocked(self, operation: Operation) -> tuple[ModelState, str]:
        """A state in which an object is there that ``operation`` is granted on, if that can be; and what names it."""
        state, identity = self._new()
        for name in self.way([state], operation, identity) or ():
            other = self._contract.operations[name]
            state = _followed(self._contract.model.outcomes(state, self.request(other, self.about(other, identity)))[0])
        return state, identity

    def _new(self) -> tuple[ModelState, str]:
        """A state in which one object was just made, and what names it."""
        model, life = self._contract.model, self._contract.lifecycle
        state = model.start(self._accounts, Interpretations(model.interpretations), PREFIX)
        create = self._contract.operations[life.create]
        names = {name: STOCK for name, role in self._contract.get_roles(create.id).items() if role == "new"}
        arguments = {**filled(self._bodies.baseline(create), {}), **names}
        made = model.outcomes(state, self.request(create, arguments))[0]
        shown = made.body.render() if made.body is not None else None
        return made.resolve_next_state(shown), life.extract_id(shown) or STOCK

    def refused(self, operation: Operation, arguments: Any) -> bool:
        """Whether a request with places is refused in every reading, once what it names is there."""
        state, identity = self.stocked(operation)
        request = self.request(operation, filled(arguments, {"stock": identity}))
        return all(outcome.status >= 400 for outcome in self._contract.model.outcomes(state, request))

    def granted(self, operation: Operation, arguments: Any) -> bool:
        """Whether a request with places is granted in every reading, once what it names is there; or in conflict at most."""
        state, identity = self.stocked(operation)
        request = self.request(operation, filled(arguments, {"stock": identity}))
        outcomes = self._contract.model.outcomes(state, request)
        return all(outcome.status < 300 or outcome.status == 409 for outcome in outcomes)


def _followed(outcome: Outcome) -> ModelState:
    return outcome.resolve_next_state(outcome.body.render() if outcome.body is not None else None)
