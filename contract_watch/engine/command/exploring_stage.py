"""The exploring stage of a run: its limits, its budgets, and the process that draws its cases."""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from contract_watch.cli import catch_signals
from contract_watch.contracts.registry import Contract
from contract_watch.engine.command.options import RunOptions
from contract_watch.engine.exploring.depth import DEFAULT_DEPTH, ExplorationDepth, list_modes
from contract_watch.engine.running.exploration_budget import MAX_REQUESTS, MAX_SECONDS, ExplorationBudget
from contract_watch.engine.running.parallel import count_cores
from contract_watch.report.record import Record

if TYPE_CHECKING:
    from contract_watch.engine.exploring.drawn_case import DrawnCase
    from contract_watch.engine.exploring.draws import CaseDrawer

WORKFLOWS = "explore/lives"


class ExploringStage:
    """The exploring stage of all vendors. ``should_explore`` returns True for a search, by its name, that is to run."""

    def __init__(
        self, options: RunOptions, should_explore: Callable[[str, Contract | None], bool], stack: ExitStack
    ) -> None:
        self._options, self._should_explore, self._stack = options, should_explore, stack
        self._budgets: dict[str, ExplorationBudget] = {}
        self.drawer: CaseDrawer | None = None

    @property
    def depth(self) -> ExplorationDepth:
        """The limits of a search; with a given seed it repeats another run's exploration."""
        return replace(DEFAULT_DEPTH, is_repeatable=self._options.is_seed_given)

    @contextmanager
    def explore(self, contract: Contract, record: Record) -> Iterator[ExplorationDepth]:
        """Give the limits of a search in the block; an interruption is not lost, wherever it arrives.

        The seconds of the block count in the vendor's budget.
        """
        if contract.slug not in self._budgets:
            self._budgets[contract.slug] = self._create_budget(contract, record)
        budget = self._budgets[contract.slug]
        with catch_signals(raises_at_once=True) as interruption, budget.measure_time():
            yield replace(self.depth, raise_if_interrupted=interruption.raise_if_requested, budget=budget)

    def _create_budget(self, contract: Contract, record: Record) -> ExplorationBudget:
        """Create a vendor's budget. MINUTES= replaces it; on a real account the run's own minutes bound the time."""
        options = self._options
        protocols = options.protocols[contract.slug]
        searches = [WORKFLOWS for _ in protocols if self._should_explore(WORKFLOWS, None)]
        if "rest" in protocols:
            named = [f"explore/{operation}/{mode}" for operation, mode in list_modes(contract)]
            searches += [name for name in named if self._should_explore(name, contract)]
        is_live, minutes = contract.slug in options.live_settings, options.minutes
        seconds = math.inf if is_live else MAX_SECONDS + 60 * minutes * len(protocols)
        advice = "a larger MINUTES explores longer" if minutes else "MINUTES=5 explores longer"
        return ExplorationBudget(record, len(searches), math.inf if minutes else MAX_REQUESTS, seconds, advice)

    def start_drawing(self, contracts: Sequence[Contract]) -> None:
        """Let another process draw the cases for ``contracts``, if this run explores as usual and may start one.

        Call it before the run starts a thread.
        """
        options = self._options
        usual = self._should_explore("", None) and not (options.live_settings or options.only or options.minutes)
        if not usual or count_cores() == 1 or threading.active_count() != 1:
            return
        from contract_watch.engine.exploring.draws import CaseDrawer  # noqa: PLC0415 (needed by exploring alone)

        self.drawer = CaseDrawer(contracts, options.seed, self.depth)
        self._stack.callback(self.drawer.close)

    def take_cases(self, slug: str, operation: str, mode: str) -> "list[DrawnCase] | None":
        """Return the cases of a search that another process drew; None if the search has to draw them itself."""
        if self.drawer is None:
            return None
        return self.drawer.take_cases((slug, operation, mode), self._budgets[slug].seconds_left)
