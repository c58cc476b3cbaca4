"""Performing a night: every axis of every vendor, one after the other, each as a run of its own.

A run that dies takes nothing with it: what the others found stands, and its axis is inconclusive.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from contract_watch.cli import ExitStatus
from contract_watch.contracts.directories import find_cache_root
from contract_watch.contracts.registry import Contract
from contract_watch.diff.document.document_cache import CACHE_DIRECTORY, store_entry
from contract_watch.diff.document_watch import read_all_waivers, watch_documents
from contract_watch.diff.published_document import find_address
from contract_watch.engine.command.live_runs import describe_missing, drop_secrets, list_missing_variables, run_vendor
from contract_watch.errors import UsageError
from contract_watch.escaping import format_json
from contract_watch.history.remember import remember_runs
from contract_watch.nights.run_files import RUN_NAME, prepare_axis, write_skipped
from contract_watch.report.atomic_file import write_atomically
from contract_watch.report.overview import NO_ADDRESS
from contract_watch.report.record import FORMAT as RUN_FORMAT
from contract_watch.report.report_files import write_reports
from contract_watch.report.run_reader import read_runs

CLUSTER_NAME = "cluster"
"""The directory below OUT with the report of a cluster's runs together."""


@dataclass(frozen=True)
class NightSettings:
    """Settings of a night.

    Attributes:
        out: the directory of the results, one below it for each vendor and axis.
        history: the file that remembers the runs.
        axes: the kinds of check to make, of `contract_watch.nights.night_file.AXES`.
        live: ``read`` or ``mutate``, the most that a run on a real account may do.
        recheck_minutes: as ``--recheck-minutes``; empty for the usual ones.
        scheduler: the address of a Dask cluster that runs the mock's checks; empty for this machine.
        explore: as ``--explore``, for the mock.
    """

    out: Path
    history: Path
    axes: Sequence[str]
    live: str = "read"
    recheck_minutes: str = ""
    explore: str = ""
    scheduler: str = ""


def perform_night(
    contracts: Sequence[Contract], settings: NightSettings, environment: Mapping[str, str], warn: Callable[[str], None]
) -> None:
    """Make the checks of a night and write their results below ``settings.out``.

    ``environment`` is that of `contract_watch.engine.command.live_runs.read_environment`. ``warn`` gets a line for each
    thing that the history lost.

    Raises:
        OSError: a directory cannot be written.
        UsageError: a contract cannot be read, or another night works on the same results.
    """
    read_all_waivers(contracts)  # before anything is sent
    with ExitStack() as locks:
        for contract in contracts:
            for axis in settings.axes:
                locks.enter_context(_lock_axis(settings.out, contract.slug, axis))
        _perform(contracts, settings, environment, warn)


@contextmanager
def _lock_axis(out: Path, slug: str, axis: str) -> Iterator[None]:
    """Keep an axis to one night at a time, which replaces its directory."""
    with (out / f".{slug}-{axis}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"--out {out}: another night is checking {slug} ({axis}); wait for it, or give another OUT"
            ) from None
        yield


def _perform(
    contracts: Sequence[Contract], settings: NightSettings, environment: Mapping[str, str], warn: Callable[[str], None]
) -> None:
    """Make the checks, one after the other."""
    axes = list(settings.axes)
    if settings.scheduler and "mock" in axes:
        axes.remove("mock")
        _run_on_cluster(contracts, settings)
    for contract in contracts:
        for axis in axes:
            directory = prepare_axis(settings.out, contract.slug, axis)
            print(f"\n== {contract.name}: {axis}", flush=True)
            if reason := _check_axis(contract, axis, directory, settings, environment, warn):
                print(f"not checked: {reason}", flush=True)
                write_skipped(directory, reason)


def _check_axis(
    contract: Contract, axis: str, directory: Path, settings: NightSettings, environment: Mapping[str, str],
    warn: Callable[[str], None],
) -> str:  # fmt: skip
    """Make one check; return the reason if it was not made."""
    if axis == "document":
        return _compare_document(contract, directory, settings.history, warn)
    if axis == "live":
        if missing := list_missing_variables(contract, environment):
            return describe_missing(contract, missing)
        status = run_vendor(contract, environment, directory, live=settings.live, fail_on="breaking",
                            history=settings.history, recheck_minutes=settings.recheck_minutes)  # fmt: skip
    else:
        status = _run_on_mock(contract, directory, settings)
    return "" if (directory / RUN_NAME).is_file() else f"its run wrote no report (status {int(status)})"


def _run_on_cluster(contracts: Sequence[Contract], settings: NightSettings) -> None:
    """Check the mock of all vendors on the cluster, and give each vendor its own report."""
    directories = {contract.slug: prepare_axis(settings.out, contract.slug, "mock") for contract in contracts}
    together = settings.out / CLUSTER_NAME
    print(f"\n== the mock of {len(contracts)} vendors on {settings.scheduler}", flush=True)
    vendor = contracts[0].slug if len(contracts) == 1 else "all"
    status = _run_suite("--vendor", vendor, "--target", "mock", "--out", str(together), "--history", str(settings.history),
                        "--explore", settings.explore, "--scheduler", settings.scheduler)  # fmt: skip
    runs = {run["contract"]: run for run in read_runs(together / RUN_NAME)} if (together / RUN_NAME).is_file() else {}
    for slug, directory in directories.items():
        if slug in runs:
            write_atomically(directory / RUN_NAME, format_json({"format": RUN_FORMAT, "runs": [runs[slug]]}))
        else:
            write_skipped(directory, f"the cluster gave no result (status {status})")


def _run_on_mock(contract: Contract, directory: Path, settings: NightSettings) -> int:
    return _run_suite("--vendor", contract.slug, "--target", "mock", "--out", str(directory), "--history", str(settings.history),
                      "--explore", settings.explore)  # fmt: skip


def _run_suite(*arguments: str) -> int:
    """Run the suite in a process with no vendor's key in its environment: the mock needs none."""
    command = [sys.executable, "-m", "contract_watch", "check", *arguments]
    ended = subprocess.run(command, env=drop_secrets(os.environ), check=False)  # noqa: S603 (our own command)
    return ended.returncode if ended.returncode in list(ExitStatus) else ExitStatus.INCONCLUSIVE


def _compare_document(contract: Contract, directory: Path, history: Path, warn: Callable[[str], None]) -> str:
    """Compare the published document with the stored one; return the reason if no address is known."""
    if not find_address(contract, "", os.environ):
        return NO_ADDRESS
    result = watch_documents([contract], read_all_waivers([contract]), "")
    remember_runs(history, result.records, warn)
    write_reports(result.records, directory)
    for slug, document in result.cached.items():
        store_entry(find_cache_root(contract.root) / CACHE_DIRECTORY, slug, document)
    for problem in result.waiver_problems:
        warn(problem)
    (record,) = result.records
    print(f"{contract.name}: document: {record.verdict.label}", flush=True)
    return ""
