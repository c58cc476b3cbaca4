"""Query, header and cookie parameters and forms are probed on both sides of their constraints."""

from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.clauses import derive_clauses
from contract_watch.engine.planning.encodability import explain_unencodable
from contract_watch.engine.planning.planner import plan_probes
from tests.support.depot import copy_depot


@pytest.fixture(name="plan")
def _plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    contract = copy_depot(tmp_path, monkeypatch)
    return contract, {probe.id: probe for probe in plan_probes(contract)}


def test_every_clause_of_a_request_is_probed(plan: tuple[Any, Any]) -> None:
    """No clause is left that text cannot violate, and each planned request can be sent."""
    contract, probes = plan
    probed = {clause for probe in probes.values() for clause in probe.clauses}
    wanted = {clause for clause in derive_clauses(contract) if "/request/" in clause}
    assert {"listCrates/request/query:limit/maximum", "addCrate/request/header:X-Zone/required"} <= wanted
    assert wanted <= probed
    assert [
        explain_unencodable(contract, probe) for probe in probes.values() if explain_unencodable(contract, probe)
    ] == []


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("refused/listCrates/query:limit/type", "query:limit", "abc"),
        ("refused/listCrates/query:limit/maximum", "query:limit", 51),
        ("refused/addCrate/header:X-Zone/required", "header:X-Zone", None),
        ("refused/removeCrate/query:force/required", "query:force", None),
        ("refused/removeCrate/cookie:shift/enum/NIGHT", "cookie:shift", "NIGHT"),
    ],
)
def test_parameters_are_violated_one_at_a_time(plan: tuple[Any, Any], name: str, key: str, value: Any) -> None:
    """The rest of the request is valid, required parameters included."""
    contract, probes = plan
    step = probes[name].steps[0]
    assert step.parameters.get(key) == value
    required = {one for one in contract.operations[step.operation].get_required_arguments() if one != key}
    body = step.body if isinstance(step.body, dict) else {}
    assert required <= {*step.parameters, *(f"{{{one}}}" for one in step.parameters), *body}


def test_reads_are_asked_with_each_value_alone(plan: tuple[Any, Any]) -> None:
    """One filter would hide what another does, and reads come after the requests that make objects."""
    _, probes = plan
    names = [name for name in probes if name.startswith("accepted/")]
    assert names[-1].startswith("accepted/listCrates/")
    steps = [step for name in names if "listCrates" in name for step in probes[name].steps]
    assert [dict(step.parameters) for step in steps] == [
        {"query:limit": 1}, {"query:limit": 50}, {"query:zone": "north"}, {"query:zone": "south"},
    ]  # fmt: skip
