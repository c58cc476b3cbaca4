"""The protection of real accounts during a run: one gate for each vendor, for all its protocols."""

import datetime as dt
from collections.abc import Callable
from contextlib import ExitStack
from urllib.parse import urlsplit

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.clock import Clock, SystemClock
from contract_watch.engine.account.gate import Gate
from contract_watch.engine.account.guard import Guard, LiveMode
from contract_watch.engine.account.ledger import Ledger, LedgerError, LedgerRun
from contract_watch.engine.account.live_settings import LiveSettings
from contract_watch.engine.account.network_sandbox import block_connections
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.account.precheck import ProbePrecheck
from contract_watch.engine.account.rate_limiter import create_rate_limiter
from contract_watch.engine.account.restoration import record_initial_state
from contract_watch.engine.account.sweep import SweepResult, sweep_account
from contract_watch.engine.command.options import RunOptions
from contract_watch.engine.planning.probe import Probe
from contract_watch.engine.running.session import Session
from contract_watch.errors import RunAbortedError, UsageError
from contract_watch.net import discard_tls_key_log
from contract_watch.report.record import Record


class LiveRun:
    """The protection of the accounts of one run; it does nothing if no account is protected.

    Made before anything is sent: a ledger or an allowance that cannot be used is a `UsageError`.
    """

    def __init__(self, options: RunOptions, clock: Clock | None = None) -> None:
        self._options, self.clock = options, clock or SystemClock()
        if options.live_settings:
            discard_tls_key_log()
        self._stack = ExitStack()
        self._gates: dict[str, Gate] = {}
        self.sandbox_violations: dict[str, None] = {}
        today = dt.datetime.now(dt.UTC).date()
        suffixes = {contract.slug: contract.name_suffix for contract in options.contracts}
        self.names = {slug: NameGenerator(today, suffix=suffixes[slug]) for slug in options.live_settings}
        self._guards: dict[str, Guard] = {}
        self._ledger: Ledger | None = None
        for slug, protection in options.live_settings.items():
            contract = next(one for one in options.contracts if one.slug == slug)
            create_rate_limiter(
                protection.redis_url, protection.directory, slug, 1, 1.0, self.clock
            ).close()  # a bad address shows now
            self._ledger = self._ledger or _open_ledger(protection)
            base_path = (
                urlsplit(options.addresses.get(slug, "")).path if slug in options.addresses else contract.base_path
            )
            self._guards[slug] = Guard(contract, base_path, options.keys[slug], self.names[slug], protection.mode,
                                       protection.consents)  # fmt: skip

    def describe_vendor(self, contract: Contract) -> dict[str, str]:
        """Return the mode, the account and the prefix of names of a run on a vendor's account, for the report."""
        protection = self._options.live_settings.get(contract.slug)
        if protection is None:
            return {}
        return {
            "mode": protection.mode.value,
            "account": protection.account,
            "names": self.names[contract.slug].run_prefix,
        }

    def build_send_filter(self, contract: Contract) -> Callable[[Probe], bool]:
        """Return the function that finds out, as far as a plan shows, if a run sends a probe of a contract."""
        guard = self._guards.get(contract.slug)
        if guard is None:
            return lambda _probe: True
        permits = ProbePrecheck(guard)
        return lambda probe: any(not permits.explain_block(one) for one in probe.parts or (probe,))

    def format_headings(self) -> list[str]:
        """Return a line for each vendor with its address, key and limits."""
        lines = []
        for slug, protection in self._options.live_settings.items():
            contract = next(one for one in self._options.contracts if one.slug == slug)
            where = self._options.addresses.get(slug, "the mock")
            consents = "".join(f"; consented to: {name}" for name in sorted(protection.consents))
            lines.append(
                f"{contract.name} at {where}, LIVE={protection.mode.value}: key {protection.account}, names "
                f"{self.names[slug].run_prefix}…, {protection.limits.describe()}{consents}"
            )
        return lines

    def get_gate(self, contract: Contract, base: str) -> Gate | None:
        """Return the vendor's gate, created on first use; None if its account is not protected."""
        protection = self._options.live_settings.get(contract.slug)
        if protection is None:
            return None
        if contract.slug not in self._gates:
            assert self._ledger is not None
            if not self._gates:
                self.sandbox_violations = self._stack.enter_context(block_connections())
            names, parts = self.names[contract.slug], urlsplit(base)
            guard = self._guards[contract.slug]
            run = LedgerRun(names.run_id, names.run_prefix, f"{contract.slug}{protection.account}",
                      f"{parts.scheme}://{parts.netloc}", self.clock.wall())  # fmt: skip
            self._ledger.begin_run(run)
            bounds = protection.limits
            shared = create_rate_limiter(
                protection.redis_url, protection.directory, run.account, bounds.rate, bounds.seconds, self.clock
            )
            self._gates[contract.slug] = Gate(guard, bounds, shared, self._ledger, run, self.clock)
        return self._gates[contract.slug]

    def prepare_account(self, session: Session, progress: Callable[[str], None]) -> None:
        """Sweep up after killed runs, and record the state to restore, before a vendor's first probe."""
        gate = session.gate
        if gate is None or session.stop_reason is not None:
            return
        protection = self._options.live_settings[session.contract.slug]
        mutates = protection.mode is LiveMode.MUTATE
        if session.contract.list_config is not None:
            result = sweep_account(
                session, gate, delete=mutates, cap=protection.sweep_cap, min_age=protection.min_leftover_age
            )
            for line in map(session.redactor.redact_string, format_sweep(result, mutates=mutates)):
                progress(f"{session.contract.name}: {line}")
                session.record.notes.append(line)
            session.record.left_behind += result.remaining if mutates else []
        if not mutates or session.stop_reason is not None:
            return
        try:
            if problem := record_initial_state(session, gate):
                gate.guard.withdraw_consents(problem)
        except (RunAbortedError, LedgerError) as end:
            session.stop(str(end))
        if session.contract.lifecycle.id and not gate.has_inventory:
            session.stop("the account's objects cannot be listed, so the run could not recognise its own")

    def finish(self, records: dict[str, Record]) -> None:
        """End the run: close its ledgers if nothing is left, and release locks and the network sandbox."""
        try:
            for slug, gate in self._gates.items():
                gate.close(is_clean=not records[slug].left_behind)
        except LedgerError as error:
            for record in records.values():
                record.notes.append(str(error))
        finally:
            self._stack.close()
            if self._ledger is not None:
                self._ledger.close()


def format_sweep(result: SweepResult, *, mutates: bool) -> list[str]:
    """Format the result of a sweep as lines for people."""
    lines = [f"sweep: {problem}" for problem in result.problems]
    if result.deleted_count:
        lines.append(f"sweep: deleted {result.deleted_count} leftovers of killed runs")
    if result.remaining:
        state = "still there" if mutates else "left by killed runs; LIVE=read does not delete them"
        lines.append(f"sweep: {len(result.remaining)} {state}: {', '.join(sorted(result.remaining)[:5])}")
    return lines


def _open_ledger(protection: LiveSettings) -> Ledger:
    try:
        return Ledger(protection.directory)
    except LedgerError as error:
        raise UsageError(str(error)) from error
