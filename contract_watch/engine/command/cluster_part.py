"""One vendor's run of the suite on a cluster's worker; `engine.fleet.child` calls it by its name."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from contract_watch.contracts.directories import SUITE
from contract_watch.engine.command.options import NO_LIVE_CLUSTER, complete_settings, resolve_options
from contract_watch.engine.command.pytest_plugin import ContractPlugin
from contract_watch.engine.command.pytest_run import run_pytest
from contract_watch.engine.command.suite import Suite
from contract_watch.errors import UsageError
from contract_watch.report.record_transfer import encode_record

_MAX_TRACEBACK = 100_000


def run_job(job: Mapping[str, Any]) -> dict[str, Any]:
    """Run the suite with the job's ``settings`` and this machine's keys; return its record and tracebacks of ours.

    Raises:
        UsageError: a setting or a key is missing here, or the target is a vendor's own server.
    """
    with TemporaryDirectory(prefix="run-") as name:
        options = resolve_options(complete_settings({**job["settings"], "out": name}))
        if options.live_settings:  # this machine may know servers of vendors that the client does not
            raise UsageError(NO_LIVE_CLUSTER)
        suite = Suite(replace(options, is_seed_given=job["is_seed_given"]))
        plugin = ContractPlugin(suite)
        status = run_pytest(plugin, SUITE)
        tracebacks = {path.name: path.read_text(encoding="utf-8")[:_MAX_TRACEBACK]
                      for path in sorted(Path(name).glob("traceback-*.txt"))}  # fmt: skip
        for record in plugin.records:  # the directory is gone when somebody reads this
            record.reason = record.reason and record.reason.replace(f"{name}/", f"{job['out']}/")
        error = plugin.report_error or (
            "" if plugin.records else f"the suite did not come to an end (pytest status {status})"
        )
        return {
            "records": [encode_record(record) for record in plugin.records],
            "tracebacks": tracebacks,
            "error": error,
        }
