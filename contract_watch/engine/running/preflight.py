"""The preflight of a run: does the target respond, and does it accept the keys?"""

import contextlib

from contract_watch.engine.judging.interception import may_be_outage
from contract_watch.engine.judging.judge import Attempt
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.probe import fill_placeholders
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.protocols.mock_controls import fetch_mock_health
from contract_watch.engine.running.control import explain_outage
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.errors import RunAbortedError

_MAX_PREFLIGHT_TRIES = 3
_PAUSES = (1.0, 3.0)
"""Seconds before the first read is sent again, where an outage may have answered it."""


def run_preflight(session: Session, runner: Runner) -> None:
    """Check that the target responds and accepts the keys; if not, stop the session with the reason.

    An account whose key is rejected is left out, unless it is the first: its clauses are then not exercised. The
    first response is judged like any other: it may be the only one from an empty account.
    """
    if session.gate is None and fetch_mock_health(session.base).get("mock") is True:
        session.target.mark_as_mock()
    main = session.contract.credentials[0]
    with contextlib.suppress(RunAbortedError):
        first = _wait_for_usable_response(session, main.account)
        response = first.exchanges[-1].response if first is not None else None
        if first is None or response is None:
            return
        if response.status in (401, 403) and not may_be_outage(response):
            if not _is_key_known(session, main.account, (401, 403)):
                session.stop(
                    f"the target does not accept the key in {main.variable} ({response.status}): check the key"
                )
                return
        elif first.is_doubtful and not runner.control.does_another_answer(session.contract.lifecycle.read, response):
            session.stop(explain_outage(response, has_answered=False))
            return
        if first.disagreements:
            runner.confirm_attempt(first, lambda: send_read(session, main.account))
        for credential in session.contract.credentials[1:]:
            if credential.account in session.keys:
                exchange = send_read(session, credential.account).exchanges[-1]
                unknown = exchange.response is not None and exchange.response.status == 401
                if unknown and not _is_key_known(session, credential.account, (401,)):
                    session.drop_account(credential.account)


def _wait_for_usable_response(session: Session, account: str) -> Attempt | None:
    """Return the first attempt that no outage explains, or the last one; stop the session and return None if none comes."""
    first = _wait_for_response(session, account)
    for pause in _PAUSES:
        if first is None or not first.may_be_outage:
            break
        session.wait(pause)
        first = _wait_for_response(session, account)
    return first


def send_read(session: Session, account: str, identity: str = "") -> Attempt:
    """Read the list, or the object ``identity`` if objects are read one by one (empty: one that does not exist)."""
    read = session.contract.operations[session.contract.lifecycle.read]
    arguments = Simulation(session.contract).build_arguments(read, identity or session.names.create_name())
    with session.record_attempt() as attempt:
        session.send_operation(read.id, arguments, account)
    return attempt


def _wait_for_response(session: Session, account: str) -> Attempt | None:
    """Return the first attempt with a response; stop the session and return None if there is none."""
    problem = ""
    for _ in range(_MAX_PREFLIGHT_TRIES):
        attempt = send_read(session, account)
        if attempt.exchanges[-1].response is not None:
            return attempt
        assert attempt.transport_error is not None
        problem = attempt.transport_error.message
        if attempt.transport_error.kind in ("refused", "not-http", "elsewhere"):
            break
    session.stop(f"no answer from {session.base}: {problem}")
    return None


def _is_key_known(session: Session, account: str, unknown_statuses: tuple[int, ...]) -> bool:
    """Return True if another operation accepts a key that the read rejected: then the read has drifted.

    ``unknown_statuses`` are those that say that the key is unknown; for a restricted account, 403 says that it is
    known.
    """
    create = session.contract.operations[session.contract.lifecycle.create]
    if session.gate is not None:
        return False  # nothing is created on a real account before its objects were listed
    with session.record_attempt():
        body = fill_placeholders(
            ArgumentBuilder(session.contract).build_baseline(create),
            lambda _word, _modifier: session.names.create_name(),
        )
        exchange = session.send_operation(create.id, body, account)
    return exchange.response is not None and exchange.response.status not in unknown_statuses
