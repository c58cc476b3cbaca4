"""Mutants of query, header and cookie parameters: ignored, read under another name, with other bounds or defaults."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.variants import Variant
from contract_watch.mutants.mutant import Mutant
from contract_watch.mutants.mutated_vendor import MutatedVendor
from contract_watch.mutants.request_mutants import PropertyMutants, RewrittenRequest
from contract_watch.mutants.response_mutants import change_name_style


def derive_parameter_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive the mutants of every parameter outside the path that can be sent."""
    for operation in contract.operations.values():
        for key, spec in operation.specs.items():
            if not spec.problem:
                yield from ParameterMutants(contract, operation, key, spec.schema, required=spec.required).derive()


class ParameterMutants(PropertyMutants):
    """Derivation of the mutants of one parameter."""

    def derive(self) -> Iterator[Mutant]:
        """Derive every mutant of the parameter."""
        yield from self._derive_presence()
        if not self._required and any(True for _ in self._generate_variants(accepted=False)):
            yield self._create_rewritten("invalid-ignored", "an invalid value is ignored", self._drop_invalid)
        if not self._operation.has_text_type(self._name):
            yield self._create_loosened(
                "type-any", "any text is accepted", "type", lambda value: isinstance(value, str)
            )
        if not self._required:
            yield self._create_rewritten("ignored", "is ignored", self._drop)
        yield from self._derive_default()
        yield from self._derive_bounds(self._schema, "", lambda value: [value])
        yield from self._derive_values()
        yield from self._derive_item_bounds()

    def _generate_variants(self, *, accepted: bool) -> Iterator[Variant]:
        bodies = ArgumentBuilder(self._contract)
        return bodies.generate_variants(self._operation, self._name, dict(self._schema), accepted=accepted)

    def _create_rewritten(self, variant: str, description: str, change: Any) -> Mutant:
        return self._create_mutant(variant, description, partial(RewrittenRequest, self._operation.id, change))

    def _drop(self, _vendor: MutatedVendor, arguments: Any) -> Any:
        if not isinstance(arguments, dict) or self._name not in arguments:
            return arguments
        return {name: value for name, value in arguments.items() if name != self._name}

    def _drop_invalid(self, vendor: MutatedVendor, arguments: Any) -> Any:
        value = arguments.get(self._name) if isinstance(arguments, dict) else None
        is_valid = value is None or self._operation.specs[self._name].validator.accepts(value)
        return arguments if is_valid else self._drop(vendor, arguments)

    def _rename(self, name: str) -> str:
        location, _, bare = name.partition(":")
        return f"{location}:{change_name_style(bare)}"

    def _derive_default(self) -> Iterator[Mutant]:
        """Derive the mutant that acts on another value than the default where none is sent."""
        if "default" not in self._schema:
            return
        found = (one.value for one in self._generate_variants(accepted=True))
        other = next((value for value in found if value != self._schema["default"]), None)
        if other is None:
            return

        def add(_vendor: MutatedVendor, arguments: Any) -> Any:
            is_absent = isinstance(arguments, dict) and self._name not in arguments
            return {**arguments, self._name: other} if is_absent else arguments

        yield self._create_rewritten("default-other", f"the default is {other}", add)
