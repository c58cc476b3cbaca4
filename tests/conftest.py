"""What the tests of our own rooms stand on: the contract, a copy of it to break, and a mock that really serves."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import settings

from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.model_driver import ModelDriver

# The same examples every time, and no clock: a red test is red for everybody.
settings.register_profile("tests", derandomize=True, deadline=None, database=None)
settings.load_profile("tests")

# Ledgers are written through to the disk, some hundred times a run: in memory that costs nothing.
_MEMORY = Path("/dev/shm")  # noqa: S108 (where there is one)
if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

PAID_KEY = "api_test_paid_0123456789abcdef"


@pytest.fixture(name="jetemail", scope="session")
def _jetemail() -> Contract:
    return Contract("jetemail")


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    """A root with a copy of the one contract, for tests that break it."""
    shutil.copytree(ROOT / "contracts" / "jetemail", tmp_path / "contracts" / "jetemail")
    shutil.copy(ROOT / "openapi.json", tmp_path / "openapi.json")
    return tmp_path


@pytest.fixture(name="mock_play")
def _mock_play(jetemail: Contract) -> ModelDriver:
    """The model as the mock asks it: everything is known, the first outcome is taken."""
    return ModelDriver.start(jetemail, fresh="")


@pytest.fixture(name="suite_play")
def _suite_play(jetemail: Contract) -> ModelDriver:
    """The model as the suite asks it: of names that do not begin with ``ct-`` nothing is known."""
    return ModelDriver.start(jetemail, fresh="ct-")


@pytest.fixture(name="address", scope="session")
def _address(jetemail: Contract) -> Iterator[str]:
    """Where one mock listens for all tests; ask for `mock`, which finds it as if just started."""
    with run_in_thread(build_mock([jetemail], {})) as address:
        yield address


@pytest.fixture(name="mock")
def _mock(address: str, jetemail: Contract) -> Iterator[httpx.Client]:
    """A client of the mock with the paid account's key; no user, call, fault or reading is left of earlier tests."""
    headers = {"Authorization": f"Bearer {PAID_KEY}"}
    readings = {name: values[0] for name, values in jetemail.model.interpretations.items()}
    with httpx.Client(base_url=address, headers=headers, timeout=10) as client:
        client.put("/__mock/interpretations", json={jetemail.slug: readings}).raise_for_status()
        for control in ("state", "calls", "faults"):
            client.delete(f"/__mock/{control}").raise_for_status()
        yield client
