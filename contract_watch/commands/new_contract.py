"""``make new-contract SLUG= NAME=``: write the skeleton of a contract, ``contracts/<slug>/``.

0: written; 2: the disk takes nothing; 3: the slug or the name cannot be used. Nothing is ever overwritten.
"""

from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.authoring.skeleton import PLACEHOLDER, write_skeleton


@cli.command(interrupted="nothing was written", may_hold_secrets=False)
def main(arguments: Sequence[str] | None = None, root: Path | None = None) -> int:
    """Write the skeleton; see the module for the statuses."""
    parser = cli.CommandParser(
        "contract_watch.commands.new_contract",
        "Writes the skeleton of a contract.",
        "make new-contract SLUG=<slug> NAME=<name>",
    )
    parser.add_argument("--slug", required=True, help="the directory's name: small letters and digits")
    parser.add_argument("--name", required=True, help="the vendor's name as people write it")
    parser.add_contracts_option()
    given = parser.parse_args(arguments)
    directory = write_skeleton(given.slug, given.name.strip(), root)
    print(
        f"{directory.relative_to(directory.parents[1])}/ holds a contract of a made-up API. Next, as docs/adding-a-contract.md says:"
    )
    print("  1. put the vendor's document in the place of published.json")
    print(
        f"  2. replace each {PLACEHOLDER.rstrip(':')}, file by file; `{cli.format_command('check-contracts')}` lists the rest"
    )
    check = cli.format_command("contract", "check", vendor=given.slug)
    measure = cli.format_command("mutants", vendor=given.slug)
    print(f"  3. {cli.format_command('generate')}, then {check}, then {measure}")
    return cli.ExitStatus.OK
