"""``make live``: a run on the real account of every vendor whose key is set; the others are skipped, each with a line.

Keys come from the environment, or as continuous integration hands them over: ``SECRET_NAMES`` and ``SECRET_0`` and so on, or
``SECRETS_JSON``. Only the variables that contracts name are read. The status is that of the worst run, and 2 if every
vendor was skipped, or one that --require names.
"""

import os
import sys
from collections.abc import Mapping, Sequence

from contract_watch import cli
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.engine.command.live_runs import list_missing_variables, read_environment, run_accounts
from contract_watch.engine.command.options import add_options, check_consequences
from contract_watch.history.remember import locate_history
from contract_watch.report.overview import format_overview, read_required


@cli.command(interrupted="the vendors that follow were not checked")
def main(arguments: list[str] | None = None) -> int:
    """Run; see the module for the statuses."""
    parser = cli.CommandParser("contract_watch.commands.check_accounts", "Checks every account whose key is set.")
    add_options(parser, "--vendor", "--live", "--out", "--fail-on", "--require", "--history", "--recheck-minutes")
    given = parser.parse_args(arguments)
    check_consequences(given.live, given.fail_on)
    required = read_required(given.require, choose_contracts("all"))
    contracts, environment = choose_contracts(given.vendor), read_environment(os.environ)
    out = cli.create_output_directory("--out", given.out)
    history = locate_history(given.history, out)
    status, overview = run_accounts(
        contracts, environment, live=given.live or "read", out=out, fail_on=given.fail_on, history=history,
        recheck_minutes=given.recheck_minutes,
    )  # fmt: skip
    print(f"\n{format_overview(overview)}\n\nreports: {out}/report.md", flush=True)
    problems = overview.list_skipped(required, "live")
    if all(list_missing_variables(contract, environment) for contract in contracts):
        problems.append(_describe_variables(contracts, environment))
    for line in problems:
        print(f"error: {line}", file=sys.stderr)
    return cli.join_statuses([status, cli.ExitStatus.INCONCLUSIVE if problems else cli.ExitStatus.OK])


def _describe_variables(contracts: Sequence[Contract], environment: Mapping[str, str]) -> str:
    """Return the variables that make at least one run possible, on one line."""
    choices = [" and ".join(list_missing_variables(contract, environment)) for contract in contracts]
    return f"no account was checked; set {', or '.join(choices)}"
