"""Refused requests about known objects: whatever they asked for must not show in a later response.

A refusal changes nothing. The suite remembers what was refused until a response shows the object, so that it can hold the
right request responsible for a value that nobody was allowed to store.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from contract_watch.contracts.matchers import Constant, Matcher, OtherCause
from contract_watch.contracts.openapi import join_arguments
from contract_watch.contracts.schema import Schema

if TYPE_CHECKING:
    from contract_watch.contracts.openapi import Operation
    from contract_watch.contracts.request import Request
    from contract_watch.contracts.resource.rows import ValueMatcher
    from contract_watch.contracts.resource.spec import ResourceSpec
    from contract_watch.contracts.resource.state import Item, ResourceState
    from contract_watch.contracts.resource.storing import ValueStore

_MAX_REFUSALS = 100
"""Refused requests that a state remembers."""
_MAX_TIMES = 6
"""Requests that one value is traced back to."""


@dataclass(frozen=True)
class RefusedChange:
    """A refused request about the object ``name`` of ``account``, sent at the time ``at``.

    ``values`` are what it would set: the arguments that their schemas accept, and the defaults of a full update.
    ``wrong`` are the other arguments. Both are properties that responses show.
    """

    account: str
    name: str
    operation: str
    values: Mapping[str, Any]
    wrong: Mapping[str, Any]
    at: float


class RefusalRecorder:
    """A recorder of the refused requests of one resource."""

    def __init__(self, spec: ResourceSpec, store: ValueStore) -> None:
        self._spec, self._store = spec, store
        self._schemas: dict[tuple[str, str], Schema] = {}

    def record(self, state: ResourceState, request: Request, operation: Operation) -> ResourceState:
        """Return ``state`` with a refused request about an object that is known; the mock's state stays as it is."""
        layout = self._spec.layout
        if state.is_complete or self._spec.contract.is_read_only(operation.id):
            return state
        arguments = join_arguments(request.parameters, request.body)
        naming = layout.name_argument if operation.id == layout.create else layout.get_naming(operation.id)
        name = arguments.get(naming) if naming else None
        known = state.find_namesakes(name) if isinstance(name, str) else []
        if not known:
            return state
        settable = layout.get_settable(operation.id)
        sent = {one: arguments[one] for one in settable if one in arguments}
        valid = {one: value for one, value in sent.items() if self._accepts(operation, one, value)}
        wrong = {one: value for one, value in sent.items() if one not in valid}
        if operation.id in self._spec.table.full:  # it resets what it does not name
            valid |= {one: self._store.get_default(one) for one in settable if one not in sent}
        found = [
            RefusedChange(item.account, item.name or "", operation.id, valid, wrong, request.timestamp)
            for item in known
        ]
        return state.evolve(refusals=(*state.refusals, *found)[-_MAX_REFUSALS:])

    def _accepts(self, operation: Operation, name: str, value: Any) -> bool:
        key = (operation.id, name)
        if key not in self._schemas:
            self._schemas[key] = Schema(self._spec.layout.document, operation.get_arguments()[name])
        return self._schemas[key].accepts(value)


def get_refusal_clause(operation: str) -> str:
    """Return the clause that a rejected request to ``operation`` changes nothing."""
    return f"{operation}/effect/refused"


def find_causes(
    state: ResourceState, item: Item, argument: str, schema: Mapping[str, Any], match_value: ValueMatcher
) -> Iterator[OtherCause]:
    """Yield each operation that was refused a value of ``argument``, with the values that its requests asked for."""
    by_operation: dict[str, list[RefusedChange]] = {}
    for one in state.refusals:
        is_about = one.account == item.account and one.name == item.name
        if is_about and (argument in one.values or argument in one.wrong):
            by_operation.setdefault(one.operation, []).append(one)
    for operation, refusals in by_operation.items():
        values: list[tuple[float, Matcher]] = []
        for one in refusals[-_MAX_TIMES:]:
            if argument in one.values:
                matcher: Matcher | None = match_value(state, argument, one.values[argument], schema)
            else:
                matcher = Constant(one.wrong[argument])
            if matcher is not None:
                values.append((one.at, matcher))
        yield OtherCause(get_refusal_clause(operation), tuple(values))


def forget_overwritten(state: ResourceState, item: Item, names: Collection[str]) -> ResourceState:
    """Return ``state`` after a change of ``item`` that set ``names``: what was refused of these before shows no longer."""
    about = (item.account, item.name)
    if not names or not any((one.account, one.name) == about for one in state.refusals):
        return state
    refusals = [one if (one.account, one.name) != about else _leave_out(one, names) for one in state.refusals]
    return state.evolve(refusals=tuple(refusals))


def _leave_out(refusal: RefusedChange, names: Collection[str]) -> RefusedChange:
    values, wrong = (
        {name: value for name, value in one.items() if name not in names} for one in (refusal.values, refusal.wrong)
    )
    return replace(refusal, values=values, wrong=wrong)


def find_refused_removal(state: ResourceState, item: Item, operation: str) -> str | None:
    """Return the clause to suspect if ``item`` is not listed after a request to ``operation``, its removal, was refused."""
    about = [
        one for one in state.refusals if (one.account, one.name, one.operation) == (item.account, item.name, operation)
    ]
    return get_refusal_clause(operation) if about else None
