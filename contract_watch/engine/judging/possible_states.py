"""The states that the responses so far leave possible."""

from collections.abc import Iterator

from contract_watch.contracts.outcomes import ModelState

MAX_POSSIBLE_STATES = 64
"""States that are followed at most."""


def deduplicate_states(states: Iterator[ModelState]) -> list[ModelState]:
    """Return the first `MAX_POSSIBLE_STATES` different ones of ``states``."""
    found: list[ModelState] = []
    for state in states:
        if state not in found:
            found.append(state)
        if len(found) == MAX_POSSIBLE_STATES:
            break
    return found
