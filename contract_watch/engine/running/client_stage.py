"""The client stage: the generated client against the target, and against every kind of response that the probes saw."""

import time
from collections.abc import Callable, Iterator

from contract_watch.engine.judging.findings import redact_disagreement
from contract_watch.engine.judging.judge import Attempt
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.running.generated_client import (
    ClientModules,
    ParsedResponse,
    drive_client,
    find_disagreements,
)
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.errors import RunAbortedError
from contract_watch.report.finding import Finding
from contract_watch.report.record import SuiteCheck

ClientResults = Callable[[], Iterator[tuple[Exchange, ParsedResponse]]]


def run_client(session: Session, runner: Runner) -> list[Finding]:
    """Drive the client through the life of an object; return findings for responses that it misreads or cannot read."""
    client = ClientModules(session.contract)
    if not session.may_mutate:
        skipped = SuiteCheck("client/life", "client", "The generated client reads every answer of an object's life.")
        skipped.skip_reason = "LIVE=mutate was not given: an object's life changes something"
        session.record.suite_checks.append(skipped)
        return []
    return _run_check(session, runner, "client/life", "The generated client reads every answer of an object's life.",
                    lambda: drive_client(session, client))  # fmt: skip


def parse_recorded_responses(session: Session, runner: Runner) -> list[Finding]:
    """Let the client parse one response of every operation and status that the run has seen; nothing is sent."""
    client = ClientModules(session.contract)

    def replies() -> Iterator[tuple[Exchange, ParsedResponse]]:
        for exchange in list(session.coverage.exchanges_by_status.values()):
            if exchange.operation is not None and exchange.response is not None:
                yield exchange, client.parse_response(exchange.operation, exchange.response)

    title = "The generated client reads every kind of answer that the probes saw."
    return _run_check(session, runner, "client/recorded", title, replies)


def _run_check(session: Session, runner: Runner, name: str, title: str, results: ClientResults) -> list[Finding]:
    began = time.monotonic()
    checked = SuiteCheck(name, "client", title)
    session.record.suite_checks.append(checked)
    try:
        with session.coverage.in_stage("client"):
            first = _collect_attempt(session, results)
            if first.is_doubtful:
                runner.control.require_answer(first, first.exchanges[-1].operation or "")
            found = (
                runner.confirm_attempt(first, lambda: _collect_attempt(session, results)) if first.disagreements else []
            )
    except RunAbortedError as stop:
        checked.skip_reason = str(stop)
        return []
    finally:
        checked.seconds = time.monotonic() - began
    checked.finding_ids = [finding.id for finding in found]
    return found


def _collect_attempt(session: Session, results: ClientResults) -> Attempt:
    with session.record_attempt() as attempt:
        for exchange, parsed in results():
            if session.stop_reason is not None:
                raise RunAbortedError(session.stop_reason)
            if exchange.response is None or exchange.operation is None:
                continue
            drifted = attempt.is_held_back(exchange)
            place = f"{exchange.operation}/{exchange.response.status}/"
            known = any(f.id.startswith(place) and "/client/" not in f.id for f in session.record.findings)
            if drifted or known:
                continue  # the response is a finding already: the client's error is no second one
            for found in find_disagreements(session.contract, exchange.operation, exchange.response, parsed):
                redacted = redact_disagreement(found, session.redactor)
                attempt.disagreements.setdefault(redacted.id, (redacted, exchange))
    return attempt
