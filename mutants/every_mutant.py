"""The work of `make mutants`: each mutant on trial, and the honest vendor first."""

import json
from collections.abc import Callable
from dataclasses import asdict

import pytest

from contract_tests.harness.options import shard
from contract_tests.harness.spread import RESULT
from contracts.catalogue import choose
from mutants.catalogue import chosen
from mutants.catalogue import sample as sampled
from mutants.mutant import Mutant, Play
from mutants.trial import Court

HONEST = Mutant("honest", "", "", "The vendor as it should be.", Play)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each mutant that was chosen."""
    option = metafunc.config.getoption
    pairs: list[tuple[str, Mutant]] = []
    for contract in choose(option("--vendor")):
        found = chosen(contract, option("--only"), shard(option("--shard")))
        found = sampled(found, int(option("--sample"))) if option("--sample") else found
        pairs += [(contract.slug, mutant) for mutant in (HONEST, *found)]
    metafunc.parametrize(("slug", "mutant"), pairs, ids=[f"{slug}:{mutant.id}" for slug, mutant in pairs])


def test_mutant(
    slug: str, mutant: Mutant, court_of: Callable[[str], Court], record_property: Callable[[str, object], None]
) -> None:
    """Record what became of one mutant."""
    record_property(RESULT, json.dumps({"contract": slug, **asdict(court_of(slug).try_(mutant))}))
