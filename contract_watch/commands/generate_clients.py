"""Write `generated/<slug>/` for every contract, or for one: effective document, client package, gRPC descriptors.

``python -m contract_watch generate`` writes; ``--check`` writes nothing, makes everything afresh elsewhere and ends 1
with a line for each file that differs.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.contracts.directories import check_writable, list_roots
from contract_watch.contracts.registry import choose_contracts
from contract_watch.diff.atomic_replacement import restore_backup
from contract_watch.generator.outputs import find_stale_files, generate_outputs


@cli.command(interrupted="every client is whole, the old one or the new; run it again", may_hold_secrets=False)
def main(arguments: Sequence[str] | None = None, root: Path | None = None) -> int:
    """Generate or check; 0 done or nothing differs, 1 a file differs, 3 wrong input."""
    parser = cli.CommandParser(
        "contract_watch.commands.generate_clients", "Writes generated/<slug>/ for every contract."
    )
    parser.add_vendor_option()
    parser.add_argument("--check", action="store_true", help="write nothing; end 1 if a file differs")
    given = parser.parse_args(arguments)
    for one in list_roots(root):
        restore_backup(one)  # a killed `make accept` may have left files replaced
    contracts = choose_contracts(given.vendor, root)
    if given.check:
        lines = []
        for one in list_roots(root):
            known = [contract for contract in contracts if contract.root == one]
            lines += find_stale_files(known, one / "generated", only_known=given.vendor != "all")
        print("\n".join(lines), end="\n" if lines else "", file=sys.stderr)
        return cli.ExitStatus.FAILURE if lines else cli.ExitStatus.OK
    for contract in contracts:
        check_writable(contract.root, "generate")
        generate_outputs(contract, contract.output_directory)
    return cli.ExitStatus.OK
