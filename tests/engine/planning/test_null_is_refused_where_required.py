"""Null for each required property is sent and refused: a server may look for the name alone."""

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.planning.probe import Probe
from contract_watch.mutants.mutant_runner import start_mutant_runner
from contract_watch.mutants.null_mutants import derive_null_mutants


def _list_null_probes(contract: Contract) -> dict[str, Probe]:
    return {probe.id: probe for probe in plan_probes(contract) if probe.id.endswith("/null")}


def test_each_required_property_gets_null() -> None:
    """The rest of the body is valid, and the clause is that of the type."""
    planned = _list_null_probes(Contract("jetemail"))
    assert list(planned) == [
        "refused/createSmtpUser/username/null",
        "refused/deleteSmtpUser/username/null",
        "refused/updateSmtpUser/currentUsername/null",
    ]
    probe = planned["refused/updateSmtpUser/currentUsername/null"]
    assert probe.clauses == ("updateSmtpUser/request/currentUsername/type",)
    body = probe.steps[0].body
    assert body["currentUsername"] is None
    assert len(body) > 1


@pytest.mark.parametrize("slug", ["jetemail", "zitadel"])
def test_a_vendor_that_takes_null_is_found(slug: str) -> None:
    """Null that is taken for a value, or answered 500, is found for every required property."""
    contract = Contract(slug)
    mutants = list(derive_null_mutants(contract))
    with start_mutant_runner(contract) as runner:
        runner.plan = [probe for probe in runner.plan if probe.id.endswith("/null")]
        results = [runner.run_mutant(mutant) for mutant in mutants]
    assert len(results) == 2 * len(_list_null_probes(contract))
    assert [one.mutant for one in results if not (one.finding and one.names_operation and one.names_property)] == []
