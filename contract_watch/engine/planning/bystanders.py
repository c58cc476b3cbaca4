"""Good values beside a wrong one: a vendor that stores them although it rejects the request does half its work.

A plan lists values for each argument. The run sends those that its object does not have, and that the vendor surely
grants without the wrong value: only then does a later read show what was stored.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from contract_watch.contracts.matchers import are_equal
from contract_watch.contracts.openapi import Operation, join_arguments, split_arguments
from contract_watch.contracts.outcomes import ModelState
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.spec import ResourceSpec
from contract_watch.contracts.schema import Schema, resolve_reference
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.flow_values import FlowValues
from contract_watch.engine.planning.probe import Probe, ProbeStep, fill_with_stand_ins
from contract_watch.engine.planning.simulation import Simulation

_SHARED = "{stock}"
_MAX_VALUES = 8
"""Values of one argument that are considered."""


class BystanderPlanner:
    """A planner of good values for the requests of one contract that are to be rejected."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._document = contract.effective.schemas
        spec = getattr(contract.model, "spec", None)
        self._spec = spec if isinstance(spec, ResourceSpec) else None
        self._known: dict[tuple[str, str], list[Any]] = {}

    @cached_property
    def _values(self) -> FlowValues:
        assert self._spec is not None
        return FlowValues(self._contract, self._spec, ArgumentBuilder(self._contract))

    def add(self, probes: Iterable[Probe]) -> Iterator[Probe]:
        """Yield ``probes``, with bystanders in each request that changes a shared object."""
        for number, probe in enumerate(probes):
            yield replace(probe, steps=tuple(self._add_to_step(step, number) for step in probe.steps))

    def _add_to_step(self, step: ProbeStep, number: int) -> ProbeStep:
        operation = self._contract.operations.get(step.operation or "")
        if self._spec is None or operation is None or not isinstance(step.body, dict):
            return step
        naming = self._spec.layout.get_naming(operation.id)
        if not naming or join_arguments(step.parameters, step.body).get(naming) != _SHARED:
            return step
        names = self._spec.layout.get_settable(operation.id)
        turn = number % len(names) if names else 0
        # Some exclude each other, so each has its turn to be the first.
        found = {name: self._list_values(operation, name, number) for name in (*names[turn:], *names[:turn])}
        return replace(step, bystanders={name: tuple(values) for name, values in found.items() if values})

    def _list_values(self, operation: Operation, name: str, number: int) -> list[Any]:
        """List valid values of an argument; the first ones are those of no other request, where the schema permits it."""
        key = (operation.id, name)
        if key not in self._known:
            self._known[key] = self._values.list_bystanders(operation, name)
        known, schema = self._known[key], resolve_reference(self._document, operation.get_arguments()[name])
        turn = number % len(known) if known else 0
        rotated = [*known[turn:], *known[:turn]] if "enum" in schema else known
        judge = Schema(self._document, schema)
        made = [value for one in known[:1] for value in _vary(one, number) if judge.accepts(value)]
        return [*made, *rotated][:_MAX_VALUES]


def _vary(value: Any, number: int) -> Iterator[Any]:
    """Yield values like ``value`` that no other number gives."""
    if isinstance(value, list):
        yield from ([one] for item in value[:1] for one in _vary(item, number))
    elif isinstance(value, str):
        if "{" not in value:
            yield from (f"{value} {number}", f"r{number}.{value}", f"r{number}{value}", f"{value}{number}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value + number + 1


def choose_bystanders(
    simulation: Simulation, states: Sequence[ModelState], step: ProbeStep, identity: str, key: str
) -> ProbeStep:
    """Return ``step`` with one value of each of its bystanders that the object ``identity`` does not have.

    The vendor surely grants them without the wrong values of the step, in each of ``states``, and rejects them with those.
    """
    contract = simulation.contract
    operation = contract.operations[step.operation or ""]
    arguments = join_arguments(step.parameters, step.body)
    baseline = ArgumentBuilder(contract).build_baseline(operation)
    wrong = {name: value for name, value in arguments.items() if name not in baseline or baseline[name] != value}
    good = {name: value for name, value in baseline.items() if name not in wrong}

    def is_granted(more: Mapping[str, Any]) -> bool:
        filled = fill_with_stand_ins({**good, **more}, {"stock": identity}, contract)
        return simulation.is_granted_in(states, operation, filled, key)

    stored = [_find_stored(contract, state, identity) for state in states]
    chosen: dict[str, Any] = {}
    for name, values in step.bystanders.items():
        if name in wrong:
            continue
        fresh = (one for one in values if not any(are_equal(values_of.get(name), one) for values_of in stored))
        found = next((one for one in fresh if is_granted({**chosen, name: one})), None)
        if found is not None:
            chosen[name] = found
    sent = {**good, **chosen, **wrong}  # the wrong value comes last: some vendors store one after another
    filled = fill_with_stand_ins(sent, {"stock": identity}, contract)
    if not chosen or not simulation.is_refused_in(states, operation, filled, key):
        return step
    parameters, body = split_arguments(sent)
    return replace(step, parameters=parameters, body=body)


def _find_stored(contract: Contract, state: ModelState, identity: str) -> Mapping[str, Any]:
    """Return the values that an object has in ``state``, as far as they are known and no secrets."""
    rows = contract.model.dump(state)
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and identity in row.values():
            return row
    return {}
