"""``python -m contract_tests``: a run of the suite, its report, and its exit status.

0: none or additive; 1: breaking; 2: inconclusive, or something was left behind; 3: wrong usage.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from contract_watch.engine.command.options import build_parser, parse_or_exit_status, resolve_options
from contract_watch.engine.command.pytest_plugin import ContractPlugin
from contract_watch.engine.command.suite import Suite
from contract_watch.report.terminal import format_terminal
from contract_watch.report.verdict import compute_exit_status


def main(arguments: list[str] | None = None) -> int:
    """Run the suite; see the module for the statuses."""
    suite = parse_or_exit_status(lambda: Suite(resolve_options(vars(build_parser().parse_args(arguments)))))
    if isinstance(suite, int):
        return suite
    options = suite.options
    signal.signal(signal.SIGTERM, _raise_interrupt)
    for line in suite.live_run.format_headings():
        print(line, flush=True)
    print(f"seed {options.seed}", flush=True)
    plugin = ContractPlugin(suite)
    try:
        status = run_pytest(plugin)
    except KeyboardInterrupt:
        status = 2
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    for record in plugin.records:
        print(format_terminal(record, colour=colour))
        print()
    if plugin.report_error:
        print(f"error: {plugin.report_error}", file=sys.stderr)
        return 2
    if not plugin.records:
        print(f"error: the suite did not come to an end (pytest status {status})", file=sys.stderr)
        return 2
    print(f"reports: {options.out}/findings.json, junit.xml, report.md")
    return compute_exit_status(
        [record.verdict for record in plugin.records],
        left_behind=any(record.left_behind for record in plugin.records),
        fail_on=options.fail_on,
    )


def run_pytest(plugin: ContractPlugin) -> int:
    """Run the promises of this folder for the suite of ``plugin``; pytest's own status."""
    # The suite's own report takes the place of pytest's terminal output and caches.
    quiet = ["-p", "no:terminal", "-p", "no:tmpdir", "-p", "no:cacheprovider", "-p", "no:logging", "-p", "no:warnings"]
    quiet += ["--disable-plugin-autoload", "--assert=plain"]
    folder, vendor = str(Path(__file__).parent), plugin.suite.options.vendor
    return int(pytest.main([folder, *quiet, "--rootdir", folder, "-c", os.devnull, "--vendor", vendor], [plugin]))


def _raise_interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
