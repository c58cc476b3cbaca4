"""The interpretations that a target takes: what its responses left possible of what the documents leave open."""

from collections.abc import Iterable, Mapping, Sequence

from contract_watch.contracts.outcomes import Interpretations, ModelState
from contract_watch.contracts.registry import Contract
from contract_watch.report.record import Interpretation


def collect_interpretations(contract: Contract, runs: Iterable[Sequence[ModelState]]) -> list[Interpretation]:
    """Return each interpretation that a run narrowed, with the values that remain.

    ``runs`` holds the possible states at the end of each protocol's run. A value remains if one of them has it; of
    several protocols, each rules values out.
    """
    declared = contract.model.interpretations
    remaining: dict[str, tuple[str, ...]] = {}
    for states in runs:
        for key, values in _join_states(declared, states).items():
            before = remaining.get(key, declared[key.partition("@")[0]])
            # Two protocols that contradict each other leave what either shows.
            remaining[key] = tuple(value for value in before if value in values) or tuple(
                dict.fromkeys([*before, *values])
            )
    return [
        Interpretation(key, declared[name], values, declared[name][0])
        for key, values in sorted(remaining.items())
        if set(values) < set(declared[name := key.partition("@")[0]])
    ]


def _join_states(declared: Mapping[str, tuple[str, ...]], states: Sequence[ModelState]) -> dict[str, tuple[str, ...]]:
    """Return the values that any of the states has, by name, and by ``name@scope`` where a scope was narrowed."""
    found = [one for state in states if isinstance(one := getattr(state, "interpretations", None), Interpretations)]
    keys = {key for one in found for key in one.narrowed}
    joined: dict[str, tuple[str, ...]] = {}
    for key in keys:
        name, _, scope = key.partition("@")
        values = {value for one in found for value in one.get_choices(name, scope)}
        joined[key] = tuple(value for value in declared[name] if value in values)
    return joined
