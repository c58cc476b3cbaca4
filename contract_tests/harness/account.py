"""A real account around a run: what was there before, and that nothing of the run's is there afterwards."""

from collections import Counter
from collections.abc import Sequence

from contract_tests.guard.gate import Gate
from contract_tests.guard.ledger import Entry, State
from contract_tests.harness.listing import Row, at, everything
from contract_tests.harness.rehearsal import Rehearsal
from contract_tests.harness.session import Session

PATIENCE = 10.0
"""Seconds for which an object is looked for whose creation was asked for and never answered."""
_PAUSE = 1.0
_TRIES = 2


def remember(session: Session, gate: Gate) -> str:
    """Before anything is changed that is not the run's own: note how it is. Gives why that cannot be, or nothing.

    Also notes which ids are there: none of them will ever be taken for one of the run's.
    """
    if not session.contract.lifecycle.id:
        return ""
    rows = everything(session)
    if rows is None:
        return "what is there cannot be listed"
    gate.foreign |= {row.identity for row in rows}
    for operation in gate.guard.consents:
        if not gate.ledger.exclusive(f"crossing{gate.run.account}"):
            return "another run on the account does so now"
        there = [row.identity for row in rows if shows(session, operation, row)]
        if any(session.redactor.text(identity) != identity for identity in there):
            return "what is there is called by a secret of this run"
        gate.ledger.keep_former(gate.run.run_id, operation, there[0] if there else "")
    return ""


def unrestored(session: Session, gate: Gate, run_id: str, rows: Sequence[Row]) -> list[tuple[str, str]]:
    """What a run changed that was not its own, and is not yet as it was: operations, each with the identity to do it to.

    Where somebody else has changed it since, that stays.
    """
    ours = {entry.id for entry in gate.ledger.all(run_id)}
    wanted = []
    for operation, identity in gate.ledger.former(run_id):
        others = [row for row in rows if shows(session, operation, row) and row.identity not in ours]
        if identity and not others and any(row.identity == identity for row in rows):
            wanted.append((operation, identity))
    return wanted


def done(session: Session, gate: Gate, operation: str, identity: str, account: str | None = None) -> bool:
    """Whether ``operation`` about an object that is not the run's own, this once, succeeded."""
    declared = session.contract.operations[operation]
    with gate.guard.permitting({(operation, identity)}), session.attempting():
        return session.send(operation, Rehearsal(session.contract).about(declared, identity), account).succeeded


def shows(session: Session, operation: str, row: Row) -> bool:
    """Whether a listed object is in the state that ``operation``, which needs consent, brings about."""
    consent = session.contract.consents[operation]
    return bool(at(row.shown, consent.field) == consent.value)


def remove(session: Session, gate: Gate, row: Row) -> bool:
    """Delete one object that the guard does not know as this run's; undone first is what was consented to."""
    contract = session.contract
    undoing = [consent.undo for name, consent in contract.consents.items() if shows(session, name, row)]
    return [
        done(session, gate, operation, row.identity, row.account) for operation in (*undoing, contract.lifecycle.remove)
    ][-1]


def leave(session: Session, gate: Gate) -> list[str]:
    """The last look of a run at its account, after it has deleted what it made: gives what is left all the same.

    What the ledger has of it and no list shows is struck; where a request was never answered, it is looked for a while.
    """
    waited, tried = 0.0, Counter[str]()
    while True:
        left = gate.ledger.left(gate.run.run_id)
        rows = everything(session, [entry.holder for entry in left if entry.holder])
        if rows is None:
            return [entry.name for entry in left]
        found = [row for row in rows if _ours(gate, row)]
        changed = unrestored(session, gate, gate.run.run_id, rows)
        doubtful = any(entry.state is not State.MADE for entry in left)
        if waited >= PATIENCE or not (found or changed or doubtful):
            break
        for operation, identity in changed:
            if tried[identity] < _TRIES:
                done(session, gate, operation, identity)
        for row in found:
            if tried[row.identity] < _TRIES:
                remove(session, gate, row)
        tried.update([*(row.identity for row in found), *(identity for _, identity in changed)])
        gate.wait(_PAUSE)
        waited += _PAUSE
    _strike(gate, found)
    return [
        *(row.name or row.identity for row in found),
        *(f"{name}: {what} was not restored" for what, name in changed),
    ]


def _ours(gate: Gate, row: Row) -> bool:
    """Whether a listed object was made by this run."""
    return gate.guard.names.owns(row.name) or row.identity in gate.guard.ids


def _strike(gate: Gate, left: Sequence[Row]) -> None:
    there = {text for row in left for text in (row.name, row.identity)}
    entries: list[Entry] = gate.ledger.left(gate.run.run_id)
    gone = [entry.name for entry in entries if entry.state is State.MADE and not there & {entry.name, entry.id}]
    gate.tell(gone, State.GONE)
