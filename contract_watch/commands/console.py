"""The command ``contract-watch``: a subcommand for each thing that the Makefile does with contracts.

A subcommand is a module whose ``main`` parses its own options, under the status and signals of `contract_watch.cli`.
"""

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from contract_watch import cli
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.suggestions import find_similar_names

PROGRAM = "contract-watch"
_HELP = ("-h", "--help", "help")


@dataclass(frozen=True)
class Subcommand:
    """A subcommand: the module with its ``main``, arguments that come before the user's, and a line of help."""

    module: str
    about: str
    arguments: tuple[str, ...] = ()


_OWN = "contract_watch.commands"
SUBCOMMANDS = {
    "check": Subcommand(f"{_OWN}.check_target", "check vendors' contracts against the mock, a URL, or the vendor"),
    "live": Subcommand(f"{_OWN}.check_accounts", "check the real account of every vendor whose key is set"),
    "plan": Subcommand(f"{_OWN}.print_plan", "print every request that a live run would send; send none"),
    "explore": Subcommand("contract_watch.engine.command.explore", "explore for minutes on all cores"),
    "mock": Subcommand(f"{_OWN}.serve_mock", "serve vendors' mocks until interrupted"),
    "drift": Subcommand(
        f"{_OWN}.watch_documents", "compare the document that a vendor publishes now with the stored one"
    ),
    "accept": Subcommand(
        f"{_OWN}.accept_document", "store the document that drift compared last, and generate its client"
    ),
    "diff": Subcommand(f"{_OWN}.compare_documents", "compare two OpenAPI documents"),
    "sweep": Subcommand(f"{_OWN}.sweep_accounts", "list or delete the objects that killed runs left on an account"),
    "nightly": Subcommand(f"{_OWN}.run_night", "make all checks of a night, and one page of them"),
    "night-page": Subcommand(f"{_OWN}.run_night", "write the page of checks that were made", ("--only-page=1",)),
    "check-night": Subcommand(f"{_OWN}.check_last_night", "fail if the last night is too old"),
    "merge-history": Subcommand(f"{_OWN}.merge_history", "add the runs of every history in a directory to one"),
    "keep-issue": Subcommand(f"{_OWN}.keep_issue", "bring each vendor's issue on GitHub to the state of the night"),
    "notify": Subcommand(f"{_OWN}.notify_night", "send the night to a webhook"),
    "vendors": Subcommand(f"{_OWN}.list_vendors", "print vendors and their variables as JSON, a matrix for CI"),
    "overview": Subcommand(f"{_OWN}.join_overviews", "join the tables of vendors in a directory"),
    "new": Subcommand(f"{_OWN}.new_contract", "write a contract, from a document if there is one"),
    "check-contracts": Subcommand(f"{_OWN}.check_contracts", "list what is missing in a contract"),
    "generate": Subcommand(f"{_OWN}.generate_clients", "write generated/ from the contracts"),
    "check-generated": Subcommand(f"{_OWN}.generate_clients", "fail if generated/ does not match", ("--check",)),
    "api": Subcommand(f"{_OWN}.record_api", "record the public API of the generated clients"),
    "shapes": Subcommand(f"{_OWN}.review_shapes", "compare recorded responses with the committed shapes"),
    "mutants": Subcommand("contract_watch.mutants.__main__", "measure how many deliberate drifts the suite finds"),
    "false-positives": Subcommand("contract_watch.mutants.false_positives.command", "look for false alarms"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the subcommand that the first argument names, and return its status; 3 if there is none."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = given[0] if given else ""
    if name not in SUBCOMMANDS:
        return _answer_without_command(name)
    chosen = SUBCOMMANDS[name]
    run = importlib.import_module(chosen.module).main  # loads what this subcommand needs, and no more
    cli.CommandParser.program = f"{PROGRAM} {name}"
    try:
        return int(run([*chosen.arguments, *given[1:]]))
    finally:
        cli.CommandParser.program = ""


@cli.command(may_hold_secrets=False)
def _answer_without_command(name: str) -> int:
    """Print the subcommands if ``name`` asks for help.

    Raises:
        UsageError: it does not.
    """
    if name not in _HELP:
        close = find_similar_names(name, SUBCOMMANDS)
        guess = f"did you mean {close[0]}? " if close else ""
        problem = f"unknown command {escape_text(name)!r}" if name else "no command was given"
        raise UsageError(f"{problem}; {guess}{PROGRAM} --help lists the commands")
    width = max(map(len, SUBCOMMANDS)) + 2
    lines = [f"  {one:{width}}{SUBCOMMANDS[one].about}" for one in SUBCOMMANDS]
    print(f"usage: {PROGRAM} <command> [options]; {PROGRAM} <command> --help lists its options", "", *lines, sep="\n")
    return cli.ExitStatus.OK
