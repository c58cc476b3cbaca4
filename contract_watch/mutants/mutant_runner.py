"""One mutant on trial: the probes and the client stage against it, up to the first finding."""

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.object_names import Names
from contract_watch.engine.command.pytest_plugin import FAMILIES
from contract_watch.engine.exploring.exploration import Depth, explore_lives, explore_requests, modes
from contract_watch.engine.planning.planner import plan
from contract_watch.engine.planning.probe import Probe
from contract_watch.engine.protocols.protocol import sayable
from contract_watch.engine.running.cleanup import clean_up, preflight
from contract_watch.engine.running.client_stage import parse_recorded, run_client
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants.mutant import Mutant, Play
from contract_watch.mutants.mutated_vendor import House, Stage
from contract_watch.report.finding import Finding
from contract_watch.report.record import Record

_DEPTH = Depth(repeats=True)


@dataclass(frozen=True)
class Trial:
    """What became of one mutant. ``finding`` is the id of the first finding, empty where it survived.

    ``touched`` counts how often the drift was played, ``requests`` and ``seconds`` lead to the first finding, or to the
    end; ``reason`` says why a run that found nothing is not a verdict of `none`.
    """

    mutant: str
    finding: str
    title: str
    operation_named: bool
    property_named: bool
    touched: int
    requests: int
    seconds: float
    reason: str = ""


class Court:
    """Tries the mutants of one contract, on one server in this process."""

    def __init__(self, contract: Contract, base: str, house: House) -> None:
        self._contract = contract
        self.address = base
        self._base = base + contract.base_path
        self._house = house
        planned = [probe for probe in plan(contract) if sayable(contract, probe)]
        self._plan = sorted(planned, key=lambda probe: FAMILIES.index(probe.family))

    def try_(self, mutant: Mutant) -> Trial:
        """Run the suite's deterministic stages against the mutant until they find something."""
        began = time.monotonic()
        play = mutant.play()
        self._house.showing = Stage(self._contract, play)
        record, found = self.run()
        first = found[0] if found else None
        return Trial(
            mutant.id,
            first.id if first else "",
            first.title if first else "",
            first is not None and self._names_operation(mutant, first),
            first is not None and bool(mutant.field) and _names_property(mutant, first),
            play.touched,
            sum(record.requests.values()),
            round(time.monotonic() - began, 3),
            "" if found else record.reason or "",
        )

    def _names_operation(self, mutant: Mutant, finding: Finding) -> bool:
        if mutant.undeclared:
            return finding.operation == mutant.undeclared
        return not mutant.operation or finding.operation == self._contract.operations[mutant.operation].name

    def show(self, play: Play, readings: dict[str, str] | None = None) -> None:
        """Let the server play ``play`` from now on."""
        self._house.showing = Stage(self._contract, play, readings or {})

    def explore(self, seed: int) -> list[Finding]:
        """The exploring stage once, against what is showing: its findings."""
        session = self._session()
        try:
            runner = Runner(session)
            preflight(session, runner)
            for operation, mode in modes(self._contract):
                explore_requests(session, runner, operation, mode, seed, _DEPTH)
            explore_lives(session, runner, seed, _DEPTH)
            clean_up(session, runner)
            return session.record.findings
        finally:
            session.close()

    def run(self, probes: list[Probe] | None = None) -> tuple[Record, list[Finding]]:
        """One run of probes and client against what is showing: its record, and the first findings."""
        session = self._session()
        record = session.record
        try:
            runner = Runner(session)
            preflight(session, runner)
            if record.findings:
                return record, record.findings
            for found in _stages(session, runner, self._plan if probes is None else probes):
                if found or session.stopped is not None:
                    record.reason = record.reason or session.stopped
                    return record, found
            clean_up(session, runner)
            return record, record.findings
        finally:
            session.close()

    def _session(self) -> Session:
        contract, now = self._contract, dt.datetime.now(dt.UTC)
        record = Record(contract.slug, contract.name, contract.digest, self._base, 0, now)
        keys = {credential.account: credential.test for credential in contract.credentials}
        session = Session(contract, self._base, keys, Names(now.date()), record)
        session.patience = 0.0  # the mock here never lags: waiting for every drift of a reading would take hours
        return session


def _stages(session: Session, runner: Runner, probes: list[Probe]) -> Iterator[list[Finding]]:
    for probe in probes:
        yield runner.run(probe)
    yield run_client(session, runner)
    yield parse_recorded(session, runner)


def _names_property(mutant: Mutant, finding: Finding) -> bool:
    """Whether the finding says which property drifted: in its id, or as a word of its title."""
    words = finding.title.replace(",", " ").replace("/", " ").split()
    return mutant.field in finding.id.split("/") or mutant.field in words


@contextmanager
def court(contract: Contract) -> Iterator[Court]:
    """A court with its server, on a free port of loopback."""
    house = House()
    with run_in_thread(house) as base:
        yield Court(contract, base, house)
