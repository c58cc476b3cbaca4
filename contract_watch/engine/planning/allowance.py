"""What a run may cost: a whole verdict is to fit into a minute's allowance, so probes that ask the same share it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.encodability import can_encode_rest
from contract_watch.engine.planning.probe import Probe, find_placeholders

MAX_REQUESTS = 190
"""Requests of probes and client together on one surface. A vendor that allows 240 a minute is asked at 80 % of that."""
_RESERVE = 2
"""For what a vendor's readings make a run ask besides; what is made and removed on the way is counted generously."""
_SHARED_OBJECT_REQUESTS = 6
"""Requests that make shared objects and remove them."""


def fit_to_allowance(
    contract: Contract, probes: Sequence[Probe], is_sent: Callable[[Probe], bool] = lambda _probe: True
) -> list[Probe]:
    """``probes``, of which twins are left out, one after another, until the rest fits into `MAX_REQUESTS` requests.

    Those that are not ``sent`` anyway cost nothing, and stand for no other.

    The largest family of twins gives first, and each keeps one; which operation that is goes round among those that the
    model surely refuses.
    """
    families: dict[str, list[Probe]] = {}
    for probe in probes:
        if probe.equivalence_key and is_sent(probe):
            families.setdefault(probe.equivalence_key, []).append(probe)
    kept = {name: _rotate_equivalents(family, number) for number, (name, family) in enumerate(families.items())}
    instead: dict[str, str] = {}
    over = (
        sum(_count_requests(contract, probe) for probe in probes if can_encode_rest(contract, probe) and is_sent(probe))
        + _count_overhead(contract)
        + _RESERVE
        - MAX_REQUESTS
    )
    while over > 0:
        name = max(kept, key=lambda one: len(kept[one]), default="")
        if not name or len(kept[name]) == 1:
            break
        left = kept[name].pop()
        instead[left.id] = kept[name][0].id
        over -= _count_requests(contract, left)
    return [replace(probe, represented_by=instead.get(probe.id, "")) for probe in probes]


def _rotate_equivalents(family: Sequence[Probe], number: int) -> list[Probe]:
    """A family with the probe first whose turn it is, those that are sure before the others."""
    sure, others = [p for p in family if p.is_deterministic], [p for p in family if not p.is_deterministic]
    turn = number % len(sure) if sure else 0
    return [*sure[turn:], *sure[:turn], *others]


def _count_requests(contract: Contract, probe: Probe) -> int:
    """The requests of a probe: its steps, and the removal of what they make."""
    if probe.family not in ("accepted", "rules"):
        return len(probe.steps)
    life = contract.lifecycle
    made: set[str] = set()
    for step in probe.steps:
        named = find_placeholders(step.arguments) - {"stock", "password", "short"}
        made = (
            made | named if step.operation == life.create else made - named if step.operation == life.remove else made
        )
    return len(probe.steps) + len(made)


def _count_overhead(contract: Contract) -> int:
    """What preflight, the client's life, and making, getting ready and removing shared objects cost."""
    life = [name for name in contract.operations if contract.get_roles(name) or name == contract.lifecycle.read]
    return 2 * len(contract.credentials) + 2 * len(life) + 1 + _SHARED_OBJECT_REQUESTS
