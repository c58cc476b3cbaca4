"""Fixed samples of tests that start whole runs: `make test` takes the sample, `make test-all` takes everything.

`tests/samples.toml` lists them. A sample is fixed, so a red test is red for everybody.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "tests" / "samples.toml"


@dataclass(frozen=True)
class Sample:
    """A test function of which only ``count`` parameter sets run, spread evenly; 0 leaves all to `make test-all`.

    ``only`` first narrows them to those whose id contains it.
    """

    test: str
    count: int
    why: str
    only: str = ""

    def choose(self, items: Sequence[pytest.Item]) -> list[pytest.Item]:
        """Choose the sample from ``items``, all parameter sets of the function, in their order."""
        fitting = [item for item in items if self.only in item.name]
        if self.count == 0 or not fitting:
            return []
        count = min(self.count, len(fitting))
        step = (len(fitting) - 1) / max(count - 1, 1)
        return [fitting[round(number * step)] for number in range(count)]


def read_samples(path: Path = FILE) -> dict[str, Sample]:
    """Read the samples by their test's node id, which has no parameters."""
    listed = tomllib.loads(path.read_text(encoding="utf-8"))["sample"]
    return {entry["test"]: Sample(**entry) for entry in listed}


def leave_out(items: list[pytest.Item], samples: dict[str, Sample]) -> list[pytest.Item]:
    """Remove the items that no sample has from ``items``, and return them."""
    by_test = defaultdict(list)
    for item in items:
        by_test[re.sub(r"\[.*", "", item.nodeid, flags=re.DOTALL)].append(item)
    chosen = {
        id(item)
        for test, group in by_test.items()
        for item in (samples[test].choose(group) if test in samples else group)
    }
    left_out = [item for item in items if id(item) not in chosen]
    items[:] = [item for item in items if id(item) in chosen]
    return left_out
