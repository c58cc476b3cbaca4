"""The beginning and the end of a run: does the target know us, and is nothing of ours left there?"""

import contextlib
import json
from typing import Any

import httpx

from contract_watch.contracts.openapi import join_arguments
from contract_watch.engine.account.gate import RunStoppedError
from contract_watch.engine.account.ledger import LedgerError
from contract_watch.engine.account.restoration import confirm_removals, find_leftovers, list_unsettled
from contract_watch.engine.judging.disagreement import Attempt, RunAbortedError
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.probe import Probe, ProbeStep, fill_placeholders
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.net import get_tls_context

_MAX_PREFLIGHT_TRIES = 3


def run_preflight(session: Session, runner: Runner) -> None:
    """Check that the target responds and accepts the keys; if not, stop the session with the reason.

    An account whose key is rejected is left out, unless it is the first: its clauses are then not exercised. The
    first response is judged like any other: it may be the only one from an empty account.
    """
    if session.gate is None and fetch_mock_health(session.base).get("mock") is True:
        session.target.mark_as_mock()
    main = session.contract.credentials[0]
    with contextlib.suppress(RunAbortedError):
        first = _wait_for_response(session, main.account)
        response = first.exchanges[-1].response if first is not None else None
        if first is None or response is None:
            return
        status = response.status
        if status in (401, 403) and not _is_key_known(session, main.account):
            session.stop(f"the target does not accept the key in {main.variable} ({status}): check the key")
            return
        if status in (502, 503, 504):
            session.stop(f"the target answers {status}: an outage, not drift; run again later")
            return
        if first.disagreements and not first.may_be_outage:
            runner.confirmation.confirm_attempt(first, lambda: _send_read(session, main.account))
        for credential in session.contract.credentials[1:]:
            if credential.account in session.keys:
                exchange = _send_read(session, credential.account).exchanges[-1]
                unknown = exchange.response is not None and exchange.response.status == 401
                if unknown and not _is_key_known(session, credential.account, (401,)):
                    session.drop_account(credential.account)


def _send_read(session: Session, account: str, identity: str = "") -> Attempt:
    """Read the list, or the object ``identity`` if objects are read one by one (empty: one that does not exist)."""
    read = session.contract.operations[session.contract.lifecycle.read]
    arguments = Simulation(session.contract).build_arguments(read, identity or session.names.create_name())
    with session.record_attempt() as attempt:
        session.send_operation(read.id, arguments, account)
    return attempt


def _reads_one_by_one(session: Session) -> bool:
    """Return True if objects are read one by one, not in a list."""
    read = session.contract.operations[session.contract.lifecycle.read]
    return any(name in read.get_required_arguments() for name in session.contract.get_roles(read.id))


def _wait_for_response(session: Session, account: str) -> Attempt | None:
    """Return the first attempt with a response; stop the session and return None if there is none."""
    problem = ""
    for _ in range(_MAX_PREFLIGHT_TRIES):
        attempt = _send_read(session, account)
        if attempt.exchanges[-1].response is not None:
            return attempt
        assert attempt.transport_error is not None
        problem = attempt.transport_error.message
        if attempt.transport_error.kind in ("refused", "not-http", "elsewhere"):
            break
    session.stop(f"no answer from {session.base}: {problem}")
    return None


def _is_key_known(session: Session, account: str, unknown_statuses: tuple[int, ...] = (401, 403)) -> bool:
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


def fetch_mock_health(target: str) -> dict[str, Any]:
    """Fetch the health of the project's own mock; return an empty dictionary elsewhere. The request is not counted."""
    root = httpx.URL(target).copy_with(path="/__mock/health", query=None)
    try:
        with httpx.Client(verify=get_tls_context(target), trust_env=False, timeout=httpx.Timeout(3.0)) as client:
            response = client.get(root)
            body = response.json() if response.status_code == 200 else {}
    except (httpx.HTTPError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def clean_up(session: Session, runner: Runner) -> None:
    """Delete every object that this run created, and record by name the objects that remain.

    Deletions are probes like all others: the contract promises that an object can be deleted. So is the read
    afterwards: an object that is still there is a finding.
    """
    before = list(session.record.left_behind)
    gate = session.gate
    if not session.may_mutate:
        session.record.left_behind += sorted({name for _, name in session.target.created_objects})
        return
    with session.resume():
        try:
            with gate.use_cleanup_reserve() if gate is not None else contextlib.nullcontext():
                _clean_up(session, runner)
                if gate is not None:
                    session.record.left_behind = sorted({*before, *find_leftovers(session, gate)})
        except (RunAbortedError, RunStoppedError, LedgerError) as end:
            possible = list_possible_leftovers(session)
            session.record.left_behind = sorted({*before, *session.record.left_behind, *possible})
            session.stop(str(end))


def list_possible_leftovers(session: Session) -> list[str]:
    """List the objects that may remain if cleaning up was cut short."""
    names = {name for _, name in session.target.created_objects}
    if session.gate is not None:
        with contextlib.suppress(LedgerError):
            names |= set(list_unsettled(session.gate))
    return sorted(names)


def _clean_up(session: Session, runner: Runner) -> None:
    removed: dict[str, list[str]] = {account: [] for account in session.keys}
    for account, name in _list_own_objects(session):
        if account in removed and not _has_no_id(session, name):
            runner.run_probe(_build_removal_probe(session, runner, account, name))
            removed[account].append(name)
    for account, names in removed.items():
        _verify_removal(session, runner, account, names)


def trim_objects(session: Session, runner: Runner) -> None:
    """Delete objects that probes do not share, if the run has half of the objects that it may have at once."""
    gate = session.gate
    try:
        if gate is None or session.stop_reason is not None or not gate.is_half_full:
            return
        for account, name in _list_own_objects(session):
            if account in session.keys and not _has_no_id(session, name) and name not in runner.pool.shared_identities:
                runner.run_probe(_build_removal_probe(session, runner, account, name))
        confirm_removals(session, gate)
    except (RunAbortedError, LedgerError) as end:
        session.stop(str(end))


def _has_no_id(session: Session, name: str) -> bool:
    """Return True if ``name`` belongs to an object whose id never came: it cannot be removed."""
    return bool(session.contract.lifecycle.id) and name not in session.target.received_ids


def _verify_removal(session: Session, runner: Runner, account: str, removed: list[str]) -> None:
    """Read ``account`` once more, delete this run's objects that are still there, and record those that stay.

    If objects are read one by one, read those whose removal was not confirmed, and one that was.
    """
    created = [name for held, name in session.target.created_objects if held == account]
    wanted = [name for name in removed if name in created]
    session.record.left_behind += [name for name in created if _has_no_id(session, name)]
    for identity in (wanted or removed[:1]) if _reads_one_by_one(session) else [""]:
        attempt = _send_read(session, account, identity)
        listed = remaining = _find_listed_names(session, account, attempt, identity)
        for name in sorted(listed):
            with session.record_attempt():
                for step in _build_removal_probe(session, runner, account, name).steps:
                    session.send_operation(step.operation or "", join_arguments(step.parameters, step.body), account)
        if listed:
            remaining = _find_listed_names(session, account, _send_read(session, account, identity), identity)
            if not attempt.may_be_outage:
                runner.confirmation.add_explored_findings(attempt, flaky=not remaining)
        session.record.left_behind += sorted(remaining)


def _list_own_objects(session: Session) -> list[tuple[str, str]]:
    return sorted(session.target.list_owned())


def _build_removal_probe(session: Session, runner: Runner, account: str, name: str) -> Probe:
    remove = session.contract.operations[session.contract.lifecycle.remove]
    clause = f"{remove.id}/response/{min(remove.responses, default=200)}"
    simulation = Simulation(session.contract)
    preparation = simulation.find_preparation(session.target.possible_states, remove, name, session.keys[account]) or ()
    operations = [*(session.contract.operations[step] for step in preparation), remove]
    steps = tuple(
        ProbeStep.from_arguments(one, simulation.build_arguments(one, name), account=account) for one in operations
    )
    return Probe(
        f"clean-up/{runner.number_removal()}",
        "clean-up",
        remove.id,
        "What the run made can be deleted.",
        (clause,),
        steps,
    )


def _find_listed_names(session: Session, account: str, attempt: Attempt, identity: str) -> set[str]:
    """Find the objects of this run that a read shows to ``account``."""
    created = {name for held, name in session.target.created_objects if held == account}
    exchange = attempt.exchanges[-1]
    if exchange.response is None:
        return {identity} if identity else created
    if identity:
        return {identity} if exchange.succeeded else set()
    try:
        body = json.loads(exchange.response.body)
    except (ValueError, RecursionError):
        return created
    return {text for text in _collect_strings(body) if session.target.has_requested(text) or text in created}


def _collect_strings(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        return {text for inner in value.values() for text in _collect_strings(inner)}
    if isinstance(value, list):
        return {text for inner in value for text in _collect_strings(inner)}
    return set()
