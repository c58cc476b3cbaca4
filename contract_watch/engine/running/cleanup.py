"""The end of a run: remove everything that it created, and report the rest."""

import contextlib
from typing import Any

from contract_watch.contracts.openapi import join_arguments
from contract_watch.contracts.schema import parse_foreign_json
from contract_watch.engine.account.gate import RunStoppedError
from contract_watch.engine.account.ledger import LedgerError
from contract_watch.engine.account.restoration import confirm_removals, find_leftovers, list_unsettled
from contract_watch.engine.judging.judge import Attempt
from contract_watch.engine.planning.probe import Probe, ProbeStep
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.running.preflight import send_read
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.errors import RunAbortedError

_MAX_REFUSED = 3
"""Removals in a row that are refused before a list is asked what is there at all."""


def _reads_one_by_one(session: Session) -> bool:
    """Return True if objects are read one by one, not in a list."""
    read = session.contract.operations[session.contract.lifecycle.read]
    return any(name in read.get_required_arguments() for name in session.contract.get_roles(read.id))


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
    absent: dict[str, set[str]] = {}
    refused = dict.fromkeys(removed, 0)
    for account, name in _list_own_objects(session):
        if account not in removed or _has_no_id(session, name) or name in absent.get(account, ()):
            continue
        runner.run_probe(_build_removal_probe(session, runner, account, name))
        removed[account].append(name)
        refused[account] = refused[account] + 1 if (account, name) in session.target.created_objects else 0
        if refused[account] == _MAX_REFUSED:
            absent[account] = _find_absent_objects(session, account)
    for account, names in removed.items():
        _verify_removal(session, runner, account, names)


def _find_absent_objects(session: Session, account: str) -> set[str]:
    """Find the objects that a list does not show, after removals were refused: perhaps they were never created.

    On a real account each of them is removed nevertheless.
    """
    if session.gate is not None or _reads_one_by_one(session):
        return set()
    attempt = send_read(session, account)
    created = {name for held, name in session.target.created_objects if held == account}
    is_list = attempt.exchanges[-1].succeeded and not attempt.may_be_outage
    return created - _find_listed_names(session, account, attempt, "") if is_list else set()


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
        attempt = send_read(session, account, identity)
        listed = remaining = _find_listed_names(session, account, attempt, identity)
        for name in sorted(listed):
            with session.record_attempt():
                for step in _build_removal_probe(session, runner, account, name).steps:
                    session.send_operation(step.operation or "", join_arguments(step.parameters, step.body), account)
        if listed:
            remaining = _find_listed_names(session, account, send_read(session, account, identity), identity)
            if not attempt.may_be_outage:
                runner.confirmation.add_repeated_findings(attempt, flaky=not remaining)
        session.record.left_behind += sorted(remaining)
        if not attempt.may_be_outage:
            session.target.note_removed(account, ({identity} if identity else set(created)) - remaining)


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
        body = parse_foreign_json(exchange.response.body)
    except ValueError:
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
