"""The run as a whole: each vendor's session from preflight to verdict, whoever calls its tests."""

import datetime as dt
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from contract_tests.harness.lifecycle import clean_up, preflight
from contract_tests.harness.names import Names
from contract_tests.harness.options import Options, address
from contract_tests.harness.plan import plan
from contract_tests.harness.probe import Probe
from contract_tests.harness.runner import Runner
from contract_tests.harness.session import Session
from contracts.catalogue import Contract
from contracts.clauses import clauses
from contracts.errors import UsageError
from drift.record import Cell, Record
from drift.waivers import Waiver, read_waivers, waive
from mock_server.server import build, running


@dataclass
class VendorRun:
    """One vendor's part of a run."""

    contract: Contract
    session: Session
    runner: Runner
    began: float


class Suite:
    """All vendors' runs. Reading contracts, waivers and plans comes first, so that a malformed file sends nothing."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.plans: dict[str, list[Probe]] = {}
        self._waivers: dict[str, list[Waiver]] = {}
        for contract in options.contracts:
            planned = plan(contract)
            known = {probe.id for probe in planned}
            assert len(known) == len(planned), "probe ids are unique"
            self.plans[contract.slug] = _chosen(planned, options)
            self._waivers[contract.slug] = read_waivers(contract.folder / "waivers.toml")
            _ = contract.lifecycle, contract.rate, contract.hosts
        self._check_only()
        self.runs: dict[str, VendorRun] = {}
        self.progress: Callable[[str], None] = lambda _line: None
        self._stack = ExitStack()
        self._mock: str | None = None
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

    def explores(self, name: str = "") -> bool:
        """Whether this run explores (``name``: that part of the exploration)."""
        only = self.options.only
        return self.options.explore and (not only or (only.startswith("explore/") and name in ("", only)))

    def drives(self, name: str = "") -> bool:
        """Whether this run drives the client (``name``: that check of it)."""
        only = self.options.only
        return not only or "/client/" in only or name == only or (not name and only.startswith("client/"))

    def run(self, slug: str) -> VendorRun:
        """The vendor's run, begun with its preflight when first asked for."""
        if slug not in self.runs:
            contract = next(contract for contract in self.options.contracts if contract.slug == slug)
            self.runs[slug] = self._begin(contract)
        return self.runs[slug]

    def _begin(self, contract: Contract) -> VendorRun:
        options = self.options
        base = self._address(contract)
        now = dt.datetime.now(dt.UTC)
        record = Record(contract.slug, contract.name, contract.digest, base, options.seed, now)
        session = Session(contract, base, options.keys[contract.slug], Names(now.date()), record)
        self._stack.callback(session.close)
        run = VendorRun(contract, session, Runner(session), time.monotonic())
        self.progress(f"{contract.name}: preflight at {base}")
        preflight(session, run.runner)
        if session.stopped is not None:
            record.reason = session.stopped
        return run

    def _address(self, contract: Contract) -> str:
        target = self.options.target
        if target == "mock":
            if self._mock is None:
                self._mock = self._stack.enter_context(running(build(self.options.contracts)))
            target = self._mock
        return address(contract, target)

    @property
    def chosen_seed(self) -> int | None:
        """The seed where one was given; else None, and exploration also reads and feeds its example database."""
        return self.options.seed if self.options.seed_given else None

    def problem(self, slug: str, words: str) -> None:
        """Note an error of ours: the vendor's run (all of them where ``slug`` is empty) cannot tell any more."""
        self._problems[slug] = self._problems.get(slug, words)

    def settle(self, slug: str) -> None:
        """Clean up after a stage; what it costs is counted with that stage."""
        run = self.runs.get(slug)
        if run is not None and run.session.made:
            clean_up(run.session, run.runner)
        if run is not None:
            run.session.stage = "explore"

    def finish(self, reason: str | None = None) -> list[Record]:
        """End every run: clean up, settle clauses, waivers and verdict. ``reason`` says why it was cut short."""
        try:
            for run in self.runs.values():
                self._end(run, reason)
        finally:
            self._stack.close()
        return [
            self.runs[contract.slug].session.record if contract.slug in self.runs else self._unbegun(contract, reason)
            for contract in self.options.contracts
        ]

    def _unbegun(self, contract: Contract, reason: str | None) -> Record:
        """The record of a vendor that the run never came to."""
        options = self.options
        record = Record(
            contract.slug, contract.name, contract.digest, options.target, options.seed, dt.datetime.now(dt.UTC)
        )
        record.documented = list(clauses(contract))
        record.reason = self._problems.get(contract.slug) or self._problems.get("") or reason or "nothing was asked for"
        record.not_exercised = dict.fromkeys(record.documented, record.reason)
        return record

    def _end(self, run: VendorRun, reason: str | None) -> None:
        session, record = run.session, run.session.record
        if session.made:
            self.progress(f"{run.contract.name}: cleaning up")
            try:
                clean_up(session, run.runner)
            except KeyboardInterrupt:
                reason = "the run was interrupted while it cleaned up"
                record.left_behind = sorted({*record.left_behind, *(name for _, name in session.made)})
        documented = clauses(run.contract)
        record.documented = list(documented)
        why = self._why_not(session, reason)
        record.not_exercised = {
            name: record.not_exercised.get(name, why) for name in documented if name not in session.exercised
        }
        nothing = not session.exercised.intersection(documented)
        record.reason = (
            record.reason
            or session.stopped
            or self._problems.get(run.contract.slug)
            or self._problems.get("")
            or reason
            or ("nothing that tells anything reached the target" if nothing else None)
        )
        _fill_cells(run.contract, record)
        today = dt.datetime.now(dt.UTC).date()
        standing, record.waived, lines = waive(record.findings, self._waivers[run.contract.slug], today)
        record.findings = standing
        record.notes += lines
        record.seconds = time.monotonic() - run.began

    def _why_not(self, session: Session, reason: str | None) -> str:
        if session.stopped or reason:
            return session.stopped or reason or ""
        if self.options.only:
            return "ONLY left it out"
        return "SHARD left it out" if self.options.shard != (1, 1) else "no answer of this target showed it"


def _chosen(planned: list[Probe], options: Options) -> list[Probe]:
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


def _fill_cells(contract: Contract, record: Record) -> None:
    for operation in contract.operations.values():
        for status in operation.answers:
            cell = record.cells.setdefault((operation.name, status), Cell())
            if not cell.conforming and not cell.drifted:
                cell.why_not = record.not_exercised.get(f"{operation.id}/response/{status}", "not asked for")
