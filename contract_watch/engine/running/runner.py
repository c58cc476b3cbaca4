"""Runs probes: fills their places, sends them, asks again what disagreed, tells drift from outage."""

import contextlib
import time
from collections.abc import Callable, Iterable

import httpx

from contract_watch.contracts.openapi import build_path, split_arguments
from contract_watch.contracts.request import MissingBody
from contract_watch.engine.account.object_names import spellings
from contract_watch.engine.account.precheck import Permits
from contract_watch.engine.judging.attempt import Attempt, Stop
from contract_watch.engine.judging.response_checks import Disagreement
from contract_watch.engine.planning.passwords import secret
from contract_watch.engine.planning.probe import Probe, Step, fill, places, places_of
from contract_watch.engine.planning.simulation import Rehearsal
from contract_watch.engine.protocols.call import Call
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.wire import Reply, Trouble, tls
from contract_watch.engine.running.object_pool import Stock
from contract_watch.engine.running.session import Session
from contract_watch.report.finding import Finding, Severity
from contract_watch.report.record import Checked

MAX_FAILED_CONTROLS = 3
_MOST_DOUBTS = 3
"""How often a finding is asked for again in vain before it is taken to flap for good."""


class Runner:
    """Runs the probes of one session. ``known`` are findings of earlier ones, which are not confirmed again.

    ``shown`` holds, for each new finding, the disagreement that it tells and the exchange that shows it.
    """

    def __init__(self, session: Session, known: Iterable[Finding] = ()) -> None:
        self._session = session
        self._found: dict[str, Finding] = {}
        self.shown: dict[str, tuple[Disagreement, Exchange]] = {}
        for finding in known:
            self._add(finding)
        self._doubts: dict[str, int] = {}
        self._failed_controls = 0
        self.stock = Stock(session)
        self._rehearsal = Rehearsal(session.contract)
        gate = session.gate
        self._permits = Permits(gate.guard) if gate is not None else None
        self.silent: set[str] = set()
        """Operations that were asked twice and did not answer in time, though others do."""

    # -- one probe

    def run(self, probe: Probe) -> list[Finding]:
        """Run ``probe``; gives the findings it shows, new or known. Disagreements are asked for again once."""
        began = time.monotonic()
        checked = Checked(probe.id, self._session.stage, probe.says, surface=self._session.surface.name)
        self._session.record.checked.append(checked)
        try:
            if why := self._cannot(probe):
                self._skip(probe, checked, why)
                return []
            found = self._confirmed(probe)
        except Stop as stop:
            self._skip(probe, checked, str(stop))
            return []
        finally:
            checked.seconds = time.monotonic() - began
        checked.findings = [finding.id for finding in found]
        return found

    def _cannot(self, probe: Probe) -> str:
        session = self._session
        if session.stopped is not None:
            return session.stopped
        if probe.instead:
            return f"left out to keep within the allowance: {probe.instead} asks the same (THOROUGH=1 asks both)"
        if probe.mock_only and not session.is_mock:
            return probe.mock_only
        if self._permits is not None and not probe.parts and (why := self._permits.why_not(probe)):
            return why
        silent = [step.operation for step in probe.steps if step.operation in self.silent]
        if silent:
            return f"{silent[0]} gives no answer: every further request would wait for its time-out"
        missing = [account for account in probe.needs if account not in session.keys]
        if missing:
            variable = next(c.variable for c in session.contract.credentials if c.account == missing[0])
            return f"needs a key of the {missing[0]} account in {variable}, which is unset or not accepted"
        return ""

    def _skip(self, probe: Probe, checked: Checked, why: str) -> None:
        checked.skipped = why
        for clause in probe.clauses:
            self._session.record.not_exercised.setdefault(clause, why)

    def _confirmed(self, probe: Probe, *, part: bool = False) -> list[Finding]:
        if self._permits is not None and probe.parts and self._permits.why_not(probe):
            return self._permitted(probe)
        # A part is tried on an object of its own: a shared one may have a state that leaves its answer open.
        first = self._attempt(probe, fresh=part and any("stock" in places(step.arguments) for step in probe.steps))
        if not first.outage and not first.disagreements:
            return []
        if first.doubtful and not self.control(first.exchanges[-1].operation or probe.operation, probe.clauses):
            return []
        if probe.parts and first.status_differs:
            apart = [finding for one in probe.parts for finding in self._confirmed(one, part=True)]
            if apart:
                return apart
        shared = any("stock" in places(step.arguments) for step in probe.steps)
        listed = any(found.about is not None for found, _ in first.disagreements.values())
        return self.confirm(first, lambda: self._attempt(probe, fresh=shared or listed))

    def _permitted(self, probe: Probe) -> list[Finding]:
        """The findings of those parts of a probe that may be sent; the others are not exercised."""
        found = []
        for one in probe.parts:
            if why := self._cannot(one):
                for clause in one.clauses:
                    self._session.record.not_exercised.setdefault(clause, why)
            else:
                found += self._confirmed(one, part=True)
        return found

    def confirm(self, first: Attempt, again: Callable[[], Attempt]) -> list[Finding]:
        """The findings of ``first``, after asking ``again`` for those that are new."""
        seen = self.disagreements(first)
        known = [self._found[name] for name in seen if name in self._found]
        new = {name: pair for name, pair in seen.items() if name not in self._found or self._doubted(name)}
        if not new:
            return known
        findings = {name: self._session.finding(*pair) for name, pair in new.items()}
        self.shown |= new
        second = again()
        repeated = self.disagreements(second)
        if second.trouble is not None and second.trouble.kind == "silent" and any(name in new for name in repeated):
            self.silent.add(second.exchanges[-1].operation or "")
        for name, first_finding in findings.items():
            finding = first_finding
            if name in repeated and _same_place(name, first, second):
                other = self._session.finding(*repeated[name])
                if len(other.reproduce) < len(finding.reproduce):  # its objects are new: fewer requests show it
                    finding, self.shown[name] = other, repeated[name]
                self._add(finding)
            elif new[name][0].outage:
                self._session.record.notes.append(f"not seen again, so not drift: {finding.title}")
            else:
                answer = _counterpart(new[name][1], first, second)
                self._doubts[name] = self._doubts.get(name, 0) + 1
                if name not in self._found:
                    self._add(finding.flaps(answer.recorded(self._session.redactor) if answer is not None else None))
        return list({found.id: found for name in seen if (found := self._found.get(name)) is not None}.values())

    def _doubted(self, name: str) -> bool:
        """Whether a finding that was not repeated is worth asking for again: it depends on state, and may be steady in another."""
        stateful = "/effect/" in name or "/rule/" in name
        return stateful and self._found[name].flapping and self._doubts.get(name, 0) < _MOST_DOUBTS

    def explored(self, failed: Attempt, *, flapping: bool) -> list[Finding]:
        """The findings of an explored example, which Hypothesis has asked for again already."""
        findings = []
        for name, pair in self.disagreements(failed).items():
            if name not in self._found:
                finding = self._session.finding(*pair)
                self.shown[name] = pair
                self._add(finding.flaps(None) if flapping else finding)
                findings.append(self._found[finding.id])
        return findings

    def _add(self, finding: Finding) -> None:
        """Take in a finding; in place of the one with its id, if it seemed to flap."""
        findings = self._session.record.findings
        if (before := self._found.get(finding.id)) in findings:
            findings[findings.index(before)] = finding
        else:
            findings.append(finding)
        self._found[finding.id] = finding

    def disagreements(self, attempt: Attempt) -> dict[str, tuple[Disagreement, Exchange]]:
        """What disagreed in ``attempt``; that a request got no answer is one thing more."""
        found = dict(attempt.disagreements)
        if attempt.trouble is None:
            return found
        last = attempt.exchanges[-1]
        operation = last.operation or ""
        declared = self._session.contract.operations.get(operation)
        name = declared.name if declared is not None else f"{last.asked.method} {last.asked.path}"
        clause = f"{operation}/response/{min(declared.responses)}" if declared is not None else operation
        silence = Disagreement(
            id=f"{operation or name}/no-answer",
            severity=Severity.BREAKING,
            clause=clause,
            title=f"{name} gives no answer: {attempt.trouble.words}",
            why="Callers wait or fail where the vendor documents an answer; other requests are answered.",
            operation=operation or name,
            outage=True,
        )
        silence = self._session.redacted(silence)
        return {**found, silence.id: (silence, last)}

    def _attempt(self, probe: Probe, *, fresh: bool = False) -> Attempt:
        """Run the probe's steps. ``fresh`` makes a new shared object first, in the state that a first run finds it in."""
        session = self._session
        names: dict[str, str] = {}
        if fresh:
            numbers = {number for step in probe.steps for number in places_of(step.arguments, "stock")}
            account, operation = session.contract.credentials[0].account, _about_stock(probe)
            made = {n: self.stock.make(account, operation) for n in sorted(numbers or {""})}
            names = {f"stock:{number}": name for number, name in made.items() if number in numbers}
        session.surface.begin(probe.id)
        with session.attempting(*probe.clauses) as attempt:
            if probe.fault:
                self._arrange(probe)
            session.faulted = probe.fault.get("status")
            try:
                for step in probe.steps:
                    self._step(step, names)
                    if attempt.trouble is not None or attempt.status_differs:
                        break  # what follows would rest on a state that no document describes
                else:
                    session.exercised |= set(probe.clauses)
                if attempt.disagreements:
                    session.exercised |= {found.clause for found, _ in attempt.disagreements.values()}
            finally:
                session.faulted = None
        return attempt

    def _step(self, step: Step, names: dict[str, str]) -> Exchange:
        session = self._session
        account = step.account or session.contract.credentials[0].account
        declared = session.contract.operations.get(step.operation or "")
        asked = declared.id if declared is not None else None

        def give(word: str, modifier: str) -> str:
            return self._give(word, modifier, names, account, asked)

        body = step.body if step.body is MissingBody.ABSENT else fill(step.body, give)
        parameters = fill(dict(step.parameters), give)
        for name, role in session.contract.get_roles(asked).items():  # an object goes by its id, once it has one
            for where, key in ((parameters, name[1:-1]), (body, name)):
                if role == "existing" and isinstance(where, dict) and isinstance(where.get(key), str):
                    where[key] = session.identity(where[key])
        headers = session.authorization(account)
        if step.credential is not None:
            usual, place = session.contract.credential_locations[0], session.contract.credential_locations[step.place]
            headers.pop(usual.header)
            value = step.credential(session.keys[account])
            headers, body = place.insert_key(value, headers, body) if value is not None else (headers, body)
        if declared is None:
            path = build_path(step.path, parameters)
            return session.ask(Call(None, step.method, path, body, headers, parameters))
        return session.ask(session.call(declared, parameters, body, headers))

    def _give(self, word: str, modifier: str, names: dict[str, str], account: str, operation: str | None) -> str:
        session = self._session
        if word == "password":
            return secret(int(modifier)) if modifier else secret()
        if word == "stock":
            place = f"{word}:{modifier}"
            if place not in names:
                names[place] = self.stock.ready(account, operation, names.values())
            return names[place]
        if word == "short":
            return names.setdefault(word, session.names.short(int(modifier)))
        if word not in names:
            names[word] = session.names.mint(int(modifier) if modifier.isdigit() else None)
        return spellings(names[word]).get(modifier, names[word])

    def _arrange(self, probe: Probe) -> None:
        """Script the probe's fault on the mock; control calls are not counted."""
        operation = _about_stock(probe)
        if operation is not None:  # what the request needs has to be there before the fault is
            self.stock.ready(self._session.contract.credentials[0].account, operation)
        root = httpx.URL(self._session.base).copy_with(path="/__mock/faults")
        with httpx.Client(verify=tls(), trust_env=False, timeout=10) as client, contextlib.suppress(httpx.HTTPError):
            client.post(root, json=dict(probe.fault))

    # -- drift or outage

    def control(self, operation: str, clauses: tuple[str, ...] = ()) -> bool:
        """Whether a request that was answered well before still is; the run stops at the third that is not.

        One of another operation than the failing ``operation`` is taken, where there is one.
        """
        session = self._session
        known = next((good for name, good in session.good.items() if name != operation), session.good.get(operation))
        with session.attempting() as attempt, contextlib.suppress(Trouble):
            if known is not None:
                reply = session.again(known)
                if known.reply is not None and (not attempt.disagreements or _alike(reply, known.reply)):
                    return True
            else:  # nothing was answered well yet: a request without a key needs nothing to be there
                read = session.contract.operations[session.contract.lifecycle.read]
                parameters, body = split_arguments(self._rehearsal.about(read, session.names.mint()))
                session.ask(session.call(read, parameters, body if read.body is not None else MissingBody.ABSENT, {}))
                if attempt.trouble is None and not attempt.disagreements:
                    return True
        self._failed_controls += 1
        status = attempt.exchanges[-1].reply.status if attempt.exchanges and attempt.exchanges[-1].reply else None
        told = f"{status} where it answered well before" if status is not None else "nothing where it did before"
        reason = f"the target answers {told}: an outage, or a key or an account that is not served any more, not drift"
        session.record.reason = reason
        if self._failed_controls >= MAX_FAILED_CONTROLS:
            raise session.stop(reason)
        for clause in clauses:
            session.record.not_exercised.setdefault(clause, reason)
        return False


def _about_stock(probe: Probe) -> str | None:
    """The operation of the first step that is about a shared object."""
    return next((step.operation for step in probe.steps if "stock" in places(step.arguments)), None)


def _counterpart(exchange: Exchange, first: Attempt, second: Attempt) -> Exchange | None:
    """The exchange of the second attempt that asked the same as ``exchange`` did in the first, if it came to that."""
    index = next((i for i, seen in enumerate(first.exchanges) if seen is exchange), len(first.exchanges))
    return second.exchanges[index] if index < len(second.exchanges) else None


def _same_place(name: str, first: Attempt, second: Attempt) -> bool:
    """Whether what both attempts show is there in answer to the same request: else it comes and goes."""
    place = min((number for shown, number in first.places if shown == name), default=len(second.exchanges))
    return second.showed(name, place)


def _alike(reply: Reply, known: Reply) -> bool:
    """Whether an answer is of the same kind as one that was good: its body may have changed with the state."""
    return reply.status == known.status and reply.headers.get("content-type") == known.headers.get("content-type")
