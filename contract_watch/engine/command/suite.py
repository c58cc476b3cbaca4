"""The run as a whole: each vendor's session from preflight to verdict, whoever calls its tests."""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from contract_watch.cli import ignore_signals
from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.clock import Clock
from contract_watch.engine.account.gate import Gate
from contract_watch.engine.account.guard import LiveMode
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.command.exploring_stage import ExploringStage
from contract_watch.engine.command.learned_interpretations import collect_interpretations
from contract_watch.engine.command.live_run import LiveRun
from contract_watch.engine.command.options import RunOptions
from contract_watch.engine.command.selection import find_probes, select_probes
from contract_watch.engine.command.shape_judgement import judge_shapes
from contract_watch.engine.exploring.depth import ExplorationDepth
from contract_watch.engine.planning.allowance import note_overrun
from contract_watch.engine.planning.encodability import can_encode_grpc, can_encode_rest
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.planning.probe import Probe
from contract_watch.engine.planning.unchecked import note_unchecked
from contract_watch.engine.protocols.connector import Connector, NetworkConnector
from contract_watch.engine.protocols.mock_controls import find_mock_grpc_address
from contract_watch.engine.protocols.protocol import WireProtocol
from contract_watch.engine.protocols.targets import get_authority, get_origin, join_base_path
from contract_watch.engine.running.cleanup import clean_up, list_possible_leftovers, trim_objects
from contract_watch.engine.running.minimizing import minimize_reproductions
from contract_watch.engine.running.preflight import run_preflight
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Patience, Session
from contract_watch.engine.running.shape_watch import ShapeWatch
from contract_watch.errors import UsageError
from contract_watch.report.record import CoverageCell, Record
from contract_watch.report.waivers import Waiver, read_waivers
from contract_watch.shapes.baseline import read_baselines

if TYPE_CHECKING:
    from contract_watch.mock.app import Mock


_MAX_CHECKS = 2
"""The checks that ask for one finding again: the first ones that showed it."""


@dataclass
class VendorRun:
    """One vendor's part of a run, on one surface."""

    contract: Contract
    protocol: str
    session: Session
    runner: Runner
    shapes: ShapeWatch


class Suite:
    """All vendors' runs. Reading contracts, waivers and plans comes first, so that a malformed file sends nothing."""

    def __init__(self, options: RunOptions, connector: Connector | None = None, clock: Clock | None = None) -> None:
        self.options = options
        self.connector = connector or NetworkConnector()
        self.plans: dict[tuple[str, str], list[Probe]] = {}
        self._waivers: dict[str, list[Waiver]] = {}
        self.live_run = LiveRun(options, clock)
        for contract in options.contracts:
            planned = plan_probes(contract, self.live_run.build_send_filter(contract))
            known = {probe.id for probe in planned}
            assert len(known) == len(planned), "probe ids are unique"
            for surface in options.protocols[contract.slug]:
                can_encode = can_encode_rest if surface == "rest" else can_encode_grpc
                mine = [probe for probe in planned if can_encode(contract, probe)]
                self.plans[contract.slug, surface] = select_probes(contract.slug, mine, options)
            every = read_waivers(contract.directory / "waivers.toml")
            self._waivers[contract.slug] = [one for one in every if not one.rule]
            _ = contract.lifecycle, contract.rate, contract.hosts, read_baselines(contract.directory)
        self._check_only()
        self.runs: dict[tuple[str, str], VendorRun] = {}
        self._records: dict[str, Record] = {}
        self._began: dict[str, float] = {}
        self._until: dict[str, float] = {}
        self.progress: Callable[[str], None] = lambda _line: None
        self._stack = ExitStack()
        self.exploring = ExploringStage(options, self.should_explore, self._stack)
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
                f"unknown --only {only!r}; give a probe's or a finding's id, as junit.xml and findings.json list them"
            )

    def find_checks(self, record: Record, key: tuple[str, str]) -> list[str]:
        """Return a few ids of checks that can show a finding again, by its protocol and id; none if only exploring can."""
        protocol, name = key
        if "/shape/" in name:  # many nights have confirmed it
            return []
        showed = [one.id for one in record.suite_checks if one.surface == protocol and name in one.finding_ids]
        if checks := [one for one in showed if not one.startswith("explore/")]:
            return checks[:_MAX_CHECKS]
        return [probe.id for probe in find_probes(self.plans.get((record.contract, protocol), []), name)]

    def should_explore(self, name: str = "", contract: Contract | None = None) -> bool:
        """Return True if this run explores, or with ``name`` if it runs that part of one contract's exploration.

        A real account gets only data that its schema accepts, and changes only if they are allowed.
        """
        only = self.options.only
        guarded = self.options.live_settings.get(contract.slug) if contract is not None else None
        if guarded is not None and contract is not None:
            _, operation, mode = name.split("/")
            may = contract.is_read_only(operation) or guarded.mode is LiveMode.MUTATE
            agreed = operation not in contract.lifecycle.affects_others or operation in guarded.consents
            if mode != "positive" or not may or not agreed:
                return False
        if name == "explore/lives" and any(one.mode is LiveMode.READ for one in self.options.live_settings.values()):
            return False
        return self.options.explore and (not only or (only.startswith("explore/") and name in ("", only)))

    def should_drive_client(self, name: str = "") -> bool:
        """Return True if this run drives the client, or with ``name`` if it runs that check of it."""
        only = self.options.only
        return not only or "/client/" in only or name == only or (not name and only.startswith("client/"))

    def get_run(self, slug: str, protocol: str) -> VendorRun:
        """Return the vendor's run on a protocol; its first use begins it with its preflight."""
        if (slug, protocol) not in self.runs:
            contract = next(contract for contract in self.options.contracts if contract.slug == slug)
            self._begin_run(contract, protocol)
        return self.runs[slug, protocol]

    def _begin_run(self, contract: Contract, protocol: str) -> VendorRun:
        options = self.options
        base = self._resolve_address(contract)
        if contract.slug not in self._records:
            now = dt.datetime.now(dt.UTC)
            record = Record(contract.slug, contract.name, contract.digest, base, options.seed, now)
            record.surfaces = list(options.protocols[contract.slug])
            record.since = contract.describe_age()
            record.target_option = options.target
            self._records[contract.slug], self._began[contract.slug] = record, time.monotonic()
        record = self._records[contract.slug]
        gate = self.live_run.get_gate(contract, base)
        record.live = self.live_run.describe_vendor(contract)
        names = NameGenerator(record.started.date(), suffix=contract.name_suffix)
        if gate is not None:
            names = gate.guard.names.create_partition("abc"[contract.protocols.index(protocol)])
        spoken = self._create_protocol(contract, protocol, base, gate)
        earlier = next((one.session for one in self.runs.values() if one.contract is contract), None)
        redactor = earlier.redactor if earlier is not None else None
        patience = earlier.patience if earlier is not None else Patience.begin(contract, record, self.live_run.clock)
        wire, keys = self.connector.connect_http(get_origin(base), gate), options.keys[contract.slug]
        session = Session(contract, base, keys, names, record, spoken, gate, wire, redactor,
                          patience=patience)  # fmt: skip
        self._stack.callback(session.close)
        run = VendorRun(contract, protocol, session, Runner(session), ShapeWatch(session))
        first = all(known.contract is not contract for known in self.runs.values())
        self.runs[contract.slug, protocol] = run
        how = f" over {protocol}" if len(record.surfaces) > 1 else ""
        self.progress(f"{contract.name}: preflight at {base}{how}")
        try:
            run_preflight(session, run.runner)
            if first:
                self.live_run.prepare_account(session, self.progress)
        except BaseException as error:
            is_asked = isinstance(error, KeyboardInterrupt)
            session.stop("the run was interrupted" if is_asked else f"the run could not begin: {type(error).__name__}")
            raise
        if session.stop_reason is not None:
            record.reason = record.reason or session.stop_reason
        return run

    def _create_protocol(self, contract: Contract, protocol: str, base: str, gate: Gate | None) -> WireProtocol | None:
        """Create the protocol for the target; return None for REST, which every session has."""
        if protocol == "grpc":
            parts = urlsplit(base)
            told = self.options.grpc_target or self._find_mock_grpc_address(base, gate) or get_authority(base)
            secure = parts.scheme == "https" and (not self.options.grpc_target or self.options.target == "live")
            return self.connector.connect_grpc(contract, told, gate, secure=secure)
        if protocol == "grpc-web":
            from contract_watch.engine.protocols.grpc_protocols import GrpcWebProtocol  # noqa: PLC0415 (loads slowly)

            return GrpcWebProtocol(contract, base, self.connector.connect_http(get_origin(base), gate))
        return None

    def _find_mock_grpc_address(self, base: str, gate: Gate | None) -> str:
        """Return the mock's gRPC address, or an empty string; never ask a real account for one."""
        if self._mock is not None:
            return self._mock.controls.grpc_address
        return find_mock_grpc_address(base) if gate is None else ""

    def _resolve_address(self, contract: Contract) -> str:
        if self.options.target != "mock":
            return self.options.addresses[contract.slug]
        if self._mock is None:
            # The server loads slowly, and only this target needs one.
            from contract_watch.mock.server import build_mock, run_in_thread  # noqa: PLC0415

            self._mock = build_mock(self.options.contracts)
            self._mock_address = self._stack.enter_context(run_in_thread(self._mock))
        return join_base_path(contract, self._mock_address)

    @contextmanager
    def explore(self, run: VendorRun) -> Iterator[ExplorationDepth]:
        """Give the limits of a search of ``run`` in the block; see `ExploringStage.explore`."""
        with self.exploring.explore(run.contract, run.session.record) as depth:
            yield depth

    def start_drawing(self) -> None:
        """Let another process draw the cases of the exploration; see `ExploringStage.start_drawing`."""
        self.exploring.start_drawing([one for one in self.options.contracts if (one.slug, "rest") in self.plans])

    def record_problem(self, slug: str, message: str) -> None:
        """Note an error of ours, which leaves the vendor's run inconclusive, or every run if ``slug`` is empty."""
        self._problems[slug] = self._problems.get(slug, message)

    def stop_clock(self, slug: str) -> None:
        """Something of a vendor's run is over: its clock stands still while others run."""
        self._until[slug] = time.monotonic()

    def trim_objects(self, slug: str, protocol: str) -> None:
        """Keep the objects of a run on a real account few."""
        run = self.runs.get((slug, protocol))
        if run is not None:
            trim_objects(run.session, run.runner)

    def finish_stage(self, slug: str, protocol: str) -> None:
        """Clean up after a stage; the requests of this count with that stage."""
        run = self.runs.get((slug, protocol))
        if run is not None and _needs_clean_up(run):
            clean_up(run.session, run.runner)
        if run is not None:
            run.session.coverage.enter_stage("explore")

    def finish(self, reason: str | None = None) -> list[Record]:
        """End every run: clean up, settle clauses, waivers and verdict. ``reason`` says why it was cut short."""
        try:
            reason = minimize_reproductions(((r.session, r.runner) for r in self.runs.values()), reason, self.progress)
            for run in self._list_runs_to_clean_up():
                reason = self._clean_up_run(run, reason)
            for slug, record in self._records.items():
                contract = next(one for one in self.options.contracts if one.slug == slug)
                self._complete_record(
                    contract, [run for run in self.runs.values() if run.contract is contract], record, reason
                )
        finally:
            self.live_run.finish(self._records)
            self._stack.close()
        return [
            self._records.get(contract.slug) or self._build_unstarted_record(contract, reason)
            for contract in self.options.contracts
        ]

    def _list_runs_to_clean_up(self) -> list[VendorRun]:
        """Return the runs to clean up after: those that created objects, then the last one of each other vendor."""
        last = {run.contract.slug: run for run in self.runs.values()}
        made = [run for run in self.runs.values() if run.session.target.created_objects]
        return [*made, *(run for run in last.values() if run not in made)]

    def _build_unstarted_record(self, contract: Contract, reason: str | None) -> Record:
        """Build the record of a vendor that the run did not reach."""
        options = self.options
        record = Record(
            contract.slug, contract.name, contract.digest, options.target, options.seed, dt.datetime.now(dt.UTC)
        )
        record.documented = list(derive_clauses(contract))
        record.reason = self._problems.get(contract.slug) or self._problems.get("") or reason or "nothing was asked for"
        record.not_exercised = dict.fromkeys(record.documented, record.reason)
        return record

    def _clean_up_run(self, run: VendorRun, reason: str | None) -> str | None:
        """Clean up behind a run; gives the reason why the runs were cut short, one more where this was."""
        session, record = run.session, run.session.record
        if not _needs_clean_up(run):
            return reason
        self.progress(f"{run.contract.name}: cleaning up")
        try:
            clean_up(session, run.runner)
            self.stop_clock(run.contract.slug)
        except KeyboardInterrupt:
            ignore_signals()  # the list of leftovers has to be written down
            reason = "the run was interrupted while it cleaned up"
            record.left_behind = sorted({*record.left_behind, *list_possible_leftovers(session)})
        except Exception as error:  # noqa: BLE001 (whatever it is, the report comes first)
            reason = reason or f"internal error while cleaning up: {type(error).__name__}"
            record.left_behind = sorted({*record.left_behind, *list_possible_leftovers(session)})
        return reason

    def _complete_record(
        self, contract: Contract, runs: Sequence[VendorRun], record: Record, reason: str | None
    ) -> None:
        documented = derive_clauses(contract)
        record.documented = list(documented)
        exercised = {clause for run in runs for clause in run.session.coverage.exercised_clauses}
        stops = [run.session.stop_reason for run in runs if run.session.stop_reason]
        stopped = "; ".join(dict.fromkeys(stops)) or None
        why = self._explain_not_exercised(contract, stopped, reason)
        record.not_exercised = {
            name: record.not_exercised.get(name, why) for name in documented if name not in exercised
        }
        note_unchecked(contract, record.documented, record.not_exercised)
        violations = [f"defect of the suite: {what}" for what in self.live_run.sandbox_violations][:1]
        problems = [self._problems[name] for name in (contract.slug, "") if name in self._problems]
        reasons = [one for one in (record.reason, *stops, *violations, *problems, reason) if one]
        if not reasons and not exercised.intersection(documented):
            reasons = ["nothing that tells anything reached the target"]
        record.reason = "; ".join(dict.fromkeys(reasons)) or None
        _fill_cells(contract, record)
        record.interpretations = collect_interpretations(contract, [run.session.target.possible_states for run in runs])
        asks_everything = self._asks_everything(contract)
        record.is_partial = bool(self.options.only or self.options.rechecked_ids) or self.options.shard != (1, 1)
        shapes = [run.shapes for run in runs]
        judge_shapes(contract, record, shapes, self.options.history, is_whole=not record.is_partial)
        is_whole = asks_everything and not any(run.session.target.is_mock for run in runs)
        if not self.options.thorough:
            note_overrun(contract, record)
        record.apply_waivers(self._waivers[contract.slug], dt.datetime.now(dt.UTC).date(), is_whole=is_whole)
        for run in runs:
            _redact_record(record, run.session.redactor)
        record.seconds = self._until.get(contract.slug, time.monotonic()) - self._began[contract.slug]

    def _asks_everything(self, contract: Contract) -> bool:
        """Return True if nothing was left out of this run by an option."""
        options, live = self.options, self.options.live_settings.get(contract.slug)
        is_whole = not options.only and options.shard == (1, 1)
        return is_whole and (live is None or live.mode is LiveMode.MUTATE)

    def _explain_not_exercised(self, contract: Contract, stopped: str | None, reason: str | None) -> str:
        if stopped or reason:
            return stopped or reason or ""
        if self.options.only:
            return "left out by --only"
        if (
            contract.slug in self.options.live_settings
            and self.options.live_settings[contract.slug].mode is LiveMode.READ
        ):
            return "LIVE=mutate was not given, and nothing that was sent shows it"
        return "left out by --shard" if self.options.shard != (1, 1) else "never seen in a response"


def _needs_clean_up(run: VendorRun) -> bool:
    """Return True if a run created objects, or may have changed a real account."""
    return bool(run.session.target.created_objects) or (run.session.gate is not None and run.session.may_mutate)


def _redact_record(record: Record, redactor: Redactor) -> None:
    """Redact notes, leftovers and the reason: names and ids from a server may hold a secret too."""
    record.notes = [redactor.redact_string(note) for note in record.notes]
    record.left_behind = [redactor.redact_string(name) for name in record.left_behind]
    record.reason = redactor.redact_string(record.reason) if record.reason is not None else None


def _fill_cells(contract: Contract, record: Record) -> None:
    for operation in contract.operations.values():
        for status in operation.responses:
            cell = record.coverage.setdefault((operation.name, status), CoverageCell())
            if not cell.conforming and not cell.drifted:
                cell.reason_not_exercised = record.not_exercised.get(
                    f"{operation.id}/response/{status}", "another status came instead"
                )
