"""The client stage: the generated client against the target, and against every kind of answer that the probes saw."""

import time
from collections.abc import Callable, Iterator

from contract_watch.engine.judging.attempt import Attempt, Stop
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.running.generated_client import Client, Parsed, disagreements, drive
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.report.finding import Finding
from contract_watch.report.record import Checked

Results = Callable[[], Iterator[tuple[Exchange, Parsed]]]


def run_client(session: Session, runner: Runner) -> list[Finding]:
    """Drive the client through an object's life; findings are what it cannot read, or reads otherwise."""
    client = Client(session.contract)
    if not session.makes:
        skipped = Checked("client/life", "client", "The generated client reads every answer of an object's life.")
        skipped.skipped = "LIVE=mutate was not given: an object's life changes something"
        session.record.checked.append(skipped)
        return []
    return _checked(session, runner, "client/life", "The generated client reads every answer of an object's life.",
                    lambda: drive(session, client))  # fmt: skip


def parse_recorded(session: Session, runner: Runner) -> list[Finding]:
    """Give the client one answer of every operation and status that the run has seen; sends nothing."""
    client = Client(session.contract)

    def replies() -> Iterator[tuple[Exchange, Parsed]]:
        for exchange in list(session.seen.values()):
            if exchange.operation is not None and exchange.reply is not None:
                yield exchange, client.parse(exchange.operation, exchange.reply)

    title = "The generated client reads every kind of answer that the probes saw."
    return _checked(session, runner, "client/recorded", title, replies)


def _checked(session: Session, runner: Runner, name: str, title: str, results: Results) -> list[Finding]:
    began = time.monotonic()
    checked = Checked(name, "client", title)
    session.record.checked.append(checked)
    before, session.stage = session.stage, "client"
    try:
        first = _attempt(session, results)
        if first.doubtful and not runner.control(first.exchanges[-1].operation or ""):
            return []
        found = runner.confirm(first, lambda: _attempt(session, results)) if first.disagreements else []
    except Stop as stop:
        checked.skipped = str(stop)
        return []
    finally:
        session.stage = before
        checked.seconds = time.monotonic() - began
    checked.findings = [finding.id for finding in found]
    return found


def _attempt(session: Session, results: Results) -> Attempt:
    with session.attempting() as attempt:
        for exchange, parsed in results():
            if session.stopped is not None:
                raise Stop(session.stopped)
            if exchange.reply is None or exchange.operation is None:
                continue
            drifted = any(at is exchange for _, at in attempt.disagreements.values())
            place = f"{exchange.operation}/{exchange.reply.status}/"
            known = any(f.id.startswith(place) and "/client/" not in f.id for f in session.record.findings)
            if drifted or known:
                continue  # the answer itself is a finding already: the client's trouble with it is no second one
            for found in disagreements(session.contract, exchange.operation, exchange.reply, parsed):
                told = session.redacted(found)
                attempt.disagreements.setdefault(told.id, (told, exchange))
    return attempt
