"""The runner of probes: plans become requests, and disagreements become findings."""

import itertools
import time
from collections.abc import Callable, Iterable

from contract_watch.contracts.openapi import join_arguments
from contract_watch.contracts.resource.pages import find_next_start
from contract_watch.contracts.schema import parse_json
from contract_watch.engine.account.object_names import build_name_variants
from contract_watch.engine.account.precheck import ProbePrecheck
from contract_watch.engine.judging.judge import Attempt
from contract_watch.engine.planning.bystanders import choose_bystanders
from contract_watch.engine.planning.passwords import generate_password
from contract_watch.engine.planning.probe import (
    Probe,
    ProbeStep,
    find_modifiers,
    find_placeholders,
    make_request,
    read_size,
)
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.mock_controls import script_fault
from contract_watch.engine.running.confirmation import Confirmation
from contract_watch.engine.running.control import ControlCheck
from contract_watch.engine.running.excuses import MAX_OTHER_VALUES, ExcuseCheck
from contract_watch.engine.running.gone_operations import GoneCheck
from contract_watch.engine.running.object_pool import ObjectPool
from contract_watch.engine.running.session import Session
from contract_watch.errors import RunAbortedError
from contract_watch.report.finding import Finding
from contract_watch.report.record import SuiteCheck


class Runner:
    """Runs the probes of one session. ``known`` are findings of earlier sessions, which are not confirmed again."""

    def __init__(self, session: Session, known: Iterable[Finding] = ()) -> None:
        self._session = session
        self.confirmation = Confirmation(session, known)
        self.control = ControlCheck(session)
        self.pool = ObjectPool(session)
        self._excuses = ExcuseCheck(session)
        self._gone_check = GoneCheck(session, self.confirmation, self.pool)
        gate = session.gate
        self._precheck = ProbePrecheck(gate.guard) if gate is not None else None
        self._removal_numbers = itertools.count(1)
        self._simulation = Simulation(session.contract)

    def number_removal(self) -> int:
        """Return the number of the next removal: their ids are unique in a run."""
        return next(self._removal_numbers)

    def run_probe(self, probe: Probe) -> list[Finding]:
        """Run ``probe``; return its findings, new or known. New disagreements are confirmed by retries."""
        began = time.monotonic()
        coverage = self._session.coverage
        check = SuiteCheck(probe.id, coverage.stage, probe.title, surface=self._session.protocol.name)
        self._session.record.suite_checks.append(check)
        try:
            if reason := self._find_skip_reason(probe):
                check.skip_reason = reason
                coverage.skip_clauses(probe.clauses, reason)
                return []
            found = self._run_and_confirm(probe)
        except RunAbortedError as stop:
            check.skip_reason = str(stop)
            coverage.skip_clauses(probe.clauses, str(stop))
            return []
        finally:
            check.seconds = time.monotonic() - began
        check.finding_ids = [finding.id for finding in found]
        return found

    def _find_skip_reason(self, probe: Probe) -> str:
        """Return the reason why a probe is not run; empty if it is."""
        session = self._session
        if session.stop_reason is not None:
            return session.stop_reason
        if probe.represented_by:
            return f"left out to keep within the allowance: {probe.represented_by} asks the same (THOROUGH=1 asks both)"
        if probe.mock_only_reason and not session.target.is_mock:
            return probe.mock_only_reason
        if self._precheck is not None and not probe.parts and (why := self._precheck.explain_block(probe)):
            return why
        silent = [step.operation for step in probe.steps if step.operation in self.confirmation.silent_operations]
        if silent:
            return f"{silent[0]} gives no response: every further request would wait for its timeout"
        asked = {clause.partition("/")[0] for clause in probe.clauses}
        if len(asked) == 1 and (gone := asked & session.target.gone_operations.keys()):
            return f"{min(gone)} answers {session.target.gone_operations[min(gone)]} to every request"
        missing = [account for account in probe.required_accounts if account not in session.keys]
        if missing:
            variable = next(c.variable for c in session.contract.credentials if c.account == missing[0])
            return f"needs a key of the {missing[0]} account in {variable}, which is unset or not accepted"
        return ""

    def _run_and_confirm(self, probe: Probe, *, part: bool = False) -> list[Finding]:
        if self._precheck is not None and probe.parts and self._precheck.explain_block(probe):
            return self._run_permitted_parts(probe)
        shares_objects = any("stock" in find_placeholders(step.arguments) for step in probe.steps)
        # A part runs on an object of its own: a shared one may be in a state that leaves the response open.
        first = self._run_attempt(probe, fresh=part and shares_objects)
        if not first.may_be_outage and not first.disagreements:
            first, refused = self._settle_excuse(probe, first, fresh=shares_objects)
            if refused and self._excuses.reject(first):
                return self.confirmation.add_repeated_findings(first, flaky=False)
            if not first.may_be_outage and not first.disagreements:
                if probe.fallback is None or not first.excused_refusals:
                    return []
                return self._run_and_confirm(probe.fallback)
        is_explained = self.confirmation.is_explained(first)
        if first.is_doubtful and not is_explained:
            self.control.require_answer(first, first.exchanges[-1].operation or probe.operation)
        if probe.parts and first.has_wrong_status and not is_explained:
            apart = self._take_apart(probe, first)
            if apart:
                return apart
        is_listed = any(found.object_name is not None for found, _ in first.disagreements.values())
        fresh = shares_objects or is_listed
        return self.confirm_attempt(first, lambda: self._run_attempt(probe, fresh=fresh))

    def confirm_attempt(self, first: Attempt, again: Callable[[], Attempt]) -> list[Finding]:
        """Return the findings of ``first``, confirmed by ``again``; an operation that refuses everything is one finding."""
        return self._gone_check.condense(self.confirmation.confirm_attempt(first, again), first)

    def _settle_excuse(self, probe: Probe, first: Attempt, *, fresh: bool) -> tuple[Attempt, bool]:
        """Ask again with other values where only an unknown object may excuse a refusal.

        Return the last attempt, and True if it and all others were refused. A probe without placeholders has one value.
        """
        attempt = first
        if not any(find_placeholders(step.arguments) - {"password"} for step in probe.steps):
            return attempt, False
        for _ in range(MAX_OTHER_VALUES):
            if attempt.may_be_outage or attempt.disagreements or not attempt.excused_refusals:
                return attempt, False
            if not self._excuses.find_refusals(attempt):
                return attempt, False
            attempt = self._run_attempt(probe, fresh=fresh)
        return attempt, True

    def _take_apart(self, probe: Probe, first: Attempt) -> list[Finding]:
        """Run the parts of a probe one by one, until a plain cause explains why the probe failed."""
        found: list[Finding] = []
        for number, one in enumerate(probe.parts):
            if found and self.confirmation.is_explained(first):
                reason = f"not asked one by one: {found[-1].title}"
                for rest in probe.parts[number:]:
                    self._session.coverage.skip_clauses(rest.clauses, reason)
                break
            found += self._run_and_confirm(one, part=True)
        return found

    def _run_permitted_parts(self, probe: Probe) -> list[Finding]:
        """Run those parts of a probe that may be sent; the clauses of the others are not exercised."""
        found = []
        for one in probe.parts:
            if reason := self._find_skip_reason(one):
                self._session.coverage.skip_clauses(one.clauses, reason)
            else:
                found += self._run_and_confirm(one, part=True)
        return found

    def _run_attempt(self, probe: Probe, *, fresh: bool = False) -> Attempt:
        """Run the probe's steps; with ``fresh``, on new shared objects in the state in which a first run finds them."""
        session = self._session
        names: dict[str, str] = {}
        if fresh:
            numbers = {number for step in probe.steps for number in find_modifiers(step.arguments, "stock")}
            account, operation = session.contract.credentials[0].account, _find_pool_operation(probe)
            made = {n: self.pool.create_object(account, operation) for n in sorted(numbers or {""})}
            names = {f"stock:{number}": name for number, name in made.items() if number in numbers}
        session.protocol.start_attempt(probe.id)
        with session.record_attempt(*probe.clauses) as attempt:
            if probe.fault:
                self._script_fault(probe)
            with session.expect_fault(probe.fault.get("status")):
                for step in probe.steps:
                    if "next" in find_placeholders(step.arguments) and not names.get("next"):
                        continue  # the list before had one page only
                    self._send_step(step, names)
                    if attempt.may_be_outage or attempt.has_wrong_status:
                        break  # the next step would rest on a state that no document describes
                else:
                    session.coverage.add_clauses(probe.clauses)
        return attempt

    def _send_step(self, step: ProbeStep, names: dict[str, str]) -> Exchange:
        session = self._session
        account = step.account or session.contract.credentials[0].account
        operation = step.operation if step.operation in session.contract.operations else None
        values = RunValues(session, self.pool, names, account, operation)
        if step.bystanders:
            if "stock:" not in names and operation is not None:
                names["stock:"] = self.pool.get_object_for(operation, account)
            states, key = session.target.possible_states, session.keys[account]
            identity = session.target.get_identity(values.fill("stock", ""))
            step = choose_bystanders(self._simulation, states, step, identity, key)
        exchange = session.send_request(make_request(session.contract, step, values))
        listed = session.contract.list_config
        if listed is not None and operation == listed.operation and exchange.response is not None:
            arguments = join_arguments(exchange.request.parameters, exchange.request.body)
            names["next"] = (
                find_next_start(listed, arguments, parse_json(exchange.response.body), exchange.response.headers) or ""
            )
        return exchange

    def _script_fault(self, probe: Probe) -> None:
        """Tell the mock to answer with the probe's fault; this call is not counted."""
        operation = _find_pool_operation(probe)
        if operation is not None:  # the objects that the request needs must exist before the fault does
            self.pool.get_ready_object(self._session.contract.credentials[0].account, operation)
        script_fault(self._session.base, probe.fault)


class RunValues:
    """Fresh names, shared objects and passwords for one attempt; ``names`` holds those chosen so far by placeholder."""

    def __init__(
        self, session: Session, pool: ObjectPool, names: dict[str, str], account: str, operation: str | None
    ) -> None:
        self._session, self._pool, self._names = session, pool, names
        self._account, self._operation = account, operation

    def fill(self, word: str, modifier: str) -> str:
        """Implement `Values.fill`."""
        names, generator = self._names, self._session.names
        if word == "password":
            return generate_password(int(modifier)) if modifier else generate_password()
        if word == "stock":
            place = f"{word}:{modifier}"
            if place not in names:
                names[place] = self._pool.get_ready_object(self._account, self._operation, names.values())
            return names[place]
        if word == "short":
            return names.setdefault(word, generator.create_short_name(int(modifier)))
        if word not in names:
            size, edged = read_size(modifier)
            names[word] = generator.create_name(size, edged=edged)
        return build_name_variants(names[word]).get(modifier, names[word])

    def get_identity(self, name: str) -> str:
        """Implement `Values.get_identity`."""
        return self._session.target.get_identity(name)

    def get_key(self, account: str) -> str:
        """Implement `Values.get_key`."""
        return self._session.keys[account]


def _find_pool_operation(probe: Probe) -> str | None:
    """Return the operation of the first step about a shared object."""
    return next((step.operation for step in probe.steps if "stock" in find_placeholders(step.arguments)), None)
