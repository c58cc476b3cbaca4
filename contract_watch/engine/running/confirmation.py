"""Confirmation: a disagreement becomes a finding after its probe has run again.

An exchange that is not repeated is set aside if a server in trouble, or something in front of it, may have caused it:
then nothing uses it. Any other disagreement that is not repeated is flaky, unless one of several retries shows it again.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from contract_watch.engine.judging.disagreement import Disagreement
from contract_watch.engine.judging.findings import redact_disagreement
from contract_watch.engine.judging.judge import Attempt
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.running.findings import make_finding
from contract_watch.engine.running.session import Session
from contract_watch.report.finding import Finding, Severity

_MAX_UNREPEATED = 3
"""Confirmations in vain after which a finding counts as flaky for good."""
_MAX_RETRIES = 4
"""Retries of one attempt: some drifts come and go."""
_DOUBTFUL_REPEATS = 2
"""Repeats in a row that confirm a disagreement with a cause that may be unrelated to the request."""
_MAX_SPOILED = 2
"""Retries that do not count, because another outage hit them."""


class Confirmation:
    """The findings of one session. ``known`` are findings of earlier sessions, which are not confirmed again.

    ``evidence`` holds, for each new finding, its disagreement and the exchange that shows it. ``silent_operations`` are
    the operations that gave no response in time, twice, while others respond.
    """

    def __init__(self, session: Session, known: Iterable[Finding] = ()) -> None:
        self._session = session
        self._found: dict[str, Finding] = {}
        self._unrepeated_counts: dict[str, int] = {}
        self.evidence: dict[str, tuple[Disagreement, Exchange]] = {}
        self.silent_operations: set[str] = set()
        for finding in known:
            self._add_finding(finding)

    def confirm_attempt(self, first: Attempt, again: Callable[[], Attempt]) -> list[Finding]:
        """Return the findings of ``first``; run ``again`` if any of them is new."""
        seen = self.collect_disagreements(first)
        new = {name: pair for name, pair in seen.items() if name not in self._found or self._should_retry(name)}
        if new:
            self._confirm_new(new, first, again)
        self._note_confirmed(first)
        return list({found.id: found for name in seen if (found := self._found.get(name)) is not None}.values())

    def _confirm_new(
        self, new: dict[str, tuple[Disagreement, Exchange]], first: Attempt, again: Callable[[], Attempt]
    ) -> None:
        findings = {name: make_finding(self._session, *pair) for name, pair in new.items()}
        self.evidence |= new
        missing = {name: self._count_repeats(first, *pair) for name, pair in new.items()}
        doubtful = {name for name, (_, exchange) in new.items() if first.is_doubtful_at(exchange)}
        retries: list[Attempt] = []
        set_aside: dict[int, Finding] = {}
        spoiled = 0
        while missing and len(retries) < _MAX_RETRIES:
            other = again()
            repeated = self.collect_disagreements(other)
            if spoiled < _MAX_SPOILED and _is_spoiled(other, repeated, new):
                spoiled += 1
                continue
            retries.append(other)
            self._note_silence(other, [name for name in repeated if name in new])
            for name in list(missing):
                if name in repeated and _is_same_occurrence(name, first, other):
                    missing[name] -= 1
                    if not missing[name]:
                        del missing[name]
                        self._add_confirmed(findings[name], name, repeated[name], first, retries)
                elif name in doubtful:
                    del missing[name]
                    set_aside.setdefault(id(new[name][1]), findings[name])
        for finding in set_aside.values():
            self._note_set_aside(finding)
        for name in missing:
            self._add_flaky(findings[name], name, new[name][1], first, retries)
        for other in retries:
            self._note_confirmed(other)

    @staticmethod
    def _count_repeats(first: Attempt, _found: Disagreement, exchange: Exchange) -> int:
        """Return how many retries have to repeat a disagreement; each silent one takes a time-out."""
        is_silent = first.transport_error is not None and first.transport_error.kind == "silent"
        return _DOUBTFUL_REPEATS if first.is_doubtful_at(exchange) and not is_silent else 1

    def _note_silence(self, other: Attempt, repeated: list[str]) -> None:
        is_silent = other.transport_error is not None and other.transport_error.kind == "silent"
        if is_silent and repeated:
            self.silent_operations.add(other.exchanges[-1].operation or "")

    def _add_confirmed(
        self,
        finding: Finding,
        name: str,
        repeated: tuple[Disagreement, Exchange],
        first: Attempt,
        retries: list[Attempt],
    ) -> None:
        other = make_finding(self._session, *repeated)
        exchange = self.evidence[name][1]
        if len(other.reproduce) < len(finding.reproduce):  # its objects are new: fewer requests show it
            finding, self.evidence[name] = other, repeated
        without = [one for one in retries if name not in self.collect_disagreements(one)]
        if without:
            shown = _find_counterpart(exchange, first, without[0])
            finding = replace(finding, again=shown.to_json(self._session.redactor) if shown is not None else None)
            times = f"{len(retries) + 1 - len(without)} of {len(retries) + 1}"
            self._session.record.notes.append(f"comes and goes, seen in {times} tries: {finding.title}")
        self._add_finding(finding)

    def _note_set_aside(self, finding: Finding) -> None:
        note = f"set aside, because a retry did not show it: {finding.title}"
        if note not in self._session.record.notes:
            self._session.record.notes.append(note)

    def _add_flaky(
        self, finding: Finding, name: str, exchange: Exchange, first: Attempt, retries: list[Attempt]
    ) -> None:
        counterpart = _find_counterpart(exchange, first, retries[-1]) if retries else None
        self._unrepeated_counts[name] = self._unrepeated_counts.get(name, 0) + 1
        if name not in self._found:
            shown = counterpart.to_json(self._session.redactor) if counterpart is not None else None
            self._add_finding(finding.mark_flaky(shown))

    def _note_confirmed(self, attempt: Attempt) -> None:
        """Let coverage and client use the exchanges of an attempt whose disagreements are confirmed."""
        for exchange, judged in attempt.held_back:
            names = [redact_disagreement(found, self._session.redactor).id for found in judged.disagreements]
            findings = [self._found[name] for name in names if name in self._found]
            if any(not finding.flapping for finding in findings):
                if exchange.request.operation is not None:
                    self._session.coverage.note_exchange(exchange, judged)
                self._session.coverage.add_clauses(finding.clause for finding in findings)

    def _should_retry(self, name: str) -> bool:
        """Return True for a flaky finding: it may be reproducible in another state."""
        return self._found[name].flapping and self._unrepeated_counts.get(name, 0) < _MAX_UNREPEATED

    def add_repeated_findings(self, failed: Attempt, *, flaky: bool) -> list[Finding]:
        """Add and return the findings of an attempt that has been retried already, such as an explored example."""
        findings = []
        for name, pair in self.collect_disagreements(failed).items():
            if name not in self._found:
                finding = make_finding(self._session, *pair)
                self.evidence[name] = pair
                if flaky and failed.is_doubtful_at(pair[1]):
                    self._note_set_aside(finding)
                    continue
                self._add_finding(finding.mark_flaky(None) if flaky else finding)
                findings.append(self._found[finding.id])
        self._note_confirmed(failed)
        return findings

    def replace_findings(self, names: Iterable[str], finding: Finding, evidence: tuple[Disagreement, Exchange]) -> None:
        """Replace the findings ``names`` by one that explains them all."""
        for name in names:
            found = self._found.get(name)
            if found in self._session.record.findings:
                self._session.record.findings.remove(found)
            self._found[name] = finding
        self.evidence[finding.id] = evidence
        self._add_finding(finding)

    def _add_finding(self, finding: Finding) -> None:
        """Add a finding, in place of the flaky one with its id if there is one."""
        findings = self._session.record.findings
        if (before := self._found.get(finding.id)) in findings:
            findings[findings.index(before)] = finding
        else:
            findings.append(finding)
        self._found[finding.id] = finding

    def collect_disagreements(self, attempt: Attempt) -> dict[str, tuple[Disagreement, Exchange]]:
        """Collect the disagreements of an attempt by id; a request without a response is one more.

        An operation that is gone is a finding already.
        """
        gone = self._session.target.gone_operations
        found = {
            name: (one, exchange)
            for name, (one, exchange) in attempt.disagreements.items()
            if exchange.response is None or gone.get(exchange.operation or "") != exchange.response.status
        }
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
            title=f"{name}: expected a response, got none ({attempt.transport_error.message})",
            why="Code that calls this operation will wait or fail; other requests get a response.",
            operation=operation or name,
            may_be_outage=True,
        )
        silence = redact_disagreement(silence, self._session.redactor)
        return {**found, silence.id: (silence, last)}


def _find_counterpart(exchange: Exchange, first: Attempt, second: Attempt) -> Exchange | None:
    """Return the exchange of the second attempt at the place of ``exchange`` in the first, if it came to that."""
    index = next((i for i, seen in enumerate(first.exchanges) if seen is exchange), len(first.exchanges))
    return second.exchanges[index] if index < len(second.exchanges) else None


def _is_same_occurrence(name: str, first: Attempt, second: Attempt) -> bool:
    """Return True if both attempts show a disagreement at the same request: else it is flaky."""
    number = min((number for shown, number in first.occurrences if shown == name), default=len(second.exchanges))
    return second.has_disagreement_at(name, number)


def _is_spoiled(
    other: Attempt,
    repeated: dict[str, tuple[Disagreement, Exchange]],
    new: dict[str, tuple[Disagreement, Exchange]],
) -> bool:
    """Return True if a retry met an outage of its own."""
    return any(name not in new and other.is_doubtful_at(exchange) for name, (_, exchange) in repeated.items())
