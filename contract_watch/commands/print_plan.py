"""``make plan``: print every request that a run on a real account would send, in order, without sending any.

0: printed; 3: wrong usage.
"""

import tempfile
from pathlib import Path

from contract_watch import cli
from contract_watch.contracts.directories import SUITE
from contract_watch.engine.command.dry_run import DryRun
from contract_watch.engine.command.options import add_options

_FLAGS = ("--vendor", "--target", "--live", "--explore", "--surface", "--thorough", "--only")


@cli.command(interrupted="nothing was sent")
def main(arguments: list[str] | None = None) -> int:
    """Print the plan; see the module for the statuses."""
    parser = cli.CommandParser("contract_watch.commands.print_plan", "Prints the requests of a live run.")
    add_options(parser, *_FLAGS)
    given = vars(parser.parse_args(arguments))
    with tempfile.TemporaryDirectory() as directory:
        plan = DryRun(given, Path(directory))
        print("\n".join(plan.headings))
        plan.run(SUITE)
    print("\n".join(plan.format_lines()))
    return cli.ExitStatus.OK
