"""Measure how many mutants the suite kills: ``python -m contract_watch.mutants``.

Exit status 0: every floor is reached; 1: one is not; 2: the measurement did not finish; 3: wrong usage.
"""

import sys
from pathlib import Path
from typing import Any

from contract_watch import cli
from contract_watch.cli import parse_switch
from contract_watch.contracts.registry import Contract
from contract_watch.escaping import format_json
from contract_watch.mutants.derivation import MutantConfig, describe_derivations, select_mutants
from contract_watch.mutants.measurement import create_parser, parse_measurement
from contract_watch.mutants.mutant import FAMILIES, Mutant
from contract_watch.mutants.score import compute_score
from contract_watch.mutants.score_limits import UNCOVERED
from contract_watch.mutants.score_report import as_json, format_markdown, format_terminal
from contract_watch.report.atomic_file import write_atomically


def _parse_thorough(text: str) -> bool:
    return parse_switch("--thorough", text) is True


def _select_mutants(contract: Contract, options: Any) -> list[Mutant]:
    MutantConfig(contract)  # fail on a malformed file before measuring
    return select_mutants(contract, options.only, options.shard, options.sample)


@cli.command(interrupted="nothing was written")
def main(arguments: list[str] | None = None) -> int:
    """Measure and write the reports; the module lists the exit statuses."""
    parser = create_parser("contract_watch.mutants", "Measure the suite with mutants.", "mutant", FAMILIES)
    help_text = "1: also the probes that an equivalent probe represents, in as many requests as they take"
    parser.add_argument("--thorough", type=_parse_thorough, default="", metavar="1", help=help_text)
    measurement = parse_measurement(parser, arguments, _select_mutants)
    measured = measurement.run(Path(__file__).parent / "every_mutant.py")
    results = sorted(measured.results, key=lambda result: (result["contract"], result["mutant"]))
    seconds = measured.seconds
    is_complete = (
        not measurement.settings["only"]
        and measurement.settings["shard"] == (1, 1)
        and not measurement.settings["sample"]
    )
    scores = [
        compute_score(contract, found, results, is_complete=is_complete, is_thorough=measurement.settings["thorough"])
        for contract, found in measurement.work.items()
    ]
    for one in scores:
        print(format_terminal(one, seconds), end="\n\n")
    report = {
        "format": 1,
        "seconds": round(seconds, 1),
        "processes": measured.processes,
        "covered": describe_derivations(),
        "uncovered": list(UNCOVERED),
        "runs": [as_json(s) for s in scores],
    }
    write_atomically(measurement.directory / "mutants.json", format_json(report))
    write_atomically(measurement.directory / "mutants.md", format_markdown(scores, seconds))
    print(f"reports: {measurement.directory}/mutants.json, mutants.md")
    failures = [line for one in scores for line in one.list_failures()]
    for line in failures:
        print(f"below the floor: {line}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
