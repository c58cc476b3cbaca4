"""``make accept VENDOR=slug``: take over the document that the vendor publishes now, with all that follows, or nothing.

0: done, or nothing to do; 2: interrupted, a full disk, or the document cannot be fetched now; 3: it cannot be taken
over. After 2 and 3 nothing was changed, but for an interruption at the very end, which says so.
"""

from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.authoring.completeness import find_gaps
from contract_watch.contracts.directories import check_writable
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.diff.acceptance import accept_document
from contract_watch.errors import UsageError


# An interruption may come just after the last file has been replaced: only git knows.
@cli.command(interrupted="nothing was changed, or all of it; git status tells which", may_hold_secrets=False)
def main(arguments: Sequence[str] | None = None, root: Path | None = None) -> int:
    """Take the document over; see the module for the statuses."""
    parser = cli.CommandParser("contract_watch.commands.accept_document", __doc__)
    parser.add_argument("--vendor", default="", help="the contract's slug")
    parser.add_contracts_option()
    parser.add_argument("--published", default="", help="the file or address of the document (the one compared last)")
    parser.add_argument("--anyway", default="", help="1: accept although the overlay hides what the vendor serves now")
    given = parser.parse_args(arguments)
    if given.vendor in ("", "all"):
        raise UsageError("--vendor must name one vendor; make accept VENDOR=slug")
    contract = choose_contracts(given.vendor, root)[0]
    check_writable(contract.root, "accept")
    anyway = cli.parse_switch("--anyway", given.anyway) is True
    done = accept_document(contract, given.published, anyway=anyway)
    if done:
        left = [*(f"left to do: {line}" for line in _find_gaps(contract)), "Next: make test, look at the diff, commit."]
        print("\n".join([*done, *left]))
    else:
        print(f"{contract.name} publishes what is stored: nothing to take over")
    return cli.ExitStatus.OK


def _find_gaps(contract: Contract) -> list[str]:
    """Return the gaps of the contract as it is now; an interruption undoes nothing and so is a line."""
    try:
        return find_gaps(Contract(contract.slug, contract.root, contract.directory.parent.name))
    except (KeyboardInterrupt, OSError):
        return [f"make check-contracts VENDOR={contract.slug}, which was interrupted"]
