"""`make test` runs fixed samples, `make test-all` runs everything."""

import ast
import re
from dataclasses import dataclass

import pytest

from tests.support.sampling import ROOT, Sample, leave_out, read_samples

SAMPLES = read_samples()


@dataclass(frozen=True)
class NamedItem:
    """As much of a pytest item as a sample looks at."""

    nodeid: str

    @property
    def name(self) -> str:
        """The part after the module."""
        return self.nodeid.split("::")[1]


def _make_items(*names: str) -> list[pytest.Item]:
    return [NamedItem(f"tests/test_x.py::{name}") for name in names]  # type: ignore[misc] # all that is looked at


@pytest.mark.parametrize("test", SAMPLES)
def test_a_sample_names_a_test_that_exists(test: str) -> None:
    """A renamed test must not drop out of its sample unseen."""
    path, name = test.split("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert re.search(r"\w+ \w+", SAMPLES[test].why)


def test_a_sample_is_spread_evenly_and_the_same_every_time() -> None:
    """The sample holds the first and the last parameter set; other tests stay whole."""
    items = _make_items(*(f"test_a[{number}]" for number in range(10)), "test_b")
    left_out = leave_out(items, {"tests/test_x.py::test_a": Sample("tests/test_x.py::test_a", 3, "it is slow")})
    assert [item.name for item in items] == ["test_a[0]", "test_a[4]", "test_a[9]", "test_b"]
    assert len(left_out) == 7


@pytest.mark.parametrize(
    ("count", "only", "names"), [(0, "", []), (5, "zit", ["test_a[zit]"]), (1, "", ["test_a[jet]"])]
)
def test_a_sample_is_as_large_as_it_says(count: int, only: str, names: list[str]) -> None:
    """A count of 0 leaves everything to `make test-all`; ``only`` narrows."""
    items = _make_items("test_a[jet]", "test_a[smtp]", "test_a[zit]")
    leave_out(items, {"tests/test_x.py::test_a": Sample("tests/test_x.py::test_a", count, "it is slow", only)})
    assert [item.name for item in items] == names
