"""The guards of a run on real accounts: one gate for each vendor, whatever surfaces it is spoken to on."""

import datetime as dt
from collections.abc import Callable
from contextlib import ExitStack
from urllib.parse import urlsplit

from contract_watch.contracts.errors import UsageError
from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.clock import Clock, SystemClock
from contract_watch.engine.account.gate import Gate
from contract_watch.engine.account.guard import Guard, Mode
from contract_watch.engine.account.ledger import Ledger, LedgerError, Run
from contract_watch.engine.account.live_settings import Protection
from contract_watch.engine.account.network_sandbox import fence
from contract_watch.engine.account.object_names import Names
from contract_watch.engine.account.precheck import Permits
from contract_watch.engine.account.redis_rate_limiter import window
from contract_watch.engine.account.restoration import remember
from contract_watch.engine.account.sweep import Swept, sweep
from contract_watch.engine.command.options import Options
from contract_watch.engine.judging.attempt import Stop
from contract_watch.engine.planning.probe import Probe
from contract_watch.engine.running.session import Session
from contract_watch.report.record import Record


class Guards:
    """What protects the accounts of one run; nothing where none is protected.

    Made before anything is sent: a ledger or an allowance that cannot be used is a `UsageError`.
    """

    def __init__(self, options: Options, clock: Clock | None = None) -> None:
        self._options, self._clock = options, clock or SystemClock()
        self._stack = ExitStack()
        self._gates: dict[str, Gate] = {}
        self.held: dict[str, None] = {}
        today = dt.datetime.now(dt.UTC).date()
        self.names = {slug: Names(today) for slug in options.protected}
        self._guards: dict[str, Guard] = {}
        self._ledger: Ledger | None = None
        for slug, protection in options.protected.items():
            contract = next(one for one in options.contracts if one.slug == slug)
            window(protection.redis, protection.folder, slug, 1, 1.0, self._clock).close()  # a bad address shows now
            self._ledger = self._ledger or _opened(protection)
            base_path = (
                urlsplit(options.addresses.get(slug, "")).path if slug in options.addresses else contract.base_path
            )
            self._guards[slug] = Guard(contract, base_path, options.keys[slug], self.names[slug], protection.mode,
                                       protection.consents)  # fmt: skip

    def live(self, contract: Contract) -> dict[str, str]:
        """How far a run on a vendor's account may go, as whom, and what its names begin with, for the report."""
        protection = self._options.protected.get(contract.slug)
        if protection is None:
            return {}
        return {"mode": protection.mode.value, "account": protection.account, "names": self.names[contract.slug].prefix}

    def sends(self, contract: Contract) -> Callable[[Probe], bool]:
        """Whether a run sends a probe of a contract at all, as far as can be told beforehand."""
        guard = self._guards.get(contract.slug)
        if guard is None:
            return lambda _probe: True
        permits = Permits(guard)
        return lambda probe: any(not permits.why_not(one) for one in probe.parts or (probe,))

    def headings(self) -> list[str]:
        """A line for each vendor: who is asked, as whom, how far it may go."""
        lines = []
        for slug, protection in self._options.protected.items():
            contract = next(one for one in self._options.contracts if one.slug == slug)
            where = self._options.addresses.get(slug, "the mock")
            consents = "".join(f"; consented to: {name}" for name in sorted(protection.consents))
            lines.append(
                f"{contract.name} at {where}, LIVE={protection.mode.value}: key {protection.account}, names "
                f"{self.names[slug].prefix}…, {protection.bounds.words()}{consents}"
            )
        return lines

    def gate(self, contract: Contract, base: str) -> Gate | None:
        """The vendor's gate, made when first asked for; None where its account is not protected."""
        protection = self._options.protected.get(contract.slug)
        if protection is None:
            return None
        if contract.slug not in self._gates:
            assert self._ledger is not None
            if not self._gates:
                self.held = self._stack.enter_context(fence())
            names, parts = self.names[contract.slug], urlsplit(base)
            guard = self._guards[contract.slug]
            run = Run(names.run_id, names.prefix, f"{contract.slug}{protection.account}",
                      f"{parts.scheme}://{parts.netloc}", self._clock.wall())  # fmt: skip
            self._ledger.begin(run)
            bounds = protection.bounds
            shared = window(protection.redis, protection.folder, run.account, bounds.rate, bounds.seconds, self._clock)
            self._gates[contract.slug] = Gate(guard, bounds, shared, self._ledger, run, self._clock)
        return self._gates[contract.slug]

    def prepare(self, session: Session, progress: Callable[[str], None]) -> None:
        """Before a vendor's first probe: sweep up behind dead runs, and note what is to be as it was."""
        gate = session.gate
        if gate is None or session.stopped is not None:
            return
        protection = self._options.protected[session.contract.slug]
        mutates = protection.mode is Mode.MUTATE
        if session.contract.list_config is not None:
            swept = sweep(session, gate, delete=mutates, cap=protection.cap, ripe=protection.ripe)
            for line in map(session.redactor.redact_string, told(swept, mutates=mutates)):
                progress(f"{session.contract.name}: {line}")
                session.record.notes.append(line)
            session.record.left_behind += swept.left if mutates else []
        if not mutates or session.stopped is not None:
            return
        try:
            gate.guard.refused = remember(session, gate)
        except (Stop, LedgerError) as end:
            session.stopped = session.stopped or str(end)
        if gate.guard.refused:
            gate.guard.consents = frozenset()
        if session.contract.lifecycle.id and not gate.listed:
            session.stop(
                "what is on the account cannot be listed, and without that nobody could tell what is the run's own"
            )

    def finish(self, records: dict[str, Record]) -> None:
        """The run is over: ledgers are struck where nothing is left, locks and fence given up."""
        try:
            for slug, gate in self._gates.items():
                gate.close(struck=not records[slug].left_behind)
        except LedgerError as error:
            for record in records.values():
                record.notes.append(str(error))
        finally:
            self._stack.close()
            if self._ledger is not None:
                self._ledger.close()


def told(swept: Swept, *, mutates: bool) -> list[str]:
    """What a sweep came to, in lines for people."""
    lines = [f"sweep: {problem}" for problem in swept.problems]
    if swept.deleted:
        lines.append(f"sweep: deleted {swept.deleted} objects that dead runs left")
    if swept.left:
        why = "still there" if mutates else "left by dead runs, which LIVE=read does not delete"
        lines.append(f"sweep: {len(swept.left)} {why}: {', '.join(sorted(swept.left)[:5])}")
    return lines


def _opened(protection: Protection) -> Ledger:
    try:
        return Ledger(protection.folder)
    except LedgerError as error:
        raise UsageError(str(error)) from error
