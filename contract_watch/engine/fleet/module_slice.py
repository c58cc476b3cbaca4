"""Some of the tests of a module of parametrised work, in this process: one part of a cluster's work."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.redaction import Redactor
from contract_watch.engine.running.parallel import build_arguments, format_problem, read_result
from contract_watch.errors import UsageError

_EXPECTED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


class _SliceCollector:
    """A plugin that leaves all but one slice of the tests out, and collects their results."""

    def __init__(self, number: int, of: int) -> None:
        self._number, self._of = number, of
        self.total = 0
        self.names: list[str] = []
        self.results: list[Any] = []
        self.problems: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the slice: neighbours stay together, since they share a vendor's server."""
        self.total = len(items)
        items[:] = items[self.total * self._number // self._of : self.total * (self._number + 1) // self._of]
        self.names = [item.name for item in items]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the result of one test, or its failure."""
        if report.failed:
            self.problems.append(format_problem(report))
        elif report.when == "call" and report.passed:
            self.results.append(read_result(report))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Collect a failure to read the work."""
        if report.failed:
            self.problems.append(f"{report.nodeid}: cannot be collected")

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """Collect a failure of pytest itself; return True to suppress its traceback."""
        self.problems.append(f"internal error: {Redactor.describe_error(excinfo.value)}")
        return True


def run_job(job: Mapping[str, Any]) -> dict[str, Any]:
    """Run the slice ``number`` of ``of`` of a module's tests; return all results, and the names of the tests.

    Raises:
        UsageError: this machine has no such module.
    """
    collector = _SliceCollector(job["number"], job["of"])
    status = pytest.main(build_arguments(_find_module(job["module"]), job["work"]), [collector])
    if status not in _EXPECTED and not collector.problems:
        collector.problems.append(f"pytest ended with status {int(status)}")
    return {"total": collector.total, "names": collector.names, "results": collector.results,
            "problems": collector.problems}  # fmt: skip


def _find_module(name: str) -> Path:
    """Return the file of one of our own modules."""
    found = importlib.util.find_spec(name) if name.startswith("contract_watch.") else None
    if found is None or found.origin is None:
        raise UsageError(f"there is no module {name!r}; give all machines the same checkout")
    return Path(found.origin)
