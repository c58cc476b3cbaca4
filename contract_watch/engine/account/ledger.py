"""The ledger: every object that a run on a real account makes, on disk before the request that makes it is sent.

One SQLite file serves all runs of a checkout, beside it one lock file for each run, held for as long as the run lives: a
run whose lock is free is dead, and what its part of the ledger names is to be removed. Nothing is ever concluded from a
ledger that cannot be read.
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

VERSION = 1
FILE = "ledger.sqlite3"
_PATIENCE = 5.0
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
    """The ledger cannot be used; one line that says why and what to do."""


class State(Enum):
    """What is known of an object.

    Its making was `asked` for, it was `made`, `refused`, no answer came (`unknown`); its deletion was answered with success
    (`removed`), and a list has shown that it is `gone`.
    """

    ASKED = "asked"
    MADE = "made"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    REMOVED = "removed"
    GONE = "gone"


@dataclass(frozen=True)
class Run:
    """A run as the ledger knows it. ``account`` is the fingerprint of its key, ``address`` where its target was."""

    run_id: str
    prefix: str
    account: str
    address: str
    started: float


@dataclass(frozen=True)
class Entry:
    """An object: the name it was asked for under, its id where the server handed one out, whose key asked, and when."""

    run_id: str
    name: str
    id: str
    holder: str
    state: State
    at: float


class Ledger:
    """The ledger in ``folder``, made where there is none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / FILE
        self._locks: dict[str, int] = {}
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(f"ledger {self._path}: cannot be opened ({_words(error)}): check the folder") from error
        try:
            with self._told():
                self._prepare()
        except LedgerError:
            self._database.close()
            raise

    def _prepare(self) -> None:
        version = self._rows("PRAGMA user_version")[0][0]
        if version > VERSION:
            raise LedgerError(
                f"ledger {self._path}: is of a newer version ({version}): use the newer program, or sweep with it first"
            )
        self._rows("PRAGMA journal_mode = WAL")
        self._rows("PRAGMA synchronous = FULL")
        if version == 0:
            with self._writing():
                if self._rows("PRAGMA user_version")[0][0] == 0:  # another process may have been first
                    if self._rows("SELECT name FROM sqlite_master"):
                        raise LedgerError(
                            f"ledger {self._path}: is another program's database: name another folder in LEDGER"
                        )
                    for statement in _TABLES.split(";"):
                        self._rows(statement)
                    self._rows(f"PRAGMA user_version = {VERSION}")
            self._path.chmod(0o600)
        if self._rows("PRAGMA quick_check")[0][0] != "ok":
            raise sqlite3.DatabaseError("it is damaged")
        self._rows("SELECT 1 FROM runs, objects, sightings, former LIMIT 1")

    def close(self) -> None:
        """Give the file and all locks up."""
        self._database.close()
        for handle in self._locks.values():
            os.close(handle)
        self._locks.clear()

    # -- runs

    def begin(self, run: Run) -> None:
        """A run of this process begins: from now on it is alive, until `end`, `close` or the process's death."""
        if not self._take(run.run_id, make=True):
            raise LedgerError(f"ledger {self._path}: another run has the id {run.run_id}: start again")
        with self._told():
            self._rows(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?)", run.run_id, run.prefix, run.account, run.address, run.started
            )

    def end(self, run_id: str) -> None:
        """Strike a run, where nothing of it is left; else what is left stays, for a sweep to find."""
        with self._told(), self._writing():
            if not self._left(run_id) and not self._rows("SELECT 1 FROM former WHERE run_id = ?", run_id):
                self._rows("DELETE FROM objects WHERE run_id = ?", run_id)
                self._rows("DELETE FROM runs WHERE run_id = ?", run_id)
                with contextlib.suppress(OSError):
                    self._lock_file(run_id).unlink()
        if (handle := self._locks.pop(run_id, None)) is not None:
            os.close(handle)

    @contextmanager
    def dead(self, account: str, address: str) -> Iterator[list[Run]]:
        """The runs on an account that died; while the block lasts no other process takes them for dead too.

        A run without a lock file is not known to be dead.
        """
        with self._told():
            rows = self._rows("SELECT * FROM runs WHERE account = ? AND address = ?", account, address)
        found = [run for run in (Run(*row) for row in rows) if run.run_id not in self._locks and self._take(run.run_id)]
        try:
            yield found
        finally:
            for run in found:
                if (handle := self._locks.pop(run.run_id, None)) is not None:
                    os.close(handle)

    def alive(self, account: str, address: str) -> list[Run]:
        """The runs on an account that are going on, this process's own left out."""
        with self._told():
            rows = self._rows("SELECT * FROM runs WHERE account = ? AND address = ?", account, address)
        return [run for run in (Run(*row) for row in rows) if run.run_id not in self._locks and self._held(run.run_id)]

    # -- objects

    def asked(self, run_id: str, names: Iterable[str], holder: str, at: float) -> None:
        """Their making is about to be asked for; on disk when this returns."""
        self._put([(run_id, name, holder, State.ASKED, at) for name in names])

    def _put(self, rows: list[tuple[str, str, str, State, float]]) -> None:
        with self._told(), self._writing():
            for run_id, name, holder, state, at in rows:
                self._rows(
                    "INSERT INTO objects (run_id, name, holder, state, at) VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT (run_id, holder, name) DO UPDATE SET at = excluded.at, state = CASE "
                    "WHEN state IN ('made', 'unknown') THEN state ELSE excluded.state END",
                    run_id, name, holder, state.value, at,
                )  # fmt: skip

    def tell(self, run_id: str, identities: Iterable[str], state: State, holder: str | None = None) -> None:
        """What came of objects, by name or id, that ``holder`` asked for (None: whoever did).

        A refusal says nothing of one that is there, or may be, already.
        """
        with self._told(), self._writing():
            for identity in identities:
                only = "AND state = 'asked'" if state in (State.REFUSED, State.UNKNOWN) else ""
                only += " AND holder = ?" if holder is not None else ""
                self._rows(
                    f"UPDATE objects SET state = ? WHERE run_id = ? AND (name = ? OR id = ?) {only}",  # noqa: S608 (`only` is made of constants)
                    state.value, run_id, identity, identity, *([] if holder is None else [holder]),
                )  # fmt: skip

    def identified(self, run_id: str, name: str, identity: str, holder: str) -> None:
        """The server handed out an id for what ``holder`` made under a name; others may have been refused it."""
        with self._told():
            self._rows(
                "UPDATE objects SET id = ?, state = 'made' WHERE run_id = ? AND name = ? AND holder = ?",
                identity, run_id, name, holder,
            )  # fmt: skip

    def left(self, run_id: str) -> list[Entry]:
        """What a run made, or may have made, and is not known to be gone."""
        with self._told():
            return self._left(run_id)

    def all(self, run_id: str) -> list[Entry]:
        """All that a run ever asked for, what is gone included."""
        with self._told():
            return [_entry(row) for row in self._rows("SELECT * FROM objects WHERE run_id = ?", run_id)]

    def count(self, run_id: str) -> int:
        """How many objects of a run are there, or may be: those too whose deletion no list has shown yet."""
        with self._told():
            states = "('asked', 'made', 'unknown', 'removed')"
            return int(self._rows(f"SELECT count(*) FROM objects WHERE run_id = ? AND state IN {states}", run_id)[0][0])  # noqa: S608 (a constant)

    def _left(self, run_id: str) -> list[Entry]:
        rows = self._rows("SELECT * FROM objects WHERE run_id = ? AND state NOT IN ('gone', 'refused')", run_id)
        return [_entry(row) for row in rows]

    # -- what is not the run's

    def seen(self, account: str, identities: Iterable[str], at: float) -> dict[str, float]:
        """When each of these was first seen; for those never seen before that is ``at``. Others are forgotten."""
        wanted = list(identities)
        with self._told(), self._writing():
            known = dict(self._rows("SELECT identity, first FROM sightings WHERE account = ?", account))
            self._rows("DELETE FROM sightings WHERE account = ?", account)
            first = {identity: min(float(known.get(identity, at)), at) for identity in wanted}
            for identity, when in first.items():
                self._rows("INSERT INTO sightings VALUES (?, ?, ?)", account, identity, when)
        return first

    def keep_former(self, run_id: str, operation: str, identity: str) -> None:
        """Before a run first changes what is not its own: note what ``operation`` had been done to, to restore it."""
        with self._told():
            self._rows("INSERT OR IGNORE INTO former VALUES (?, ?, ?)", run_id, operation, identity)

    def former(self, run_id: str) -> list[tuple[str, str]]:
        """What is to be restored: pairs of operation and identity (empty: there was none)."""
        with self._told():
            return [
                (str(a), str(b))
                for a, b in self._rows("SELECT operation, identity FROM former WHERE run_id = ?", run_id)
            ]

    def restored(self, run_id: str) -> None:
        """All is as it was."""
        with self._told():
            self._rows("DELETE FROM former WHERE run_id = ?", run_id)

    # -- the file and its locks

    def exclusive(self, name: str) -> bool:
        """Whether this process has, or now gets, the lock called ``name``: one at a time has it, until `close`."""
        return name in self._locks or self._take(name, make=True)

    def _lock_file(self, name: str) -> Path:
        if _RUN_ID.fullmatch(name) is None:
            raise LedgerError(
                f"ledger {self._path}: {name[:40]!r} is no run's id: the file was changed by somebody else"
            )
        return self._folder / f"{name}.lock"

    def _take(self, name: str, *, make: bool = False) -> bool:
        """Lock a run's file; False where another process has it, or there is none and none is to be made."""
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if make else 0)
        try:
            handle = os.open(self._lock_file(name), flags, 0o600)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise LedgerError(
                f"ledger {self._path}: its lock cannot be opened ({_words(error)}): check the folder"
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._locks[name] = handle
        return True

    def _held(self, name: str) -> bool:
        if not self._take(name):
            return self._lock_file(name).exists()
        os.close(self._locks.pop(name))
        return False

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        return self._database.execute(statement, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the database as `LedgerError`."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise LedgerError(
                    f"ledger {self._path}: another process has locked it: end that one, or wait"
                ) from error
            raise LedgerError(f"ledger {self._path}: cannot be used ({_words(error)}): check the folder") from error
        except sqlite3.Error as error:
            raise LedgerError(
                f"ledger {self._path}: cannot be read ({_words(error)}): move it away; what it named is then found by listing"
            ) from error


def _entry(row: tuple[Any, ...]) -> Entry:
    run_id, name, identity, holder, state, at = row
    try:
        return Entry(str(run_id), str(name), str(identity), str(holder), State(state), float(at))
    except ValueError as error:
        raise sqlite3.DatabaseError("a row makes no sense") from error


def _words(error: Exception) -> str:
    """The system's words, or SQLite's name for an error: what a library says otherwise may quote what it was given."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(getattr(error, "sqlite_errorname", "") or error).splitlines()[0]
