"""Selection and parallel execution, shared by `make mutants` and `make false-positives`."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from contract_watch.cli import CommandParser, create_output_directory, parse_integer, parse_shard
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.engine.command.options import SCHEDULER_HELP
from contract_watch.engine.fleet.cluster import open_cluster, validate_scheduler
from contract_watch.engine.fleet.module_work import cut_work, run_module
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
    parser.add_argument("--scheduler", default="", help=SCHEDULER_HELP)
    parser.add_out_option()
    return parser


@dataclass(frozen=True)
class MeasurementResult:
    """The results of all items, the seconds that they took, and the processes that ran them."""

    results: list[Any]
    seconds: float
    processes: int


@dataclass(frozen=True)
class Measurement(Generic[Item]):
    """A measurement: selected ``work`` by contract, ``settings`` for its processes, ``directory`` for reports.

    ``scheduler`` is the address of a cluster's; without it the work runs on this machine.
    """

    work: Mapping[Contract, list[Item]]
    settings: Mapping[str, Any]
    directory: Path
    scheduler: str = ""

    def run(self, module: Path) -> MeasurementResult:
        """Run the work of ``module`` on all cores, or on a cluster.

        Raises:
            UsageError: the cluster's code or contracts differ.
            InconclusiveError: a part of the work did not finish.
        """
        started = time.monotonic()
        if self.scheduler:
            with open_cluster(self.scheduler) as cluster:
                processes, count = cluster.thread_count, sum(map(len, self.work.values())) + len(self.work)
                parts = cut_work(cluster, self.settings, count)
                result = run_module(cluster, f"{__package__}.{_name_module(module)}", parts, is_disposable=True)
        else:
            processes = count_cores()
            result = run_parallel(module, self.settings, processes, is_disposable=True)
        if result.failure_reason:
            raise InconclusiveError(f"{result.failure_reason}; nothing was written")
        return MeasurementResult(result.results, time.monotonic() - started, processes)


def _name_module(module: Path) -> str:
    """Return the dotted name of a module below this package."""
    return ".".join(module.with_suffix("").relative_to(Path(__file__).parent).parts)


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
    if options.scheduler:
        validate_scheduler(options.scheduler, "mock")
    settings = {name: value for name, value in vars(options).items() if name not in ("out", "scheduler", "contracts")}
    return Measurement(work, settings, create_output_directory("--out", options.out), options.scheduler)
