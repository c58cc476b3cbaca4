"""A creation date or an owner that moves, and a last change that does not, are blamed on the operation that did it."""

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mutants.mutant_runner import start_mutant_runner
from tests.support.mutant_lists import list_mutants

VENDORS = {"jetemail": 2, "zitadel": 12}
"""The number of mutants of each vendor: for each operation that changes an object, each property of its kind."""


@pytest.mark.parametrize("slug", VENDORS)
def test_operation_that_moved_it_is_blamed(slug: str) -> None:
    """Each mutant is found, and the finding names its operation and its property."""
    mutants = [one for one in list_mutants(slug) if "/moved/" in one.id or "/unmoved/" in one.id]
    assert len(mutants) == VENDORS[slug]
    with start_mutant_runner(Contract(slug)) as runner:
        results = {mutant.id: runner.run_mutant(mutant) for mutant in mutants}
    assert [name for name, one in results.items() if not one.names_operation] == []
    assert [name for name, one in results.items() if not one.names_property] == []
