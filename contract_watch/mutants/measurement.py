"""Selection and parallel execution, shared by `make mutants` and `make false-positives`."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from contract_watch.cli import CommandParser, create_output_directory, parse_integer, parse_shard
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.engine.running.parallel import count_cores, run_parallel
from contract_watch.errors import InconclusiveError, UsageError

Item = TypeVar("Item")


def create_parser(module: str, description: str, item: str, kinds: Sequence[str]) -> CommandParser:
    """Create a parser for the selection; ``item`` names one item, ``kinds`` are their kinds."""
    parser = CommandParser(module, description)
    parser.add_vendor_option()
    parser.add_argument("--only", default="", help=f"one kind ({', '.join(kinds)}), or one {item}'s id")
    parser.add_argument("--shard", default="", help="i/n: the i-th of n parts")
    parser.add_argument("--sample", default="0", metavar="N", help="a fixed sample: N of each kind (all)")
    parser.add_out_option()
    return parser


@dataclass(frozen=True)
class Measurement(Generic[Item]):
    """A measurement: selected ``work`` by contract, ``settings`` for its processes, ``directory`` for reports."""

    work: Mapping[Contract, list[Item]]
    settings: Mapping[str, Any]
    directory: Path

    def run(self, module: Path) -> tuple[list[Any], float]:
        """Run the work of ``module`` on all cores; return its results and the seconds that it took.

        Raises:
            InconclusiveError: a part of the work did not finish.
        """
        started = time.monotonic()
        result = run_parallel(module, self.settings, count_cores(), is_disposable=True)
        if result.failure_reason:
            raise InconclusiveError(f"{result.failure_reason}; nothing was written")
        return result.results, time.monotonic() - started


def parse_measurement(
    parser: CommandParser, arguments: list[str] | None, select: Callable[[Contract, Any], list[Item]]
) -> Measurement[Item]:
    """Parse ``arguments``; ``select`` returns a contract's items. Bad arguments are a `UsageError`.

    Of several vendors, those without the selected items are left out. The directory for the reports is created last.
    """
    options = parser.parse_args(arguments)
    options.shard = parse_shard("--shard", options.shard)
    options.sample = parse_integer("--sample", options.sample, 0, 999)
    work: dict[Contract, list[Item]] = {}
    problem: UsageError | None = None
    for contract in choose_contracts(options.vendor):
        try:
            work[contract] = select(contract, options)
        except UsageError as error:
            problem = error
    if problem is not None and not work:
        raise problem
    options.vendors = [contract.slug for contract in work]
    settings = {name: value for name, value in vars(options).items() if name != "out"}
    return Measurement(work, settings, create_output_directory("--out", options.out))
