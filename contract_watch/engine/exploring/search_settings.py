"""Hypothesis's settings and seed for one search, in whichever process it draws."""

import hashlib
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.database import ExampleDatabase

from contract_watch.engine.exploring.depth import ExplorationDepth


def apply_seed(chosen: int, label: str) -> Callable[[Any], Any]:
    """Return a decorator that seeds a search; ``label`` distinguishes the searches of one run."""
    number = int.from_bytes(hashlib.sha256(f"{chosen}/{label}".encode()).digest()[:8], "big")
    return seed(number)


def build_settings(
    examples: int, depth: ExplorationDepth, database: ExampleDatabase | None, steps: int = 50
) -> settings:
    """Build the settings of a search for ``examples`` examples; a repeatable one reads and writes no database."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=False,  # Hypothesis would draw the same every night where the environment has CI in it
        report_multiple_bugs=False,
        print_blob=False,
        phases=[Phase.generate, Phase.shrink] if depth.is_repeatable else [Phase.reuse, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        database=None if depth.is_repeatable else database,
    )
