"""``python -m mutants``: how much of every drift the suite notices.

0: every floor is reached; 1: one is not; 2: it did not come to an end; 3: wrong usage.
"""

import json
import sys
import time
from pathlib import Path

from contract_tests.harness.options import Parser, folder, shard
from contract_tests.harness.spread import cores, spread
from contracts.catalogue import choose
from contracts.errors import UsageError
from drift.write import write_whole
from mutants.catalogue import Judgement, chosen
from mutants.report import as_json, page, terminal
from mutants.score import score


def main(arguments: list[str] | None = None) -> int:
    """Measure; see the module for the statuses."""
    parser = Parser(prog="python -m mutants", description="Measures the suite with mutants.", allow_abbrev=False)
    parser.add_argument("--vendor", default="all", help="a contract's slug, or all (all)")
    parser.add_argument("--only", default="", help="one family of mutants, or one mutant's id")
    parser.add_argument("--shard", default="", help="i/n: the i-th of n parts")
    parser.add_argument(
        "--sample",
        type=int,
        choices=range(1000),
        default=0,
        metavar="N",
        help="a fixed sample: so many of each family (all)",
    )
    parser.add_argument("--out", default="reports", help="the folder for mutants.json and mutants.md (reports)")
    try:
        given = parser.parse_args(arguments)
        work = {}
        for contract in choose(given.vendor or "all"):
            Judgement(contract)
            work[contract] = chosen(contract, given.only, shard(given.shard), given.sample)
        out = folder(given.out or "reports")
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except SystemExit as end:  # --help
        return 3 if end.code else 0
    began = time.monotonic()
    todo = {"vendor": given.vendor or "all", "only": given.only, "shard": shard(given.shard), "sample": given.sample}
    spent = spread(Path(__file__).parent / "every_mutant.py", todo, cores())
    seconds = time.monotonic() - began
    if spent.interrupted:
        print("error: interrupted; nothing was written", file=sys.stderr)
        return 2
    if spent.problems:
        print(f"error: {len(spent.problems)} trials came to no end, the first: {spent.problems[0]}", file=sys.stderr)
        return 2
    whole = not (given.only or given.shard or given.sample)
    scores = [score(contract, found, spent.results, whole=whole) for contract, found in work.items()]
    for one in scores:
        print(terminal(one, seconds), end="\n\n")
    try:
        shown = {"format": 1, "seconds": round(seconds, 1), "processes": cores(), "runs": [as_json(s) for s in scores]}
        write_whole(out / "mutants.json", json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
        write_whole(out / "mutants.md", page(scores, seconds))
    except OSError as error:
        print(f"error: the reports could not be written to {out}: {error.strerror}", file=sys.stderr)
        return 2
    print(f"reports: {out}/mutants.json, mutants.md")
    complaints = [line for one in scores for line in one.complaints()]
    for line in complaints:
        print(f"below the floor: {line}", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
