"""Runs of the suite on a Dask cluster, a part for each vendor; the reports are those of a run on this machine."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract_watch.engine.command.options import RunOptions
from contract_watch.engine.command.run_overview import build_run_overview, list_skipped_vendors
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.fleet.cluster import PartResults, open_cluster
from contract_watch.errors import UsageError
from contract_watch.history.remember import remember_runs
from contract_watch.report.atomic_file import write_atomically
from contract_watch.report.record import Record
from contract_watch.report.record_transfer import decode_record
from contract_watch.report.report_files import write_reports

_TRACEBACK_NAME = re.compile(r"traceback-[0-9A-Za-z_-]{1,80}\.txt")


@dataclass
class ClusterRun:
    """The records of all vendors, a line for each required vendor without a verdict, and the error of the reports.

    ``history_problems`` has a line for everything that the history lost; ``is_recorded`` is False if it lost this run.
    """

    records: list[Record] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    history_problems: list[str] = field(default_factory=list)
    is_recorded: bool = True
    report_error: str = ""


def run_contracts_on_cluster(options: RunOptions) -> ClusterRun:
    """Run the suite for each vendor of ``options`` on the cluster at ``options.scheduler``, and write the reports.

    Plans and waivers are read here first, so that a malformed file sends nothing. A vendor whose part has no result is
    inconclusive, with the reason; an interruption leaves those inconclusive that had not ended.

    Raises:
        UsageError: an option does not fit a cluster, or a worker's code, contracts or keys do not fit.
        InconclusiveError: the scheduler or all workers are lost.
    """
    if options.only:
        raise UsageError("--only: runs a few requests, which need no cluster; leave out --scheduler")
    suite = Suite(options)
    with open_cluster(options.scheduler) as cluster:
        found = cluster.run(
            "contract",
            [_build_job(options, contract.slug) for contract in options.contracts],
            [contract.slug for contract in options.contracts],
            lambda _number, _result: None,
            is_disposable=False,
        )
    records = _collect_records(options, suite, found)
    run = ClusterRun(records)
    try:
        _write_tracebacks(options, found)
        run.is_recorded = remember_runs(options.history, records, run.history_problems.append)
        write_reports(records, options.out, overview=build_run_overview(options, records))
    except OSError as error:
        run.report_error = f"the reports could not be written to {options.out}: {error.strerror}"
    run.skipped = list_skipped_vendors(options, records)
    return run


def _build_job(options: RunOptions, slug: str) -> dict[str, Any]:
    """Return one vendor's part. It holds no key: a worker reads its own environment."""
    settings = {
        "vendor": slug,
        "target": options.target,
        "seed": str(options.seed),
        "explore": str(int(options.explore)),
        "thorough": str(int(options.thorough)),
        "shard": "/".join(map(str, options.shard)),
        "minutes": f"{options.minutes:.3f}" if options.minutes else "",
        "recheck_minutes": f"{options.recheck_minutes:.3f}" if options.recheck_minutes else "0",
        "grpc_target": options.grpc_target,
        "surface": ",".join(options.protocols[slug]),
    }
    return {"settings": settings, "is_seed_given": options.is_seed_given, "out": str(options.out)}


def _collect_records(options: RunOptions, suite: Suite, found: PartResults) -> list[Record]:
    """Return a record for each vendor, in their order."""
    by_slug: dict[str, Record] = {}
    for number, contract in enumerate(options.contracts):
        result: Mapping[str, Any] = found.results.get(number, {})
        problem = found.problems.get(number, "") or result.get("error", "")
        try:
            by_slug |= {record.contract: record for record in map(decode_record, result.get("records", []))}
        except ValueError:
            problem = f"{contract.slug}: its worker sent no record of a run"
        if contract.slug not in by_slug and problem:
            suite.record_problem(contract.slug, problem)
    unstarted = suite.finish("the run was interrupted" if found.interrupted else None)
    return [by_slug.get(record.contract, record) for record in unstarted]


def _write_tracebacks(options: RunOptions, found: PartResults) -> None:
    """Write the tracebacks of errors of ours that workers sent."""
    for result in found.results.values():
        for name, text in result.get("tracebacks", {}).items():
            if _TRACEBACK_NAME.fullmatch(name):
                write_atomically(options.out / name, text)
                print(f"a worker's traceback: {options.out / name}", file=sys.stderr)
