"""Drifts of parameters and forms are found by the probes alone."""

import datetime as dt
from collections.abc import Iterator

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.running.preflight import run_preflight
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants.derivation import derive_mutants
from contract_watch.mutants.mutant import Mutation
from contract_watch.mutants.mutant_mock import MutantApp, MutantServer
from contract_watch.report.record import Record
from tests.support.depot import KEY, copy_depot


@pytest.fixture(name="depot", scope="module")
def _depot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contract]:
    with pytest.MonkeyPatch.context() as patch:
        yield copy_depot(tmp_path_factory.mktemp("depot"), patch)


def _find_drifts(contract: Contract, mutation: Mutation) -> list[str]:
    server = MutantServer()
    server.app = MutantApp(contract, mutation)
    now = dt.datetime.now(dt.UTC)
    record = Record("depot", "Depot", "", "", 0, now)
    with run_in_thread(server) as address:
        session = Session(
            contract, address + contract.base_path, {"yard": KEY}, NameGenerator(now.date()), record, lag=0.0
        )
        try:
            runner = Runner(session)
            run_preflight(session, runner)
            for probe in plan_probes(contract):
                runner.run_probe(probe)
                if record.findings:
                    break
        finally:
            session.close()
    assert session.stop_reason is None
    return [finding.id for finding in record.findings]


def test_the_faithful_vendor_has_no_finding(depot: Contract) -> None:
    """The findings of the test below come from the mutants."""
    assert _find_drifts(depot, Mutation()) == []


@pytest.mark.parametrize(
    "name",
    [
        "requests/listCrates/query:limit/ignored",
        "requests/listCrates/query:zone/ignored",
        "requests/addCrate/header:X-Zone/optional",
        "requests/removeCrate/query:force/renamed",
        "requests/removeCrate/cookie:shift/refused-night",
    ],
)
def test_a_drift_of_a_parameter_is_found(depot: Contract, name: str) -> None:
    """Ignored, looser, no longer required, renamed: each is a finding of its operation."""
    mutant = next(one for one in derive_mutants(depot) if one.id == name)
    found = _find_drifts(depot, mutant.create_mutation())
    assert found
    assert all(one.startswith(mutant.operation) for one in found)
