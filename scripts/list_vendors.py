"""``make vendors``: print a matrix for CI as JSON, with one job for each vendor.

A job has the vendor's slug and the names of its variables, so that a workflow passes these secrets and no others.
"""

import json
import sys

from contract_watch import cli
from contract_watch.engine.command.live_runs import list_matrix


@cli.command(may_hold_secrets=False)
def main(arguments: list[str] | None = None) -> int:
    """Print the matrix on one line."""
    cli.CommandParser("scripts.list_vendors", "Prints a CI job for each vendor.").parse_args(arguments)
    print(json.dumps({"include": list_matrix()}))
    return cli.ExitStatus.OK


if __name__ == "__main__":
    sys.exit(main())
