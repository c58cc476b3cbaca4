"""``python -m contract_watch.mutants.false_positives``: whether the suite keeps its peace where the documents allow a change.

0: it finds fault with none; 1: it does with some; 2: it did not come to an end; 3: wrong usage.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contract_watch import cli
from contract_watch.contracts.registry import Contract
from contract_watch.engine.running.parallel import count_cores
from contract_watch.mutants.derivation import select_items
from contract_watch.mutants.false_positives.permitted_changes import KINDS, PermittedChange, list_permitted_changes
from contract_watch.mutants.measurement import create_parser, parse_measurement
from contract_watch.report.atomic_file import write_atomically
from contract_watch.report.escaping import escape_text

_MOST_SEEDS = 100_000


def select_changes(
    contract: Contract, only: str, shard: tuple[int, ...], seeds: int, sample: int = 0
) -> list[PermittedChange]:
    """The allowed changes of ``contract`` that `select_items` takes."""
    return select_items(
        list_permitted_changes(contract, seeds), ("change", "kind of change"), KINDS, only, shard, sample
    )


def _parse_selection(contract: Contract, options: Any) -> list[PermittedChange]:
    options.seeds = cli.parse_integer("--seeds", str(options.seeds), 0, _MOST_SEEDS)
    return select_changes(contract, options.only, options.shard, options.seeds, options.sample)


@cli.command(interrupted="nothing was written")
def main(arguments: list[str] | None = None) -> int:
    """Try every change; see the module for the statuses."""
    made = create_parser("contract_watch.mutants.false_positives", "Looks for false alarms.", "change", KINDS)
    made.add_argument("--seeds", default="200", help="how many seeds of the exploring stage on the honest mock (200)")
    order = parse_measurement(made, arguments, _parse_selection)
    found, seconds = order.run(Path(__file__).parent / "every_change.py")
    results = sorted(found, key=lambda result: (result["contract"], result["change"]))
    shown = {"format": 1, "seconds": round(seconds, 1), "processes": count_cores(), "changes": results}
    write_atomically(order.directory / "false-positives.json", json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
    return _print_results(results, seconds, order.directory)


def _print_results(results: Sequence[dict[str, Any]], seconds: float, out: Path) -> int:
    alarms = [result for result in results if result["verdict"] != "none"]
    for kind in KINDS:
        mine = [result for result in results if result["change"].startswith(f"{kind}/")]
        if mine:
            false = sum(result["verdict"] != "none" for result in mine)
            most = max(result["requests"] for result in mine)
            sent = f", {most} requests of probes and client at most" if most else ""
            print(f"{kind:14} {len(mine):4} tried, {false} false alarms{sent}")
    for result in alarms:
        why = ", ".join(result["findings"]) or result["reason"] or ""
        print(
            f"  {result['contract']}: {result['change']} ({result['description']}) ends {result['verdict']}: {escape_text(why)}"
        )
    print(f"{len(results)} changes in {seconds:.0f} s; report: {out}/false-positives.json")
    return 1 if alarms else 0
