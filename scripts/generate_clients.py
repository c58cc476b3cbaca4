"""Write `generated/<slug>/` for every contract, or for one: effective document, client package, gRPC descriptors.

``python -m scripts.generate_clients`` writes; ``--check`` writes nothing, makes everything afresh elsewhere and ends 1
with a line for each file that differs.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.contracts.registry import ROOT, choose_contracts
from contract_watch.diff.atomic_replacement import restore_backup
from contract_watch.generator.outputs import find_stale_files, generate_outputs


@cli.command(interrupted="every client is whole, the old one or the new; run it again", may_hold_secrets=False)
def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Generate or check; 0 done or nothing differs, 1 a file differs, 3 wrong input."""
    parser = cli.CommandParser("scripts.generate_clients", "Writes generated/<slug>/ for every contract.")
    parser.add_vendor_option()
    parser.add_argument("--check", action="store_true", help="write nothing; end 1 if a file differs")
    given = parser.parse_args(arguments)
    restore_backup(root)  # a killed `make accept` may have left files replaced
    contracts = choose_contracts(given.vendor, root)
    if given.check:
        lines = find_stale_files(contracts, root / "generated", only_known=given.vendor != "all")
        print("\n".join(lines), end="\n" if lines else "", file=sys.stderr)
        return cli.ExitStatus.FAILURE if lines else cli.ExitStatus.OK
    for contract in contracts:
        generate_outputs(contract, root / "generated" / contract.slug)
    return cli.ExitStatus.OK


if __name__ == "__main__":
    sys.exit(main())
