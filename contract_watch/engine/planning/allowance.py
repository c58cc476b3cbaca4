"""The allowance of requests: a whole run must fit into one minute of a vendor's rate limit."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from heapq import heapify, heapreplace

from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.encodability import can_encode_rest
from contract_watch.engine.planning.probe import Probe, find_placeholders

MAX_REQUESTS = 190
"""Requests of probes and client together over one protocol: 80 % of a rate limit of 240 a minute."""
_RESERVE = 2
"""Requests that a vendor's interpretations may add; creations and removals are counted generously."""
_SHARED_OBJECT_REQUESTS = 6
"""Requests that create and remove shared objects."""


def fit_to_allowance(
    contract: Contract, probes: Sequence[Probe], is_sent: Callable[[Probe], bool] = lambda _probe: True
) -> list[Probe]:
    """Leave out equivalent probes, one after another, until the rest needs at most `MAX_REQUESTS` requests.

    Probes that ``is_sent`` rejects cost nothing and represent no other. The largest group of equivalent probes
    gives first, and each group keeps one. The operation of that one rotates among those that the model surely
    rejects.
    """
    families: dict[str, list[Probe]] = {}
    for probe in probes:
        if probe.equivalence_key and is_sent(probe):
            families.setdefault(probe.equivalence_key, []).append(probe)
    groups = {name: _rotate_equivalents(family, number) for number, (name, family) in enumerate(families.items())}
    representatives: dict[str, str] = {}
    over = (
        sum(_count_requests(contract, probe) for probe in probes if can_encode_rest(contract, probe) and is_sent(probe))
        + _count_overhead(contract)
        + _RESERVE
        - MAX_REQUESTS
    )
    # A heap: to look through all groups for each probe would take quadratic time.
    largest = [(-len(group), number, name) for number, (name, group) in enumerate(groups.items())]
    heapify(largest)
    while over > 0 and largest:
        size, number, name = largest[0]
        if size == -1:
            break
        heapreplace(largest, (size + 1, number, name))
        left_out = groups[name].pop()
        representatives[left_out.id] = groups[name][0].id
        over -= _count_requests(contract, left_out)
    return [replace(probe, represented_by=representatives.get(probe.id, "")) for probe in probes]


def _rotate_equivalents(family: Sequence[Probe], number: int) -> list[Probe]:
    """Rotate a group of equivalent probes, deterministic ones first."""
    certain, others = [p for p in family if p.is_deterministic()], [p for p in family if not p.is_deterministic()]
    turn = number % len(certain) if certain else 0
    return [*certain[turn:], *certain[:turn], *others]


def _count_requests(contract: Contract, probe: Probe) -> int:
    """Count the requests of a probe: its steps, and the removal of the objects that it creates."""
    if probe.family not in ("accepted", "rules"):
        return len(probe.steps)
    life = contract.lifecycle
    created: set[str] = set()
    for step in probe.steps:
        named = find_placeholders(step.arguments) - {"stock", "password", "short", "next", "key"}
        created = (
            created | named
            if step.operation == life.create
            else created - named
            if step.operation == life.remove
            else created
        )
    return len(probe.steps) + len(created)


def _count_overhead(contract: Contract) -> int:
    """Count the requests of preflight, client and shared objects."""
    life = [name for name in contract.operations if contract.get_roles(name) or name == contract.lifecycle.read]
    return 2 * len(contract.credentials) + 2 * len(life) + 1 + _SHARED_OBJECT_REQUESTS
