"""What `make mutants` and `make allowed` share: how they are told what to measure, and how they measure it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from contract_watch.contracts.errors import UsageError
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.engine.command.options import Parser, folder, shard
from contract_watch.engine.running.parallel import Spread, cores, spread

Item = TypeVar("Item")


def parser(prog: str, description: str, each: str, kinds: Sequence[str]) -> Parser:
    """A parser for what is selected of many: ``each`` is what one is called, ``kinds`` what kinds there are."""
    made = Parser(prog=prog, description=description, allow_abbrev=False)
    made.add_argument("--vendor", default="", help="a contract's slug, or all (all)")
    made.add_argument("--only", default="", help=f"one kind ({', '.join(kinds)}), or one {each}'s id")
    made.add_argument("--shard", default="", help="i/n: the i-th of n parts")
    made.add_argument("--sample", type=int, choices=range(1000), default=0, metavar="N",
                      help="a fixed sample: so many of each kind (all)")  # fmt: skip
    made.add_argument("--out", default="", help="the folder for the reports (reports)")
    return made


@dataclass(frozen=True)
class Order(Generic[Item]):
    """What is to be done: ``work`` by contract, ``todo`` for whoever does it, ``out`` for the reports."""

    work: Mapping[Contract, list[Item]]
    todo: Mapping[str, Any]
    out: Path

    def carry_out(self, module: Path) -> tuple[Spread, float]:
        """Spread the work, which is in ``module``, over the cores; what came of it, and seconds."""
        began = time.monotonic()
        spent = spread(module, self.todo, cores())
        return spent, time.monotonic() - began


def ordered(made: Parser, arguments: list[str] | None, select: Callable[[Contract, Any], list[Item]]) -> Order[Item]:
    """The order that ``arguments`` give, ``select`` telling a contract's part of it; a `UsageError` where they give none.

    Of several vendors, those count that have what is asked for. The folder for the reports is made only after all else
    was understood.
    """
    given = made.parse_args(arguments)
    given.vendor, given.shard = given.vendor or "all", shard(given.shard)
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
    return Order(work, todo, folder(given.out or "reports"))
