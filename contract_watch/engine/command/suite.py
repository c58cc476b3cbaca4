"""The run as a whole: each vendor's session from preflight to verdict, whoever calls its tests."""

import datetime as dt
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.errors import UsageError
from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.clock import Clock
from contract_watch.engine.account.gate import Gate
from contract_watch.engine.account.guard import Mode
from contract_watch.engine.account.object_names import Names
from contract_watch.engine.command.live_run import Guards
from contract_watch.engine.command.options import Options
from contract_watch.engine.exploring.exploration import USUAL, Depth
from contract_watch.engine.planning.planner import plan
from contract_watch.engine.planning.probe import Probe
from contract_watch.engine.protocols import grpc_protocols
from contract_watch.engine.protocols.connector import Connector, Network
from contract_watch.engine.protocols.grpc_protocols import GrpcWeb
from contract_watch.engine.protocols.protocol import Surface, sayable
from contract_watch.engine.protocols.targets import authority, below
from contract_watch.engine.running.cleanup import clean_up, health, may_be_left, preflight, trim
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.mock.app import Mock
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.report.record import Cell, Record
from contract_watch.report.waivers import Waiver, read_waivers, waive


@dataclass
class VendorRun:
    """One vendor's part of a run, on one surface."""

    contract: Contract
    surface: str
    session: Session
    runner: Runner


class Suite:
    """All vendors' runs. Reading contracts, waivers and plans comes first, so that a malformed file sends nothing."""

    def __init__(self, options: Options, connector: Connector | None = None, clock: Clock | None = None) -> None:
        self.options = options
        self._connector = connector or Network()
        self.plans: dict[tuple[str, str], list[Probe]] = {}
        self._waivers: dict[str, list[Waiver]] = {}
        self.guards = Guards(options, clock)
        for contract in options.contracts:
            planned = plan(contract, self.guards.sends(contract))
            known = {probe.id for probe in planned}
            assert len(known) == len(planned), "probe ids are unique"
            for surface in options.surfaces[contract.slug]:
                can_say = sayable if surface == "rest" else grpc_protocols.sayable
                mine = [probe for probe in planned if can_say(contract, probe)]
                self.plans[contract.slug, surface] = _chosen(mine, options)
            every = read_waivers(contract.directory / "waivers.toml")
            self._waivers[contract.slug] = [one for one in every if not one.rule]
            _ = contract.lifecycle, contract.rate, contract.hosts
        self._check_only()
        self.runs: dict[tuple[str, str], VendorRun] = {}
        self._records: dict[str, Record] = {}
        self._began: dict[str, float] = {}
        self._until: dict[str, float] = {}
        self.progress: Callable[[str], None] = lambda _line: None
        self._stack = ExitStack()
        self._mock: Mock | None = None
        self._mock_address = ""
        self._problems: dict[str, str] = {}

    def _check_only(self) -> None:
        only = self.options.only
        explorations = {
            f"explore/{part}"
            for contract in self.options.contracts
            for operation in contract.operations
            for part in ("lives", f"{operation}/positive", f"{operation}/negative")
        }
        if only and not any(self.plans.values()) and only not in explorations and "client/" not in only:
            raise UsageError(
                f"ONLY {only!r} is neither a probe's nor a finding's id; findings.json and junit.xml name them"
            )

    def explores(self, name: str = "", contract: Contract | None = None) -> bool:
        """Whether this run explores (``name``: that part of the exploration, of one contract).

        A real account gets only data that its schema accepts, and what changes something only where that is allowed.
        """
        only = self.options.only
        guarded = self.options.protected.get(contract.slug) if contract is not None else None
        if guarded is not None and contract is not None:
            _, operation, mode = name.split("/")
            may = contract.is_read_only(operation) or guarded.mode is Mode.MUTATE
            agreed = operation not in contract.lifecycle.affects_others or operation in guarded.consents
            if mode != "positive" or not may or not agreed:
                return False
        if name == "explore/lives" and any(one.mode is Mode.READ for one in self.options.protected.values()):
            return False
        return self.options.explore and (not only or (only.startswith("explore/") and name in ("", only)))

    def drives(self, name: str = "") -> bool:
        """Whether this run drives the client (``name``: that check of it)."""
        only = self.options.only
        return not only or "/client/" in only or name == only or (not name and only.startswith("client/"))

    def run(self, slug: str, surface: str) -> VendorRun:
        """The vendor's run on a surface, begun with its preflight when first asked for."""
        if (slug, surface) not in self.runs:
            contract = next(contract for contract in self.options.contracts if contract.slug == slug)
            self._begin(contract, surface)
        return self.runs[slug, surface]

    def _begin(self, contract: Contract, surface: str) -> VendorRun:
        options = self.options
        base = self._address(contract)
        if contract.slug not in self._records:
            now = dt.datetime.now(dt.UTC)
            record = Record(contract.slug, contract.name, contract.digest, base, options.seed, now)
            record.surfaces = list(options.surfaces[contract.slug])
            self._records[contract.slug], self._began[contract.slug] = record, time.monotonic()
        record = self._records[contract.slug]
        gate = self.guards.gate(contract, base)
        record.live = self.guards.live(contract)
        names = Names(record.started.date())
        if gate is not None:
            names = gate.guard.names.part("abc"[contract.protocols.index(surface)])
        spoken = self._surface(contract, surface, base, gate)
        others = (one.session.redactor for one in self.runs.values() if one.contract is contract)
        wire, keys = self._connector.wire(authority(base), gate), options.keys[contract.slug]
        session = Session(contract, base, keys, names, record, spoken, gate, wire, next(others, None))
        self._stack.callback(session.close)
        run = VendorRun(contract, surface, session, Runner(session))
        first = all(known.contract is not contract for known in self.runs.values())
        self.runs[contract.slug, surface] = run
        how = f" over {surface}" if len(record.surfaces) > 1 else ""
        self.progress(f"{contract.name}: preflight at {base}{how}")
        try:
            preflight(session, run.runner)
            if first:
                self.guards.prepare(session, self.progress)
        except BaseException as error:
            session.stopped = session.stopped or f"the run could not begin: {type(error).__name__}"
            raise
        if session.stopped is not None:
            record.reason = record.reason or session.stopped
        return run

    def _surface(self, contract: Contract, surface: str, base: str, gate: Gate | None) -> Surface | None:
        """What speaks ``surface`` to the target; None is REST, which every session speaks."""
        if surface == "grpc":
            parts = urlsplit(base)
            told = self.options.grpc_target or self._grpc_of_the_mock(base, gate) or _authority(base)
            secure = parts.scheme == "https" and (not self.options.grpc_target or self.options.target == "live")
            return self._connector.grpc(contract, told, gate, secure=secure)
        if surface == "grpc-web":
            return GrpcWeb(contract, base, self._connector.wire(authority(base), gate))
        return None

    def _grpc_of_the_mock(self, base: str, gate: Gate | None) -> str:
        """Where the mock speaks gRPC; a real account is not asked whether it is the mock."""
        if self._mock is not None:
            return self._mock.controls.grpc_address
        return str(health(base).get("grpc", "")) if gate is None else ""

    def _address(self, contract: Contract) -> str:
        if self.options.target != "mock":
            return self.options.addresses[contract.slug]
        if self._mock is None:
            self._mock = build_mock(self.options.contracts)
            self._mock_address = self._stack.enter_context(run_in_thread(self._mock))
        return below(contract, self._mock_address)

    @property
    def depth(self) -> Depth:
        """How far the exploring stage goes; where the seed was given it repeats what another run did."""
        return replace(USUAL, repeats=self.options.seed_given)

    def problem(self, slug: str, words: str) -> None:
        """Note an error of ours: the vendor's run (all of them where ``slug`` is empty) cannot tell any more."""
        self._problems[slug] = self._problems.get(slug, words)

    def passed(self, slug: str) -> None:
        """Something of a vendor's run is over: its clock stands still while others run."""
        self._until[slug] = time.monotonic()

    def trim(self, slug: str, surface: str) -> None:
        """Keep the objects of a run on a real account few."""
        run = self.runs.get((slug, surface))
        if run is not None:
            trim(run.session, run.runner)

    def settle(self, slug: str, surface: str) -> None:
        """Clean up after a stage; what it costs is counted with that stage."""
        run = self.runs.get((slug, surface))
        if run is not None and _tidies(run):
            clean_up(run.session, run.runner)
        if run is not None:
            run.session.stage = "explore"

    def finish(self, reason: str | None = None) -> list[Record]:
        """End every run: clean up, settle clauses, waivers and verdict. ``reason`` says why it was cut short."""
        try:
            for run in self._untidy():
                reason = self._tidy(run, reason)
            for slug, record in self._records.items():
                contract = next(one for one in self.options.contracts if one.slug == slug)
                self._end(contract, [run for run in self.runs.values() if run.contract is contract], record, reason)
        finally:
            self.guards.finish(self._records)
            self._stack.close()
        return [
            self._records.get(contract.slug) or self._unbegun(contract, reason) for contract in self.options.contracts
        ]

    def _untidy(self) -> list[VendorRun]:
        """The runs to clean up behind: those that made something; and of each vendor, after these, the last one."""
        last = {run.contract.slug: run for run in self.runs.values()}
        made = [run for run in self.runs.values() if run.session.made]
        return [*made, *(run for run in last.values() if run not in made)]

    def _unbegun(self, contract: Contract, reason: str | None) -> Record:
        """The record of a vendor that the run never came to."""
        options = self.options
        record = Record(
            contract.slug, contract.name, contract.digest, options.target, options.seed, dt.datetime.now(dt.UTC)
        )
        record.documented = list(derive_clauses(contract))
        record.reason = self._problems.get(contract.slug) or self._problems.get("") or reason or "nothing was asked for"
        record.not_exercised = dict.fromkeys(record.documented, record.reason)
        return record

    def _tidy(self, run: VendorRun, reason: str | None) -> str | None:
        """Clean up behind a run; gives the reason why the runs were cut short, one more where this was."""
        session, record = run.session, run.session.record
        if not _tidies(run):
            return reason
        self.progress(f"{run.contract.name}: cleaning up")
        try:
            clean_up(session, run.runner)
            self.passed(run.contract.slug)
        except KeyboardInterrupt:
            for number in (signal.SIGINT, signal.SIGTERM):  # what is left now is to be written down
                signal.signal(number, signal.SIG_IGN)
            reason = "the run was interrupted while it cleaned up"
            record.left_behind = sorted({*record.left_behind, *may_be_left(session)})
        except Exception as error:  # noqa: BLE001 (whatever it is, the report comes first)
            reason = reason or f"internal error while cleaning up: {type(error).__name__}"
            record.left_behind = sorted({*record.left_behind, *may_be_left(session)})
        return reason

    def _end(self, contract: Contract, runs: Sequence[VendorRun], record: Record, reason: str | None) -> None:
        documented = derive_clauses(contract)
        record.documented = list(documented)
        exercised = {clause for run in runs for clause in run.session.exercised}
        stopped = next((run.session.stopped for run in runs if run.session.stopped), None)
        why = self._why_not(contract, stopped, reason)
        record.not_exercised = {
            name: record.not_exercised.get(name, why) for name in documented if name not in exercised
        }
        nothing = not exercised.intersection(documented)
        record.reason = (
            record.reason
            or stopped
            or next((f"defect of the suite: {what}" for what in self.guards.held), None)
            or self._problems.get(contract.slug)
            or self._problems.get("")
            or reason
            or ("nothing that tells anything reached the target" if nothing else None)
        )
        _fill_cells(contract, record)
        today = dt.datetime.now(dt.UTC).date()
        standing, record.waived, lines = waive(record.findings, self._waivers[contract.slug], today)
        record.findings = standing
        record.notes += lines
        for run in runs:
            _redact(record, run.session.redactor)
        record.seconds = self._until.get(contract.slug, time.monotonic()) - self._began[contract.slug]

    def _why_not(self, contract: Contract, stopped: str | None, reason: str | None) -> str:
        if stopped or reason:
            return stopped or reason or ""
        if self.options.only:
            return "ONLY left it out"
        if contract.slug in self.options.protected and self.options.protected[contract.slug].mode is Mode.READ:
            return "LIVE=mutate was not given, and nothing that was sent shows it"
        return "SHARD left it out" if self.options.shard != (1, 1) else "no answer of this target showed it"


def _tidies(run: VendorRun) -> bool:
    """Whether there may be something to clean up: on a real account, in any case where a run may change anything."""
    return bool(run.session.made) or (run.session.gate is not None and run.session.makes)


def _redact(record: Record, redactor: Redactor) -> None:
    """What is told beside the exchanges: names and ids that a server gave may hold a secret too."""
    record.notes = [redactor.redact_string(note) for note in record.notes]
    record.left_behind = [redactor.redact_string(name) for name in record.left_behind]
    record.reason = redactor.redact_string(record.reason) if record.reason is not None else None


def _chosen(planned: list[Probe], options: Options) -> list[Probe]:
    if options.only or options.thorough:
        planned = [replace(probe, instead="") for probe in planned]
    if options.only:
        return _named(planned, options.only)
    number, of = options.shard
    return [probe for index, probe in enumerate(planned) if index % of == number - 1]


def _named(planned: list[Probe], only: str) -> list[Probe]:
    """The probes that ``only`` names: by their own id, else by the clause that a finding's id begins with."""
    exact = [probe for probe in planned if probe.id == only]
    if exact:
        return exact
    aimed = [probe for probe in planned if any(only.startswith(f"{clause}/") for clause in probe.clauses)]
    if aimed:
        return aimed
    operation, _, rest = only.partition("/")
    if rest[:3].isdigit() or rest.startswith("response/"):
        return [probe for probe in planned if any(step.operation == operation for step in probe.steps)]
    return []


def _authority(base: str) -> str:
    """``host:port`` of an address, the scheme's usual port where it has none."""
    parts = urlsplit(base)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _fill_cells(contract: Contract, record: Record) -> None:
    for operation in contract.operations.values():
        for status in operation.responses:
            cell = record.cells.setdefault((operation.name, status), Cell())
            if not cell.conforming and not cell.drifted:
                cell.why_not = record.not_exercised.get(f"{operation.id}/response/{status}", "not asked for")
