"""The work of `make mutants`: each mutant on trial, and the honest vendor first."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from contract_watch.contracts.registry import choose_contracts
from contract_watch.engine.running.parallel import work
from contract_watch.mutants.derivation import chosen
from contract_watch.mutants.fixtures import Courts, fixture_courts
from contract_watch.mutants.mutant import Mutant, Play

HONEST = Mutant("honest", "", "", "The vendor as it should be.", Play)

__all__ = ["fixture_courts"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each mutant that was chosen."""
    todo = work(metafunc.config)
    pairs = [
        (contract.slug, mutant)
        for contract in (choose_contracts(slug)[0] for slug in todo["vendors"])
        for mutant in (HONEST, *chosen(contract, todo["only"], tuple(todo["shard"]), todo["sample"]))
    ]
    metafunc.parametrize(("slug", "mutant"), pairs, ids=[f"{slug}:{mutant.id}" for slug, mutant in pairs])


def test_mutant(slug: str, mutant: Mutant, court_of: Courts, tell: Callable[[Any], None]) -> None:
    """Tell what became of one mutant."""
    tell({"contract": slug, **asdict(court_of(slug).try_(mutant))})
