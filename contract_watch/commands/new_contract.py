"""``make new-contract SLUG= NAME= [DOCUMENT= OPERATIONS=]``: write a new contract, ``contracts/<slug>/``.

With a document, the contract is drafted from it, its client is generated, and the suite runs against the mock; the
status is that of the run. Without one, the skeleton is written. 0: written; 2: the disk takes nothing, or the document
cannot be fetched; 3: an option cannot be used. Nothing is ever overwritten.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.authoring.completeness import find_gaps, find_notes
from contract_watch.authoring.drafting.draft import Draft, draft_contract
from contract_watch.authoring.skeleton import PLACEHOLDER, choose_directory, write_contract, write_skeleton
from contract_watch.commands import check_target
from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.generator.outputs import generate_outputs


@cli.command(interrupted="what was written is whole", may_hold_secrets=False)
def main(arguments: Sequence[str] | None = None, root: Path | None = None) -> int:
    """Write the contract; see the module for the statuses."""
    parser = cli.CommandParser(
        "contract_watch.commands.new_contract",
        "Writes a new contract.",
        "make new-contract SLUG=<slug> NAME=<name> [DOCUMENT=<file or address> OPERATIONS='POST /x, GET /x/{id}, …']",
    )
    parser.add_argument("--slug", required=True, help="the directory's name: small letters and digits")
    parser.add_argument("--name", required=True, help="the vendor's name as people write it")
    parser.add_argument("--document", default="", help="the vendor's OpenAPI document: a file or an https address")
    parser.add_argument("--operations", default="", help="the operations under contract: 'POST /x, GET /x/{id}, …'")
    parser.add_contracts_option()
    parser.add_out_option()
    given = parser.parse_args(arguments)
    if given.operations and not given.document:
        raise UsageError("--operations: needs --document, the document that has them; name a file or an address")
    name = given.name.strip()
    if not given.document:
        _print_steps(_show(write_skeleton(given.slug, name, root)), given.slug)
        return cli.ExitStatus.OK
    directory = choose_directory(given.slug, name, root)
    draft = draft_contract(given.slug, name, given.document, given.operations)
    write_contract(directory, draft.files)
    contract = Contract(given.slug, directory.parents[1], directory.parent.name)
    generate_outputs(contract, contract.output_directory)
    _print_decisions(_show(directory), draft, contract)
    where = ["--vendor", given.slug, "--contracts", str(directory.parent), "--target", "mock", "--explore", "0"]
    return check_target.main([*where, "--out", given.out])


def _show(directory: Path) -> str:
    return f"{directory.parent.name}/{directory.name}"


def _print_steps(shown: str, slug: str) -> None:
    print(f"{shown}/ holds the contract of a made-up API. Next, as docs/adding-a-contract.md says:")
    print("  1. put the vendor's document in the place of published.json")
    check_contracts = cli.format_command("check-contracts")
    print(f"  2. replace each {PLACEHOLDER.rstrip(':')}; `{check_contracts}` lists the rest")
    check, measure = cli.format_command("contract", "check", vendor=slug), cli.format_command("mutants", vendor=slug)
    print(f"  3. {cli.format_command('generate')}, then {check}, then {measure}")


def _print_decisions(shown: str, draft: Draft, contract: Contract) -> None:
    """Print what a person must still decide: what no document tells, and what the engine cannot send or read."""
    lines = [one.format(shown) for one in draft.decisions]
    lines += [escape_text(line) for line in find_gaps(contract)]
    lines += _join_notes(shown, find_notes(contract))
    print(f"{shown}/ holds {', '.join(sorted(draft.files))}. Still to be decided:")
    print(*(f"  {line}" for line in lines), sep="\n", flush=True)


def _join_notes(shown: str, notes: Sequence[str]) -> list[str]:
    """Return a line for each thing that the engine cannot send or read, with the number of its operations."""
    counts = Counter(note.removeprefix(f"{shown}: ").partition(": ")[2] for note in notes)
    return [
        escape_text(f"{shown}: not checked, {what}" + (f" ({number} operations)" if number > 1 else ""))
        for what, number in counts.items()
    ]
