"""The pytest side of a run: the tests, their order and their results."""

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from contract_watch.cli import write_traceback
from contract_watch.contracts.redaction import Redactor
from contract_watch.engine.account.guard import BlockedRequestError
from contract_watch.engine.command.recheck import mark_pending, recheck_findings
from contract_watch.engine.command.recheck_round import run_recheck_round
from contract_watch.engine.command.run_overview import build_run_overview, list_skipped_vendors
from contract_watch.engine.command.suite import Suite, VendorRun
from contract_watch.engine.exploring.depth import list_modes
from contract_watch.engine.judging.findings import ContractBrokenError
from contract_watch.engine.planning.probe import FAMILIES
from contract_watch.engine.running.progress import Progress
from contract_watch.escaping import escape_lines, escape_text
from contract_watch.history.remember import remember_runs
from contract_watch.report.finding import Finding
from contract_watch.report.record import Record
from contract_watch.report.report_files import write_reports
from contract_watch.report.terminal import format_terminal

TestFunction = TypeVar("TestFunction", bound=Callable[..., None])
STAGES = ("probes", "client", "explore")


def assert_no_findings(findings: list[Finding]) -> None:
    """Fail with ``findings``, if there are any that are not flaky."""
    if steady := [finding for finding in findings if not finding.flapping]:
        lines = (f"{finding.severity.value}: {finding.title} [{finding.id}]" for finding in steady)
        raise ContractBrokenError("\n".join(lines))


def run_when(is_wanted: Callable[[Suite], bool]) -> Callable[[TestFunction], TestFunction]:
    """Mark a test as one that a run leaves out unless ``is_wanted`` returns True for its suite."""

    def mark(test: TestFunction) -> TestFunction:
        test.wanted = is_wanted  # type: ignore[attr-defined]
        return test

    return mark


def get_run_or_skip(suite: Suite, slug: str, protocol: str = "rest") -> VendorRun:
    """Return the vendor's run on a protocol; skip the test with the reason if that run was stopped."""
    run = suite.get_run(slug, protocol)
    if run.session.stop_reason is not None:
        pytest.skip(escape_text(run.session.stop_reason))
    return run


class ContractPlugin:
    """Registered once a run.

    ``records`` are the vendors' results when it is over, ``skipped`` has a line for each required vendor without one.
    ``history_problems`` has a line for everything that the history lost; ``is_recorded`` is False if it lost this run.
    """

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self.records: list[Record] = []
        self.report_error = ""
        self.skipped: list[str] = []
        self.history_problems: list[str] = []
        self.is_recorded = True
        self._reason: str | None = None
        self._has_traceback = False
        self._progress = Progress(sys.stderr)
        suite.progress = self._progress.print_line

    # -- collection

    @pytest.hookimpl
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Each promise is checked for every vendor on every surface, and for every probe of its family."""
        plans, names = self.suite.plans, metafunc.fixturenames
        if "probe" in names:
            family = metafunc.module.FAMILY
            cases = [(*where, probe) for where in plans for probe in plans[where] if probe.family == family]
            ids = [escape_text(f"{_format_run_name(self.suite, *case[:2])}-{case[2].id}") for case in cases]
            metafunc.parametrize(("slug", "surface", "probe"), cases, ids=ids)
        elif "operation" in names:
            chosen = [
                (contract.slug, operation, mode)
                for contract in self.suite.options.contracts
                for operation, mode in list_modes(contract)
                if (contract.slug, "rest") in plans
                and self.suite.should_explore(f"explore/{operation}/{mode}", contract)
            ]
            metafunc.parametrize(
                ("slug", "operation", "mode"), chosen, ids=[escape_text("-".join(case)) for case in chosen]
            )
        elif "slug" in names:
            wanted: Callable[[Suite], bool] = getattr(metafunc.function, "wanted", lambda _suite: True)
            asked = list(plans) if wanted(self.suite) else []
            if "surface" in names:
                ids = [_format_run_name(self.suite, *where) for where in asked]
                metafunc.parametrize(("slug", "surface"), asked, ids=ids)
            else:
                metafunc.parametrize("slug", [slug for slug, surface in asked if surface == "rest"], ids=str)

    @pytest.hookimpl
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Vendor by vendor, stage by stage; a promise that is not asked for this time is left out, not skipped."""
        items[:] = [item for item in items if "NOTSET" not in item.nodeid]
        runs = list(self.suite.plans)
        items.sort(
            key=lambda item: (runs.index(_get_run_key(item)), STAGES.index(_get_stage(item)), _get_family_index(item))
        )
        self._progress.total = len(items)

    @pytest.hookimpl
    def pytest_report_header(self) -> list[str]:
        """Return the addresses and keys of the real accounts."""
        return self.suite.live_run.format_headings()

    # -- running

    @pytest.hookimpl
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Show the test that runs now."""
        self._progress.show_check(nodeid.rsplit("::", 1)[-1])

    @pytest.hookimpl
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Clean up behind the probes and the client before exploring, so that each stage is counted with its own.

        It also cleans up after each protocol, because the next one does not know the state of its objects.
        """
        self.suite.stop_clock(_get_slug(item))
        self.suite.trim_objects(*_get_run_key(item))
        if nextitem is None:
            return
        explores = _get_stage(nextitem) == "explore" and _get_stage(item) != "explore"
        if explores or _get_run_key(nextitem) != _get_run_key(item):
            self.suite.finish_stage(*_get_run_key(item))
            self.suite.stop_clock(_get_slug(item))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> Any:
        """Record an error other than a broken contract as ours: it leaves the vendor's run inconclusive.

        Pytest shows our message instead of a traceback, whose values and last line may quote a request.
        """
        outcome = yield
        report = outcome.get_result()
        if not report.failed or call.excinfo is None:
            return
        error = call.excinfo.value
        if isinstance(error, ContractBrokenError):
            report.longrepr = escape_lines(str(error))
            return
        if isinstance(error, BlockedRequestError):
            words = f"defect of the suite: blocked: {item.name} tried a request that the guard refuses: {error}"
        else:
            words = f"internal error in {item.name}: {self._describe_internal_error(error)}"
        report.longrepr = escape_text(words)
        self.suite.record_problem(_get_slug(item), words)

    @pytest.hookimpl
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note that the run was interrupted."""
        collected = isinstance(excinfo.value, pytest.Session.Interrupted)
        self._reason = self._reason if collected and self._reason else "the run was interrupted"

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Record a test module that cannot be read as an error of ours."""
        if report.failed:
            self._reason = f"internal error: {report.nodeid} cannot be collected: `pytest contract_tests` says why"
            self.suite.record_problem("", self._reason)

    @pytest.hookimpl
    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """Record that pytest itself failed; return True, so that it prints no traceback."""
        self._reason = f"internal error of the suite: {self._describe_internal_error(excinfo.value)}"
        return True

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Clean up, settle the verdict, write the reports."""
        if session.config.option.collectonly:
            self.suite.finish()
            return
        try:
            self.records = self.suite.finish(self._reason)
            self._recheck_findings()
        except Exception as error:  # noqa: BLE001 (whatever it is, its traceback may quote what was sent)
            self.report_error = f"internal error at the end of the run: {self._describe_internal_error(error)}"
            return
        finally:
            self._progress.clear()
        options = self.suite.options
        try:
            self.is_recorded = remember_runs(options.history, self.records, self.history_problems.append)
            overview = build_run_overview(options, self.records)
            write_reports(self.records, options.out, overview=overview)
        except OSError as error:
            self.report_error = f"the reports could not be written to {options.out}: {error.strerror}"
        self.skipped = list_skipped_vendors(options, self.records)
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _recheck_findings(self) -> None:
        """Ask for breaking findings again where a verdict needs that, and replace what was reported meanwhile."""
        suite, options = self.suite, self.suite.options
        if not options.recheck_minutes:
            return
        pending = [mark_pending(record, suite.find_checks) for record in self.records]
        if all(before.findings == after.findings for before, after in zip(self.records, pending, strict=True)):
            return
        with suppress(OSError):  # the end of the run says that the directory is not writable
            write_reports(pending, options.out, overview=build_run_overview(options, pending))
        if self._reason is not None:  # nothing more is sent
            self.records = pending
            return
        clock, progress = suite.live_run.clock, self._progress.print_line
        run_round = partial(run_recheck_round, options, suite.connector, clock, progress)
        recheck_findings(self.records, suite.find_checks, run_round, clock.wait, options.recheck_minutes, progress)

    def _describe_internal_error(self, error: BaseException) -> str:
        """Return kind and place of an error of ours; the traceback of the run's first goes into a file of the reports."""
        if self._has_traceback:
            return _describe_error(error)
        self._has_traceback = True
        path = write_traceback(error, with_messages=False)
        return f"{_describe_error(error)}; traceback: {self.suite.options.out / path.name if path else 'could not be written'}"

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the report below pytest's own if the user called pytest."""
        if self.report_error:
            terminalreporter.write_line(f"error: {self.report_error}")
        for line in (*self.history_problems, *self.skipped):
            terminalreporter.write_line(f"error: {line}")
        for record in self.records:
            terminalreporter.section(f"contract {record.contract}")
            terminalreporter.write_line(format_terminal(record, colour=False))


def _describe_error(error: BaseException) -> str:
    """Return an error's kind and the line that raised it, but never its message."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""
    return f"{Redactor.describe_error(error)}{place}"


def _get_slug(item: pytest.Item) -> str:
    return _get_run_key(item)[0]


def _get_run_key(item: pytest.Item) -> tuple[str, str]:
    """Return the vendor and the protocol of a test."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    return str(params.get("slug", "")), str(params.get("surface", "rest"))


def _format_run_name(suite: Suite, slug: str, protocol: str) -> str:
    """Return a run's name: the vendor, with the protocol if there are several."""
    return slug if len(suite.options.protocols[slug]) == 1 else f"{slug}-{protocol}"


def _get_family_index(item: pytest.Item) -> int:
    family = getattr(getattr(item, "module", None), "FAMILY", "")
    return FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)


def _get_stage(item: pytest.Item) -> str:
    return str(getattr(getattr(item, "module", None), "STAGE", STAGES[0]))
