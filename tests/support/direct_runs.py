"""Runs of probes and client stage in this process, without pytest: the record that a whole run reports from."""

from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.clock import Clock
from contract_watch.engine.planning.encodability import can_encode_rest
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.planning.probe import FAMILIES
from contract_watch.engine.running.cleanup import clean_up
from contract_watch.engine.running.client_stage import parse_recorded_responses, run_client
from contract_watch.engine.running.preflight import run_preflight
from contract_watch.engine.running.runner import Runner
from contract_watch.report.record import Record
from tests.support.protocol_sessions import make_session


def run_directly(contract: Contract, base: str, clock: Clock | None = None) -> tuple[Record, Runner]:
    """Run all probes and the client on ``base``; return the record and the runner."""
    session = make_session(contract, base, None, lag=0.0, clock=clock)
    runner = Runner(session)
    run_preflight(session, runner)
    probes = [probe for probe in plan_probes(contract) if can_encode_rest(contract, probe)]
    for probe in sorted(probes, key=lambda one: FAMILIES.index(one.family)):
        runner.run_probe(probe)
    run_client(session, runner)
    parse_recorded_responses(session, runner)
    clean_up(session, runner)
    session.close()
    record = session.record
    record.documented = list(derive_clauses(contract))
    record.not_exercised = {
        name: record.not_exercised.get(name, "never seen in a response")
        for name in record.documented
        if name not in session.coverage.exercised_clauses
    }
    record.since = contract.describe_age()
    return record, runner
