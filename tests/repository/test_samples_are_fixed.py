"""`make test` runs fixed samples, `make test-all` runs everything."""

import pytest

from tests.support.sampling import FULL, sample, sample_evenly

pytest_plugins = ["pytester"]
CONFTEST = "from tests.conftest import pytest_addoption, pytest_collection_modifyitems\n"
MODULE = """
import pytest
from tests.support.sampling import full, sample

@pytest.mark.parametrize("value", sample("abc", "b"))
def test_value(value): pass

@full
def test_long(): pass
"""


@pytest.mark.parametrize(("arguments", "passed", "deselected"), [((), 1, 3), (("--all",), 4, 0)])
def test_only_all_runs_what_is_marked_as_full(
    pytester: pytest.Pytester, arguments: tuple[str, ...], passed: int, deselected: int
) -> None:
    """Without `--all` a sample runs, with it everything."""
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nmarkers = full: sampled\n")
    pytester.makepyfile(MODULE)
    pytester.runpytest_inprocess("-p", "no:cacheprovider", *arguments).assert_outcomes(
        passed=passed, deselected=deselected
    )


def test_a_sample_names_values_that_exist() -> None:
    """A misspelled choice is an error, not an empty sample."""
    with pytest.raises(ValueError, match="must be among"):
        sample("abc", "d")


def test_an_even_sample_holds_first_and_last() -> None:
    """An even sample has the asked size, and its ends."""
    values = sample_evenly(range(10), 3)
    chosen = [value for value in values if isinstance(value, int)]
    assert chosen == [0, 4, 9]
    assert all(FULL in {mark.name for mark in value.marks} for value in values if not isinstance(value, int))
