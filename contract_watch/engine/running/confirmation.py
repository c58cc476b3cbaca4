"""Confirmation: a disagreement becomes a finding after its probe has run again.

An exchange that is not repeated is set aside if a server in trouble, or something in front of it, may have caused it:
then nothing uses it. Any other disagreement that is not repeated is flaky, unless one of several retries shows it again,
or the same request about the same object does.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

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
MAX_FLAKY = 30
"""Disagreements that no retry reproduced after which a run stops: each costs four retries, and tells nothing."""
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
        self._confirmed: dict[str, set[str]] = {}
        for finding in known:
            self._add_finding(finding)

    def confirm_attempt(self, first: Attempt, again: Callable[[], Attempt]) -> list[Finding]:
        """Return the findings of ``first``; run ``again`` if any of them is new."""
        seen = self.collect_disagreements(first)
        for name, pair in seen.items():
            self._keep_shorter_evidence(name, *pair)
        new = {name: pair for name, pair in seen.items() if name not in self._found or self._should_retry(name)}
        if new and all(self.is_plain(found) for found, _ in new.values()):
            self.evidence |= new
            for pair in new.values():
                self._add_finding(make_finding(self._session, *pair))
        elif new:
            self._confirm_new(new, first, again)
        self._note_confirmed(first)
        return list({found.id: found for name in seen if (found := self._found.get(name)) is not None}.values())

    def _confirm_new(
        self, new: dict[str, tuple[Disagreement, Exchange]], first: Attempt, again: Callable[[], Attempt]
    ) -> None:
        findings = {name: make_finding(self._session, *pair) for name, pair in new.items()}
        self.evidence |= new
        missing = {name: self._count_repeats(first, exchange) for name, (_, exchange) in new.items()}
        doubtful = {name for name, (_, exchange) in new.items() if first.is_doubtful_at(exchange)}
        retries: list[Attempt] = []
        set_aside: dict[str, tuple[Disagreement, Exchange]] = {}
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
                elif _is_answered_wrongly(new[name], repeated):
                    del missing[name]
                    self._add_finding(findings[name])
                elif name in doubtful:
                    del missing[name]
                    set_aside[name] = new[name]
        self._settle_missing({name: new[name] for name in missing}, set_aside, findings, first, retries)
        for other in retries:
            self._note_confirmed(other)

    def _settle_missing(
        self,
        missing: dict[str, tuple[Disagreement, Exchange]],
        set_aside: dict[str, tuple[Disagreement, Exchange]],
        findings: dict[str, Finding],
        first: Attempt,
        retries: list[Attempt],
    ) -> None:
        """Settle disagreements that no retry showed again: flaky or set aside, unless the same request still shows them."""
        kept = self._find_kept({**missing, **set_aside}, first)
        for name in (one for one in findings if one in kept):
            self._session.record.notes.append(f"one object shows it, and keeps it: {findings[name].title}")
            self._add_finding(findings[name])
        for exchange in {
            id(exchange): exchange for name, (_, exchange) in set_aside.items() if name not in kept
        }.values():
            self._note_set_aside(next(findings[name] for name, (_, at) in set_aside.items() if at is exchange))
        for name, (found, exchange) in missing.items():
            if name in kept:
                continue
            if not found.is_wrong_status and not found.may_be_outage and not _was_repeated(exchange, first, retries):
                self._session.record.notes.append(
                    f"no retry could show it, after a removal say: {findings[name].title}"
                )
                self._add_finding(findings[name])
            else:
                self._add_flaky(findings[name], name, exchange, first, retries)

    def _find_kept(self, missing: dict[str, tuple[Disagreement, Exchange]], first: Attempt) -> set[str]:
        """Return the disagreements in ``missing`` that the same requests show again: reads, and refusals.

        A change that is lost on an object with a history is not lost on the new object of a retry.
        """
        kept = set()
        for exchange, judged in first.held_back:
            names = {name for name, (found, at) in missing.items() if at is exchange and self._may_be_kept(found, at)}
            if names:
                again = self._session.ask_again(exchange, judged, first.intended_clauses)
                kept |= names & self.collect_disagreements(again).keys()
        return kept

    def _may_be_kept(self, found: Disagreement, exchange: Exchange) -> bool:
        """Return True for a value that a read shows, and for the refusal of a request about an object that exists."""
        contract, response = self._session.contract, exchange.response
        if contract.is_read_only(exchange.operation):
            return found.may_lag
        is_refusal = found.is_wrong_status and response is not None and 400 <= response.status < 500
        return is_refusal and not found.may_be_outage and exchange.operation not in (None, contract.lifecycle.create)

    @staticmethod
    def _count_repeats(first: Attempt, exchange: Exchange) -> int:
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
        if len(self._unrepeated_counts) >= MAX_FLAKY:
            self._session.stop(
                f"{MAX_FLAKY} disagreements that no retry reproduced: the target's responses change from request to request"
            )

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

    def find_wide_drift(self) -> str:
        """Return the title of a plain cause over a whole operation or most operations; empty if there is none."""
        record = self._session.record
        for operation in self._session.target.gone_operations:
            if (gone := self._found.get(f"{operation}/gone")) is not None:
                return gone.title
        for cause in record.find_causes():
            hypothesis = cause.hypothesis
            if hypothesis is None or cause.is_flaky or len(self._confirmed.get(hypothesis.key, ())) < _PLAIN:
                continue
            is_whole = hypothesis.explains_any_request and bool(hypothesis.only_status)
            if is_whole or 2 * len(cause.operations) > len(self._session.contract.operations):
                return cause.title
        return ""

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


def _is_answered_wrongly(
    pair: tuple[Disagreement, Exchange], repeated: Mapping[str, tuple[Disagreement, Exchange]]
) -> bool:
    """Return True if a wrong status was followed by another wrong response to the same operation.

    What the first request made may be in the way of its retry.
    """
    found, exchange = pair
    return found.is_wrong_status and not found.may_be_outage and any(
        not one.may_be_outage and at.operation == exchange.operation for one, at in repeated.values()
    )  # fmt: skip


def _was_repeated(exchange: Exchange, first: Attempt, retries: list[Attempt]) -> bool:
    """Return True if a retry got a response with the same status to the same request: it could show the same."""
    counterparts = [_find_counterpart(exchange, first, one) for one in retries]
    return any(
        one is not None and one.response is not None and exchange.response is not None
        and one.response.status == exchange.response.status
        for one in counterparts
    )  # fmt: skip


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
