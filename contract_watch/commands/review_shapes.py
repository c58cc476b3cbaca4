"""``make shapes``: compare the shapes of the recorded runs with the committed ones; ACCEPT=1 commits them.

Runs come from the history. Without ACCEPT nothing is written. Exit status 2 if the history has no run of a vendor that was
asked for by name.
"""

import sys
from pathlib import Path

from contract_watch import cli
from contract_watch.contracts.directories import check_writable
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.engine.command.shape_review import ShapeReview, review_shapes
from contract_watch.errors import InconclusiveError
from contract_watch.escaping import escape_text
from contract_watch.history.remember import HISTORY_HELP, locate_history
from contract_watch.history.store import History, HistoryError
from contract_watch.shapes.baseline import read_baselines, write_baselines


@cli.command(interrupted="nothing was written for the vendors that follow")
def main(arguments: list[str] | None = None) -> int:
    """Compare or accept; see the module."""
    parser = cli.CommandParser("contract_watch.commands.review_shapes", __doc__)
    parser.add_vendor_option()
    parser.add_argument("--accept", default="", help="1: commit the shapes of the recorded runs")
    parser.add_argument("--history", default="", help=HISTORY_HELP)
    parser.add_out_option()
    given = parser.parse_args(arguments)
    accept = cli.parse_switch("--accept", given.accept) is True
    contracts, path = choose_contracts(given.vendor), locate_history(given.history, Path(given.out))
    reviewed = 0
    for contract in contracts:
        if accept:
            check_writable(contract.root, "shapes --accept")
        read_baselines(contract.directory)  # a malformed file is an error before anything is printed
    for contract in contracts:
        reviews = _read_reviews(contract, path)
        reviewed += len(reviews)
        for review in reviews:
            print(_format_review(contract, review))
        if reviews and accept:
            known = read_baselines(contract.directory)
            target = write_baselines(contract.directory, known | {one.kind: one.accept() for one in reviews})
            print(
                f"{contract.name}: {target.relative_to(Path.cwd()) if target.is_relative_to(Path.cwd()) else target} has the shapes of {', '.join(one.kind for one in reviews)}"
            )
    if not reviewed:
        raise InconclusiveError(f"--history {path}: has no run with shapes; run make contract or make live first")
    return cli.ExitStatus.OK


def _read_reviews(contract: Contract, path: Path) -> list[ShapeReview]:
    if not path.exists():
        return []
    try:
        with History(path) as history:
            reviews = review_shapes(contract, history.read_all())
            for problem in history.problems:
                print(f"error: {problem}", file=sys.stderr)
            return reviews
    except HistoryError as error:
        raise InconclusiveError(f"history: {error}") from error


def _format_review(contract: Contract, review: ShapeReview) -> str:
    nights = f"{len(review.nights)} night{'' if len(review.nights) == 1 else 's'} until {review.nights[-1].night}"
    if review.baseline is None:
        return f"{contract.name} ({review.kind}): {nights}; no shapes are committed yet: make shapes VENDOR={contract.slug} ACCEPT=1"
    lines = [
        f"{contract.name} ({review.kind}): {nights}; {len(review.departures)} departures from the shapes of {review.baseline.accepted}"
    ]
    lines += [f"  {one.severity.value}: {escape_text(f'{one.key} {one.title}')}" for one in review.departures]
    return "\n".join(lines)
