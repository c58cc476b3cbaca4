"""The sections of the page of benchmarks."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from scripts.bench.clients import measure_clients
from scripts.bench.contenders import build_contenders
from scripts.bench.detection import compare_contenders
from scripts.bench.detection_page import format_detection
from scripts.bench.documents import measure_documents, write_pairs
from scripts.bench.mock_start import measure_start
from scripts.bench.mock_states import measure_states
from scripts.bench.process import BenchError
from scripts.bench.speed import measure_load, measure_suite
from scripts.bench.table import format_table


@dataclass(frozen=True)
class Amounts:
    """The size of a measurement: ``mutants`` of each family, ``runs`` and ``rounds`` to take the median of.

    ``seconds`` is the length of a round of load. Without mutants the comparison with other tools is left out.
    """

    mutants: int
    seeds: int
    runs: int
    rounds: int
    seconds: float


def measure_sections(contract: Contract, amounts: Amounts, only: str = "") -> dict[str, str]:
    """Measure every section of the page, by its heading; a section that cannot be measured holds the reason.

    Raises:
        UsageError: no heading contains ``only``, which chooses the sections to measure.
    """
    found = {}
    with TemporaryDirectory(prefix="bench-") as scratch:
        parts: dict[str, Callable[[], str]] = {
            "Telling drift": lambda: _measure_detection(contract, amounts.mutants, amounts.seeds),
            "One run": lambda: format_table(list(measure_suite(contract, amounts.runs, Path(scratch)))),
            "The clients": lambda: format_table(
                list(measure_clients(contract, 8 * amounts.rounds, batch=20, imports=10))
            ),
            "Comparing documents": lambda: format_table(
                list(measure_documents(amounts.runs, write_pairs(Path(scratch))))
            ),
            "The mock's start": lambda: format_table(list(measure_start(contract, 3 * amounts.runs))),
            "The mock with many objects": lambda: format_table(list(measure_states(contract))),
            "The mock under load": lambda: format_table(
                list(measure_load(contract, 3 * amounts.rounds, amounts.seconds))
            ),
        }
        chosen = {heading: part for heading, part in parts.items() if only.lower() in heading.lower()}
        if not chosen:
            raise UsageError(f"--only {only}: is in no heading; choose from {', '.join(parts)}")
        for heading, part in chosen.items():
            print(f"{heading} …", file=sys.stderr)
            try:
                found[heading] = part()
            except BenchError as error:
                found[heading] = f"Not measured: {error}."
    return found


def _measure_detection(contract: Contract, mutants: int, seeds: int) -> str:
    if not mutants:
        raise BenchError("no mutants were asked for")
    return format_detection(compare_contenders(contract, build_contenders(contract), mutants, seeds))
