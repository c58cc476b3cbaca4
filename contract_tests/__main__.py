"""``python -m contract_tests``: a run of the suite, its report, and its exit status.

0: none, additive or warning; 1: breaking, or what --fail-on names; 2: inconclusive, something was left behind, or a vendor
that --require names was skipped; 3: wrong usage.
"""

import sys
from pathlib import Path

from contract_watch import cli
from contract_watch.engine.command.options import build_parser, complete_settings, resolve_options
from contract_watch.engine.command.pytest_plugin import ContractPlugin
from contract_watch.engine.command.pytest_run import run_pytest
from contract_watch.engine.command.suite import Suite
from contract_watch.report.terminal import format_closing, format_past, format_terminal
from contract_watch.report.verdict import compute_exit_status


@cli.command(interrupted="the run had not begun")
def main(arguments: list[str] | None = None) -> int:
    """Run the suite; see the module for the statuses."""
    suite = Suite(resolve_options(complete_settings(vars(build_parser().parse_args(arguments)))))
    options = suite.options
    for line in suite.live_run.format_headings():
        print(line, flush=True)
    print(f"seed {options.seed}", flush=True)
    suite.start_drawing()
    plugin = ContractPlugin(suite)
    try:
        status = run_pytest(plugin, Path(__file__).parent)
    except KeyboardInterrupt:
        status = cli.ExitStatus.INCONCLUSIVE
    colour = cli.supports_colour(sys.stdout)
    if lines := format_past(plugin.records):
        print(lines, end="\n\n")
    for record in plugin.records:
        print(format_terminal(record, colour=colour))
        print()
    if plugin.report_error:
        print(f"error: {plugin.report_error}", file=sys.stderr)
        return cli.ExitStatus.INCONCLUSIVE
    if not plugin.records:
        print(f"error: the suite did not come to an end (pytest status {status})", file=sys.stderr)
        return cli.ExitStatus.INCONCLUSIVE
    print(f"reports: {options.out}/findings.json, junit.xml, report.md")
    if closing := format_closing(plugin.records):
        print(closing)
    for line in (*plugin.history_problems, *plugin.skipped):
        print(f"error: {line}", file=sys.stderr)
    status = compute_exit_status(
        [record.verdict for record in plugin.records],
        left_behind=any(record.left_behind for record in plugin.records),
        fail_on=options.fail_on,
    )
    is_complete = plugin.is_recorded and not plugin.skipped
    return cli.join_statuses([status, cli.ExitStatus.OK if is_complete else cli.ExitStatus.INCONCLUSIVE])


if __name__ == "__main__":
    sys.exit(main())
