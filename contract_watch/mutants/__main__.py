"""``python -m contract_watch.mutants``: how much of every drift the suite notices.

0: every floor is reached; 1: one is not; 2: it did not come to an end; 3: wrong usage.
"""

import json
import sys
from pathlib import Path
from typing import Any

from contract_watch.contracts.registry import Contract
from contract_watch.engine.command.options import understood
from contract_watch.engine.running.parallel import cores
from contract_watch.mutants.derivation import Judgement, chosen
from contract_watch.mutants.measurement import ordered, parser
from contract_watch.mutants.mutant import FAMILIES, Mutant
from contract_watch.mutants.score import score
from contract_watch.mutants.score_report import as_json, page, terminal
from contract_watch.report.atomic_file import write_whole


def _select(contract: Contract, given: Any) -> list[Mutant]:
    Judgement(contract)  # a malformed one is told before anything is measured
    return chosen(contract, given.only, given.shard, given.sample)


def main(arguments: list[str] | None = None) -> int:
    """Measure; see the module for the statuses."""
    made = parser("python -m contract_watch.mutants", "Measures the suite with mutants.", "mutant", FAMILIES)
    order = understood(lambda: ordered(made, arguments, _select))
    if isinstance(order, int):
        return order
    spent, seconds = order.carry_out(Path(__file__).parent / "every_mutant.py")
    if spent.failure:
        print(f"error: {spent.failure}; nothing was written", file=sys.stderr)
        return 2
    whole = not order.todo["only"] and order.todo["shard"] == (1, 1) and not order.todo["sample"]
    scores = [score(contract, found, spent.results, whole=whole) for contract, found in order.work.items()]
    for one in scores:
        print(terminal(one, seconds), end="\n\n")
    try:
        shown = {"format": 1, "seconds": round(seconds, 1), "processes": cores(), "runs": [as_json(s) for s in scores]}
        write_whole(order.out / "mutants.json", json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
        write_whole(order.out / "mutants.md", page(scores, seconds))
    except OSError as error:
        print(f"error: the reports could not be written to {order.out}: {error.strerror}", file=sys.stderr)
        return 2
    print(f"reports: {order.out}/mutants.json, mutants.md")
    complaints = [line for one in scores for line in one.complaints()]
    for line in complaints:
        print(f"below the floor: {line}", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
