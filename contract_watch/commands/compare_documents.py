"""``make diff BASE=file REVISION=file``: print the changes from one OpenAPI document to another, and the code they break.

0: no change, or none that breaks; 1: a change breaks consumers; 2: interrupted; 3: a document cannot be compared.
"""

from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.diff.comparison_text import format_comparison
from contract_watch.diff.document import ChangeLevel, compare
from contract_watch.diff.document.loader import load_document


@cli.command(interrupted="nothing was compared; run it again")
def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; see the module for the statuses."""
    parser = cli.CommandParser(
        "contract_watch.commands.compare_documents",
        "Compares two documents.",
        "make diff BASE=old.yaml REVISION=new.yaml",
    )
    parser.add_argument("--base", required=True, help="the older document, JSON or YAML")
    parser.add_argument("--revision", required=True, help="the newer one")
    parser.add_argument(
        "--servers", choices=("compare", "ignore", ""), default="", help="ignore: leave servers out (compare)"
    )
    given = parser.parse_args(arguments)
    notes: list[str] = []
    base, revision = (load_document(Path(name), notes, with_files=True) for name in (given.base, given.revision))
    comparison = compare(base, revision, with_servers=given.servers != "ignore")
    print("\n".join([*format_comparison(comparison), *(f"note: {note}" for note in notes)]))
    return cli.ExitStatus.FAILURE if comparison.level is ChangeLevel.BREAKING else cli.ExitStatus.OK
