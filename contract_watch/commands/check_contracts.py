"""``make check-contracts``: print a line for each thing that a contract still lacks.

0: nothing; 1: the lines, on standard error; 3: wrong usage. What a whole contract documents and no request checks is a
line on standard output, and no failure; so is a run with more requests than the allowance.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.authoring.completeness import describe_overrun, find_gaps, find_notes, find_strays
from contract_watch.contracts.registry import choose_contracts


@cli.command(may_hold_secrets=False)
def main(arguments: Sequence[str] | None = None, root: Path | None = None) -> int:
    """Check; see the module for the statuses."""
    parser = cli.CommandParser("contract_watch.commands.check_contracts", "Lists the gaps of contracts.")
    parser.add_vendor_option()
    vendor = parser.parse_args(arguments).vendor
    contracts = choose_contracts(vendor, root)
    gaps = {one.slug: find_gaps(one) for one in contracts}
    for one in (contract for contract in contracts if not gaps[contract.slug]):
        for note in find_notes(one):
            print(f"not checked: {note}")
        if overrun := describe_overrun(one):
            print(f"note: {overrun}")
    lines = [*(find_strays(root) if vendor == "all" else ()), *(line for found in gaps.values() for line in found)]
    print("\n".join(lines), end="\n" if lines else "", file=sys.stderr)
    return cli.ExitStatus.FAILURE if lines else cli.ExitStatus.OK
