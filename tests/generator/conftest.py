"""Fixtures of the tests of generated clients."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _forget_sample() -> Iterator[None]:
    """Let each test import a sample client of its own."""
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "sample_client"]:
        del sys.modules[name]
