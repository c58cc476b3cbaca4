"""The ledger: each object that a live run creates is on disk before the request that creates it is sent.

One SQLite file serves all runs of a checkout. Each run holds a lock file while it lives: a run whose lock is free was
killed, and its objects are to be deleted. Nothing is concluded from a ledger that cannot be read.
"""

import contextlib
import fcntl
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

SCHEMA_VERSION = 1
FILE_NAME = "ledger.sqlite3"
_LOCK_TIMEOUT = 5.0
"""Seconds to wait for another process that is writing."""
_RUN_ID = re.compile(r"[a-z0-9]{1,32}")
_TABLES = """
CREATE TABLE runs (run_id TEXT PRIMARY KEY, prefix TEXT NOT NULL, account TEXT NOT NULL, address TEXT NOT NULL,
    started REAL NOT NULL);
CREATE TABLE objects (run_id TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL DEFAULT '', holder TEXT NOT NULL,
    state TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (run_id, holder, name));
CREATE TABLE sightings (account TEXT NOT NULL, identity TEXT NOT NULL, first REAL NOT NULL, PRIMARY KEY (account, identity));
CREATE TABLE former (run_id TEXT NOT NULL, operation TEXT NOT NULL, identity TEXT NOT NULL,
    PRIMARY KEY (run_id, operation));
"""


class LedgerError(Exception):
    """The ledger cannot be used. The message is one line: problem and fix."""


class LedgerState(Enum):
    """State of an object.

    Its creation was requested, confirmed, rejected or never answered (`UNKNOWN`); its deletion was confirmed
    (`DELETED`), and a complete list no longer has it (`ABSENT`). The values are stored on disk: change them with
    `SCHEMA_VERSION` or not at all.
    """

    REQUESTED = "asked"
    CREATED = "made"
    REJECTED = "refused"
    UNKNOWN = "unknown"
    DELETED = "removed"
    ABSENT = "gone"


@dataclass(frozen=True)
class LedgerRun:
    """A run in the ledger. ``account`` is the fingerprint of its key, ``address`` that of its target."""

    run_id: str
    prefix: str
    account: str
    address: str
    started: float


@dataclass(frozen=True)
class LedgerEntry:
    """An object in the ledger: requested name, id if the server assigned one, account that requested it, and when."""

    run_id: str
    name: str
    id: str
    holder: str
    state: LedgerState
    recorded_at: float


class Ledger:
    """The ledger in ``directory``, which is created if it is missing."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / FILE_NAME
        self._locks: dict[str, int] = {}
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = sqlite3.connect(self._path, timeout=_LOCK_TIMEOUT, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(
                f"ledger {self._path}: cannot be opened ({_describe_error(error)}); check the directory"
            ) from error
        try:
            with self._translate_errors():
                self._prepare()
        except LedgerError:
            self._database.close()
            raise

    def _prepare(self) -> None:
        version = self._execute("PRAGMA user_version")[0][0]
        if version > SCHEMA_VERSION:
            raise LedgerError(
                f"ledger {self._path}: has the newer version {version}; use the newer program, or sweep with it first"
            )
        self._execute("PRAGMA journal_mode = WAL")
        self._execute("PRAGMA synchronous = FULL")
        if version == 0:
            with self._transaction():
                if self._execute("PRAGMA user_version")[0][0] == 0:  # another process may have been first
                    if self._execute("SELECT name FROM sqlite_master"):
                        raise LedgerError(
                            f"ledger {self._path}: is another program's database; set LEDGER to another directory"
                        )
                    for statement in _TABLES.split(";"):
                        self._execute(statement)
                    self._execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self._path.chmod(0o600)
        if self._execute("PRAGMA quick_check")[0][0] != "ok":
            raise sqlite3.DatabaseError("it is damaged")
        self._execute("SELECT 1 FROM runs, objects, sightings, former LIMIT 1")

    def close(self) -> None:
        """Close the file and release all locks."""
        self._database.close()
        for handle in self._locks.values():
            os.close(handle)
        self._locks.clear()

    # -- runs

    def begin_run(self, run: LedgerRun) -> None:
        """Begin a run of this process; it counts as alive until `end_run`, `close` or the process's death."""
        if not self._try_lock(run.run_id, create=True):
            raise LedgerError(f"ledger {self._path}: another run has the id {run.run_id}; start again")
        with self._translate_errors():
            self._execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?)", run.run_id, run.prefix, run.account, run.address, run.started
            )

    def end_run(self, run_id: str) -> None:
        """End a run: delete it if none of its objects remain, else leave them for a sweep."""
        with self._translate_errors(), self._transaction():
            if not self._select_remaining(run_id) and not self._execute(
                "SELECT 1 FROM former WHERE run_id = ?", run_id
            ):
                self._execute("DELETE FROM objects WHERE run_id = ?", run_id)
                self._execute("DELETE FROM runs WHERE run_id = ?", run_id)
                with contextlib.suppress(OSError):
                    self._find_lock_file(run_id).unlink()
        if (handle := self._locks.pop(run_id, None)) is not None:
            os.close(handle)

    @contextmanager
    def claim_killed_runs(self, account: str, address: str) -> Iterator[list[LedgerRun]]:
        """Yield the killed runs on an account, locked against other processes inside the block.

        A run without a lock file is not known to be killed.
        """
        with self._translate_errors():
            rows = self._execute("SELECT * FROM runs WHERE account = ? AND address = ?", account, address)
        found = [
            run
            for run in (LedgerRun(*row) for row in rows)
            if run.run_id not in self._locks and self._try_lock(run.run_id)
        ]
        try:
            yield found
        finally:
            for run in found:
                if (handle := self._locks.pop(run.run_id, None)) is not None:
                    os.close(handle)

    def list_active_runs(self, account: str, address: str) -> list[LedgerRun]:
        """List the active runs on an account, except those of this process."""
        with self._translate_errors():
            rows = self._execute("SELECT * FROM runs WHERE account = ? AND address = ?", account, address)
        return [
            run
            for run in (LedgerRun(*row) for row in rows)
            if run.run_id not in self._locks and self._is_locked(run.run_id)
        ]

    # -- objects

    def record_requested(self, run_id: str, names: Iterable[str], holder: str, at: float) -> None:
        """Record that the creation of objects is about to be requested; on disk when this returns."""
        self._upsert_objects([(run_id, name, holder, LedgerState.REQUESTED, at) for name in names])

    def _upsert_objects(self, rows: list[tuple[str, str, str, LedgerState, float]]) -> None:
        with self._translate_errors(), self._transaction():
            for run_id, name, holder, state, at in rows:
                self._execute(
                    "INSERT INTO objects (run_id, name, holder, state, at) VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT (run_id, holder, name) DO UPDATE SET at = excluded.at, state = CASE "
                    "WHEN state IN ('made', 'unknown') THEN state ELSE excluded.state END",
                    run_id, name, holder, state.value, at,
                )  # fmt: skip

    def update_states(
        self, run_id: str, identities: Iterable[str], state: LedgerState, holder: str | None = None
    ) -> None:
        """Record the state of objects, by name or id, that ``holder`` requested (None: any holder).

        A rejection proves nothing about an object that exists, or may exist, already.
        """
        with self._translate_errors(), self._transaction():
            for identity in identities:
                only = "AND state = 'asked'" if state in (LedgerState.REJECTED, LedgerState.UNKNOWN) else ""
                only += " AND holder = ?" if holder is not None else ""
                self._execute(
                    f"UPDATE objects SET state = ? WHERE run_id = ? AND (name = ? OR id = ?) {only}",  # noqa: S608 (`only` is made of constants)
                    state.value, run_id, identity, identity, *([] if holder is None else [holder]),
                )  # fmt: skip

    def record_id(self, run_id: str, name: str, identity: str, holder: str) -> None:
        """Record the id that the server assigned to ``holder``'s object of this name."""
        with self._translate_errors():
            self._execute(
                "UPDATE objects SET id = ?, state = 'made' WHERE run_id = ? AND name = ? AND holder = ?",
                identity, run_id, name, holder,
            )  # fmt: skip

    def list_remaining(self, run_id: str) -> list[LedgerEntry]:
        """List the objects of a run that may still exist."""
        with self._translate_errors():
            return self._select_remaining(run_id)

    def list_objects(self, run_id: str) -> list[LedgerEntry]:
        """List all objects that a run ever requested, deleted ones included."""
        with self._translate_errors():
            return [_parse_entry(row) for row in self._execute("SELECT * FROM objects WHERE run_id = ?", run_id)]

    def count_objects(self, run_id: str) -> int:
        """Count the objects of a run that may exist, including deleted ones that no list has confirmed absent."""
        with self._translate_errors():
            query = "SELECT count(*) FROM objects WHERE run_id = ? AND state IN ('asked', 'made', 'unknown', 'removed')"
            return int(self._execute(query, run_id)[0][0])

    def _select_remaining(self, run_id: str) -> list[LedgerEntry]:
        rows = self._execute("SELECT * FROM objects WHERE run_id = ? AND state NOT IN ('gone', 'refused')", run_id)
        return [_parse_entry(row) for row in rows]

    # -- objects of others

    def update_sightings(self, account: str, identities: Iterable[str], at: float) -> dict[str, float]:
        """Return when each identity was first seen (``at`` for new ones), and forget all other identities."""
        wanted = list(identities)
        with self._translate_errors(), self._transaction():
            known = dict(self._execute("SELECT identity, first FROM sightings WHERE account = ?", account))
            self._execute("DELETE FROM sightings WHERE account = ?", account)
            first = {identity: min(float(known.get(identity, at)), at) for identity in wanted}
            for identity, moment in first.items():
                self._execute("INSERT INTO sightings VALUES (?, ?, ?)", account, identity, moment)
        return first

    def record_former(self, run_id: str, operation: str, identity: str) -> None:
        """Record the object that ``operation`` had been performed on, before a run first changes it, to restore it."""
        with self._translate_errors():
            self._execute("INSERT OR IGNORE INTO former VALUES (?, ?, ?)", run_id, operation, identity)

    def list_former(self, run_id: str) -> list[tuple[str, str]]:
        """List pairs of operation and identity to restore; the identity is empty if there was no such object."""
        with self._translate_errors():
            return [
                (str(a), str(b))
                for a, b in self._execute("SELECT operation, identity FROM former WHERE run_id = ?", run_id)
            ]

    def clear_former(self, run_id: str) -> None:
        """Delete the records of former settings, once everything is restored."""
        with self._translate_errors():
            self._execute("DELETE FROM former WHERE run_id = ?", run_id)

    # -- the file and its locks

    def acquire_lock(self, name: str) -> bool:
        """Acquire the lock ``name`` until `close`; return True if this process holds it."""
        return name in self._locks or self._try_lock(name, create=True)

    def _find_lock_file(self, name: str) -> Path:
        if _RUN_ID.fullmatch(name) is None:
            raise LedgerError(f"ledger {self._path}: {name[:40]!r} is no run id; another program changed the file")
        return self._directory / f"{name}.lock"

    def _try_lock(self, name: str, *, create: bool = False) -> bool:
        """Lock a run's file; return False if another process holds it, or if it is missing and ``create`` is False."""
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
        try:
            handle = os.open(self._find_lock_file(name), flags, 0o600)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise LedgerError(
                f"ledger {self._path}: its lock cannot be opened ({_describe_error(error)}); check the directory"
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._locks[name] = handle
        return True

    def _is_locked(self, name: str) -> bool:
        if not self._try_lock(name):
            return self._find_lock_file(name).exists()
        os.close(self._locks.pop(name))
        return False

    def _execute(self, statement: str, *values: Any) -> list[Any]:
        return self._database.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Translate errors of the database to `LedgerError`."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise LedgerError(
                    f"ledger {self._path}: another process has locked it; end that process, or wait"
                ) from error
            raise LedgerError(
                f"ledger {self._path}: cannot be used ({_describe_error(error)}); check the directory"
            ) from error
        except sqlite3.Error as error:
            raise LedgerError(
                f"ledger {self._path}: cannot be read ({_describe_error(error)}); move it away: a later sweep finds its objects"
            ) from error


def _parse_entry(row: tuple[Any, ...]) -> LedgerEntry:
    run_id, name, identity, holder, state, at = row
    try:
        return LedgerEntry(str(run_id), str(name), str(identity), str(holder), LedgerState(state), float(at))
    except ValueError as error:
        raise sqlite3.DatabaseError("a row is malformed") from error


def _describe_error(error: Exception) -> str:
    """Return the system's message or SQLite's error name: a library's own message may quote values."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(getattr(error, "sqlite_errorname", "") or error).splitlines()[0]
