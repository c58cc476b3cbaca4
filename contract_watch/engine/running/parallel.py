"""Long work in parallel processes with pytest-xdist: a module of tests in, a result of each out.

The tests are parametrised work, not promises. Each reads its work with `read_work` and reports its result with the
fixture `tell`. Controller and workers load this module as a plugin.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from contract_watch.cli.signals import Interruption, catch_signals
from contract_watch.contracts.redaction import Redactor
from contract_watch.engine.running.progress import Progress
from contract_watch.errors import InconclusiveError, UsageError
from contract_watch.escaping import escape_text

_RESULT = "result"
_PROBLEM = "problem"
"""The properties of a test's report that hold its result, and the line that says why there is none."""
_OWN_ERRORS = (UsageError, InconclusiveError)
_PLUGIN_NAME = "contract_watch.engine.running.parallel"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that carries the work as JSON."""
    parser.addoption("--work", default="{}")


def read_work(config: pytest.Config) -> dict[str, Any]:
    """Read the work that the controller gave."""
    found: dict[str, Any] = json.loads(config.getoption("--work"))
    return found


@pytest.fixture(name="tell")
def _report_result(record_property: Callable[[str, object], None]) -> Callable[[Any], None]:
    """Return a function that reports a test's result, any JSON value."""
    return lambda result: record_property(_RESULT, json.dumps(result))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    """In a worker, keep only the type of an error, unless it is ours: its message may quote a request."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.failed and call.excinfo is not None:
        error = call.excinfo.value
        words = (
            f"{Redactor.describe_error(error)}: {error}"
            if isinstance(error, _OWN_ERRORS)
            else Redactor.describe_error(error)
        )
        report.user_properties.append((_PROBLEM, words))
        report.longrepr = f"{item.name}: {words}"


def build_arguments(module: Path, work: Mapping[str, Any]) -> list[str]:
    """Return pytest's arguments for the tests of ``module`` on ``work``, without output, caches and configuration."""
    # tmpdir would remove the leftovers of other pytest runs, however long that takes.
    quiet = ["-p", "no:terminal", "-p", "no:tmpdir", "-p", "no:cacheprovider", "-p", "no:logging", "-p", "no:warnings"]
    quiet += ["--disable-plugin-autoload", "--assert=plain", "-c", os.devnull, "--rootdir", str(module.parent)]
    return [str(module), *quiet, "--noconftest", "-p", _PLUGIN_NAME, "--work", json.dumps(work)]


def read_result(report: pytest.TestReport) -> Any:
    """Read the result of a test that passed from its report."""
    return json.loads(str(dict(report.user_properties)[_RESULT]))


def format_problem(report: pytest.TestReport) -> str:
    """Return one line about a test that failed: its name and the reason."""
    words = str(dict(report.user_properties).get(_PROBLEM, "its process ended"))
    return f"{report.nodeid.rsplit('::', 1)[-1]}: {words[:200]}"


@dataclass
class ParallelResult:
    """The results of the tests that ended well, and a line for each that did not."""

    results: list[Any] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    interrupted: bool = False

    @property
    def failure_reason(self) -> str:
        """Return one line that explains why some work was not done; empty if all was."""
        if self.interrupted:
            return "interrupted"
        return (
            escape_text(f"{len(self.problems)} runs came to no end, the first: {self.problems[0]}")
            if self.problems
            else ""
        )


class _ResultCollector:
    """The controller's collector of results."""

    def __init__(self, on_result: Callable[[Any], None], *, is_disposable: bool) -> None:
        self.result = ParallelResult()
        self.interruption: Interruption | None = None
        self._on_result, self._is_disposable = on_result, is_disposable
        self._workers: list[int] = []
        self._progress = Progress(sys.stderr)

    def pytest_configure_node(self, node: Any) -> None:
        """Ask a new worker for the number of its process, before it is given any work."""
        channel = node.gateway.remote_exec("import os\nchannel.send(os.getpid())")
        self._workers.append(channel.receive())
        channel.waitclose()

    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Note the amount of work, which is the same for every worker."""
        self._progress.total = len(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the result of one test, or its failure; raise an interruption that got lost."""
        if self.interruption is not None:
            self.interruption.raise_if_requested()
        if report.failed:
            self.result.problems.append(format_problem(report))
        elif report.when == "call" and report.passed:
            self._progress.show_check(report.nodeid.rsplit("::", 1)[-1])
            result = read_result(report)
            self.result.results.append(result)
            self._on_result(result)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Collect a failure to read the work."""
        if report.failed:
            self.result.problems.append(f"{report.nodeid}: cannot be collected")

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """Collect a failure of pytest itself; return True to suppress its traceback."""
        self.result.problems.append(f"internal error: {Redactor.describe_error(excinfo.value)}")
        return True

    def pytest_keyboard_interrupt(self) -> None:
        """Note that the run was interrupted, and kill workers that have nothing to clean up.

        xdist asks them to end, which takes seconds: each first finishes its test.
        """
        self.result.interrupted = True
        for pid in self._workers if self._is_disposable else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def pytest_sessionfinish(self) -> None:
        """Note that all is done."""
        self._progress.clear()


def run_parallel(
    module: Path,
    work: Mapping[str, Any],
    workers: int,
    on_result: Callable[[Any], None] = lambda _result: None,
    *,
    is_disposable: bool = False,
) -> ParallelResult:
    """Run the tests of ``module`` on ``work`` in ``workers`` processes; ``on_result`` receives each result.

    Work that is ``is_disposable`` changes nothing outside its process, which an interruption kills.
    """
    gatherer = _ResultCollector(on_result, is_disposable=is_disposable)
    many = ["-p", "xdist.plugin", "-n", str(workers), "--dist", "worksteal"]
    is_main = threading.current_thread() is threading.main_thread()
    status: int = pytest.ExitCode.INTERRUPTED
    with suppress(KeyboardInterrupt), catch_signals(raises_at_once=True) if is_main else nullcontext() as interruption:
        gatherer.interruption = interruption
        status = pytest.main([*build_arguments(module, work), *many], [gatherer])
    if status == pytest.ExitCode.INTERRUPTED or (interruption is not None and interruption.is_requested):
        gatherer.result.interrupted = True
    elif status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not gatherer.result.problems:
        gatherer.result.problems.append(f"pytest ended with status {int(status)}")
    return gatherer.result


def count_cores() -> int:
    """Count the processes that this machine runs in parallel."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
