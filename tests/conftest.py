"""Fixtures that all tests share: a contract, a copy of it to break, and a real mock; and the option `--all`."""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import settings

from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.patience import PATIENCE
from tests.support.remembered_clients import remember_clients
from tests.support.sampling import SAMPLE_ERROR, leave_out, read_samples, set_thorough
from tests.support.suite_process import PAID_KEY

# The same examples every time, and no clock: a red test is red for everybody.
settings.register_profile("tests", derandomize=True, deadline=None, database=None)
settings.load_profile("tests")

# A shell starts background jobs with SIGINT ignored, and every child inherits that. The tests send SIGINT to children.
if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Ledgers are written through to the disk, some hundred times a run: in memory that costs nothing.
_MEMORY = Path("/dev/shm")  # noqa: S108 (where there is one)
if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of `make test-all`."""
    parser.addoption(
        "--all",
        action="store_true",
        help="run everything, not only the fixed samples; -k and a test's own name switch the samples off too",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose how much each test does, before the test modules are imported."""
    set_thorough(config.getoption("--all"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the samples leave out, unless everything was asked for, or a test by its own name."""
    named = any("::" in argument for argument in config.invocation_params.args)
    if config.getoption("--all") or named or config.getoption("keyword"):
        return
    try:
        config.hook.pytest_deselected(items=leave_out(items, read_samples()))
    except pytest.UsageError as error:
        if not hasattr(config, "workerinput"):
            raise
        config.stash[SAMPLE_ERROR] = str(error)  # xdist would hide it: a test of the samples reports it


@pytest.fixture(name="jetemail", scope="session")
def _jetemail() -> Contract:
    return Contract("jetemail")


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    """Copy one contract into a root of its own, for tests that break it."""
    shutil.copytree(ROOT / "contracts" / "jetemail", tmp_path / "contracts" / "jetemail")
    shutil.copy(ROOT / "openapi.json", tmp_path / "openapi.json")
    return tmp_path


@pytest.fixture(name="mock_address", scope="session")
def _mock_address(jetemail: Contract) -> Iterator[str]:
    """Serve one mock for all tests and give its address; `mock` gives a client that finds it fresh."""
    with run_in_thread(build_mock([jetemail], {})) as mock_address:
        yield mock_address


@pytest.fixture(name="mock")
def _mock(mock_address: str, jetemail: Contract) -> Iterator[httpx.Client]:
    """Give a client of the mock with the paid account's key; earlier tests left no user, call, fault or interpretation."""
    headers = {"Authorization": f"Bearer {PAID_KEY}"}
    interpretations = {name: values[0] for name, values in jetemail.model.interpretations.items()}
    with httpx.Client(base_url=mock_address, headers=headers, timeout=PATIENCE) as client:
        client.put("/__mock/interpretations", json={jetemail.slug: interpretations}).raise_for_status()
        for control in ("state", "calls", "faults"):
            client.delete(f"/__mock/{control}").raise_for_status()
        yield client


@pytest.fixture(name="shared_directory", scope="session")
def _shared_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the temporary directory that all test processes of this session share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(name="remembered_clients", scope="module")
def _remembered_clients(shared_directory: Path) -> Iterator[None]:
    """Generate each client once for all test processes; for modules whose tests are not about the generator."""
    directory = shared_directory / "remembered-clients"
    directory.mkdir(exist_ok=True)
    with remember_clients(directory):
        yield
