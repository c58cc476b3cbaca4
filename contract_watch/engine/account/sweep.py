"""The sweep: finds the leftovers of killed runs on an account and, if asked to, deletes them.

It deletes only an object that meets every condition: the account is that of the given key, confirmed by a request; its
name parses with the parser of the name generator; it is in the ledger of a killed run, or older than twice the longest
run; and there are no more such objects than one sweep may delete. Every other object belongs to somebody else.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from contract_watch.engine.account.account_session import AccountSession
from contract_watch.engine.account.gate import Gate, RunStoppedError
from contract_watch.engine.account.inventory import ListedObject, has_safe_identity, list_objects
from contract_watch.engine.account.ledger import LedgerEntry, LedgerError, LedgerRun, LedgerState
from contract_watch.engine.account.object_names import ParsedName, parse_name
from contract_watch.engine.account.restoration import delete_object, find_unrestored, matches_entry, perform_operation
from contract_watch.errors import RunAbortedError

_PAUSE = 0.5
FORGET_AFTER = 600.0
"""Seconds after which an unanswered request counts as ineffective, if no list shows its object."""


@dataclass(frozen=True)
class SweepCandidate:
    """An object to be deleted, and the reason."""

    listed: ListedObject
    reason: str


@dataclass
class SweepResult:
    """Result of a sweep. ``remaining`` are the candidates still listed at its end; ``problems`` are its failures."""

    listed_count: int = 0
    candidates: list[SweepCandidate] = field(default_factory=list)
    remaining: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    deleted_count: int = 0


@dataclass(frozen=True)
class KnownRuns:
    """Runs on an account that this machine knows: killed ones with all entries of their ledgers, and active ones."""

    killed: Mapping[str, Sequence[LedgerEntry]]
    active: frozenset[str]

    def find_entry(self, row: ListedObject, parsed: ParsedName) -> LedgerEntry | None:
        """Find the entry of a killed run's ledger for a listed object; return None if there is none."""
        entries = self.killed.get(parsed.run_id, ())
        if any(entry.id == row.identity and entry.name != row.name for entry in entries):
            return None  # somebody else uses the object now
        return next((entry for entry in entries if matches_entry(entry, row)), None)


def find_candidates(
    rows: Iterable[ListedObject],
    known_runs: KnownRuns,
    first_seen: Mapping[str, float],
    now: float,
    min_age: float,
    suffix: str = "",
) -> list[SweepCandidate]:
    """Find the objects to delete; the module lists the conditions.

    ``first_seen`` is for vendors that list no creation time; ``now`` is in seconds since 1970, ``min_age`` in seconds.
    ``suffix`` is what follows the contract's names.
    """
    found = []
    for row in rows:
        parsed = parse_name(row.name, suffix)
        if parsed is None or parsed.run_id in known_runs.active:
            continue
        entry = known_runs.find_entry(row, parsed)
        if entry is not None:
            found.append(SweepCandidate(row, f"created by the killed run {parsed.run_id}"))
            continue
        born = row.created if row.created is not None else first_seen.get(row.identity, now)
        born = max(
            born, dt.datetime.combine(parsed.day, dt.time(), dt.UTC).timestamp()
        )  # no older than the day in its name
        past = parsed.day <= dt.datetime.fromtimestamp(now, dt.UTC).date()
        if not parsed.variant and past and parsed.run_id not in known_runs.killed and now - born > min_age:
            found.append(SweepCandidate(row, f"named like a run's object, {(now - born) / 3600:.0f} hours old"))
    return found


def sweep_account(session: AccountSession, gate: Gate, *, delete: bool, cap: int, min_age: float) -> SweepResult:
    """Find the leftovers of killed runs on the session's account, delete them if ``delete``, and list everything again.

    Single failures do not end it. Objects of the session's own run are not touched.
    """
    result = SweepResult()
    ledger, account, address = gate.ledger, gate.run.account, gate.run.address
    try:
        with ledger.claim_killed_runs(account, address) as killed, gate.use_cleanup_reserve():
            try:
                _sweep_objects(session, gate, killed, result, delete=delete, cap=cap, min_age=min_age)
            except RunAbortedError as stop:
                result.problems.append(str(stop))
    except (LedgerError, RunStoppedError) as error:
        result.problems.append(str(error))
    return result


def _sweep_objects(
    session: AccountSession,
    gate: Gate,
    killed: Sequence[LedgerRun],
    result: SweepResult,
    *,
    delete: bool,
    cap: int,
    min_age: float,
) -> None:
    ledger, account, suffix = gate.ledger, gate.run.account, session.contract.name_suffix
    active = {run.run_id for run in ledger.list_active_runs(account, gate.run.address)} | {gate.run.run_id}
    known = KnownRuns({run.run_id: ledger.list_objects(run.run_id) for run in killed}, frozenset(active))
    rows = _list_settled_objects(session, gate, known)
    if rows is None:
        result.problems.append("the account's objects cannot be listed; nothing was deleted")
        return
    now = gate.wall()
    result.listed_count = len(rows)
    first_seen = ledger.update_sightings(
        account,
        [row.identity for row in rows if parse_name(row.name, suffix) is not None and has_safe_identity(session, row)],
        now,
    )
    result.candidates = find_candidates(rows, known, first_seen, now, min_age, suffix)
    result.remaining = [one.listed.name for one in result.candidates]
    if len(result.candidates) > cap:
        result.problems.append(
            f"{len(result.candidates)} objects look left behind, more than the {cap} that one sweep deletes, so "
            "nothing was deleted; check them, then raise SWEEP_CAP"
        )
    elif not delete:
        for run in killed:
            for operation, identity in find_unrestored(session, gate, run.run_id, rows):
                result.problems.append(f"{identity} is not restored: {operation} has to be performed on it again")
    else:
        changed = _delete_candidates(session, gate, killed, rows, result)
        after = list_objects(session, {row.account for row in rows}) if changed else rows
        if after is None:
            result.problems.append("the account's objects could not be listed again; the leftovers are unknown")
            return
        for run in killed:
            for operation, identity in find_unrestored(session, gate, run.run_id, after):
                result.problems.append(f"{identity} is not restored: {operation} had no effect")
        identities = {row.identity for row in after}
        result.remaining = [one.listed.name for one in result.candidates if one.listed.identity in identities]
        result.deleted_count = len(result.candidates) - len(result.remaining)
        for run in killed:
            _settle_ledger(gate, run, after, now, result)


def _delete_candidates(
    session: AccountSession, gate: Gate, killed: Sequence[LedgerRun], rows: Sequence[ListedObject], result: SweepResult
) -> bool:
    """Restore what killed runs changed, then delete the candidates; return True if there was anything to do."""
    restored = False
    for run in killed:
        for operation, identity in find_unrestored(session, gate, run.run_id, rows):
            restored = True
            perform_operation(session, gate, operation, identity)
    for one in result.candidates:
        if not delete_object(session, gate, one.listed):
            result.problems.append(f"{one.listed.name} could not be deleted")
    return restored or bool(result.candidates)


def _list_settled_objects(session: AccountSession, gate: Gate, known: KnownRuns) -> list[ListedObject] | None:
    """List all objects, again while a list may lag behind the ledger."""
    holders = [entry.holder for entries in known.killed.values() for entry in entries if entry.holder]
    rows, lag = list_objects(session, holders), session.contract.lifecycle.lag
    created = [entry for entries in known.killed.values() for entry in entries if entry.state is LedgerState.CREATED]
    # At most the lag from now, even if a clock was set back since the ledger's entries.
    until = min(max((entry.recorded_at for entry in created), default=0.0), gate.wall()) + lag
    while (
        lag
        and rows is not None
        and gate.wall() < until
        and not all(any(matches_entry(entry, row) for row in rows) for entry in created)
    ):
        gate.wait(max(_PAUSE, lag / 3))
        rows = list_objects(session, holders)
    return rows


def _settle_ledger(gate: Gate, run: LedgerRun, rows: Sequence[ListedObject], now: float, result: SweepResult) -> None:
    """Settle a killed run's ledger by a complete list."""
    for entry in gate.ledger.list_remaining(run.run_id):
        if any(matches_entry(entry, row) for row in rows):
            continue
        if entry.state is LedgerState.DELETED or now - entry.recorded_at > FORGET_AFTER:
            gate.ledger.update_states(run.run_id, [entry.name], LedgerState.ABSENT)
    if not result.problems:
        gate.ledger.clear_former(run.run_id)
    gate.ledger.end_run(run.run_id)
