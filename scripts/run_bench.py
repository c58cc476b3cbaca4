"""Measure suite and mock side by side with what else there is, in one run, as one page.

``python -m scripts.run_bench [--vendor …] [--out FILE]`` prints the page; with ``--out`` it is also written there.
Figures hold for the machine and the moment; ratios and goals are what to read. A missed goal is not an error.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from contract_watch.contracts.registry import Contract, choose_contracts, load_contracts
from contract_watch.errors import UsageError
from contract_watch.report.atomic_file import write_atomically
from scripts.bench.contenders import build_contenders
from scripts.bench.detection import compare_contenders
from scripts.bench.detection_page import format_detection
from scripts.bench.page import format_page
from scripts.bench.process import BenchError
from scripts.bench.speed import measure_load, measure_suite
from scripts.bench.table import format_table

DEFAULT_MUTANTS, DEFAULT_SEEDS = 4, 20


def measure_sections(contract: Contract, given: argparse.Namespace) -> dict[str, str]:
    """Every section of the page by its heading; one that cannot be measured says why."""
    found = {}
    with TemporaryDirectory(prefix="bench-") as scratch:
        parts: dict[str, Callable[[], str]] = {
            "Telling drift": lambda: _measure_detection(contract, int(given.mutants), int(given.seeds)),
            "One run": lambda: format_table(list(measure_suite(contract, int(given.runs), Path(scratch)))),
            "The mock under load": lambda: format_table(list(measure_load(contract, int(given.rounds), given.seconds))),
        }
        for heading, part in parts.items():
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


def _check_writable(out: Path | None) -> None:
    """Refuse, before anything is measured, a file that cannot be written."""
    if out is not None and (out.is_dir() or not out.parent.is_dir() or not os.access(out.parent, os.W_OK)):
        raise UsageError(f"{out} is no file that can be written")


def _build_number_parser(low: float, high: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        if not low <= float(text) <= high:
            raise argparse.ArgumentTypeError(f"{text} is not from {low:g} to {high:g}")
        return float(text)

    return number


def main(arguments: list[str] | None = None) -> int:
    """Print the page; 3 for wrong usage, 2 where the page cannot be written after all."""
    parser = argparse.ArgumentParser(prog="python -m scripts.run_bench", description="Suite and mock side by side.")
    parser.add_argument("--vendor", help="whose contract (the first)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the page there too, as Markdown")
    parser.add_argument("--mutants", type=_build_number_parser(0, 1000), default=DEFAULT_MUTANTS,
                        help=f"mutants of each family to tell ({DEFAULT_MUTANTS}); 0 leaves the comparison out")  # fmt: skip
    parser.add_argument(
        "--seeds",
        type=_build_number_parser(1, 1000),
        default=DEFAULT_SEEDS,
        help=f"seeds on the faithful mock ({DEFAULT_SEEDS})",
    )
    parser.add_argument(
        "--runs", type=_build_number_parser(1, 20), default=3, help="runs of suite and Schemathesis (3)"
    )
    parser.add_argument(
        "--rounds", type=_build_number_parser(1, 50), default=5, help="rounds of load on each server (5)"
    )
    parser.add_argument(
        "--seconds", type=_build_number_parser(0.1, 30), default=1.5, help="seconds of load in a round (1.5)"
    )
    try:
        given = parser.parse_args(arguments)
        contract = choose_contracts(given.vendor or next(iter(load_contracts()), "none"))[0]
        _check_writable(given.out)
    except SystemExit as end:
        return 3 if end.code else 0
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rounds = (f"Load was {os.getloadavg()[0]:.1f} before; {given.runs:.0f} runs and {given.rounds:.0f} rounds were made, "
              "figures are medians, lowest to highest in parentheses")  # fmt: skip
    shown = format_page(contract.name, rounds, measure_sections(contract, given))
    print(shown)
    if given.out is not None:
        try:
            write_atomically(given.out, shown)
        except OSError as error:
            print(f"error: {given.out} could not be written: {error.strerror}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
