"""Runs probes: fills their places, sends them, asks again what disagreed, tells drift from outage."""

import contextlib
import time
from collections.abc import Callable, Iterable

import httpx

from contract_watch.contracts.openapi import build_path, split_arguments
from contract_watch.contracts.request import MissingBody
from contract_watch.engine.account.object_names import build_name_variants
from contract_watch.engine.account.precheck import ProbePrecheck
from contract_watch.engine.judging.attempt import Attempt, RunAbortedError
from contract_watch.engine.judging.response_checks import Disagreement
from contract_watch.engine.planning.passwords import generate_password
from contract_watch.engine.planning.probe import Probe, ProbeStep, fill_placeholders, find_modifiers, find_placeholders
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.protocols.call import Call
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.wire import Response, TransportError
from contract_watch.engine.running.object_pool import ObjectPool
from contract_watch.engine.running.session import Session
from contract_watch.net import get_tls_context
from contract_watch.report.finding import Finding, Severity
from contract_watch.report.record import SuiteCheck

MAX_FAILED_CONTROLS = 3
_MAX_UNREPEATED = 3
"""How often a finding is asked for again in vain before it is taken to flap for good."""


class Runner:
    """Runs the probes of one session. ``known`` are findings of earlier ones, which are not confirmed again.

    ``shown`` holds, for each new finding, the disagreement that it tells and the exchange that shows it.
    """

    def __init__(self, session: Session, known: Iterable[Finding] = ()) -> None:
        self._session = session
        self._found: dict[str, Finding] = {}
        self.evidence: dict[str, tuple[Disagreement, Exchange]] = {}
        for finding in known:
            self._add_finding(finding)
        self._unrepeated_counts: dict[str, int] = {}
        self._failed_controls = 0
        self.pool = ObjectPool(session)
        self._simulation = Simulation(session.contract)
        gate = session.gate
        self._precheck = ProbePrecheck(gate.guard) if gate is not None else None
        self.silent_operations: set[str] = set()
        """Operations that were asked twice and did not answer in time, though others do."""

    # -- one probe

    def run_probe(self, probe: Probe) -> list[Finding]:
        """Run ``probe``; gives the findings it shows, new or known. Disagreements are asked for again once."""
        began = time.monotonic()
        checked = SuiteCheck(probe.id, self._session.stage, probe.title, surface=self._session.protocol.name)
        self._session.record.suite_checks.append(checked)
        try:
            if why := self._find_skip_reason(probe):
                self._skip_probe(probe, checked, why)
                return []
            found = self._run_and_confirm(probe)
        except RunAbortedError as stop:
            self._skip_probe(probe, checked, str(stop))
            return []
        finally:
            checked.seconds = time.monotonic() - began
        checked.finding_ids = [finding.id for finding in found]
        return found

    def _find_skip_reason(self, probe: Probe) -> str:
        session = self._session
        if session.stop_reason is not None:
            return session.stop_reason
        if probe.represented_by:
            return f"left out to keep within the allowance: {probe.represented_by} asks the same (THOROUGH=1 asks both)"
        if probe.mock_only_reason and not session.is_mock:
            return probe.mock_only_reason
        if self._precheck is not None and not probe.parts and (why := self._precheck.explain_block(probe)):
            return why
        silent = [step.operation for step in probe.steps if step.operation in self.silent_operations]
        if silent:
            return f"{silent[0]} gives no answer: every further request would wait for its time-out"
        missing = [account for account in probe.required_accounts if account not in session.keys]
        if missing:
            variable = next(c.variable for c in session.contract.credentials if c.account == missing[0])
            return f"needs a key of the {missing[0]} account in {variable}, which is unset or not accepted"
        return ""

    def _skip_probe(self, probe: Probe, checked: SuiteCheck, why: str) -> None:
        checked.skip_reason = why
        for clause in probe.clauses:
            self._session.record.not_exercised.setdefault(clause, why)

    def _run_and_confirm(self, probe: Probe, *, part: bool = False) -> list[Finding]:
        if self._precheck is not None and probe.parts and self._precheck.explain_block(probe):
            return self._run_permitted_parts(probe)
        # A part is tried on an object of its own: a shared one may have a state that leaves its answer open.
        first = self._run_attempt(
            probe, fresh=part and any("stock" in find_placeholders(step.arguments) for step in probe.steps)
        )
        if not first.may_be_outage and not first.disagreements:
            return []
        if first.is_doubtful and not self.send_control(first.exchanges[-1].operation or probe.operation, probe.clauses):
            return []
        if probe.parts and first.has_wrong_status:
            apart = [finding for one in probe.parts for finding in self._run_and_confirm(one, part=True)]
            if apart:
                return apart
        shared = any("stock" in find_placeholders(step.arguments) for step in probe.steps)
        listed = any(found.object_name is not None for found, _ in first.disagreements.values())
        return self.confirm_attempt(first, lambda: self._run_attempt(probe, fresh=shared or listed))

    def _run_permitted_parts(self, probe: Probe) -> list[Finding]:
        """The findings of those parts of a probe that may be sent; the others are not exercised."""
        found = []
        for one in probe.parts:
            if why := self._find_skip_reason(one):
                for clause in one.clauses:
                    self._session.record.not_exercised.setdefault(clause, why)
            else:
                found += self._run_and_confirm(one, part=True)
        return found

    def confirm_attempt(self, first: Attempt, again: Callable[[], Attempt]) -> list[Finding]:
        """The findings of ``first``, after asking ``again`` for those that are new."""
        seen = self.collect_disagreements(first)
        known = [self._found[name] for name in seen if name in self._found]
        new = {name: pair for name, pair in seen.items() if name not in self._found or self._should_ask_again(name)}
        if not new:
            return known
        findings = {name: self._session.build_finding(*pair) for name, pair in new.items()}
        self.evidence |= new
        second = again()
        repeated = self.collect_disagreements(second)
        if (
            second.transport_error is not None
            and second.transport_error.kind == "silent"
            and any(name in new for name in repeated)
        ):
            self.silent_operations.add(second.exchanges[-1].operation or "")
        for name, first_finding in findings.items():
            finding = first_finding
            if name in repeated and _is_same_occurrence(name, first, second):
                other = self._session.build_finding(*repeated[name])
                if len(other.reproduce) < len(finding.reproduce):  # its objects are new: fewer requests show it
                    finding, self.evidence[name] = other, repeated[name]
                self._add_finding(finding)
            elif new[name][0].may_be_outage:
                self._session.record.notes.append(f"not seen again, so not drift: {finding.title}")
            else:
                answer = _find_counterpart(new[name][1], first, second)
                self._unrepeated_counts[name] = self._unrepeated_counts.get(name, 0) + 1
                if name not in self._found:
                    self._add_finding(
                        finding.mark_flaky(answer.to_json(self._session.redactor) if answer is not None else None)
                    )
        return list({found.id: found for name in seen if (found := self._found.get(name)) is not None}.values())

    def _should_ask_again(self, name: str) -> bool:
        """Whether a finding that was not repeated is worth asking for again: it depends on state, and may be steady in another."""
        stateful = "/effect/" in name or "/rule/" in name
        return stateful and self._found[name].flapping and self._unrepeated_counts.get(name, 0) < _MAX_UNREPEATED

    def add_explored_findings(self, failed: Attempt, *, flaky: bool) -> list[Finding]:
        """The findings of an explored example, which Hypothesis has asked for again already."""
        findings = []
        for name, pair in self.collect_disagreements(failed).items():
            if name not in self._found:
                finding = self._session.build_finding(*pair)
                self.evidence[name] = pair
                self._add_finding(finding.mark_flaky(None) if flaky else finding)
                findings.append(self._found[finding.id])
        return findings

    def _add_finding(self, finding: Finding) -> None:
        """Take in a finding; in place of the one with its id, if it seemed to flap."""
        findings = self._session.record.findings
        if (before := self._found.get(finding.id)) in findings:
            findings[findings.index(before)] = finding
        else:
            findings.append(finding)
        self._found[finding.id] = finding

    def collect_disagreements(self, attempt: Attempt) -> dict[str, tuple[Disagreement, Exchange]]:
        """What disagreed in ``attempt``; that a request got no answer is one thing more."""
        found = dict(attempt.disagreements)
        if attempt.transport_error is None:
            return found
        last = attempt.exchanges[-1]
        operation = last.operation or ""
        declared = self._session.contract.operations.get(operation)
        name = declared.name if declared is not None else f"{last.request.method} {last.request.path}"
        clause = f"{operation}/response/{min(declared.responses)}" if declared is not None else operation
        silence = Disagreement(
            id=f"{operation or name}/no-answer",
            severity=Severity.BREAKING,
            clause=clause,
            title=f"{name} gives no answer: {attempt.transport_error.message}",
            why="Callers wait or fail where the vendor documents an answer; other requests are answered.",
            operation=operation or name,
            may_be_outage=True,
        )
        silence = self._session.redact_disagreement(silence)
        return {**found, silence.id: (silence, last)}

    def _run_attempt(self, probe: Probe, *, fresh: bool = False) -> Attempt:
        """Run the probe's steps. ``fresh`` makes a new shared object first, in the state that a first run finds it in."""
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
            session.scripted_status = probe.fault.get("status")
            try:
                for step in probe.steps:
                    self._send_step(step, names)
                    if attempt.transport_error is not None or attempt.has_wrong_status:
                        break  # what follows would rest on a state that no document describes
                else:
                    session.exercised_clauses |= set(probe.clauses)
                if attempt.disagreements:
                    session.exercised_clauses |= {found.clause for found, _ in attempt.disagreements.values()}
            finally:
                session.scripted_status = None
        return attempt

    def _send_step(self, step: ProbeStep, names: dict[str, str]) -> Exchange:
        session = self._session
        account = step.account or session.contract.credentials[0].account
        declared = session.contract.operations.get(step.operation or "")
        asked = declared.id if declared is not None else None

        def give(word: str, modifier: str) -> str:
            return self._resolve_placeholder(word, modifier, names, account, asked)

        body = step.body if step.body is MissingBody.ABSENT else fill_placeholders(step.body, give)
        parameters = fill_placeholders(dict(step.parameters), give)
        for name, role in session.contract.get_roles(asked).items():  # an object goes by its id, once it has one
            for where, key in ((parameters, name[1:-1]), (body, name)):
                if role == "existing" and isinstance(where, dict) and isinstance(where.get(key), str):
                    where[key] = session.get_identity(where[key])
        headers = session.build_credential_headers(account)
        if step.credential is not None:
            usual, place = (
                session.contract.credential_locations[0],
                session.contract.credential_locations[step.location],
            )
            headers.pop(usual.header)
            value = step.credential(session.keys[account])
            headers, body = place.insert_key(value, headers, body) if value is not None else (headers, body)
        if declared is None:
            path = build_path(step.path, parameters)
            return session.send_call(Call(None, step.method, path, body, headers, parameters))
        return session.send_call(session.build_call(declared, parameters, body, headers))

    def _resolve_placeholder(
        self, word: str, modifier: str, names: dict[str, str], account: str, operation: str | None
    ) -> str:
        session = self._session
        if word == "password":
            return generate_password(int(modifier)) if modifier else generate_password()
        if word == "stock":
            place = f"{word}:{modifier}"
            if place not in names:
                names[place] = self.pool.get_ready_object(account, operation, names.values())
            return names[place]
        if word == "short":
            return names.setdefault(word, session.names.create_short_name(int(modifier)))
        if word not in names:
            names[word] = session.names.create_name(int(modifier) if modifier.isdigit() else None)
        return build_name_variants(names[word]).get(modifier, names[word])

    def _script_fault(self, probe: Probe) -> None:
        """Script the probe's fault on the mock; control calls are not counted."""
        operation = _find_pool_operation(probe)
        if operation is not None:  # what the request needs has to be there before the fault is
            self.pool.get_ready_object(self._session.contract.credentials[0].account, operation)
        root = httpx.URL(self._session.base).copy_with(path="/__mock/faults")
        with (
            httpx.Client(verify=get_tls_context(root), trust_env=False, timeout=10) as client,
            contextlib.suppress(httpx.HTTPError),
        ):
            client.post(root, json=dict(probe.fault))

    # -- drift or outage

    def send_control(self, operation: str, clauses: tuple[str, ...] = ()) -> bool:
        """Whether a request that was answered well before still is; the run stops at the third that is not.

        One of another operation than the failing ``operation`` is taken, where there is one.
        """
        session = self._session
        known = next(
            (good for name, good in session.control_exchanges.items() if name != operation),
            session.control_exchanges.get(operation),
        )
        with session.record_attempt() as attempt, contextlib.suppress(TransportError):
            if known is not None:
                reply = session.resend(known)
                if known.response is not None and (not attempt.disagreements or _is_same_kind(reply, known.response)):
                    return True
            else:  # nothing was answered well yet: a request without a key needs nothing to be there
                read = session.contract.operations[session.contract.lifecycle.read]
                parameters, body = split_arguments(self._simulation.build_arguments(read, session.names.create_name()))
                session.send_call(
                    session.build_call(read, parameters, body if read.body is not None else MissingBody.ABSENT, {})
                )
                if attempt.transport_error is None and not attempt.disagreements:
                    return True
        self._failed_controls += 1
        status = attempt.exchanges[-1].response.status if attempt.exchanges and attempt.exchanges[-1].response else None
        told = f"{status} where it answered well before" if status is not None else "nothing where it did before"
        reason = f"the target answers {told}: an outage, or a key or an account that is not served any more, not drift"
        session.record.reason = reason
        if self._failed_controls >= MAX_FAILED_CONTROLS:
            raise session.stop(reason)
        for clause in clauses:
            session.record.not_exercised.setdefault(clause, reason)
        return False


def _find_pool_operation(probe: Probe) -> str | None:
    """The operation of the first step that is about a shared object."""
    return next((step.operation for step in probe.steps if "stock" in find_placeholders(step.arguments)), None)


def _find_counterpart(exchange: Exchange, first: Attempt, second: Attempt) -> Exchange | None:
    """The exchange of the second attempt that asked the same as ``exchange`` did in the first, if it came to that."""
    index = next((i for i, seen in enumerate(first.exchanges) if seen is exchange), len(first.exchanges))
    return second.exchanges[index] if index < len(second.exchanges) else None


def _is_same_occurrence(name: str, first: Attempt, second: Attempt) -> bool:
    """Whether what both attempts show is there in answer to the same request: else it comes and goes."""
    place = min((number for shown, number in first.occurrences if shown == name), default=len(second.exchanges))
    return second.has_disagreement_at(name, place)


def _is_same_kind(reply: Response, known: Response) -> bool:
    """Whether an answer is of the same kind as one that was good: its body may have changed with the state."""
    return reply.status == known.status and reply.headers.get("content-type") == known.headers.get("content-type")
