"""The work of `make mutants`: each mutant on trial, and the honest vendor first."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from contract_watch.contracts.registry import choose_contracts
from contract_watch.engine.running.parallel import read_work
from contract_watch.mutants.derivation import select_mutants
from contract_watch.mutants.fixtures import MutantRunnerFactory, mutant_runner_fixture
from contract_watch.mutants.mutant import Mutant, Mutation

BASELINE = Mutant("baseline", "", "", "The vendor as it should be.", Mutation)

__all__ = ["mutant_runner_fixture"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each mutant that was chosen."""
    todo = read_work(metafunc.config)
    pairs = [
        (contract.slug, mutant)
        for contract in (choose_contracts(slug)[0] for slug in todo["vendors"])
        for mutant in (BASELINE, *select_mutants(contract, todo["only"], tuple(todo["shard"]), todo["sample"]))
    ]
    metafunc.parametrize(("slug", "mutant"), pairs, ids=[f"{slug}:{mutant.id}" for slug, mutant in pairs])


def test_mutant(slug: str, mutant: Mutant, mutant_runner_of: MutantRunnerFactory, tell: Callable[[Any], None]) -> None:
    """Tell what became of one mutant."""
    tell({"contract": slug, **asdict(mutant_runner_of(slug).run_mutant(mutant))})
