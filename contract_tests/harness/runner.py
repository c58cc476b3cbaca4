"""Runs probes: fills their places, sends them, asks again what disagreed, tells drift from outage."""

import contextlib
import time
from collections.abc import Callable

import httpx

from contract_tests.harness.exchange import Exchange
from contract_tests.harness.form import Disagreement
from contract_tests.harness.names import secret
from contract_tests.harness.probe import Probe, Step, fill
from contract_tests.harness.session import Attempt, Session, Stop
from contract_tests.harness.wire import Trouble
from contracts.request import Body
from drift.finding import Finding, Severity
from drift.record import Checked

MAX_FAILED_CONTROLS = 3


class Runner:
    """Runs the probes of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._found: dict[str, Finding] = {}
        self._failed_controls = 0
        self._stock: dict[str, str] = {}

    # -- one probe

    def run(self, probe: Probe) -> list[Finding]:
        """Run ``probe``; gives the findings it shows, new or known. Disagreements are asked for again once."""
        began = time.monotonic()
        checked = Checked(probe.id, self._session.stage, probe.says)
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
        if probe.mock_only and not session.is_mock:
            return probe.mock_only
        missing = [account for account in probe.needs if account not in session.keys]
        if missing:
            variable = next(c.variable for c in session.contract.credentials if c.account == missing[0])
            return f"needs a key of the {missing[0]} account in {variable}, which is unset or not accepted"
        return ""

    def _skip(self, probe: Probe, checked: Checked, why: str) -> None:
        checked.skipped = why
        for clause in probe.clauses:
            self._session.record.not_exercised.setdefault(clause, why)

    def _confirmed(self, probe: Probe) -> list[Finding]:
        first = self._attempt(probe)
        if not first.outage and not first.disagreements:
            return []
        if first.outage and not self._control(probe):
            return []
        refused = any(found.id.endswith("/refused") for found, _ in first.disagreements.values())
        if refused and probe.parts:
            apart = [finding for part in probe.parts for finding in self._confirmed(part)]
            if apart:
                return apart
        return self.confirm(first, lambda: self._attempt(probe), probe)

    def confirm(self, first: Attempt, again: Callable[[], Attempt], probe: Probe | None = None) -> list[Finding]:
        """The findings of ``first``, after asking ``again`` for those that are new."""
        known = [self._found[name] for name in first.disagreements if name in self._found]
        new = {name: pair for name, pair in first.disagreements.items() if name not in self._found}
        if first.trouble is not None and probe is not None:
            new.update(self._no_answer(first, probe))
        if not new:
            return known
        findings = {name: self._session.finding(*pair) for name, pair in new.items()}
        second = again()
        repeated = dict(second.disagreements)
        if second.trouble is not None and probe is not None:
            repeated.update(self._no_answer(second, probe))
        for name, finding in findings.items():
            if name in repeated:
                self._add(finding)
            elif new[name][0].outage:
                self._session.record.notes.append(f"not seen again, so not drift: {finding.title}")
            else:
                last = second.exchanges[-1].recorded(self._session.redactor) if second.exchanges else None
                self._add(finding.flaps(last))
        return known + [self._found[name] for name in findings if name in self._found]

    def explored(self, failed: Attempt, *, flapping: bool) -> list[Finding]:
        """The findings of an explored example, which Hypothesis has asked for again already."""
        findings = []
        for name, pair in failed.disagreements.items():
            if name not in self._found:
                finding = self._session.finding(*pair)
                self._add(finding.flaps(None) if flapping else finding)
                findings.append(self._found[name])
        return findings

    def _add(self, finding: Finding) -> None:
        self._found[finding.id] = finding
        self._session.record.findings.append(finding)

    def _no_answer(self, attempt: Attempt, probe: Probe) -> dict[str, tuple[Disagreement, Exchange]]:
        assert attempt.trouble is not None
        clause = probe.clauses[0]
        found = Disagreement(
            id=f"{clause}/no-answer",
            severity=Severity.BREAKING,
            clause=clause,
            title=f"{self._session.contract.operations[probe.operation].name} gives no answer: {attempt.trouble.words}",
            why="Callers wait or fail where the vendor documents an answer; other requests are answered.",
            operation=probe.operation,
            outage=True,
        )
        return {found.id: (found, attempt.exchanges[-1])}

    def _attempt(self, probe: Probe) -> Attempt:
        session = self._session
        names: dict[str, str] = {}
        with session.attempting(*probe.clauses) as attempt:
            if probe.fault:
                self._arrange(probe)
            session.faulted = bool(probe.fault)
            try:
                for step in probe.steps:
                    exchange = self._step(step, names)
                    lost = any(
                        found.id.rsplit("/", 1)[-1] in ("accepted", "refused") or "/status-" in found.id
                        for found, at in attempt.disagreements.values()
                        if at is exchange
                    )
                    if lost or attempt.trouble is not None:
                        break
                else:
                    session.exercised |= set(probe.clauses)
                if attempt.disagreements:
                    session.exercised |= {found.clause for found, _ in attempt.disagreements.values()}
            finally:
                session.faulted = False
        return attempt

    def _step(self, step: Step, names: dict[str, str]) -> Exchange:
        session = self._session
        account = step.account or session.contract.credentials[0].account

        def give(word: str, modifier: str) -> str:
            return self._give(word, modifier, names, account)

        body = step.body if step.body is Body.ABSENT else fill(step.body, give)
        headers = session.authorization(account)
        if step.authorization is not None:
            value = step.authorization(session.keys[account])
            place = session.contract.places[0]
            headers = {} if value is None else {place.header: value}
        if step.operation is None:
            return session.ask(step.method, step.path, body, headers)
        declared = session.contract.operations[step.operation]
        return session.ask(declared.method, declared.path, body, headers)

    def _give(self, word: str, modifier: str, names: dict[str, str], account: str) -> str:
        session = self._session
        if word == "password":
            return secret(int(modifier)) if modifier else secret()
        if word == "stock":
            return names.setdefault(word, self.stock(account))
        if word == "short":
            return names.setdefault(word, session.names.short(int(modifier)))
        if word not in names:
            names[word] = session.names.mint(int(modifier) if modifier.isdigit() else None)
        head, _, tail = names[word].rpartition("-")
        spelling = {"upper": names[word].upper(), "spaced": f"{head} {tail}", "underscored": f"{head}_{tail}"}
        return spelling.get(modifier, names[word])

    def stock(self, account: str) -> str:
        """The name of an object of ``account`` that exists and that probes may share; made when there is none."""
        session = self._session
        model = session.contract.model
        owned = [set(model.owned(world)) for world in session.worlds]
        usable = [name for held, name in sorted(owned[0]) if held == account and session.names.owns(name)
                  and all((account, name) in each for each in owned)]  # fmt: skip
        name = self._stock.get(account, "")
        if name in usable:
            return name
        if usable:
            self._stock[account] = usable[0]
            return usable[0]
        name = session.names.mint()
        create = session.contract.lifecycle.create
        fields = session.contract.identities[create]
        body = {pointer[1:]: name for pointer, role in fields.items() if role == "new"}
        with session.attempting():
            session.send(create, body, account)
        self._stock[account] = name
        return name

    def _arrange(self, probe: Probe) -> None:
        """Script the probe's fault on the mock; control calls are not counted."""
        for step in probe.steps:  # what the request needs has to be there before the fault is
            fill(step.body, lambda word, _modifier: self.stock(self._session.contract.credentials[0].account)
                 if word == "stock" else "")  # fmt: skip
        root = httpx.URL(self._session.base).copy_with(path="/__mock/faults")
        with httpx.Client(trust_env=False, timeout=10) as client, contextlib.suppress(httpx.HTTPError):
            client.post(root, json=dict(probe.fault))

    # -- drift or outage

    def _control(self, probe: Probe) -> bool:
        """Whether a request that was answered well before still is; the run stops at the third that is not."""
        session = self._session
        good = session.good
        known = next((good[name] for name in good if name != probe.operation), good.get(probe.operation))
        answered = False
        with session.attempting() as attempt:
            request = (
                httpx.Request(known.method, known.url, headers=dict(known.headers), content=known.content)
                if known is not None
                else httpx.Request("GET", session.base + session.contract.operations[probe.operation].path)
            )
            with contextlib.suppress(Trouble):
                reply = session.exchange(request)
                answered = not attempt.disagreements and reply.status < 500
        if answered:
            return True
        self._failed_controls += 1
        reason = "the target stopped answering as it did before: an outage, not drift"
        session.record.reason = reason
        if self._failed_controls >= MAX_FAILED_CONTROLS:
            session.stopped = reason
            raise Stop(reason)
        for clause in probe.clauses:
            session.record.not_exercised.setdefault(clause, reason)
        return False
