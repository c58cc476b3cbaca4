"""Pytest module of `make mutants`: runs the faithful vendor, then each selected mutant."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from contract_watch.contracts.registry import choose_contracts
from contract_watch.engine.running.parallel import read_work
from contract_watch.mutants.derivation import select_mutants
from contract_watch.mutants.fixtures import MutantRunnerFactory, mutant_runner_fixture
from contract_watch.mutants.mutant import Mutant, Mutation

BASELINE = Mutant("baseline", "", "", "The faithful vendor.", Mutation)

__all__ = ["mutant_runner_fixture"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize the test by the selected mutants."""
    settings = read_work(metafunc.config)
    pairs = [
        (contract.slug, mutant)
        for contract in (choose_contracts(slug)[0] for slug in settings["vendors"])
        for mutant in (
            BASELINE,
            *select_mutants(contract, settings["only"], tuple(settings["shard"]), settings["sample"]),
        )
    ]
    metafunc.parametrize(("slug", "mutant"), pairs, ids=[f"{slug}:{mutant.id}" for slug, mutant in pairs])


def test_mutant(slug: str, mutant: Mutant, mutant_runner_of: MutantRunnerFactory, tell: Callable[[Any], None]) -> None:
    """Run one mutant and pass on its result."""
    tell({"contract": slug, **asdict(mutant_runner_of(slug).run_mutant(mutant))})
