"""``python -m scripts.trace_probe``: print each file of ours that runs when one probe is planned, sent and judged.

0: printed; 3: wrong usage.
"""

import sys

from contract_watch import cli
from contract_watch.contracts.registry import choose_contracts
from contract_watch.engine.command.probe_trace import FAMILIES, trace_probes


@cli.command(interrupted="nothing was written")
def main(arguments: list[str] | None = None) -> int:
    """Print the walk of a probe; see the module for the statuses."""
    parser = cli.CommandParser("scripts.trace_probe", "Prints the files that run for one probe, with their functions.")
    parser.add_argument("--vendor", default="all", help="slug of the contract (default: the first)")
    parser.add_argument("--probe", default="", help="id of the probe (default: the first of the family `refused`)")
    parser.add_argument("--all-families", action="store_true", help="the first probe of each family")
    given = parser.parse_args(arguments)
    families = FAMILIES if given.all_families else FAMILIES[:1]
    for trace in trace_probes(choose_contracts(given.vendor)[0], given.probe, families):
        for path, functions in trace.functions.items():
            print(f"{path}: {', '.join(functions)}")
        print(trace.describe())
    return cli.ExitStatus.OK


if __name__ == "__main__":
    sys.exit(main())
