"""The values that derived flows send: telling ones, empty ones, and those that only one object has."""

from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.spec import ResourceSpec
from contract_watch.contracts.schema import Schema, find_kind, resolve_reference
from contract_watch.engine.planning import values
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.planning.variants import SchemaSet

_EMPTY_VALUES: dict[str, Any] = {"array": [], "boolean": False, "number": 0, "integer": 0, "string": ""}


class FlowValues:
    """A source of values for one contract's flows."""

    def __init__(self, contract: Contract, spec: ResourceSpec, arguments: ArgumentBuilder) -> None:
        self._contract, self._spec, self._arguments = contract, spec, arguments
        self._simulation = Simulation(contract)

    def choose(self, operation_id: str, *, varied: bool) -> dict[str, Any]:
        """Return a value for each property that a request can set, as many as the model grants together."""
        operation = self._contract.operations[operation_id]
        chosen: dict[str, Any] = {}
        for name in self._spec.layout.get_settable(operation_id):
            if self._arguments.get_role(operation, name) is not None:
                continue
            found = self.list_telling(operation, name)
            if found:
                chosen[name] = found[-1 if varied and len(found) > 1 else 0]
        return self._keep_granted(operation, chosen)

    def _keep_granted(self, operation: Operation, chosen: dict[str, Any]) -> dict[str, Any]:
        baseline = self._arguments.build_baseline(operation)
        granted: dict[str, Any] = {}
        for name, value in chosen.items():
            if self._simulation.is_granted(operation, {**baseline, **granted, name: value}):
                granted[name] = value
        return granted

    def swap_exclusive(self, operation: Operation, chosen: dict[str, Any]) -> dict[str, Any]:
        """Return a value that excludes one of ``chosen``, with that one emptied; nothing if no value excludes another."""
        baseline = self._arguments.build_baseline(operation)
        left = (one for one in self._spec.layout.get_settable(operation.id) if one not in chosen)
        for name in left:
            if self._arguments.get_role(operation, name) is not None:
                continue
            for value in self.list_telling(operation, name)[:1]:
                for other, kept in chosen.items():
                    if self._simulation.is_granted(operation, {**baseline, name: value, other: kept}):
                        continue
                    swapped = {**self.clear(operation, [other], with_null=False), name: value}
                    if other in swapped and self._simulation.is_granted(operation, {**baseline, **swapped}):
                        return swapped
        return {}

    def list_telling(self, operation: Operation, name: str) -> list[Any]:
        """Return valid values of an argument that differ from its default, the most telling first."""
        document = self._spec.layout.document
        schema = resolve_reference(document, operation.get_arguments()[name])
        known = [schema["example"]] if "example" in schema else []
        items = SchemaSet([Schema(document, schema.get("items", {}))]) if find_kind(schema) == "array" else None
        made = [one.value for one in values.generate_valid(schema, SchemaSet([Schema(document, schema)]), items)]
        default = self._contract.model.spec.table.defaults.get(name, schema.get("default"))  # type: ignore[attr-defined]
        telling = [value for value in (*known, *made) if value not in (default, None, "", 0, False, [])]
        return [value for index, value in enumerate(telling) if value not in telling[:index]]

    def list_bystanders(self, operation: Operation, name: str) -> list[Any]:
        """Return valid values of an argument with no role, the most telling first; both of a boolean."""
        if self._arguments.get_role(operation, name) is not None:
            return []
        schema = resolve_reference(self._spec.layout.document, operation.get_arguments()[name])
        if find_kind(schema) == "boolean":
            return [True, False]
        return ["{password}"] if schema.get("format") == "password" else self.list_telling(operation, name)

    def clear(self, operation: Operation, names: list[str], *, with_null: bool) -> dict[str, Any]:
        """Return null, or the empty value of its type, for each of ``names`` whose schema accepts it.

        A text with a format is never empty: the schema alone does not say so, and vendors do.
        """
        document, arguments = self._spec.layout.document, operation.get_arguments()
        cleared: dict[str, Any] = {}
        for name in names:
            schema = resolve_reference(document, arguments[name])
            value = None if with_null else _EMPTY_VALUES.get(str(find_kind(schema)))
            is_possible = with_null or (value is not None and "format" not in schema)
            if is_possible and Schema(document, schema).accepts(value):
                cleared[name] = value
        return self._keep_granted(operation, cleared)

    def change_unique(self, operation: Operation, placeholder: str) -> dict[str, Any]:
        """Return a value with the object ``placeholder`` for each argument that tells objects apart without naming them."""
        names = [name for name in operation.get_arguments() if self._arguments.get_role(operation, name) == "unique"]
        made = {name: self._arguments.build_sample(operation, name, operation.get_arguments()[name]) for name in names}
        return name_within(made, placeholder)


def name_within(arguments: dict[str, Any], placeholder: str) -> dict[str, Any]:
    """Return ``arguments`` with the object ``placeholder`` in values that have its name in them."""
    return {
        name: value.replace("{n}", placeholder) if isinstance(value, str) and value != "{n}" else value
        for name, value in arguments.items()
    }
