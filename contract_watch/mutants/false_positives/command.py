"""Look for false positives: changes that the documents permit and the suite reports as drift.

Exit status of ``python -m contract_watch.mutants.false_positives`` 0: there are none; 1: there are some; 2: the
measurement did not finish; 3: wrong usage.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contract_watch import cli
from contract_watch.contracts.registry import Contract
from contract_watch.escaping import escape_text, format_json
from contract_watch.mutants.derivation import select_items
from contract_watch.mutants.false_positives.permitted_changes import KINDS, PermittedChange, list_permitted_changes
from contract_watch.mutants.measurement import create_parser, parse_measurement
from contract_watch.report.atomic_file import write_atomically

_MAX_SEEDS = 100_000


def select_changes(
    contract: Contract, only: str, shard: tuple[int, ...], seeds: int, sample: int = 0
) -> list[PermittedChange]:
    """Select permitted changes of ``contract`` (see `select_items`)."""
    return select_items(
        list_permitted_changes(contract, seeds), ("change", "kind of change"), KINDS, only, shard, sample
    )


def _parse_selection(contract: Contract, options: Any) -> list[PermittedChange]:
    options.seeds = cli.parse_integer("--seeds", str(options.seeds), 0, _MAX_SEEDS)
    return select_changes(contract, options.only, options.shard, options.seeds, options.sample)


@cli.command(interrupted="nothing was written")
def main(arguments: list[str] | None = None) -> int:
    """Play every selected change; the module lists the exit statuses."""
    parser = create_parser("contract_watch.mutants.false_positives", "Look for false alarms.", "change", KINDS)
    parser.add_argument(
        "--seeds", default="200", help="number of seeds for the exploring stage on the faithful mock (200)"
    )
    measurement = parse_measurement(parser, arguments, _parse_selection)
    measured = measurement.run(Path(__file__).parent / "every_change.py")
    seconds = measured.seconds
    results = sorted(measured.results, key=lambda result: (result["contract"], result["change"]))
    report = {"format": 1, "seconds": round(seconds, 1), "processes": measured.processes, "changes": results}
    write_atomically(measurement.directory / "false-positives.json", format_json(report))
    return _print_results(results, seconds, measurement.directory)


def _print_results(results: Sequence[dict[str, Any]], seconds: float, out: Path) -> int:
    alarms = [result for result in results if result["verdict"] != "none"]
    for kind in KINDS:
        played = [result for result in results if result["change"].startswith(f"{kind}/")]
        if played:
            false = sum(result["verdict"] != "none" for result in played)
            most = max(result["requests"] for result in played)
            sent = f", at most {most} requests of probes and client" if most else ""
            print(f"{kind:14} {len(played):4} played, {false} false alarms{sent}")
    for result in alarms:
        reason = ", ".join(result["findings"]) or result["reason"] or ""
        print(
            f"  {result['contract']}: {result['change']} ({result['description']}) ends {result['verdict']}: {escape_text(reason)}"
        )
    print(f"{len(results)} changes in {seconds:.0f} s; report: {out}/false-positives.json")
    return 1 if alarms else 0
