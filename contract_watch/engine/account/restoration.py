"""A real account around a run: what was there before, and that nothing of the run's is there afterwards."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from contract_watch.engine.account.gate import Gate
from contract_watch.engine.account.inventory import ListedObject, list_objects, resolve_pointer
from contract_watch.engine.account.ledger import LedgerEntry, LedgerState
from contract_watch.engine.account.object_names import is_same_name, normalize_name
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.running.session import Session

MAX_WAIT = 10.0
"""Seconds for which an object is looked for whose creation was asked for and never answered."""
_PAUSE = 1.0
_MAX_TRIES = 2


def record_initial_state(session: Session, gate: Gate) -> str:
    """Before anything is changed that is not the run's own: note how it is. Gives why that cannot be, or nothing.

    Also notes which ids are there: none of them will ever be taken for one of the run's.
    """
    if not session.contract.lifecycle.id:
        return ""
    rows = list_objects(session)
    if rows is None:
        return "what is there cannot be listed"
    gate.preexisting_ids |= {row.identity for row in rows}
    gate.has_inventory = True
    for operation in gate.guard.consents:
        if not gate.ledger.acquire_lock(f"crossing{hashlib.sha256(gate.run.account.encode()).hexdigest()[:16]}"):
            return "another run on the account does so now"
        there = [row.identity for row in rows if has_effect(session, operation, row)]
        if any(session.redactor.redact_string(identity) != identity for identity in there):
            return "what is there is called by a secret of this run"
        gate.ledger.record_former(gate.run.run_id, operation, there[0] if there else "")
    return ""


def find_unrestored(session: Session, gate: Gate, run_id: str, rows: Sequence[ListedObject]) -> list[tuple[str, str]]:
    """What a run changed that was not its own, and is not yet as it was: operations, each with the identity to do it to.

    Where somebody else has changed it since, that stays.
    """
    ours = {entry.id for entry in gate.ledger.list_objects(run_id)}
    wanted = []
    for operation, identity in gate.ledger.list_former(run_id):
        others = [row for row in rows if has_effect(session, operation, row) and row.identity not in ours]
        if identity and not others and any(row.identity == identity for row in rows):
            wanted.append((operation, identity))
    return wanted


def perform_operation(session: Session, gate: Gate, operation: str, identity: str, account: str | None = None) -> bool:
    """Whether ``operation`` about an object that is not the run's own, this once, succeeded."""
    declared = session.contract.operations[operation]
    with gate.guard.permit_pairs({(operation, identity)}), session.record_attempt():
        return session.send_operation(
            operation, Simulation(session.contract).build_arguments(declared, identity), account
        ).succeeded


def has_effect(session: Session, operation: str, row: ListedObject) -> bool:
    """Whether a listed object is in the state that ``operation``, which needs consent, brings about."""
    consent = session.contract.consents[operation]
    return bool(resolve_pointer(row.raw, consent.field) == consent.value)


def delete_object(session: Session, gate: Gate, row: ListedObject) -> bool:
    """Delete one object that the guard does not know as this run's; undone first is what was consented to."""
    contract = session.contract
    undoing = [consent.undo for name, consent in contract.consents.items() if has_effect(session, name, row)]
    return [
        perform_operation(session, gate, operation, row.identity, row.account)
        for operation in (*undoing, contract.lifecycle.remove)
    ][-1]


def find_leftovers(session: Session, gate: Gate) -> list[str]:
    """The last look of a run at its account, after it has deleted what it made: gives what is left all the same.

    What the ledger has is struck only where a list, read whole, does not show it, and its deletion was answered with success
    or its making never was. Where a request to make something was never answered, it is looked for a while.
    """
    waited, tried, lag = 0.0, Counter[str](), session.contract.lifecycle.lag
    gate.is_restored = False
    if lag and gate.ledger.list_remaining(gate.run.run_id):
        gate.wait(lag)  # a list may still show what was before
    while True:
        left = gate.ledger.list_remaining(gate.run.run_id)
        rows = list_objects(session, [entry.holder for entry in left if entry.holder])
        if rows is None:
            return list_unsettled(gate)
        found = [row for row in rows if _is_in_ledger(gate, row)]
        changed = find_unrestored(session, gate, gate.run.run_id, rows)
        doubtful = any(entry.state in (LedgerState.REQUESTED, LedgerState.UNKNOWN) for entry in left)
        if waited >= MAX_WAIT or not (found or changed or doubtful):
            break
        for operation, identity in changed:
            if tried[identity] < _MAX_TRIES:
                perform_operation(session, gate, operation, identity)
        for row in found:
            if tried[row.identity] < _MAX_TRIES:
                delete_object(session, gate, row)
        tried.update([*(row.identity for row in found), *(identity for _, identity in changed)])
        gate.wait(_PAUSE)
        waited += _PAUSE
    lost = _settle_entries(gate, found)
    gate.is_restored = not changed
    like = [row.name for row in rows if row not in found and _carries_run_id(gate, row)]
    return [*like, *lost, *(row.name or row.identity for row in found), *_describe_unrestored(changed)]


def confirm_removals(session: Session, gate: Gate) -> None:
    """Strike what was removed and a list of everything does not show any more; else it counts as still there."""
    removed = [entry for entry in gate.ledger.list_remaining(gate.run.run_id) if entry.state is LedgerState.DELETED]
    rows = list_objects(session, [entry.holder for entry in removed if entry.holder]) if removed else None
    for entry in removed if rows is not None else ():
        if not any(matches_entry(entry, row) for row in rows or ()):
            gate.update_states([entry.name], LedgerState.ABSENT, entry.holder)


def list_unsettled(gate: Gate) -> list[str]:
    """What may be left, where no list can tell: all that the ledger has, and what may not be as it was."""
    return [
        *(entry.name for entry in gate.ledger.list_remaining(gate.run.run_id)),
        *_describe_unrestored(
            (operation, name) for operation, name in gate.ledger.list_former(gate.run.run_id) if name
        ),
    ]


def _describe_unrestored(changed: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{identity}, to which {operation} is to be done again" for operation, identity in changed]


def matches_entry(entry: LedgerEntry, row: ListedObject) -> bool:
    """Whether a listed object is the ledger's: by the very name, or by what a vendor that sanitises makes of it.

    Where the server hands out ids, the name is the mark that the run gave: a wrong id in an answer does not hide it.
    """
    return is_same_name(entry.name, row.name)


def _is_in_ledger(gate: Gate, row: ListedObject) -> bool:
    """Whether a listed object is on this run's part of the ledger: names much like those are somebody else's."""
    return any(matches_entry(entry, row) for entry in gate.ledger.list_objects(gate.run.run_id))


def _carries_run_id(gate: Gate, row: ListedObject) -> bool:
    """Whether a listed object bears what tells this run, though the run never asked for it: told, and not deleted."""
    return normalize_name(gate.run.prefix) in normalize_name(row.name)


def _settle_entries(gate: Gate, found: Sequence[ListedObject]) -> list[str]:
    """Strike what a list of everything does not show; gives what was made, never removed, and is not shown under its name."""
    lost = []
    for entry in gate.ledger.list_remaining(gate.run.run_id):
        if any(matches_entry(entry, row) for row in found):
            gate.update_states([entry.name], LedgerState.CREATED, entry.holder)
        elif entry.state is LedgerState.CREATED:
            lost.append(entry.name)
        elif entry.state is LedgerState.DELETED:
            gate.update_states([entry.name], LedgerState.ABSENT, entry.holder)
    return lost
