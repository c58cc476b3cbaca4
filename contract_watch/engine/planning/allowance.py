"""What a run may cost: a whole verdict is to fit into a minute's allowance, so probes that ask the same share it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.probe import Probe, places
from contract_watch.engine.protocols.protocol import sayable

MOST = 190
"""Requests of probes and client together on one surface. A vendor that allows 240 a minute is asked at 80 % of that."""
_RESERVE = 2
"""For what a vendor's readings make a run ask besides; what is made and removed on the way is counted generously."""
_SHARED = 6
"""Requests that make shared objects and remove them."""


def affordable(
    contract: Contract, probes: Sequence[Probe], sent: Callable[[Probe], bool] = lambda _probe: True
) -> list[Probe]:
    """``probes``, of which twins are left out, one after another, until the rest fits into `MOST` requests.

    Those that are not ``sent`` anyway cost nothing, and stand for no other.

    The largest family of twins gives first, and each keeps one; which operation that is goes round among those that the
    model surely refuses.
    """
    families: dict[str, list[Probe]] = {}
    for probe in probes:
        if probe.twins and sent(probe):
            families.setdefault(probe.twins, []).append(probe)
    kept = {name: _turned(family, number) for number, (name, family) in enumerate(families.items())}
    instead: dict[str, str] = {}
    over = (
        sum(_cost(contract, probe) for probe in probes if sayable(contract, probe) and sent(probe))
        + _around(contract)
        + _RESERVE
        - MOST
    )
    while over > 0:
        name = max(kept, key=lambda one: len(kept[one]), default="")
        if not name or len(kept[name]) == 1:
            break
        left = kept[name].pop()
        instead[left.id] = kept[name][0].id
        over -= _cost(contract, left)
    return [replace(probe, instead=instead.get(probe.id, "")) for probe in probes]


def _turned(family: Sequence[Probe], number: int) -> list[Probe]:
    """A family with the probe first whose turn it is, those that are sure before the others."""
    sure, others = [p for p in family if p.sure], [p for p in family if not p.sure]
    turn = number % len(sure) if sure else 0
    return [*sure[turn:], *sure[:turn], *others]


def _cost(contract: Contract, probe: Probe) -> int:
    """The requests of a probe: its steps, and the removal of what they make."""
    if probe.family not in ("accepted", "rules"):
        return len(probe.steps)
    life = contract.lifecycle
    made: set[str] = set()
    for step in probe.steps:
        named = places(step.arguments) - {"stock", "password", "short"}
        made = (
            made | named if step.operation == life.create else made - named if step.operation == life.remove else made
        )
    return len(probe.steps) + len(made)


def _around(contract: Contract) -> int:
    """What preflight, the client's life, and making, getting ready and removing shared objects cost."""
    life = [name for name in contract.operations if contract.get_roles(name) or name == contract.lifecycle.read]
    return 2 * len(contract.credentials) + 2 * len(life) + 1 + _SHARED
