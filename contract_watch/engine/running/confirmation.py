"""Confirmation: a disagreement becomes a finding after its probe has run once more."""

from collections.abc import Callable, Iterable

from contract_watch.engine.judging.disagreement import Disagreement
from contract_watch.engine.judging.findings import redact_disagreement
from contract_watch.engine.judging.judge import Attempt
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.running.findings import make_finding, select_steps
from contract_watch.engine.running.session import Session
from contract_watch.report.finding import Finding, Severity

_PLAIN = 3
"""The confirmed findings of one hypothesis after which it needs no further confirmation."""
MAX_FINDINGS = 1000
"""Findings of one vendor after which its run stops: a server that makes names up would fill the memory."""
_MAX_UNREPEATED = 3
"""Retries in vain after which a finding counts as flaky for good."""


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
        self._confirmed: dict[str, set[str]] = {}
        for finding in known:
            self._add_finding(finding)

    def confirm_attempt(self, first: Attempt, again: Callable[[], Attempt]) -> list[Finding]:
        """Return the findings of ``first``; run ``again`` if any of them is new."""
        seen = self.collect_disagreements(first)
        for name, pair in seen.items():
            self._keep_shorter_evidence(name, *pair)
        known = [self._found[name] for name in seen if name in self._found]
        new = {name: pair for name, pair in seen.items() if name not in self._found or self._should_retry(name)}
        if not new:
            return known
        findings = {name: make_finding(self._session, *pair) for name, pair in new.items()}
        self.evidence |= new
        if all(self.is_plain(found) for found, _ in new.values()):
            for finding in findings.values():
                self._add_finding(finding)
            return [self._found[name] for name in seen]
        self._compare_retry(new, findings, first, again())
        return list({found.id: found for name in seen if (found := self._found.get(name)) is not None}.values())

    def _compare_retry(
        self,
        new: dict[str, tuple[Disagreement, Exchange]],
        findings: dict[str, Finding],
        first: Attempt,
        second: Attempt,
    ) -> None:
        """Confirm the findings that a second attempt repeats; the others are flaky, or no drift."""
        repeated = self.collect_disagreements(second)
        is_silent = second.transport_error is not None and second.transport_error.kind == "silent"
        if is_silent and any(name in new for name in repeated):
            self.silent_operations.add(second.exchanges[-1].operation or "")
        for name, first_finding in findings.items():
            finding = first_finding
            if name in repeated and _is_same_occurrence(name, first, second):
                other = make_finding(self._session, *repeated[name])
                if len(other.reproduce) < len(finding.reproduce):  # its objects are new: fewer requests show it
                    finding, self.evidence[name] = other, repeated[name]
                self._add_finding(finding)
            elif new[name][0].may_be_outage:
                self._session.record.notes.append(f"not reproduced on retry, so not drift: {finding.title}")
            else:
                counterpart = _find_counterpart(new[name][1], first, second)
                self._unrepeated_counts[name] = self._unrepeated_counts.get(name, 0) + 1
                if name not in self._found:
                    shown = counterpart.to_json(self._session.redactor) if counterpart is not None else None
                    self._add_finding(finding.mark_flaky(shown))

    def _should_retry(self, name: str) -> bool:
        """Return True for a flaky finding that depends on state: it may be reproducible in another state."""
        is_stateful = "/effect/" in name or "/rule/" in name
        count = self._unrepeated_counts.get(name, 0)
        return is_stateful and self._found[name].flapping and count < _MAX_UNREPEATED

    def add_explored_findings(self, failed: Attempt, *, flaky: bool) -> list[Finding]:
        """Add and return the findings of an explored example, which Hypothesis has retried already."""
        findings = []
        for name, pair in self.collect_disagreements(failed).items():
            if name not in self._found:
                finding = make_finding(self._session, *pair)
                self.evidence[name] = pair
                self._add_finding(finding.mark_flaky(None) if flaky else finding)
                findings.append(self._found[finding.id])
        return findings

    def _keep_shorter_evidence(self, name: str, found: Disagreement, exchange: Exchange) -> None:
        """Keep ``exchange`` as evidence of the finding ``name`` if fewer or shorter requests led to it."""
        known = self._found.get(name)
        if known is None or known.flapping or name not in self.evidence:
            return
        status = exchange.response.status if exchange.response is not None else None
        if status == known.status and self._measure(found, exchange) < self._measure(*self.evidence[name]):
            self.replace_finding(make_finding(self._session, found, exchange), found, exchange)

    def _measure(self, found: Disagreement, exchange: Exchange) -> tuple[int, int]:
        """Return the number of requests that led to a disagreement, and the bytes in their bodies."""
        steps = select_steps(self._session, found, exchange)
        return len(steps), sum(len(step.encoded_request.content) for step in steps)

    def replace_finding(self, finding: Finding, found: Disagreement, exchange: Exchange) -> None:
        """Replace the finding with the same id: ``exchange`` shows it with less."""
        self.evidence[finding.id] = found, exchange
        self._add_finding(finding)

    def _add_finding(self, finding: Finding) -> None:
        """Add a finding, in place of the one with its id if there is one."""
        findings = self._session.record.findings
        if (before := self._found.get(finding.id)) in findings:
            findings[findings.index(before)] = finding
        else:
            findings.append(finding)
        self._found[finding.id] = finding
        if len(findings) >= MAX_FINDINGS:
            self._session.stop(f"{len(findings):,} findings: nothing more is asked; read the causes first")
        if not finding.flapping:
            for hypothesis in (one for one in finding.hypotheses if not one.is_side_effect):
                self._confirmed.setdefault(hypothesis.key, set()).add(finding.id)

    # -- plain causes

    def is_plain(self, found: Disagreement, *, widely: bool = False) -> bool:
        """Return True if a disagreement has a cause that several confirmed findings share: it needs no confirmation.

        ``widely``: the cause explains any request to the operation. A response that an outage may explain has no cause.
        """
        conforming = self._session.record.conforming_statuses
        return not found.may_be_outage and any(
            len(self._confirmed.get(one.key, ())) >= _PLAIN and not one.is_refuted(conforming)
            for one in found.hypotheses
            if one.explains_any_request or not widely
        )

    def is_explained(self, attempt: Attempt) -> bool:
        """Return True if a plain cause explains every wrong status of ``attempt``, whatever its request holds."""
        wrong = [found for found, _ in attempt.disagreements.values() if found.is_wrong_status]
        return not attempt.may_be_outage and bool(wrong) and all(self.is_plain(found, widely=True) for found in wrong)

    def explain_gone(self, operation: str | None) -> str:
        """Return the plain cause by which an operation answers every request with one error; empty if there is none."""
        declared = self._session.contract.operations.get(operation or "")
        if declared is None:
            return ""
        conforming = self._session.record.conforming_statuses.get(declared.name, set())
        for key, names in self._confirmed.items():
            prefix, _, status = key.rpartition(":")
            is_error = prefix == f"{declared.id}:answers" and int(status) >= 400
            if is_error and len(names) >= _PLAIN and conforming <= {int(status)}:
                return f"{declared.name} answers {status} to every request"
        return ""

    def find_wide_drift(self) -> str:
        """Return the title of a plain cause over a whole operation or most operations; empty if there is none."""
        record = self._session.record
        for cause in record.find_causes():
            hypothesis = cause.hypothesis
            if hypothesis is None or cause.is_flaky or len(self._confirmed.get(hypothesis.key, ())) < _PLAIN:
                continue
            is_whole = hypothesis.explains_any_request and bool(hypothesis.only_status)
            if is_whole or 2 * len(cause.operations) > len(self._session.contract.operations):
                return cause.title
        return ""

    def collect_disagreements(self, attempt: Attempt) -> dict[str, tuple[Disagreement, Exchange]]:
        """Collect the disagreements of an attempt by id; a request without a response is one more."""
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
