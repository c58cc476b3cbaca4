"""A run of a contract's probes against its own mock."""

import datetime as dt
from dataclasses import dataclass

from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.planning.allowance import ignore_allowance
from contract_watch.engine.planning.encodability import can_encode_rest
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.running.cleanup import clean_up
from contract_watch.engine.running.preflight import run_preflight
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.report.record import Record


@dataclass(frozen=True)
class SelfCheck:
    """The result of a run: the statuses of each operation, and the clauses that no request reached, with their promises."""

    record: Record
    stop_reason: str | None
    statuses: list[tuple[str, int]]
    unreached: dict[str, str]


def run_self_check(contract: Contract) -> SelfCheck:
    """Run the probes of ``contract`` against its own mock."""
    now = dt.datetime.now(dt.UTC)
    record = Record(contract.slug, contract.name, contract.digest, "", 0, now)
    keys = {credential.account: credential.test for credential in contract.credentials}
    probes = ignore_allowance(plan_probes(contract))  # here nothing has to be spared
    with run_in_thread(build_mock([contract], {})) as address:
        session = Session(
            contract, address + contract.base_path, keys, NameGenerator(now.date(), suffix=contract.name_suffix), record
        )
        try:
            runner = Runner(session)
            run_preflight(session, runner)
            for probe in probes:
                if can_encode_rest(contract, probe):
                    runner.run_probe(probe)
            clean_up(session, runner)
        finally:
            session.close()
    # Requests that REST cannot encode are sent over another protocol, if there is one.
    other = {
        clause for probe in probes if contract.grpc and not can_encode_rest(contract, probe) for clause in probe.clauses
    }
    reached = session.coverage.exercised_clauses | other
    unreached = {clause: promise for clause, promise in derive_clauses(contract).items() if clause not in reached}
    return SelfCheck(record, session.stop_reason, sorted(session.coverage.exchanges_by_status), unreached)
