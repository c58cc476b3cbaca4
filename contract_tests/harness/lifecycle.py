"""The first and the last of a run: is there a target that knows us, and is nothing of ours left there."""

import contextlib
import json
from typing import Any

import httpx

from contract_tests.harness.attempt import Attempt, Stop
from contract_tests.harness.probe import Probe, Step
from contract_tests.harness.runner import Runner
from contract_tests.harness.session import Session

_PATIENCE = 3


def preflight(session: Session, runner: Runner) -> None:
    """Find out whether the target answers and takes the keys; where not, the session stops with the reason.

    An account whose key is not taken is left out, unless it is the first: its clauses are then not exercised. The first
    answer is judged as any other: it may be the only one that shows an account with nothing in it.
    """
    session.is_mock = _is_mock(session)
    main = session.contract.credentials[0]
    with contextlib.suppress(Stop):
        first = _first_answer(session, main.account)
        reply = first.exchanges[-1].reply if first is not None else None
        if first is None or reply is None:
            return
        status = reply.status
        if status in (401, 403) and not _any_operation_knows(session, main.account):
            session.stopped = f"the target does not accept the key in {main.variable} ({status}): check the key"
            return
        if status in (502, 503, 504):
            session.stopped = f"the target answers {status}: an outage, not drift; run again later"
            return
        if first.disagreements and not first.outage:
            runner.confirm(first, lambda: _reading(session, main.account))
        for credential in session.contract.credentials[1:]:
            if credential.account in session.keys:
                with session.attempting():
                    exchange = session.send(session.contract.lifecycle.read, account=credential.account)
                unknown = exchange.reply is not None and exchange.reply.status == 401
                if unknown and not _any_operation_knows(session, credential.account):
                    del session.keys[credential.account]


def _reading(session: Session, account: str) -> Attempt:
    with session.attempting() as attempt:
        session.send(session.contract.lifecycle.read, account=account)
    return attempt


def _first_answer(session: Session, account: str) -> Attempt | None:
    """The first request that is answered; None where the session was stopped."""
    words = ""
    for _ in range(_PATIENCE):
        attempt = _reading(session, account)
        if attempt.exchanges[-1].reply is not None:
            return attempt
        assert attempt.trouble is not None
        words = attempt.trouble.words
        if attempt.trouble.kind in ("refused", "not-http", "elsewhere"):
            break
    session.stopped = f"no answer from {session.base}: {words}"
    return None


def _any_operation_knows(session: Session, account: str) -> bool:
    """Whether some other operation takes the key that reading refused: then reading has drifted, the key is good."""
    create = session.contract.lifecycle.create
    fields = session.contract.identities[create]
    with session.attempting():
        body = {pointer[1:]: session.names.mint() for pointer in fields}
        exchange = session.send(create, body, account)
    return exchange.reply is not None and exchange.reply.status not in (401, 403)


def _is_mock(session: Session) -> bool:
    """Whether the project's own mock answers there; its control calls are not counted."""
    root = httpx.URL(session.base).copy_with(path="/__mock/health", query=None)
    try:
        with httpx.Client(trust_env=False, timeout=httpx.Timeout(3.0)) as client:
            answer = client.get(root)
            return answer.status_code == 200 and answer.json().get("mock") is True
    except (httpx.HTTPError, ValueError, AttributeError):
        return False


def clean_up(session: Session, runner: Runner) -> None:
    """Delete every object that this run made, then look what is left; what is, goes to the record by name.

    Deletions are probes like all others: that an object can be deleted is what the contract promises. So is the look
    afterwards: where an object is still there, that is a finding.
    """
    reason, session.stopped = session.stopped, None
    try:
        for number, (account, name) in enumerate(_ours(session), 1):
            if account in session.keys:
                runner.run(_removal(session, account, name, number))
        for account in session.keys:
            looked = _reading(session, account)
            left = still = _listed(session, account, looked)
            for name in sorted(left):
                with session.attempting():
                    step = _removal(session, account, name, 0).steps[0]
                    session.send(step.operation or "", step.body, account)
            if left:
                still = _listed(session, account, _reading(session, account))
                if not looked.outage:
                    runner.explored(looked, flapping=not still)
            session.record.left_behind += sorted(still)
    except Stop as stop:
        session.record.left_behind += sorted({name for _, name in session.made})
        reason = reason or str(stop)
    finally:
        session.stopped = reason or session.stopped


def _ours(session: Session) -> list[tuple[str, str]]:
    model = session.contract.model
    known = {pair for world in session.worlds for pair in model.owned(world)}
    return sorted(known | set(session.made))


def _removal(session: Session, account: str, name: str, number: int) -> Probe:
    remove = session.contract.lifecycle.remove
    fields = session.contract.identities[remove]
    body = {pointer[1:]: name for pointer, role in fields.items() if role == "existing"}
    clause = f"{remove}/response/200"
    return Probe(f"clean-up/{number}", "clean-up", remove, "What the run made can be deleted.", (clause,),
                 (Step(remove, body, account),))  # fmt: skip


def _listed(session: Session, account: str, looked: Attempt) -> set[str]:
    """Names of this run's form, and others it made, that a reading shows to ``account``."""
    made = {name for held, name in session.made if held == account}
    exchange = looked.exchanges[-1]
    if exchange.reply is None:
        return made
    try:
        shown = json.loads(exchange.reply.body)
    except (ValueError, RecursionError):
        return made
    return {text for text in _texts(shown) if session.names.owns(text) or text in made}


def _texts(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        return {text for inner in value.values() for text in _texts(inner)}
    if isinstance(value, list):
        return {text for inner in value for text in _texts(inner)}
    return set()
