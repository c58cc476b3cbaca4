"""Measure suite and mock side by side with other tools, in one run, as one page.

``python -m scripts.run_bench [--vendor …] [--only WORDS] [--out FILE]`` prints the page; ``--out`` also writes it into a file.
The figures hold for the machine and the moment: read the ratios and the goals. A missed goal is not an error.
"""

import os
import sys
from pathlib import Path

from contract_watch import cli
from contract_watch.contracts.registry import choose_contracts, load_contracts
from contract_watch.errors import UsageError
from contract_watch.report.atomic_file import write_atomically
from scripts.bench.page import format_page
from scripts.bench.sections import Amounts, measure_sections

_DEFAULTS = Amounts(mutants=4, seeds=20, runs=3, rounds=5, seconds=1.5)


def _check_writable(out: Path | None) -> None:
    """Refuse a file that cannot be written, before anything is measured."""
    if out is not None and (out.is_dir() or not out.parent.is_dir() or not os.access(out.parent, os.W_OK)):
        raise UsageError(f"--out {out}: cannot be written; name a file in a directory that exists")


@cli.command(interrupted="the page was not written")
def main(arguments: list[str] | None = None) -> int:
    """Print the page; see `contract_watch.cli` for the statuses."""
    parser = cli.CommandParser("scripts.run_bench", "Suite and mock side by side.")
    parser.add_argument("--vendor", help="a contract's slug (the first)")
    parser.add_argument("--out", metavar="FILE", help="write the page there too, as Markdown")
    parser.add_argument("--only", default="", metavar="WORDS", help="measure the sections with WORDS in their heading")
    for name, about in (
        ("mutants", "mutants of each family to notice; 0 leaves the comparison out"),
        ("seeds", "seeds on the faithful mock"),
        ("runs", "runs of suite and Schemathesis"),
        ("rounds", "rounds of load on each server"),
        ("seconds", "seconds of load in a round"),
    ):
        default = f"{getattr(_DEFAULTS, name):g}"
        parser.add_argument(f"--{name}", default=default, help=f"{about} ({default})")
    given = parser.parse_args(arguments)
    amounts = Amounts(
        mutants=cli.parse_integer("--mutants", given.mutants, 0, 1000),
        seeds=cli.parse_integer("--seeds", given.seeds, 1, 1000),
        runs=cli.parse_integer("--runs", given.runs, 1, 20),
        rounds=cli.parse_integer("--rounds", given.rounds, 1, 50),
        seconds=cli.parse_number("--seconds", given.seconds, 30, low=0.1),
    )
    contract = choose_contracts(given.vendor or next(iter(load_contracts()), "none"))[0]
    out = Path(given.out) if given.out else None
    _check_writable(out)
    method = (f"Load was {os.getloadavg()[0]:.1f} before; {amounts.runs} runs and {amounts.rounds} rounds were made, "
              "figures are medians, lowest to highest in parentheses")  # fmt: skip
    page = format_page(contract.name, method, measure_sections(contract, amounts, given.only))
    print(page)
    if out is not None:
        write_atomically(out, page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
