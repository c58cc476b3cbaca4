"""Scenarios: flows that a contract's rules call for. The model judges them.

The flows of every resource are derived (see `flows`). ``scenarios.yaml`` holds those that are the vendor's own: one with
the name of a derived flow replaces it, one that is null drops it. A derived flow is left out if the vendor's own flows
exercise all of its clauses.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from contract_watch.contracts.registry import Contract
from contract_watch.contracts.yaml_file import load_yaml
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.flows import FAMILY, derive_flows
from contract_watch.engine.planning.probe import Probe, ProbeStep
from contract_watch.errors import UsageError


def load_scenarios(contract: Contract, known_clauses: set[str]) -> list[Probe]:
    """Load scenarios as probes, derived ones first.

    Raises:
        UsageError: a scenario is malformed or names an unknown clause.
    """
    own = _load_own_scenarios(contract, known_clauses)
    covered = {clause for probe in own.values() if probe is not None for clause in probe.clauses}
    derived = [
        probe
        for probe in derive_flows(contract)
        if probe.id.removeprefix(f"{FAMILY}/") not in own and not covered.issuperset(probe.clauses)
    ]
    return [*derived, *(probe for probe in own.values() if probe is not None)]


def _load_own_scenarios(contract: Contract, known_clauses: set[str]) -> dict[str, Probe | None]:
    """Return the vendor's own scenarios by name, None for a derived one that is dropped."""
    path = contract.directory / "scenarios.yaml"
    if not path.exists():
        return {}
    try:
        raw = load_yaml(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(raw, dict):
        raise UsageError(f"{path}: is a map from a flow's name to the flow")
    probes: dict[str, Probe | None] = {}
    for name, flow in raw.items():
        where = f"{path}: {name}"
        if flow is None:
            probes[str(name)] = None
            continue
        if not isinstance(flow, dict) or not {"says", "clauses", "steps"} <= set(flow) <= {
            "says",
            "clauses",
            "steps",
            "needs",
        }:
            raise UsageError(f"{where}: needs `says`, `clauses`, `steps`, and may have `needs`")
        lists = all(
            isinstance(flow.get(key, []), list) and all(isinstance(item, str) for item in flow.get(key, []))
            for key in ("clauses", "needs")
        )
        if not lists or not isinstance(flow["says"], str) or not isinstance(flow["steps"], list) or not flow["clauses"]:
            raise UsageError(f"{where}: `says` is a text, `clauses` and `needs` are lists of texts, `steps` is a list")
        if unknown := [clause for clause in flow["clauses"] if clause not in known_clauses]:
            raise UsageError(f"{where}: there is no clause {unknown[0]!r}")
        steps = tuple(_parse_step(contract, where, step) for step in flow["steps"])
        operation = flow["clauses"][0].split("/")[0]
        probes[str(name)] = Probe(
            f"{FAMILY}/{name}",
            FAMILY,
            operation,
            flow["says"],
            tuple(flow["clauses"]),
            steps,
            required_accounts=tuple(flow.get("needs", ())),
        )
    return probes


def _parse_step(contract: Contract, where: str, raw: Any) -> ProbeStep:
    read = contract.operations[contract.lifecycle.read]
    if raw == "read":
        return ProbeStep.from_arguments(read, ArgumentBuilder(contract).build_baseline(read))
    if not isinstance(raw, dict):
        raise UsageError(f"{where}: a step is `read` or an operation with its arguments, not {raw!r}")
    account = raw.get("as")
    if account is not None and account not in {credential.account for credential in contract.credentials}:
        raise UsageError(f"{where}: there is no account {account!r}")
    named = list(_find_operations(contract, raw))
    if len(named) != 1:
        raise UsageError(f"{where}: a step names one operation, and {', '.join(map(str, raw))} is not that")
    name, arguments = named[0]
    operation = contract.operations[name]
    if arguments is None:
        arguments = ArgumentBuilder(contract).build_baseline(operation) if operation is read else {}
    return ProbeStep.from_arguments(operation, arguments, account=account)


def _find_operations(contract: Contract, raw: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, body in raw.items():
        if name == "read":
            yield contract.lifecycle.read, None
        elif name in contract.operations:
            yield name, body
        elif name != "as":
            yield from ((name, None), (name, None))  # counted twice: refused with its name
