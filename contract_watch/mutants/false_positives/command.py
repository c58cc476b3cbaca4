"""``python -m contract_watch.mutants.false_positives``: whether the suite keeps its peace where the documents allow a change.

0: it finds fault with none; 1: it does with some; 2: it did not come to an end; 3: wrong usage.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contract_watch.contracts.errors import UsageError
from contract_watch.contracts.registry import Contract
from contract_watch.engine.command.options import understood
from contract_watch.engine.running.parallel import cores
from contract_watch.mutants.derivation import selected
from contract_watch.mutants.false_positives.permitted_changes import KINDS, Change, changes
from contract_watch.mutants.measurement import ordered, parser
from contract_watch.report.atomic_file import write_whole
from contract_watch.report.escaping import plain

_MOST_SEEDS = 100_000


def chosen_changes(contract: Contract, only: str, part: tuple[int, ...], seeds: int, sample: int = 0) -> list[Change]:
    """The allowed changes of ``contract`` that `selected` takes."""
    return selected(changes(contract, seeds), ("change", "kind of change"), KINDS, only, part, sample)


def _select(contract: Contract, given: Any) -> list[Change]:
    given.seeds = _seeds(str(given.seeds))
    return chosen_changes(contract, given.only, given.shard, given.seeds, given.sample)


def main(arguments: list[str] | None = None) -> int:
    """Try every change; see the module for the statuses."""
    made = parser("python -m contract_watch.mutants.false_positives", "Looks for false alarms.", "change", KINDS)
    made.add_argument("--seeds", default="200", help="how many seeds of the exploring stage on the honest mock (200)")
    order = understood(lambda: ordered(made, arguments, _select))
    if isinstance(order, int):
        return order
    spent, seconds = order.carry_out(Path(__file__).parent / "every_change.py")
    if spent.failure:
        print(f"error: {spent.failure}; nothing was written", file=sys.stderr)
        return 2
    results = sorted(spent.results, key=lambda result: (result["contract"], result["change"]))
    try:
        shown = {"format": 1, "seconds": round(seconds, 1), "processes": cores(), "changes": results}
        write_whole(order.out / "allowed.json", json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        print(f"error: the report could not be written to {order.out}: {error.strerror}", file=sys.stderr)
        return 2
    return _tell(results, seconds, order.out)


def _seeds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _MOST_SEEDS:
        raise UsageError(f"SEEDS is a whole number up to {_MOST_SEEDS}, not {text!r}")
    return int(text)


def _tell(results: Sequence[dict[str, Any]], seconds: float, out: Path) -> int:
    alarms = [result for result in results if result["verdict"] != "none"]
    for kind in KINDS:
        mine = [result for result in results if result["change"].startswith(f"{kind}/")]
        if mine:
            false = sum(result["verdict"] != "none" for result in mine)
            most = max(result["requests"] for result in mine)
            sent = f", {most} requests of probes and client at most" if most else ""
            print(f"{kind:8} {len(mine):4} tried, {false} false alarms{sent}")
    for result in alarms:
        why = ", ".join(result["findings"]) or result["reason"] or ""
        print(f"  {result['contract']}: {result['change']} ({result['says']}) ends {result['verdict']}: {plain(why)}")
    print(f"{len(results)} changes in {seconds:.0f} s; report: {out}/allowed.json")
    return 1 if alarms else 0
