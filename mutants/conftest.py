"""Options and fixtures of the work that is spread over the cores: see `contract_tests.harness.spread`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from contracts.catalogue import choose
from mutants.trial import Court, court

OPTIONS = ("--vendor", "--only", "--shard", "--sample")


def pytest_addoption(parser: pytest.Parser) -> None:
    """What the command passes on to the workers."""
    group = parser.getgroup("mutants", "measuring the suite")
    for option in OPTIONS:
        group.addoption(option, default="")


@pytest.fixture(name="court_of", scope="session")
def _court_of() -> Iterator[Callable[[str], Court]]:
    """The court of a vendor, made when first asked for."""
    with ExitStack() as stack:
        made: dict[str, Court] = {}

        def give(slug: str) -> Court:
            if slug not in made:
                made[slug] = stack.enter_context(court(choose(slug)[0]))
            return made[slug]

        yield give
