"""Fixed samples of tests that start whole runs: CI takes the sample, `make test-all` takes everything."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

FULL = "full"
"""Marks a test or a parameter set that only `--all` runs."""
full = pytest.mark.full


def sample(values: Iterable[Any], *chosen: Any) -> list[Any]:
    """Mark every value as full that is not ``chosen``; the sample is fixed, so a red test is red for everybody.

    Raise a ValueError if a chosen value is not among the values: it would silently run nothing.
    """
    listed = list(values)
    if unknown := [value for value in chosen if value not in listed]:
        raise ValueError(f"sample: {unknown!r} must be among {listed!r}")
    return [value if value in chosen else pytest.param(value, marks=full) for value in listed]


def sample_evenly(values: Sequence[Any], count: int) -> list[Any]:
    """Mark every value as full but ``count`` of them, spread evenly from the first to the last."""
    if count < 1 or count > len(values):
        raise ValueError(f"sample: the count must be 1 to {len(values)}, got {count}")
    step = (len(values) - 1) / max(count - 1, 1)
    kept = {round(number * step) for number in range(count)}
    return [value if index in kept else pytest.param(value, marks=full) for index, value in enumerate(values)]
