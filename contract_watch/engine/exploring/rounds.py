"""The work of `make explore`: turns, each a few seconds of searching, until the time is over."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from contract_watch.cli import catch_signals
from contract_watch.contracts.registry import choose_contracts
from contract_watch.engine.exploring.example_database import open_shared_database
from contract_watch.engine.exploring.explorer import Explorer
from contract_watch.engine.protocols.targets import load_account_keys, load_given_values
from contract_watch.engine.running.parallel import read_work

ExplorerFactory = Callable[[str], Explorer]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """As many turns as the time has room for, vendor by turns."""
    todo = read_work(metafunc.config)
    slugs = todo["vendors"]
    metafunc.parametrize(("slug", "round_number"), [(slugs[turn % len(slugs)], turn) for turn in range(todo["turns"])])


@pytest.fixture(name="explorer_of", scope="session")
def _explorer_of(request: pytest.FixtureRequest) -> Iterator[ExplorerFactory]:
    """Provide the explorer of a vendor, created on first use."""
    todo = read_work(request.config)
    database = open_shared_database()
    with catch_signals() as told, ExitStack() as stack:
        made: dict[str, Explorer] = {}

        def give(slug: str) -> Explorer:
            if slug not in made:
                contract, target = choose_contracts(slug)[0], todo["target"]
                keys = load_account_keys(contract, target, os.environ)
                load_given_values(contract, target, os.environ)
                made[slug] = Explorer(contract, target, keys, database, told, repeats=todo["repeats"])
                stack.callback(made[slug].close)
            return made[slug]

        yield give


@pytest.fixture(name="deadline", scope="session")
def _deadline(request: pytest.FixtureRequest) -> float:
    """When this process's time is over; it begins with its first turn."""
    return time.time() + float(read_work(request.config)["seconds"])


def test_round(
    slug: str,
    round_number: int,
    deadline: float,
    request: pytest.FixtureRequest,
    explorer_of: ExplorerFactory,
    tell: Callable[[Any], None],
) -> None:
    """Report the findings of one round; one that begins when the time is over does nothing."""
    todo = read_work(request.config)
    now, (number, of) = time.time(), todo["shard"]
    if now >= deadline:
        tell(None)
        return
    seed = todo["seed"] + 1000 * (round_number * of + number)
    tell(explorer_of(slug).run_round(round_number * of + number, min(now + todo["turn"], deadline), seed))
