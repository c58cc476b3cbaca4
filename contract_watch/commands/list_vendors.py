"""``make vendors``: print a matrix for CI as JSON, with one job for each vendor.

A job has the vendor's slug and the names of its variables, so that a workflow passes these secrets and no others.
"""

import json

from contract_watch import cli
from contract_watch.contracts.registry import choose_contracts
from contract_watch.engine.command.live_runs import list_matrix
from contract_watch.report.overview import read_required


@cli.command(may_hold_secrets=False)
def main(arguments: list[str] | None = None) -> int:
    """Print the matrix on one line."""
    parser = cli.CommandParser("contract_watch.commands.list_vendors", "Prints a CI job for each vendor.")
    parser.add_contracts_option()
    parser.add_argument("--require", default="", help="slugs with commas, or all: vendors that get a job (all)")
    given = parser.parse_args(arguments)
    print(json.dumps({"include": list_matrix(read_required(given.require, choose_contracts("all")))}))
    return cli.ExitStatus.OK
