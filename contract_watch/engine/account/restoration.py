"""Restoration of a real account: records its state before a run, and verifies afterwards that nothing is left."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from contract_watch.engine.account.account_session import AccountSession
from contract_watch.engine.account.gate import Gate
from contract_watch.engine.account.inventory import ListedObject, list_objects, resolve_pointer
from contract_watch.engine.account.ledger import LedgerEntry, LedgerState
from contract_watch.engine.account.object_names import is_same_name, normalize_name
from contract_watch.engine.planning.simulation import Simulation

MAX_WAIT = 10.0
"""Seconds to look for an object whose creation was requested and never answered."""
_PAUSE = 1.0
_MAX_TRIES = 2


def record_initial_state(session: AccountSession, gate: Gate) -> str:
    """Record the state that consented operations change; return why that is impossible, or an empty string.

    Also records all existing ids: none of them is ever taken for the run's own.
    """
    if not session.contract.lifecycle.id:
        return ""
    rows = list_objects(session)
    if rows is None:
        return "the account's objects cannot be listed"
    gate.note_inventory({row.identity for row in rows})
    for operation in gate.guard.consents:
        if not gate.ledger.acquire_lock(f"crossing{hashlib.sha256(gate.run.account.encode()).hexdigest()[:16]}"):
            return "another run on the account does so now"
        identities = [row.identity for row in rows if has_effect(session, operation, row)]
        if any(session.redactor.redact_string(identity) != identity for identity in identities):
            return "an object's id is a secret of this run"
        gate.ledger.record_former(gate.run.run_id, operation, identities[0] if identities else "")
    return ""


def find_unrestored(
    session: AccountSession, gate: Gate, run_id: str, rows: Sequence[ListedObject]
) -> list[tuple[str, str]]:
    """List what a run changed that was not its own and is not restored: pairs of operation and identity to perform.

    A later change by somebody else stays.
    """
    ours = {entry.id for entry in gate.ledger.list_objects(run_id)}
    wanted = []
    for operation, identity in gate.ledger.list_former(run_id):
        others = [row for row in rows if has_effect(session, operation, row) and row.identity not in ours]
        if identity and not others and any(row.identity == identity for row in rows):
            wanted.append((operation, identity))
    return wanted


def perform_operation(
    session: AccountSession, gate: Gate, operation: str, identity: str, account: str | None = None
) -> bool:
    """Perform one operation on an object that is not the run's own; return True on success."""
    declared = session.contract.operations[operation]
    with gate.guard.permit_pairs({(operation, identity)}), session.record_attempt():
        return session.send_operation(
            operation, Simulation(session.contract).build_arguments(declared, identity), account
        ).succeeded


def has_effect(session: AccountSession, operation: str, row: ListedObject) -> bool:
    """Return True if a listed object is in the state that ``operation``, which needs consent, causes."""
    consent = session.contract.consents[operation]
    return bool(resolve_pointer(row.raw, consent.field) == consent.value)


def delete_object(session: AccountSession, gate: Gate, row: ListedObject) -> bool:
    """Delete an object that the guard does not know as this run's, after undoing consented operations on it."""
    contract = session.contract
    undoing = [consent.undo for name, consent in contract.consents.items() if has_effect(session, name, row)]
    return [
        perform_operation(session, gate, operation, row.identity, row.account)
        for operation in (*undoing, contract.lifecycle.remove)
    ][-1]


def find_leftovers(session: AccountSession, gate: Gate) -> list[str]:
    """List the account a last time, after the run deleted its objects; return the leftovers.

    An entry of the ledger is deleted only if a complete list lacks it and its deletion was confirmed or its creation
    never was. An object whose creation was never answered is looked for during `MAX_WAIT` seconds.
    """
    waited, tries, lag = 0.0, Counter[str](), session.contract.lifecycle.lag
    gate.note_restored(restored=False)
    if lag and gate.ledger.list_remaining(gate.run.run_id):
        gate.wait(lag)  # a list may lag behind
    while True:
        remaining = gate.ledger.list_remaining(gate.run.run_id)
        rows = list_objects(session, [entry.holder for entry in remaining if entry.holder])
        if rows is None:
            return list_unsettled(gate)
        found = [row for row in rows if _is_in_ledger(gate, row)]
        changed = find_unrestored(session, gate, gate.run.run_id, rows)
        unanswered = any(entry.state in (LedgerState.REQUESTED, LedgerState.UNKNOWN) for entry in remaining)
        if waited >= MAX_WAIT or not (found or changed or unanswered):
            break
        for operation, identity in changed:
            if tries[identity] < _MAX_TRIES:
                perform_operation(session, gate, operation, identity)
        for row in found:
            if tries[row.identity] < _MAX_TRIES:
                delete_object(session, gate, row)
        tries.update([*(row.identity for row in found), *(identity for _, identity in changed)])
        gate.wait(_PAUSE)
        waited += _PAUSE
    lost = _settle_entries(gate, found)
    gate.note_restored(restored=not changed)
    similar = [row.name for row in rows if row not in found and _carries_run_id(gate, row)]
    return [*similar, *lost, *(row.name or row.identity for row in found), *_describe_unrestored(changed)]


def confirm_removals(session: AccountSession, gate: Gate) -> None:
    """Mark deleted objects as absent if a complete list lacks them; else they count as still there."""
    removed = [entry for entry in gate.ledger.list_remaining(gate.run.run_id) if entry.state is LedgerState.DELETED]
    rows = list_objects(session, [entry.holder for entry in removed if entry.holder]) if removed else None
    for entry in removed if rows is not None else ():
        if not any(matches_entry(entry, row) for row in rows or ()):
            gate.update_states([entry.name], LedgerState.ABSENT, entry.holder)


def list_unsettled(gate: Gate) -> list[str]:
    """List possible leftovers without a list from the server: all entries in the ledger, and unrestored objects."""
    return [
        *(entry.name for entry in gate.ledger.list_remaining(gate.run.run_id)),
        *_describe_unrestored(
            (operation, name) for operation, name in gate.ledger.list_former(gate.run.run_id) if name
        ),
    ]


def _describe_unrestored(changed: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{identity} ({operation} has to be performed on it again)" for operation, identity in changed]


def matches_entry(entry: LedgerEntry, row: ListedObject) -> bool:
    """Return True if a listed object is the ledger's: by its exact name, or by its name after a vendor's sanitising.

    Where the server assigns ids, the name is the run's mark: a wrong id in a response does not hide the object.
    """
    return is_same_name(entry.name, row.name)


def _is_in_ledger(gate: Gate, row: ListedObject) -> bool:
    """Return True if a listed object is in this run's ledger: similar names belong to somebody else."""
    return any(matches_entry(entry, row) for entry in gate.ledger.list_objects(gate.run.run_id))


def _carries_run_id(gate: Gate, row: ListedObject) -> bool:
    """Return True if the object carries our run id but is not in the ledger; report it, do not delete it."""
    return normalize_name(gate.run.prefix) in normalize_name(row.name)


def _settle_entries(gate: Gate, found: Sequence[ListedObject]) -> list[str]:
    """Settle the ledger by a complete list; return objects that were created, never deleted, and are not listed."""
    lost = []
    for entry in gate.ledger.list_remaining(gate.run.run_id):
        if any(matches_entry(entry, row) for row in found):
            gate.update_states([entry.name], LedgerState.CREATED, entry.holder)
        elif entry.state is LedgerState.CREATED:
            lost.append(entry.name)
        elif entry.state is LedgerState.DELETED:
            gate.update_states([entry.name], LedgerState.ABSENT, entry.holder)
    return lost
