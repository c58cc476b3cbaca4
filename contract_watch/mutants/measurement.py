"""What `make mutants` and `make allowed` share: how they are told what to measure, and how they measure it."""

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
    """A parser for what is selected of many: ``each`` is what one is called, ``kinds`` what kinds there are."""
    made = CommandParser(module, description)
    made.add_vendor_option()
    made.add_argument("--only", default="", help=f"one kind ({', '.join(kinds)}), or one {item}'s id")
    made.add_argument("--shard", default="", help="i/n: the i-th of n parts")
    made.add_argument("--sample", default="0", metavar="N", help="a fixed sample: so many of each kind (all)")
    made.add_out_option()
    return made


@dataclass(frozen=True)
class Measurement(Generic[Item]):
    """What is to be done: ``work`` by contract, ``todo`` for whoever does it, ``out`` for the reports."""

    work: Mapping[Contract, list[Item]]
    settings: Mapping[str, Any]
    directory: Path

    def run(self, module: Path) -> tuple[list[Any], float]:
        """Run the work of ``module`` on all cores; return its results and the seconds that it took.

        Raises:
            InconclusiveError: a part of the work did not come to an end.
        """
        began = time.monotonic()
        spent = run_parallel(module, self.settings, count_cores())
        if spent.failure_reason:
            raise InconclusiveError(f"{spent.failure_reason}; nothing was written")
        return spent.results, time.monotonic() - began


def parse_measurement(
    parser: CommandParser, arguments: list[str] | None, select: Callable[[Contract, Any], list[Item]]
) -> Measurement[Item]:
    """The order that ``arguments`` give, ``select`` telling a contract's part of it; a `UsageError` where they give none.

    Of several vendors, those count that have what is asked for. The folder for the reports is made only after all else
    was understood.
    """
    given = parser.parse_args(arguments)
    given.shard = parse_shard("--shard", given.shard)
    given.sample = parse_integer("--sample", given.sample, 0, 999)
    work: dict[Contract, list[Item]] = {}
    problem: UsageError | None = None
    for contract in choose_contracts(given.vendor):
        try:
            work[contract] = select(contract, given)
        except UsageError as error:
            problem = error
    if problem is not None and not work:
        raise problem
    given.vendors = [contract.slug for contract in work]
    todo = {name: value for name, value in vars(given).items() if name != "out"}
    return Measurement(work, todo, create_output_directory("--out", given.out))
