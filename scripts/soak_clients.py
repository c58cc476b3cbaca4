"""``make soak``: make many calls of the generated clients against a server that fails in every way.

It ends 1 if a call ended in anything but a result or the right `APIError`, if something is held afterwards that was not
before, or if a log shows a secret.
"""

import sys
from collections.abc import Sequence

from contract_watch import cli
from contract_watch.cli.options import parse_integer
from scripts.soak.driver import run_soak
from scripts.soak.table import format_soak


@cli.command()
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak, print its tables, and return the exit status."""
    parser = cli.CommandParser("scripts.soak_clients", "Calls the generated clients against a server that fails.")
    parser.add_argument("--calls", default="100000", help="the number of calls (100000)")
    given = parser.parse_args(arguments)
    soak = run_soak(parse_integer("--calls", given.calls, 100, 10_000_000))
    print(format_soak(soak), end="")
    return cli.ExitStatus.FAILURE if soak.problems else cli.ExitStatus.OK


if __name__ == "__main__":
    sys.exit(main())
