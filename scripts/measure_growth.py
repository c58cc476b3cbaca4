"""Measure how time, requests and memory grow with a contract, and the gain of a second worker: ``make bench-growth``.

The contracts are synthetic and stand in a temporary directory. The output is the Markdown of docs/fleet.md. The figures
hold for the machine and the moment; read how they grow.
"""

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from contract_watch import cli
from contract_watch.errors import InconclusiveError, UsageError
from scripts.bench.growth import (
    FLEET_CONTRACTS,
    FLEET_OPERATIONS,
    WORKER_ROUNDS,
    format_machine,
    format_rows,
    format_sample,
    measure_contract,
    measure_merging,
    measure_workers,
)
from scripts.bench.process import BenchError
from scripts.bench.synthetic_contract import make_root

_HEAD = ("run", "requests", "peak memory", "client generated")
_FEW_PROPERTIES, _FEW_OPERATIONS = 5, 10


def _measure_operations(root: Path, sizes: list[int]) -> Iterator[str]:
    """Yield a table: contracts of so many operations with a few properties each."""
    rows = []
    for size in sizes:
        found = measure_contract(root, f"operations{size}", size, _FEW_PROPERTIES)
        rows.append([f"{size:,}", *format_sample(found["run"]), f"{found['client'].seconds:.1f} s"])
    yield from format_rows((f"operations of {_FEW_PROPERTIES} properties", *_HEAD), rows)


def _measure_properties(root: Path, sizes: list[int]) -> Iterator[str]:
    """Yield a table: contracts of a few operations with so many properties each."""
    rows = []
    for size in sizes:
        found = measure_contract(root, f"properties{size}", _FEW_OPERATIONS, size)
        rows.append([f"{size:,}", *format_sample(found["run"]), f"{found['client'].seconds:.1f} s"])
    yield from format_rows((f"properties of each of {_FEW_OPERATIONS} operations", *_HEAD), rows)


def _measure_workers(root: Path, sizes: list[int]) -> Iterator[str]:
    """Yield a table: the same contracts on clusters of so many workers."""
    seconds = measure_workers(root, sizes)
    first = seconds[sizes[0]]
    rows = [[str(count), f"{one:.1f} s", f"{first / one:.2f}"] for count, one in seconds.items()]
    yield from format_rows(
        (
            "workers",
            f"{FLEET_CONTRACTS} contracts of {FLEET_OPERATIONS} operations, the fastest of {WORKER_ROUNDS}",
            "gain",
        ),
        rows,
    )


def _measure_merging(root: Path, sizes: list[int]) -> Iterator[str]:
    """Yield a table: so many runs, each with the history of a job of its own, merged into one."""
    rows = []
    for size in sizes:
        seconds, size_of_file = measure_merging(root / f"merge{size}", size)
        rows.append(
            [f"{size:,}", f"{seconds:.1f} s", f"{1000 * seconds / size:.1f} ms", f"{size_of_file / 2**20:.1f} MiB"]
        )
    yield from format_rows(("runs merged", "all", "each", "history"), rows)


_SECTIONS: dict[str, tuple[Callable[[Path, list[int]], Iterator[str]], str]] = {
    "operations": (_measure_operations, "10,100,1000"),
    "properties": (_measure_properties, "5,50,200"),
    "workers": (_measure_workers, "1,2"),
    "merging": (_measure_merging, "10,100,1000"),
}
"""The measurements and the sizes of each. One more is one more line; a size of 0 leaves it out."""


@cli.command(interrupted="nothing is left of the contracts")
def main(arguments: list[str] | None = None) -> int:
    """Print the tables; 2 if a run did not end well."""
    parser = cli.CommandParser("scripts.measure_growth", "Measures growth with synthetic contracts.")
    for name, (_, default) in _SECTIONS.items():
        parser.add_argument(f"--{name}", default=default, help=f"sizes with commas, 0 for none ({default})")
    given = vars(parser.parse_args(arguments))
    sizes = {name: _parse_sizes(f"--{name}", given[name]) for name in _SECTIONS}
    print(f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {format_machine()}\n", flush=True)
    for name, (measure, _) in _SECTIONS.items():
        if not any(sizes[name]):
            continue
        with TemporaryDirectory(prefix="growth-") as directory:
            try:
                print("\n".join(measure(make_root(Path(directory)), sizes[name])), end="\n\n", flush=True)
            except BenchError as error:
                raise InconclusiveError(str(error)) from error
    return cli.ExitStatus.OK


def _parse_sizes(option: str, text: str) -> list[int]:
    sizes = [cli.parse_integer(option, word, 0, 100_000) for word in text.split(",")]
    if option == "--operations" and any(0 < size < 4 for size in sizes):
        raise UsageError(f"{option} must be 4 or more, got {text!r}; the skeleton has 3 operations")
    return sizes


if __name__ == "__main__":
    sys.exit(main())
