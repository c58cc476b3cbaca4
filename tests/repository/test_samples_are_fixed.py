"""`make test` runs fixed samples, `make test-all` runs everything."""

import ast
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.sampling import ROOT, SAMPLE_ERROR, Sample, effort, leave_out, read_samples

SAMPLES = read_samples()
TEST = "tests/test_x.py::test_a"


@dataclass(frozen=True)
class Callspec:
    """As much of a pytest callspec as a sample looks at."""

    params: dict[str, Any]


@dataclass(frozen=True)
class NamedItem:
    """As much of a pytest item as a sample looks at."""

    nodeid: str
    callspec: Callspec = field(default_factory=lambda: Callspec({}))

    @property
    def name(self) -> str:
        """The part after the module."""
        return self.nodeid.split("::")[1]


def _make_items(*names: str) -> list[pytest.Item]:
    return [NamedItem(f"tests/test_x.py::{name}") for name in names]  # type: ignore[misc] # all that is looked at


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.test)
def test_a_sample_names_a_test_that_exists(sample: Sample) -> None:
    """A renamed test must not drop out of its sample unseen."""
    path, _, name = sample.test.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    wanted, names = sample.parameter or name, {function.name for function in functions}
    if sample.parameter:
        names = {argument.arg for function in functions for argument in function.args.args}
    assert wanted in names
    assert re.search(r"\w+ \w+", sample.why)


def test_a_test_is_in_one_sample() -> None:
    """Two samples of a test leave out what either leaves out: of different parameter sets nothing would run."""
    named = Counter((sample.test, sample.parameter) for sample in SAMPLES)
    assert [test for test, count in named.items() if count > 1] == []


def test_every_sample_fits_what_was_collected(request: pytest.FixtureRequest) -> None:
    """Without workers a wrong id ends the session at once; a worker cannot, so this test fails there."""
    assert request.config.stash.get(SAMPLE_ERROR, "") == ""


def test_a_sample_is_spread_evenly_and_the_same_every_time() -> None:
    """The sample holds the first and the last parameter set; other tests stay whole."""
    items = _make_items(*(f"test_a[{number}]" for number in range(10)), "test_b")
    left_out = leave_out(items, [Sample(TEST, "it is slow", 3)])
    assert [item.name for item in items] == ["test_a[0]", "test_a[4]", "test_a[9]", "test_b"]
    assert len(left_out) == 7


@pytest.mark.parametrize(
    ("count", "only", "names"), [(0, "", []), (5, "zit", ["test_a[zit]"]), (1, "", ["test_a[jet]"])]
)
def test_a_sample_is_as_large_as_it_says(count: int, only: str, names: list[str]) -> None:
    """A count of 0 leaves everything to `make test-all`; ``only`` narrows."""
    items = _make_items("test_a[jet]", "test_a[smtp]", "test_a[zit]")
    leave_out(items, [Sample(TEST, "it is slow", count, only)])
    assert [item.name for item in items] == names


def test_a_sample_may_name_its_ids() -> None:
    """Ids name whole parameter sets, also with brackets and line ends in them."""
    items = _make_items("test_a[a[0]\n-x]", "test_a[a]", "test_a[b]")
    leave_out(items, [Sample(TEST, "it is slow", ids=["a[0]\n-x", "b"])])
    assert [item.name for item in items] == ["test_a[a[0]\n-x]", "test_a[b]"]


def test_an_id_may_be_a_beginning() -> None:
    """The beginning ends at a dash, so that a longer name is another one."""
    items = _make_items("test_a[deep-2.0]", "test_a[deep-3.0]", "test_a[deeper-2.0]")
    leave_out(items, [Sample(TEST, "it is slow", ids=["deep"])])
    assert [item.name for item in items] == ["test_a[deep-2.0]", "test_a[deep-3.0]"]


@pytest.mark.parametrize(
    "sample", [Sample(TEST, "it is slow", 3, "mail"), Sample(TEST, "it is slow", ids=["jet", "z"])]
)
def test_a_sample_that_fits_nothing_is_an_error(sample: Sample) -> None:
    """A sample by a wrong id would run nothing, and nobody would see it."""
    with pytest.raises(pytest.UsageError, match=r"test_a: no parameter set fits '(mail|z)'"):
        leave_out(_make_items("test_a[jet]", "test_a[smtp]"), [sample])
    leave_out(_make_items("test_b"), [sample])  # the test was not collected: nothing to check


def test_a_parameter_is_sampled_for_all_tests_of_a_module() -> None:
    """Tests that share a run share the choice; tests without the parameter stay."""
    items: list[Any] = [
        NamedItem(f"tests/test_x.py::{test}[{key}]", Callspec({"drift": key})) for test in ("a", "b") for key in "xyz"
    ]
    items.append(NamedItem("tests/test_x.py::c"))
    leave_out(items, [Sample("tests/test_x.py", "it is slow", ids=["y"], parameter="drift")])
    assert [item.name for item in items] == ["a[y]", "b[y]", "c"]


def test_effort_follows_the_option(request: pytest.FixtureRequest) -> None:
    """`make test` does the usual effort, `make test-all` the thorough one."""
    assert effort(1, 2) == (2 if request.config.getoption("--all") else 1)
