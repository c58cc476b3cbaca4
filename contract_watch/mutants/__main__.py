"""``python -m contract_watch.mutants``: how much of every drift the suite notices.

0: every floor is reached; 1: one is not; 2: it did not come to an end; 3: wrong usage.
"""

import json
import sys
from pathlib import Path
from typing import Any

from contract_watch import cli
from contract_watch.contracts.registry import Contract
from contract_watch.engine.running.parallel import count_cores
from contract_watch.mutants.derivation import MutantConfig, select_mutants
from contract_watch.mutants.measurement import create_parser, parse_measurement
from contract_watch.mutants.mutant import FAMILIES, Mutant
from contract_watch.mutants.score import compute_score
from contract_watch.mutants.score_report import as_json, format_markdown, format_terminal
from contract_watch.report.atomic_file import write_atomically


def _select_mutants(contract: Contract, options: Any) -> list[Mutant]:
    MutantConfig(contract)  # a malformed one is told before anything is measured
    return select_mutants(contract, options.only, options.shard, options.sample)


@cli.command(interrupted="nothing was written")
def main(arguments: list[str] | None = None) -> int:
    """Measure; see the module for the statuses."""
    made = create_parser("contract_watch.mutants", "Measures the suite with mutants.", "mutant", FAMILIES)
    order = parse_measurement(made, arguments, _select_mutants)
    results, seconds = order.run(Path(__file__).parent / "every_mutant.py")
    whole = not order.settings["only"] and order.settings["shard"] == (1, 1) and not order.settings["sample"]
    scores = [compute_score(contract, found, results, is_complete=whole) for contract, found in order.work.items()]
    for one in scores:
        print(format_terminal(one, seconds), end="\n\n")
    shown = {
        "format": 1,
        "seconds": round(seconds, 1),
        "processes": count_cores(),
        "runs": [as_json(s) for s in scores],
    }
    write_atomically(order.directory / "mutants.json", json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
    write_atomically(order.directory / "mutants.md", format_markdown(scores, seconds))
    print(f"reports: {order.directory}/mutants.json, mutants.md")
    complaints = [line for one in scores for line in one.list_failures()]
    for line in complaints:
        print(f"below the floor: {line}", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
