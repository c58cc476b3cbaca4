"""The mutants of the contracts in this repository, derived once in a test process."""

import functools

from contract_watch.contracts.registry import Contract
from contract_watch.mutants.derivation import MutantConfig, derive_mutants
from contract_watch.mutants.mutant import Mutant


@functools.cache
def list_mutants(slug: str) -> tuple[Mutant, ...]:
    """List every mutant of the vendor, in a stable order."""
    return tuple(derive_mutants(Contract(slug)))


@functools.cache
def list_equivalent_mutants(slug: str) -> list[Mutant]:
    """List the mutants that the vendor's ``mutants.toml`` declares equivalent."""
    config = MutantConfig(Contract(slug))
    return [mutant for mutant in list_mutants(slug) if config.find_reason(mutant)]
