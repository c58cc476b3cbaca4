"""``python -m contract_tests``: a run of the suite, its report, and its exit status.

0: none, additive or warning; 1: breaking, or what --fail-on names; 2: inconclusive, something was left behind, or a vendor
that --require names was skipped; 3: wrong usage.
"""

import sys
from collections.abc import Sequence

from contract_watch import cli
from contract_watch.contracts.directories import SUITE
from contract_watch.engine.command.cluster_run import run_contracts_on_cluster
from contract_watch.engine.command.options import RunOptions, build_parser, complete_settings, resolve_options
from contract_watch.engine.command.pytest_plugin import ContractPlugin
from contract_watch.engine.command.pytest_run import run_pytest
from contract_watch.engine.command.suite import Suite
from contract_watch.report.record import Record
from contract_watch.report.terminal import format_closing, format_past, format_terminal
from contract_watch.report.verdict import compute_exit_status


@cli.command(interrupted="the run had not begun")
def main(arguments: list[str] | None = None) -> int:
    """Run the suite; see the module for the statuses."""
    options = resolve_options(complete_settings(vars(build_parser().parse_args(arguments))))
    if options.scheduler:
        print(f"seed {options.seed}", flush=True)
        ended = run_contracts_on_cluster(options)
        problems, is_complete = (*ended.history_problems, *ended.skipped), ended.is_recorded and not ended.skipped
        return _print_results(options, ended.records, problems, ended.report_error, is_complete=is_complete)
    suite = Suite(options)
    for line in suite.live_run.format_headings():
        print(line, flush=True)
    print(f"seed {options.seed}", flush=True)
    suite.start_drawing()
    plugin = ContractPlugin(suite)
    try:
        status = run_pytest(plugin, SUITE)
    except KeyboardInterrupt:
        status = cli.ExitStatus.INCONCLUSIVE
    error = plugin.report_error
    if not plugin.records and not error:
        error = f"the suite did not come to an end (pytest status {status})"
    problems, is_complete = (*plugin.history_problems, *plugin.skipped), plugin.is_recorded and not plugin.skipped
    return _print_results(options, plugin.records, problems, error, is_complete=is_complete)


def _print_results(
    options: RunOptions, records: Sequence[Record], problems: Sequence[str], error: str, *, is_complete: bool
) -> int:
    """Print the results of a run, and return its exit status; ``is_complete`` is False if something was lost."""
    colour = cli.supports_colour(sys.stdout)
    if lines := format_past(records):
        print(lines, end="\n\n")
    for record in records:
        print(format_terminal(record, colour=colour))
        print()
    if error:
        print(f"error: {error}", file=sys.stderr)
        return cli.ExitStatus.INCONCLUSIVE
    print(f"reports: {options.out}/findings.json, junit.xml, report.md")
    if closing := format_closing(records):
        print(closing)
    for line in problems:
        print(f"error: {line}", file=sys.stderr)
    status = compute_exit_status(
        [record.verdict for record in records],
        left_behind=any(record.left_behind for record in records),
        fail_on=options.fail_on,
    )
    return cli.join_statuses([status, cli.ExitStatus.OK if is_complete else cli.ExitStatus.INCONCLUSIVE])
