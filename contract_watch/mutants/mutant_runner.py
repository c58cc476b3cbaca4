"""The mutant runner: probes and client stage against one mutant, up to the first finding."""

import datetime as dt
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.exploring.depth import ExplorationDepth, list_modes
from contract_watch.engine.exploring.exploration import explore_requests, explore_workflows
from contract_watch.engine.planning.allowance import ignore_allowance
from contract_watch.engine.planning.encodability import can_encode_rest
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.planning.probe import FAMILIES, Probe
from contract_watch.engine.running.cleanup import clean_up
from contract_watch.engine.running.client_stage import parse_recorded_responses, run_client
from contract_watch.engine.running.preflight import run_preflight
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Patience, Session
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants.mutant import Mutant, Mutation
from contract_watch.mutants.mutant_mock import MutantApp, MutantServer, PacedClock
from contract_watch.report.finding import Finding
from contract_watch.report.record import Record

_DEPTH = ExplorationDepth(is_repeatable=True)


@dataclass(frozen=True)
class MutantResult:
    """Result of one mutant. ``finding`` is the id of the first finding, empty if the mutant survived.

    ``activations`` counts how often the drift made a difference, ``requests`` and ``seconds`` lead to the first finding
    or to the end. ``reason`` is why a run without findings has no verdict `none`.
    """

    mutant: str
    finding: str
    title: str
    names_operation: bool
    names_property: bool
    activations: int
    requests: int
    seconds: float
    reason: str = ""


class MutantRunner:
    """Runs the suite against mutants of one contract, on one server in this process.

    A thorough one also runs the probes that others stand for, like ``THOROUGH=1``.
    """

    def __init__(self, contract: Contract, base: str, server: MutantServer, *, is_thorough: bool = False) -> None:
        self._contract = contract
        self.address = base
        self._base = base + contract.base_path
        self._server = server
        self._clock: PacedClock | None = None
        planned = [probe for probe in plan_probes(contract) if can_encode_rest(contract, probe)]
        if is_thorough:
            planned = ignore_allowance(planned)
        self.plan = sorted(planned, key=lambda probe: FAMILIES.index(probe.family))

    def run_mutant(self, mutant: Mutant) -> MutantResult:
        """Run the suite's deterministic stages against a mutant until the first finding."""
        started = time.monotonic()
        mutation = mutant.create_mutation()
        self.load_mutation(mutation)
        record, found = self.run_suite()
        first = found[0] if found else None
        return MutantResult(
            mutant.id,
            first.id if first else "",
            first.title if first else "",
            first is not None and self._names_operation(mutant, first),
            first is not None and bool(mutant.field) and _names_property(mutant, first),
            mutation.activations,
            sum(record.requests.values()),
            round(time.monotonic() - started, 3),
            "" if found else record.reason or "",
        )

    def _names_operation(self, mutant: Mutant, finding: Finding) -> bool:
        if mutant.undeclared_method:
            return finding.operation == mutant.undeclared_method
        if not mutant.operation:
            return True
        return self._contract.operations[mutant.operation].name in (finding.operation, *finding.suspects)

    def load_mutation(self, mutation: Mutation, interpretations: dict[str, str] | None = None) -> None:
        """Serve ``mutation`` from now on."""
        clock = PacedClock(mutation.pace) if mutation.pace else None
        shown = clock.build_mock_clock() if clock is not None else None
        self._clock = clock
        self._server.app = MutantApp(self._contract, mutation, interpretations or {}, shown)

    def explore(self, seed: int) -> list[Finding]:
        """Run the exploring stage once against the loaded mutation; return its findings."""
        session = self._create_session()
        try:
            runner = Runner(session)
            run_preflight(session, runner)
            for operation, mode in list_modes(self._contract):
                explore_requests(session, runner, operation, mode, seed, _DEPTH)
            explore_workflows(session, runner, seed, _DEPTH)
            clean_up(session, runner)
            return session.record.findings
        finally:
            session.close()

    def run_suite(self, probes: list[Probe] | None = None) -> tuple[Record, list[Finding]]:
        """Run probes and client once against the loaded mutation; return the record and the first findings."""
        session = self._create_session()
        record = session.record
        try:
            runner = Runner(session)
            run_preflight(session, runner)
            if found := _select_steady(record.findings):
                return record, found
            for found in _run_stages(session, runner, self.plan if probes is None else probes):
                if (steady := _select_steady(found)) or session.stop_reason is not None:
                    record.reason = record.reason or session.stop_reason
                    return record, steady
            clean_up(session, runner)
            return record, _select_steady(record.findings)
        finally:
            session.close()

    def _create_session(self) -> Session:
        contract, now = self._contract, dt.datetime.now(dt.UTC)
        record = Record(contract.slug, contract.name, contract.digest, self._base, 0, now)
        keys = {credential.account: credential.test for credential in contract.credentials}
        # The mock here never lags: retrying every read that drifts would take hours.
        names = NameGenerator(now.date(), suffix=contract.name_suffix)
        patience = Patience.begin(contract, record, self._clock, lag=0.0)
        patience = replace(patience, stamp=self._clock.wall) if self._clock is not None else patience
        return Session(contract, self._base, keys, names, record, patience=patience)


def _run_stages(session: Session, runner: Runner, probes: list[Probe]) -> Iterator[list[Finding]]:
    for probe in probes:
        yield runner.run_probe(probe)
    yield run_client(session, runner)
    yield parse_recorded_responses(session, runner)


def _select_steady(findings: list[Finding]) -> list[Finding]:
    """Return the findings that decide a verdict: flaky ones do not."""
    return [finding for finding in findings if not finding.flapping]


def _names_property(mutant: Mutant, finding: Finding) -> bool:
    """Return True if a finding names the drifting property: in its id, or as a word of its title."""
    words = re.findall(r"[^\s,/`:]+", finding.title)
    return mutant.field in finding.id.split("/") or mutant.field in words


@contextmanager
def start_mutant_runner(contract: Contract, *, is_thorough: bool = False) -> Iterator[MutantRunner]:
    """Start a mutant runner and its server on a free loopback port."""
    server = MutantServer()
    with run_in_thread(server) as base:
        yield MutantRunner(contract, base, server, is_thorough=is_thorough)
