"""The allowance of requests: a whole run must fit into one minute of a vendor's rate limit."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from heapq import heapify, heapreplace

from contract_watch.contracts.openapi import join_arguments, read_toml
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.encodability import can_encode_rest
from contract_watch.engine.planning.near_keys import KEY_KINDS
from contract_watch.engine.planning.probe import Probe, ProbeStep, find_placeholders
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.errors import UsageError
from contract_watch.report.record import Record

MAX_REQUESTS = 190
"""Requests of probes and client together over one protocol: 80 % of a rate limit of 240 a minute."""
_RESERVE = 1
"""Requests that a vendor's interpretations may add; creations and removals are counted generously."""
_SHARED_OBJECT_REQUESTS = 6
"""Requests that create and remove shared objects."""
_REMEDY = (
    "a pattern without `maxLength` or many properties usually cause it: bound them in overlay.yaml, leave an operation out, "
    "or raise `requests` in mutants.toml as far as the vendor's rate permits"
)


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
    simulation = Simulation(contract)
    over = _count_all(simulation, [probe for probe in probes if is_sent(probe)]) + _RESERVE - MAX_REQUESTS
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
        over -= _count_requests(simulation, left_out)
    return [replace(probe, represented_by=representatives.get(probe.id, "")) for probe in probes]


def ignore_allowance(probes: Sequence[Probe]) -> list[Probe]:
    """Return the probes of a run that also sends those that others stand for."""
    return [replace(probe, represented_by="") for probe in probes]


def get_max_requests(contract: Contract) -> int:
    """Return the most requests of a run over one protocol: `requests` of mutants.toml, else `MAX_REQUESTS`."""
    path = contract.directory / "mutants.toml"
    try:
        floors = read_toml(path).get("floors") if path.exists() else None
    except UsageError:  # `make check-contracts` reports it
        floors = None
    found = floors.get("requests") if isinstance(floors, dict) else None
    return found if isinstance(found, int) else MAX_REQUESTS


def describe_plan_overrun(contract: Contract, probes: Sequence[Probe]) -> str:
    """Return a line if the planned ``probes`` exceed the allowance; it names the argument with the most; else nothing."""
    sent = [probe for probe in probes if not probe.represented_by]
    planned, most = _count_all(Simulation(contract), sent), get_max_requests(contract)
    if planned <= most:
        return ""
    arguments = Counter(
        clause.partition("/request/")[0] + ": " + clause.partition("/request/")[2].partition("/")[0]
        for probe in sent
        for part in probe.parts or (probe,)
        for clause in part.clauses
        if "/request/" in clause
    )
    crowded, count = arguments.most_common(1)[0] if arguments else ("", 0)
    named = f"{count} requests are about {crowded}; " if crowded else ""
    return f"a run plans {planned} requests, more than {most}; {named}{_REMEDY}"


def note_overrun(contract: Contract, record: Record) -> None:
    """Add a note to a run without drift whose probes and client stage took more requests than the allowance.

    A drift takes further requests to confirm, and so do the faults that other notes tell of.
    """
    sent, most = record.requests["probes"] + record.requests["client"], get_max_requests(contract)
    is_quiet = not (record.findings or record.notes) and record.reason is None
    if is_quiet and sent > most * len(record.surfaces):
        each = " on each protocol" if len(record.surfaces) > 1 else ""
        record.notes.append(f"probes and client sent {sent} requests, more than {most}{each}; {_REMEDY}")


def _rotate_equivalents(family: Sequence[Probe], number: int) -> list[Probe]:
    """Rotate a group of equivalent probes, deterministic ones first."""
    certain, others = [p for p in family if p.is_deterministic()], [p for p in family if not p.is_deterministic()]
    turn = number % len(certain) if certain else 0
    return [*certain[turn:], *certain[:turn], *others]


def _count_all(simulation: Simulation, probes: Sequence[Probe]) -> int:
    """Count the requests of a run that sends ``probes`` over REST."""
    contract = simulation.contract
    sent = [probe for probe in probes if can_encode_rest(contract, probe)]
    return sum(_count_requests(simulation, probe) for probe in sent) + _count_overhead(contract)


def _count_requests(simulation: Simulation, probe: Probe) -> int:
    """Count the requests of a probe: its steps, and the removal of the objects that it creates."""
    if probe.family not in ("accepted", "rules"):
        return len(probe.steps)
    life = simulation.contract.lifecycle
    created: set[str] = set()
    for step in probe.steps:
        named = find_placeholders(step.arguments) - {"stock", "password", "short", "next", "key"}
        if step.operation == life.create and not _is_surely_refused(simulation, step):
            created |= named
        elif step.operation == life.remove:
            created -= named
    return len(probe.steps) + len(created)


def _is_surely_refused(simulation: Simulation, step: ProbeStep) -> bool:
    """Return True if the model rejects the request of ``step`` in every interpretation, so that it creates nothing."""
    contract = simulation.contract
    account = next((one for one in contract.credentials if one.account == step.account), contract.credentials[0])
    arguments = join_arguments(step.parameters, step.body)
    return simulation.is_refused(contract.operations[step.operation or ""], arguments, account.test)


def _count_overhead(contract: Contract) -> int:
    """Count the requests of preflight, client and shared objects, and those for access tokens."""
    life = [name for name in contract.operations if contract.get_roles(name) or name == contract.lifecycle.read]
    tokens = len(contract.credentials) + len(KEY_KINDS) if contract.token is not None else 0
    return 2 * len(contract.credentials) + 2 * len(life) + 1 + _SHARED_OBJECT_REQUESTS + tokens
