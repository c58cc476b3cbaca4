"""Fixed samples of tests that start whole runs: `make test` takes the sample, `make test-all` takes everything.

`tests/samples.toml` lists them. A sample is fixed, so a red test is red for everybody.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "tests" / "samples.toml"
SAMPLE_ERROR = pytest.StashKey[str]()
"""The error in the samples that a worker of xdist found, in its configuration's stash."""
_ID = re.compile(r"\[(.*)\]$", re.DOTALL)
_Number = TypeVar("_Number", int, float)


class _Mode:
    """The choice of the command line: ``--all`` sets it before the test modules are imported."""

    thorough = False


def set_thorough(thorough: bool) -> None:
    """Make `effort` return its second value from now on, or its first."""
    _Mode.thorough = thorough


def effort(usual: _Number, thorough: _Number) -> _Number:
    """Return how much a test does: ``usual`` in `make test`, ``thorough`` in `make test-all`."""
    return thorough if _Mode.thorough else usual


@dataclass(frozen=True)
class Sample:
    """The part of a test function's parameter sets that `make test` runs.

    ``ids`` names them, each whole or by its beginning up to a dash. Without it ``count`` of them run, spread evenly over those whose id contains ``only``; a count of 0
    leaves all to `make test-all`. With a ``parameter``, ``test`` is a module, and the values of that parameter are chosen:
    the tests of a module often share the run that its fixture makes for a value.
    """

    test: str
    why: str
    count: int = 0
    only: str = ""
    ids: Sequence[str] = ()
    parameter: str = ""

    def find_key(self, item: pytest.Item) -> str | None:
        """Return the id by which the sample chooses ``item``, or None if the item has no such parameter."""
        if not self.parameter:
            found = _ID.search(item.name)
            return found[1] if found else ""
        values: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
        return str(values[self.parameter]) if self.parameter in values else None

    def choose(self, keys: Sequence[str]) -> list[str]:
        """Choose from ``keys``, the ids that were collected, in their order.

        Raises:
            pytest.UsageError: an id of the sample was not collected, or ``only`` fits none. Such a sample would run nothing.
        """
        named = {name: [key for key in keys if key == name or key.startswith(f"{name}-")] for name in self.ids}
        missing = [name for name, found in named.items() if not found]
        fitting = [key for key in keys if self.only in key]
        if missing or not fitting:
            wanted = ", ".join(missing) if missing else self.only
            raise pytest.UsageError(f"{FILE}: {self.test}: no parameter set fits {wanted!r}; correct or remove it")
        if self.ids or self.count == 0:
            return [key for found in named.values() for key in found]
        count = min(self.count, len(fitting))
        step = (len(fitting) - 1) / max(count - 1, 1)
        return [fitting[round(number * step)] for number in range(count)]


def read_samples(path: Path = FILE) -> list[Sample]:
    """Read all samples, with those of which `make test` runs nothing."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    left_out = [Sample(test, entry["why"]) for entry in content["thorough"] for test in entry["tests"]]
    return [*(Sample(**entry) for entry in content["sample"]), *left_out]


def leave_out(items: list[pytest.Item], samples: Sequence[Sample]) -> list[pytest.Item]:
    """Remove the items that are in no sample from ``items``, and return them."""
    by_test = defaultdict(list)
    for item in items:
        by_test[re.sub(r"\[.*", "", item.nodeid, flags=re.DOTALL)].append(item)
        by_test[item.nodeid.split("::")[0]].append(item)
    left_out: set[int] = set()
    for sample in samples:
        keys = {id(item): key for item in by_test[sample.test] if (key := sample.find_key(item)) is not None}
        if keys:
            chosen = set(sample.choose(list(dict.fromkeys(keys.values()))))
            left_out |= {item for item, key in keys.items() if key not in chosen}
    removed = [item for item in items if id(item) in left_out]
    items[:] = [item for item in items if id(item) not in left_out]
    return removed
