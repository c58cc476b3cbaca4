"""The fixture that the work of this room shares."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from contract_watch.contracts.registry import choose_contracts
from contract_watch.mutants.mutant_runner import MutantRunner, start_mutant_runner

MutantRunnerFactory = Callable[[str], MutantRunner]


@pytest.fixture(name="mutant_runner_of", scope="session")
def mutant_runner_fixture() -> Iterator[MutantRunnerFactory]:
    """Gives the court of a vendor, made when first asked for."""
    with ExitStack() as stack:
        made: dict[str, MutantRunner] = {}

        def give(slug: str) -> MutantRunner:
            if slug not in made:
                made[slug] = stack.enter_context(start_mutant_runner(choose_contracts(slug)[0]))
            return made[slug]

        yield give
