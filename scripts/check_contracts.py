"""``make check-contracts``: print a line for each thing that a contract still lacks.

0, silently: nothing; 1: the lines; 3: wrong usage.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.authoring.completeness import find_gaps, find_strays
from contract_watch.contracts.registry import ROOT, choose_contracts


@cli.command(may_hold_secrets=False)
def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Check; see the module for the statuses."""
    parser = cli.CommandParser("scripts.check_contracts", "Lists the gaps of contracts.")
    parser.add_vendor_option()
    vendor = parser.parse_args(arguments).vendor
    contracts = choose_contracts(vendor, root)
    lines = [*(find_strays(root) if vendor == "all" else ()), *(line for one in contracts for line in find_gaps(one))]
    print("\n".join(lines), end="\n" if lines else "", file=sys.stderr)
    return cli.ExitStatus.FAILURE if lines else cli.ExitStatus.OK


if __name__ == "__main__":
    sys.exit(main())
