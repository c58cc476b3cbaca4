"""The extent of an exploration: operations with their kinds of data, and the limits of a search.

Nothing here loads Schemathesis or Hypothesis, so that a run that does not explore starts without them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract_watch.contracts.registry import Contract

if TYPE_CHECKING:
    from hypothesis.database import ExampleDatabase


@dataclass(frozen=True)
class ExplorationDepth:
    """How far one exploration goes.

    ``examples`` are Schemathesis cases for each operation and kind of data, ``lives`` random lives of the state machine
    with ``steps`` each. ``database`` keeps what was found; None: where Hypothesis keeps it. What ``repeats`` another by its
    seed reads and keeps no examples: they would make it depend on what ran in between. ``until``, on the monotonic clock,
    ends a search; one that found something has `MAX_SHRINK_SECONDS` seconds more to make it small, and ``shrinks`` requests:
    a vendor counts them. ``heed``, called before every request, raises where the search is to end at once.
    """

    examples: int = 8
    workflows: int = 8
    steps: int = 10
    database: "ExampleDatabase | None" = None
    is_repeatable: bool = False
    until: float = math.inf
    max_shrink_requests: float = 600
    raise_if_interrupted: Callable[[], None] = lambda: None


DEFAULT_DEPTH = ExplorationDepth()


def list_modes(contract: Contract) -> list[tuple[str, str]]:
    """Every operation with every kind of data that it can be explored with."""
    return [(name, mode) for name, operation in contract.operations.items()
            for mode in (("positive", "negative") if operation.body or operation.parameters else ("positive",))]  # fmt: skip
