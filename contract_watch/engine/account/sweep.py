"""The sweep: what dead runs left on an account, found and, where that was asked for, deleted.

It deletes only what meets every condition: the account is the one whose key was given, which a call has confirmed; the
name parses, by the parser of whoever makes such names; it stands in the ledger of a run that died, or is older than twice
the longest that a run may take; and there are not more such objects than one sweep may delete. Whatever else looks like it
is somebody else's.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from contract_watch.engine.account.gate import EndedError, Gate
from contract_watch.engine.account.inventory import Row, everything, may_be_written
from contract_watch.engine.account.ledger import Entry, LedgerError, Run, State
from contract_watch.engine.account.object_names import Stamp, parse
from contract_watch.engine.account.restoration import done, is_entry_s, remove, unrestored
from contract_watch.engine.judging.attempt import Stop
from contract_watch.engine.running.session import Session

_PAUSE = 0.5
FORGOTTEN = 600.0
"""Seconds after which a request that nobody answered is taken to have made nothing, where no list shows what it was to make."""


@dataclass(frozen=True)
class Due:
    """An object to be deleted, and why."""

    row: Row
    why: str


@dataclass
class Swept:
    """What a sweep measured. ``left`` is what a list still showed at its end; ``problems`` say what it could not do."""

    seen: int = 0
    due: list[Due] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    deleted: int = 0


@dataclass(frozen=True)
class Known:
    """What this machine knows of an account's runs: those that died, with all they ever asked for, and those that go on."""

    dead: Mapping[str, Sequence[Entry]]
    alive: frozenset[str]

    def entry(self, row: Row, stamp: Stamp) -> Entry | None:
        """The line of a dead run's ledger that a listed object is on; None where it is on none."""
        entries = self.dead.get(stamp.run_id, ())
        if any(entry.id == row.identity and entry.name != row.name for entry in entries):
            return None  # somebody has made it his own
        return next((entry for entry in entries if is_entry_s(entry, row)), None)


def due(rows: Iterable[Row], known: Known, first: Mapping[str, float], now: float, ripe: float) -> list[Due]:
    """The objects that are to be deleted: see the module for what each has to meet.

    ``first`` is when each was first seen, for vendors that tell no age; ``now`` in seconds since 1970, ``ripe`` in seconds.
    """
    found = []
    for row in rows:
        stamp = parse(row.name)
        if stamp is None or stamp.run_id in known.alive:
            continue
        entry = known.entry(row, stamp)
        if entry is not None:
            found.append(Due(row, f"the run {stamp.run_id} made it, and died"))
            continue
        born = row.created if row.created is not None else first.get(row.identity, now)
        born = max(born, dt.datetime.combine(stamp.day, dt.time(), dt.UTC).timestamp())  # no older than its name
        past = stamp.day <= dt.datetime.fromtimestamp(now, dt.UTC).date()
        if not stamp.spelling and past and stamp.run_id not in known.dead and now - born > ripe:
            found.append(Due(row, f"it is of a run's form, and {(now - born) / 3600:.0f} hours old"))
    return found


def sweep(session: Session, gate: Gate, *, delete: bool, cap: int, ripe: float) -> Swept:
    """Find what dead runs left on the session's account, and delete it if ``delete``; lists again afterwards, all of it.

    Goes on past single failures. The session's own run leaves nothing here: its objects are not touched.
    """
    swept = Swept()
    ledger, account, address = gate.ledger, gate.run.account, gate.run.address
    try:
        with ledger.dead(account, address) as dead, gate.tidying():
            try:
                _sweep(session, gate, dead, swept, delete=delete, cap=cap, ripe=ripe)
            except Stop as stop:
                swept.problems.append(str(stop))
    except (LedgerError, EndedError) as error:
        swept.problems.append(str(error))
    return swept


def _sweep(
    session: Session, gate: Gate, dead: Sequence[Run], swept: Swept, *, delete: bool, cap: int, ripe: float
) -> None:
    ledger, account = gate.ledger, gate.run.account
    alive = {run.run_id for run in ledger.alive(account, gate.run.address)} | {gate.run.run_id}
    known = Known({run.run_id: ledger.all(run.run_id) for run in dead}, frozenset(alive))
    rows = _settled(session, gate, known)
    if rows is None:
        swept.problems.append("the account's objects cannot be listed: nothing was deleted")
        return
    now = gate.wall()
    swept.seen = len(rows)
    first = ledger.seen(
        account, [row.identity for row in rows if parse(row.name) is not None and may_be_written(session, row)], now
    )
    swept.due = due(rows, known, first, now, ripe)
    swept.left = [one.row.name for one in swept.due]
    if len(swept.due) > cap:
        swept.problems.append(
            f"{len(swept.due)} objects look left behind, more than the {cap} that one sweep deletes: nothing was deleted; look at "
            "them, then allow so many with SWEEP_CAP"
        )
    elif not delete:
        for run in dead:
            for operation, identity in unrestored(session, gate, run.run_id, rows):
                swept.problems.append(f"{identity} is not as it was: {operation} is to be done to it again")
    else:
        changed = _delete(session, gate, dead, rows, swept)
        after = everything(session, {row.account for row in rows}) if changed else rows
        if after is None:
            swept.problems.append("the account's objects could not be listed again: what is left is not known")
            return
        for run in dead:
            for operation, identity in unrestored(session, gate, run.run_id, after):
                swept.problems.append(f"{identity} is not as it was: {operation} did not restore it")
        there = {row.identity for row in after}
        swept.left = [one.row.name for one in swept.due if one.row.identity in there]
        swept.deleted = len(swept.due) - len(swept.left)
        for run in dead:
            _strike(gate, run, after, now, swept)


def _delete(session: Session, gate: Gate, dead: Sequence[Run], rows: Sequence[Row], swept: Swept) -> bool:
    """Restore what dead runs changed, then delete what is due; goes on past single failures. Whether there was anything to do."""
    restored = False
    for run in dead:
        for operation, identity in unrestored(session, gate, run.run_id, rows):
            restored = True
            done(session, gate, operation, identity)
    for one in swept.due:
        if not remove(session, gate, one.row):
            swept.problems.append(f"{one.row.name} could not be deleted")
    return restored or bool(swept.due)


def _settled(session: Session, gate: Gate, known: Known) -> list[Row] | None:
    """All that is there; asked again while a list may still lag behind what the ledger says was made."""
    holders = [entry.holder for entries in known.dead.values() for entry in entries if entry.holder]
    rows, lag = everything(session, holders), session.contract.lifecycle.lag
    made = [entry for entries in known.dead.values() for entry in entries if entry.state is State.MADE]
    # No longer than a list may lag, whatever a clock that was put back makes of the ledger's times.
    until = min(max((entry.at for entry in made), default=0.0), gate.wall()) + lag
    while (
        lag
        and rows is not None
        and gate.wall() < until
        and not all(any(is_entry_s(e, row) for row in rows) for e in made)
    ):
        gate.wait(max(_PAUSE, lag / 3))
        rows = everything(session, holders)
    return rows


def _strike(gate: Gate, run: Run, rows: Sequence[Row], now: float, swept: Swept) -> None:
    """Strike from a dead run's ledger what a list of everything does not show any more."""
    for entry in gate.ledger.left(run.run_id):
        if any(is_entry_s(entry, row) for row in rows):
            continue
        if entry.state is State.REMOVED or now - entry.at > FORGOTTEN:
            gate.ledger.tell(run.run_id, [entry.name], State.GONE)
    if not swept.problems:
        gate.ledger.restored(run.run_id)
    gate.ledger.end(run.run_id)
