"""The extent of an exploration: operations with their kinds of data, and the limits of a search.

Nothing here loads Schemathesis or Hypothesis, so that a run that does not explore starts without them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract_watch.contracts.registry import Contract
from contract_watch.engine.running.exploration_budget import ExplorationBudget

if TYPE_CHECKING:
    from hypothesis.database import ExampleDatabase


@dataclass(frozen=True)
class ExplorationDepth:
    """The limits of one exploration.

    ``examples`` are Schemathesis cases for each operation and kind of data, ``workflows`` random workflows of the state
    machine with ``steps`` each. ``database`` stores failing examples; None means Hypothesis's own. A repeatable search
    reads and stores none, because they would make it depend on earlier runs. ``until``, on the monotonic clock, ends a
    search; one that has found something gets `MAX_SHRINK_SECONDS` seconds more to shrink it, and ``max_shrink_requests``
    requests, because a vendor counts them. ``budget`` bounds all searches of a run together. ``raise_if_interrupted`` is called
    before every request.
    """

    examples: int = 8
    workflows: int = 8
    steps: int = 10
    database: "ExampleDatabase | None" = None
    is_repeatable: bool = False
    until: float = math.inf
    max_shrink_requests: float = 600
    budget: ExplorationBudget | None = None
    raise_if_interrupted: Callable[[], None] = lambda: None


DEFAULT_DEPTH = ExplorationDepth()


def list_modes(contract: Contract) -> list[tuple[str, str]]:
    """Return every operation with each kind of data that suits it."""
    return [(name, mode) for name, operation in contract.operations.items()
            for mode in (("positive", "negative") if operation.body or operation.parameters else ("positive",))]  # fmt: skip
