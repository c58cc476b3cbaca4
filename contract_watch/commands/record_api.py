"""Record the public API of the generated clients in `contracts/<slug>/client_api.txt`.

``--check`` writes nothing and ends 1 with a line for each difference. A change that breaks users is not recorded unless
the package's version and the changelog say so.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.contracts.directories import check_writable
from contract_watch.contracts.registry import choose_contracts
from contract_watch.diff.client_record import RECORD, find_record_problems, write_record


@cli.command(interrupted="every record is whole, the old one or the new; run it again", may_hold_secrets=False)
def main(arguments: Sequence[str] | None = None, root: Path | None = None) -> int:
    """Record or check; 0 done or nothing differs, 1 a record differs, 3 an unannounced break or wrong input."""
    parser = cli.CommandParser("contract_watch.commands.record_api", "Records the public API of the generated clients.")
    parser.add_vendor_option()
    parser.add_argument("--check", action="store_true", help="write nothing; end 1 if a record differs")
    given = parser.parse_args(arguments)
    contracts = choose_contracts(given.vendor, root)
    if given.check:
        lines = [line for contract in contracts for line in find_record_problems(contract)]
        print("\n".join(lines), end="\n" if lines else "", file=sys.stderr)
        return cli.ExitStatus.FAILURE if lines else cli.ExitStatus.OK
    for contract in contracts:
        check_writable(contract.root, "api")
        if write_record(contract):
            print(f"{(contract.directory / RECORD).relative_to(contract.root)}: recorded")
    return cli.ExitStatus.OK
