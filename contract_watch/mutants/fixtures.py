"""The fixture that the work of this room shares."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from contract_watch.contracts.registry import choose_contracts
from contract_watch.mutants.mutant_runner import Court, court

Courts = Callable[[str], Court]


@pytest.fixture(name="court_of", scope="session")
def fixture_courts() -> Iterator[Courts]:
    """Gives the court of a vendor, made when first asked for."""
    with ExitStack() as stack:
        made: dict[str, Court] = {}

        def give(slug: str) -> Court:
            if slug not in made:
                made[slug] = stack.enter_context(court(choose_contracts(slug)[0]))
            return made[slug]

        yield give
