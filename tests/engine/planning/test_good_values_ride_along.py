"""Requests that are to be rejected carry good values, which the object does not have and only a wrong server stores."""

import pytest

from contract_watch.contracts.model import Account
from contract_watch.contracts.openapi import join_arguments
from contract_watch.contracts.outcomes import Interpretations, ModelState
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.bystanders import choose_bystanders
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.planning.probe import Probe, ProbeStep
from contract_watch.engine.planning.simulation import Simulation

CONTRACT = Contract("jetemail")
UPDATE = CONTRACT.operations["updateSmtpUser"]
NAME = "ct-261130-abcdef-1"


@pytest.fixture(name="probes", scope="module")
def _probes() -> list[Probe]:
    return [one for one in plan_probes(CONTRACT) if one.family == "refused" and one.operation == UPDATE.id]


def _create_state(**values: object) -> ModelState:
    model, simulation = CONTRACT.model, Simulation(CONTRACT)
    accounts = [Account(one.account, one.test) for one in CONTRACT.credentials]
    state = model.start(accounts, Interpretations(model.interpretations), "ct-")
    create = CONTRACT.operations["createSmtpUser"]
    request = simulation.build_request(create, {"username": NAME, "password": "Rehearsal1234", **values})
    outcome = model.outcomes(state, request)[0]
    return outcome.resolve_next_state(outcome.body.render() if outcome.body is not None else None)


def _choose(step: ProbeStep, **values: object) -> dict[str, object]:
    chosen = choose_bystanders(Simulation(CONTRACT), [_create_state(**values)], step, NAME, "")
    return join_arguments(chosen.parameters, chosen.body)


def _find_step(probes: list[Probe], name: str) -> ProbeStep:
    return next(one for one in probes if one.id == f"refused/updateSmtpUser/{name}").steps[0]


def test_every_request_about_a_shared_object_has_them(probes: list[Probe]) -> None:
    """A request that names no object, or whose body is no object, changes none."""
    without = {one.id.removeprefix("refused/updateSmtpUser/") for one in probes if not one.steps[0].bystanders}
    assert without == {
        "currentUsername/required",
        "currentUsername/type",
        "currentUsername/null",
        "body/array",
        "body/absent",
    }


def test_numbers_differ_from_probe_to_probe(probes: list[Probe]) -> None:
    """The stored value tells the request that asked for it."""
    first = [one.steps[0].bystanders["quota"][0] for one in probes if "quota" in one.steps[0].bystanders]
    assert len(first) == len(set(first)) > 20


def test_wrong_value_stays_and_comes_last(probes: list[Probe]) -> None:
    """Vendors that store one property after another have stored the good ones by then."""
    sent = _choose(_find_step(probes, "quota/minimum"))
    assert list(sent)[-1] == "quota"
    assert sent["quota"] == -1
    assert {"currentUsername", "approvedDomains", "ipRestrictions"} <= sent.keys()


@pytest.mark.parametrize("stored", [True, False])
def test_sent_value_is_not_the_stored_one(probes: list[Probe], stored: bool) -> None:
    """A value that the object has already would show nothing."""
    for probe in probes:
        if probe.steps[0].bystanders and "allowAllDomains" not in probe.id and not probe.id.endswith("/nulls"):
            sent = _choose(probe.steps[0], allowAllDomains=stored)
            assert sent.get("allowAllDomains", not stored) is not stored, probe.id


def test_values_that_exclude_each_other_take_turns(probes: list[Probe]) -> None:
    """Both flags together are refused for that alone, so each is sent by some probes."""
    flags = ("allowAnyDomain", "allowAllDomains")
    sent = [
        _choose(one.steps[0])
        for one in probes
        if one.steps[0].bystanders and "/allow" not in one.id and "nulls" not in one.id
    ]
    assert not any(all(one.get(flag) is True for flag in flags) for one in sent)
    assert all(any(one.get(flag) is True for one in sent) for flag in flags)
