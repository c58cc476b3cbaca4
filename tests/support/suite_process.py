"""The command ``python -m contract_tests`` in a process of its own, with its output and reports.

Processes are forked from one that has already imported the suite, which saves two seconds each; a forked process
behaves like a new one and takes signals like one.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from contract_watch.contracts.registry import load_contracts
from tests.support.patience import PATIENCE
from tests.support.reports import read_report, read_run

PAID_KEY, FREE_KEY = "api_test_paid_0123456789abcdef", "api_test_free_0123456789abcdef"

_FORKSERVER = multiprocessing.get_context("forkserver")
_FORKSERVER.set_forkserver_preload(
    # The second line lists the modules that a run imports late.
    ["contract_watch.commands.check_target", "contract_watch.engine.exploring.exploration",
     "anyio.pytest_plugin", "schemathesis.pytest.plugin", "httpcore", "h11", "attrs", "uvloop", "_pytest.unittest"]
)  # fmt: skip
_CREDENTIAL_VARIABLES = tuple(
    credential.variable for contract in load_contracts().values() for credential in contract.credentials
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass(frozen=True, repr=False)
class SuiteResult:
    """Result of a run: exit status, output, and directory of reports."""

    status: int
    out: str
    err: str
    directory: Path

    @cached_property
    def report(self) -> dict[str, Any]:
        """Parse the one run in ``findings.json``."""
        return read_run(self.directory)

    @cached_property
    def full_report(self) -> dict[str, Any]:
        """Parse ``findings.json``."""
        return read_report(self.directory)

    @cached_property
    def findings(self) -> dict[str, dict[str, Any]]:
        """Return the findings by id."""
        return {finding["id"]: finding for finding in self.report["findings"]}

    @property
    def markdown(self) -> str:
        """Read ``report.md``."""
        return (self.directory / "report.md").read_text(encoding="utf-8")

    @property
    def junit(self) -> ET.Element:
        """Parse ``junit.xml``."""
        return ET.fromstring((self.directory / "junit.xml").read_text(encoding="utf-8"))  # noqa: S314 (our own file)

    @property
    def all_output(self) -> str:
        """Return everything that the run wrote."""
        files = (
            path.read_bytes().decode("utf-8", "replace") for path in sorted(self.directory.rglob("*")) if path.is_file()
        )
        return "\n".join([self.out, self.err, *files])

    def __repr__(self) -> str:
        """Describe the result in a failed assertion."""
        return f"status {self.status}\n{self.out[-3000:]}\n{self.err[-1500:]}"


class SuiteProcess:
    """A run in progress."""

    def __init__(
        self,
        directory: Path,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        read_timeout: float | None,
        *,
        skip_waits: bool = False,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.folder = directory / "reports"
        self._said = directory / "stdout", directory / "stderr"
        options = (*arguments, "--out", str(self.folder)) if "--out" not in arguments else arguments
        self._process = _FORKSERVER.Process(
            target=_run_in_child, args=(options, dict(environment), *map(str, self._said), read_timeout, skip_waits)
        )
        self._process.start()

    @property
    def is_alive(self) -> bool:
        """Return True if it still runs."""
        return self._process.is_alive()

    def send_signal(self, number: int) -> None:
        """Send the process a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def wait_for_exit(self, patience: float = PATIENCE) -> SuiteResult:
        """Wait for the end; after ``patience`` seconds kill the process and fail the test."""
        self._process.join(patience)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
            pytest.fail(f"still running after {patience} seconds:\n{self._said[1].read_text(encoding='utf-8')}")
        status = self._process.exitcode
        self._process.close()
        status_file = self._said[0].with_name("status")
        if status > 0 and status_file.exists():  # where two threads wait at once, multiprocessing may say 255 to one
            status = int(status_file.read_text())
        out, err = (path.read_text(encoding="utf-8") for path in self._said)
        return SuiteResult(status, out, err, self.folder)


def start_suite(
    directory: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    read_timeout: float | None = None,
    skip_waits: bool = False,
) -> SuiteProcess:
    """Start ``python -m contract_tests`` with ``arguments`` in ``directory``.

    ``environment`` is added to the usual one; ``read_timeout`` replaces the suite's own, in seconds; a ``hurried`` run
    does not wait for the rate limiter.
    """
    return SuiteProcess(directory, arguments, environment or {}, read_timeout, skip_waits=skip_waits)


def start_check(directory: Path, target: str, *arguments: str, **more: Any) -> SuiteProcess:
    """Start a check of ``target`` by JetEmail's contract, without exploring unless ``arguments`` include it.

    Waits for the target take no time.
    """
    more.setdefault("skip_waits", True)
    explore = () if "--explore" in arguments else ("--explore", "0")
    return start_suite(directory, "--vendor", "jetemail", "--target", target, *explore, *arguments, **more)


def check_target(directory: Path, target: str, *arguments: str, **more: Any) -> SuiteResult:
    """Check ``target`` and wait for the end."""
    return start_check(directory, target, *arguments, **more).wait_for_exit()


def assert_inconclusive(result: SuiteResult) -> None:
    """Assert that the run is inconclusive, with a reason of one line and no finding."""
    report = result.report
    assert (report["verdict"], result.status, report["findings"]) == ("inconclusive", 2, []), result
    assert report["reason"].strip()
    assert "\n" not in report["reason"]
    assert "Traceback" not in result.out + result.err


@contextmanager
def run_two_at_a_time(
    request: pytest.FixtureRequest, name: str, work: Callable[[str], Any]
) -> Iterator[Callable[[str], Any]]:
    """Run ``work`` for each value of the parameter ``name`` that a test of the fixture was collected with, two at a time.

    Yield a function from such a value to its result.
    """
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    users = [item for item in items if item.module is request.module and request.fixturename in item.fixturenames]
    callspecs = [item.callspec for item in users if hasattr(item, "callspec")]
    wanted = dict.fromkeys(str(spec.params[name]) for spec in callspecs if name in spec.params)
    with ThreadPoolExecutor(2) as pool:
        futures: dict[str, Future[Any]] = {value: pool.submit(work, value) for value in wanted}
        yield lambda value: (futures.get(value) or futures.setdefault(value, pool.submit(work, value))).result()
        for future in futures.values():
            future.cancel()


def _run_in_child(
    arguments: tuple[str, ...],
    environment: dict[str, str],
    out: str,
    err: str,
    read_timeout: float | None,
    skip_waits: bool,
) -> None:
    """Run the command in the forked process, with a clean environment and output into files."""
    from contract_watch.commands.check_target import main  # noqa: PLC0415 (loaded before the fork)
    from contract_watch.engine.account.clock import FastClock  # noqa: PLC0415 (as above)
    from contract_watch.engine.command import live_run  # noqa: PLC0415 (as above)
    from contract_watch.engine.protocols.wire import Wire  # noqa: PLC0415 (as above)

    if skip_waits:
        setattr(live_run, "SystemClock", FastClock)  # noqa: B010 (a name that the module only imports)
    if read_timeout is not None:
        Wire.__init__.__defaults__ = (None, read_timeout)
    for name in list(os.environ):
        if name.startswith(_CREDENTIAL_VARIABLES) or name.lower() in _PROXIES:
            del os.environ[name]
    os.environ.update(environment)
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(file, number)
        os.close(file)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    status = main(list(arguments))
    Path(out).with_name("status").write_text(str(status))
    sys.exit(status)
