"""The sweep: what dead runs left on an account, found and, where that was asked for, deleted.

It deletes only what meets every condition: the account is the one whose key was given, which a call has confirmed; the
name parses, by the parser of whoever makes such names; it stands in the ledger of a run that died, or is older than twice
the longest that a run may take; and there are not more such objects than one sweep may delete. Whatever else looks like it
is somebody else's.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from contract_watch.engine.account.gate import Gate, RunStoppedError
from contract_watch.engine.account.inventory import ListedObject, has_safe_identity, list_objects
from contract_watch.engine.account.ledger import LedgerEntry, LedgerError, LedgerRun, LedgerState
from contract_watch.engine.account.object_names import ParsedName, parse_name
from contract_watch.engine.account.restoration import delete_object, find_unrestored, matches_entry, perform_operation
from contract_watch.engine.judging.attempt import RunAbortedError
from contract_watch.engine.running.session import Session

_PAUSE = 0.5
FORGET_AFTER = 600.0
"""Seconds after which a request that nobody answered is taken to have made nothing, where no list shows what it was to make."""


@dataclass(frozen=True)
class SweepCandidate:
    """An object to be deleted, and why."""

    listed: ListedObject
    reason: str


@dataclass
class SweepResult:
    """What a sweep measured. ``left`` is what a list still showed at its end; ``problems`` say what it could not do."""

    listed_count: int = 0
    candidates: list[SweepCandidate] = field(default_factory=list)
    remaining: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    deleted_count: int = 0


@dataclass(frozen=True)
class KnownRuns:
    """What this machine knows of an account's runs: those that died, with all they ever asked for, and those that go on."""

    killed: Mapping[str, Sequence[LedgerEntry]]
    active: frozenset[str]

    def find_entry(self, row: ListedObject, stamp: ParsedName) -> LedgerEntry | None:
        """The line of a dead run's ledger that a listed object is on; None where it is on none."""
        entries = self.killed.get(stamp.run_id, ())
        if any(entry.id == row.identity and entry.name != row.name for entry in entries):
            return None  # somebody has made it his own
        return next((entry for entry in entries if matches_entry(entry, row)), None)


def find_candidates(
    rows: Iterable[ListedObject], known_runs: KnownRuns, first_seen: Mapping[str, float], now: float, min_age: float
) -> list[SweepCandidate]:
    """The objects that are to be deleted: see the module for what each has to meet.

    ``first`` is when each was first seen, for vendors that tell no age; ``now`` in seconds since 1970, ``ripe`` in seconds.
    """
    found = []
    for row in rows:
        stamp = parse_name(row.name)
        if stamp is None or stamp.run_id in known_runs.active:
            continue
        entry = known_runs.find_entry(row, stamp)
        if entry is not None:
            found.append(SweepCandidate(row, f"the run {stamp.run_id} made it, and died"))
            continue
        born = row.created if row.created is not None else first_seen.get(row.identity, now)
        born = max(born, dt.datetime.combine(stamp.day, dt.time(), dt.UTC).timestamp())  # no older than its name
        past = stamp.day <= dt.datetime.fromtimestamp(now, dt.UTC).date()
        if not stamp.variant and past and stamp.run_id not in known_runs.killed and now - born > min_age:
            found.append(SweepCandidate(row, f"it is of a run's form, and {(now - born) / 3600:.0f} hours old"))
    return found


def sweep_account(session: Session, gate: Gate, *, delete: bool, cap: int, min_age: float) -> SweepResult:
    """Find what dead runs left on the session's account, and delete it if ``delete``; lists again afterwards, all of it.

    Goes on past single failures. The session's own run leaves nothing here: its objects are not touched.
    """
    swept = SweepResult()
    ledger, account, address = gate.ledger, gate.run.account, gate.run.address
    try:
        with ledger.claim_dead_runs(account, address) as dead, gate.use_cleanup_reserve():
            try:
                _sweep_objects(session, gate, dead, swept, delete=delete, cap=cap, ripe=min_age)
            except RunAbortedError as stop:
                swept.problems.append(str(stop))
    except (LedgerError, RunStoppedError) as error:
        swept.problems.append(str(error))
    return swept


def _sweep_objects(
    session: Session, gate: Gate, dead: Sequence[LedgerRun], swept: SweepResult, *, delete: bool, cap: int, ripe: float
) -> None:
    ledger, account = gate.ledger, gate.run.account
    alive = {run.run_id for run in ledger.list_active_runs(account, gate.run.address)} | {gate.run.run_id}
    known = KnownRuns({run.run_id: ledger.list_objects(run.run_id) for run in dead}, frozenset(alive))
    rows = _list_settled_objects(session, gate, known)
    if rows is None:
        swept.problems.append("the account's objects cannot be listed: nothing was deleted")
        return
    now = gate.wall()
    swept.listed_count = len(rows)
    first = ledger.update_sightings(
        account,
        [row.identity for row in rows if parse_name(row.name) is not None and has_safe_identity(session, row)],
        now,
    )
    swept.candidates = find_candidates(rows, known, first, now, ripe)
    swept.remaining = [one.listed.name for one in swept.candidates]
    if len(swept.candidates) > cap:
        swept.problems.append(
            f"{len(swept.candidates)} objects look left behind, more than the {cap} that one sweep deletes: nothing was deleted; look at "
            "them, then allow so many with SWEEP_CAP"
        )
    elif not delete:
        for run in dead:
            for operation, identity in find_unrestored(session, gate, run.run_id, rows):
                swept.problems.append(f"{identity} is not as it was: {operation} is to be done to it again")
    else:
        changed = _delete_candidates(session, gate, dead, rows, swept)
        after = list_objects(session, {row.account for row in rows}) if changed else rows
        if after is None:
            swept.problems.append("the account's objects could not be listed again: what is left is not known")
            return
        for run in dead:
            for operation, identity in find_unrestored(session, gate, run.run_id, after):
                swept.problems.append(f"{identity} is not as it was: {operation} did not restore it")
        there = {row.identity for row in after}
        swept.remaining = [one.listed.name for one in swept.candidates if one.listed.identity in there]
        swept.deleted_count = len(swept.candidates) - len(swept.remaining)
        for run in dead:
            _settle_ledger(gate, run, after, now, swept)


def _delete_candidates(
    session: Session, gate: Gate, dead: Sequence[LedgerRun], rows: Sequence[ListedObject], swept: SweepResult
) -> bool:
    """Restore what dead runs changed, then delete what is due; goes on past single failures. Whether there was anything to do."""
    restored = False
    for run in dead:
        for operation, identity in find_unrestored(session, gate, run.run_id, rows):
            restored = True
            perform_operation(session, gate, operation, identity)
    for one in swept.candidates:
        if not delete_object(session, gate, one.listed):
            swept.problems.append(f"{one.listed.name} could not be deleted")
    return restored or bool(swept.candidates)


def _list_settled_objects(session: Session, gate: Gate, known: KnownRuns) -> list[ListedObject] | None:
    """All that is there; asked again while a list may still lag behind what the ledger says was made."""
    holders = [entry.holder for entries in known.killed.values() for entry in entries if entry.holder]
    rows, lag = list_objects(session, holders), session.contract.lifecycle.lag
    made = [entry for entries in known.killed.values() for entry in entries if entry.state is LedgerState.CREATED]
    # No longer than a list may lag, whatever a clock that was put back makes of the ledger's times.
    until = min(max((entry.recorded_at for entry in made), default=0.0), gate.wall()) + lag
    while (
        lag
        and rows is not None
        and gate.wall() < until
        and not all(any(matches_entry(e, row) for row in rows) for e in made)
    ):
        gate.wait(max(_PAUSE, lag / 3))
        rows = list_objects(session, holders)
    return rows


def _settle_ledger(gate: Gate, run: LedgerRun, rows: Sequence[ListedObject], now: float, swept: SweepResult) -> None:
    """Strike from a dead run's ledger what a list of everything does not show any more."""
    for entry in gate.ledger.list_remaining(run.run_id):
        if any(matches_entry(entry, row) for row in rows):
            continue
        if entry.state is LedgerState.DELETED or now - entry.recorded_at > FORGET_AFTER:
            gate.ledger.update_states(run.run_id, [entry.name], LedgerState.ABSENT)
    if not swept.problems:
        gate.ledger.clear_former(run.run_id)
    gate.ledger.end_run(run.run_id)
