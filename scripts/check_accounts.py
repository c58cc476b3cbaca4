"""``make live``: a run on the real account of every vendor whose key is set; the others are skipped, each with a line.

Keys come from the environment, or as continuous integration hands them over: ``SECRET_NAMES`` and ``SECRET_0`` and so on, or
``SECRETS_JSON``. Only the variables that contracts name are read. The status is that of the worst run.
"""

import os
import sys
from pathlib import Path

from contract_watch import cli
from contract_watch.contracts.registry import choose_contracts
from contract_watch.engine.command.live_runs import read_environment, run_vendor
from contract_watch.engine.command.options import add_options, check_consequences


@cli.command(interrupted="the vendors that follow were not checked")
def main(arguments: list[str] | None = None) -> int:
    """Run; 0 if every vendor was skipped or keeps its contract."""
    parser = cli.CommandParser("scripts.check_accounts", "Checks every account whose key is set.")
    add_options(parser, "--vendor", "--live", "--out", "--fail-on")
    given = parser.parse_args(arguments)
    check_consequences(given.live, given.fail_on)
    contracts, environment = choose_contracts(given.vendor), read_environment(os.environ)
    live, out = given.live or "read", Path(given.out)
    return cli.join_statuses(
        run_vendor(contract, environment, live=live, out=out, fail_on=given.fail_on) for contract in contracts
    )


if __name__ == "__main__":
    sys.exit(main())
