"""Fixture that the measuring modules share."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from contract_watch.contracts.registry import choose_contracts
from contract_watch.engine.running.parallel import read_work
from contract_watch.mutants.mutant_runner import MutantRunner, start_mutant_runner

MutantRunnerFactory = Callable[[str], MutantRunner]


@pytest.fixture(name="mutant_runner_of", scope="session")
def mutant_runner_fixture(pytestconfig: pytest.Config) -> Iterator[MutantRunnerFactory]:
    """Provide the mutant runner of a vendor, created on first use."""
    is_thorough = read_work(pytestconfig).get("thorough", False)
    with ExitStack() as stack:
        runners: dict[str, MutantRunner] = {}

        def get_runner(slug: str) -> MutantRunner:
            if slug not in runners:
                runners[slug] = stack.enter_context(
                    start_mutant_runner(choose_contracts(slug)[0], is_thorough=is_thorough)
                )
            return runners[slug]

        yield get_runner
