"""The file of the history: SQLite, with one transaction for each command's runs.

A process that is killed leaves the file as it was before its transaction. Processes that write at once take turns.
A damaged file is replaced by what can be read of it, and the damaged one stays beside it.
"""

import fcntl
import json
import os
import shutil
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.history.entry import CauseEntry, RunEntry
from contract_watch.history.salvage import decode_text, salvage_rows

FILE_NAME = "history.sqlite"
FORMAT = 2
_LOCK_SECONDS = 30.0
_MAX_MESSAGE = 200
_MAX_SHAPES_BYTES = 50_000_000
_LOCK_POLL_SECONDS = 0.02
_RUNS = """
CREATE TABLE runs (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, vendor TEXT NOT NULL, axis TEXT NOT NULL,
    target TEXT NOT NULL, night TEXT NOT NULL, started TEXT NOT NULL, seconds REAL NOT NULL, verdict TEXT NOT NULL,
    is_conclusive INTEGER NOT NULL, reason TEXT NOT NULL, requests INTEGER NOT NULL, causes TEXT NOT NULL,
    not_exercised TEXT NOT NULL, details TEXT NOT NULL);
CREATE INDEX streams ON runs (vendor, axis, target, started);
"""
_SHAPES = """
ALTER TABLE runs ADD COLUMN shapes TEXT NOT NULL DEFAULT '{}';
CREATE TABLE losses (night TEXT NOT NULL, message TEXT NOT NULL);
"""
_MIGRATIONS = (_RUNS, _SHAPES)
"""The step that leads to each format, from an empty file on."""
COLUMNS = ("key", "vendor", "axis", "target", "night", "started", "seconds", "verdict", "is_conclusive", "reason", "requests",
           "causes", "not_exercised", "details", "shapes")  # fmt: skip
_JSON_COLUMNS = ("causes", "not_exercised", "details", "shapes")
MALFORMED = (TypeError, ValueError, KeyError, AttributeError, RecursionError)
"""The errors of `parse_row`."""
_INSERT = f"INSERT OR IGNORE INTO runs ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 (constants)


class HistoryError(Exception):
    """The history at ``path`` cannot be read or written; the message is one line with the remedy."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path}: {problem}; make room or give another HISTORY=, then add the run with make merge-history"
        )
        self.path = path


class History:
    """An open history. ``problems`` has a line for everything that was lost before it was opened."""

    def __init__(self, path: Path, *, now: float | None = None) -> None:
        """Open or create the file; ``now`` names the copy of a damaged one.

        Raises:
            UsageError: a newer version wrote the file.
            HistoryError: the file cannot be opened.
        """
        self._path, self.problems = path, list[str]()
        with self._translate_errors(), _lock_file(path):
            try:
                self._database = self._open()
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                if isinstance(error, sqlite3.OperationalError) and not _is_damage(error):
                    raise
                self._replace_damaged(time.time() if now is None else now)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def append(self, entries: Iterable[RunEntry]) -> int:
        """Add runs, all or none, and return how many are new; runs that the file knows by their key stay as they are.

        Raises:
            HistoryError: the file cannot be written; it is unchanged.
        """
        rows = [_format_row(entry) for entry in entries]
        with self._translate_errors(), _lock_file(self._path):
            if self._opened != _identify(self._path):  # another process has replaced a damaged file meanwhile
                self._database.close()
                self._database = self._open()
            try:
                self._database.execute("BEGIN IMMEDIATE")
                before = self._count()
                self._database.executemany(_INSERT, rows)
                added = self._count() - before
                self._database.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                raise
        return added

    def read_stream(self, vendor: str, axis: str, target: str = "", *, with_shapes: bool = False) -> list[RunEntry]:
        """Return the runs of one vendor, axis and target, oldest first; shapes, which are long, only on request.

        Raises:
            HistoryError: the file cannot be read.
        """
        where = "vendor = ? AND axis = ? AND target = ?"
        return list(self._select(f"{where} ORDER BY started, id", (vendor, axis, target), with_shapes=with_shapes))

    def read_all(self) -> Iterator[RunEntry]:
        """Yield every run, oldest first.

        Raises:
            HistoryError: the file cannot be read.
        """
        yield from self._select("1 ORDER BY started, id", (), with_shapes=True)

    def read_losses(self, night: str) -> list[str]:
        """Return a line for each damage that was found on ``night`` or later, by whichever process.

        Raises:
            HistoryError: the file cannot be read.
        """
        with self._translate_errors():
            rows = self._database.execute("SELECT message FROM losses WHERE night >= ? ORDER BY rowid", (night,))
            return [str(message) for (message,) in rows]

    def count_nights(self) -> int:
        """Return the number of different nights.

        Raises:
            HistoryError: the file cannot be read.
        """
        with self._translate_errors():
            return int(self._database.execute("SELECT count(DISTINCT night) FROM runs").fetchone()[0])

    # -- inside

    def _count(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM runs").fetchone()[0])

    def _select(self, condition: str, values: Sequence[str], *, with_shapes: bool) -> Iterator[RunEntry]:
        columns = ", ".join(name if with_shapes or name != "shapes" else "'{}'" for name in COLUMNS)
        with self._translate_errors():
            query = f"SELECT {columns} FROM runs WHERE {condition}"  # noqa: S608 (constants)
            is_damaged = False
            for row in self._database.execute(query, values):
                try:
                    yield parse_row(row)
                except MALFORMED:
                    is_damaged = True
            if is_damaged:  # the file is sound but a row is not: it is put aside once, and not met again each night
                with _lock_file(self._path):
                    self._database.close()
                    self._replace_damaged(time.time())

    @staticmethod
    def check_version(path: Path) -> None:
        """Refuse a file that a newer version wrote; a damaged one is no matter here.

        Raises:
            UsageError: a newer version wrote it.
        """
        with suppress(sqlite3.Error, UnicodeDecodeError), closing(sqlite3.connect(path)) as database:
            _check_format(path, database)

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._path, timeout=_LOCK_SECONDS, isolation_level=None)
        database.text_factory = decode_text  # one bad character must not hide every other row
        try:
            self._prepare(database)
        except BaseException:
            database.close()
            raise
        self._opened = _identify(self._path)
        return database

    def _prepare(self, database: sqlite3.Connection) -> None:
        """Check the file and bring it to the newest format."""
        found = _check_format(self._path, database)
        if database.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("damaged")
        _migrate(database, found)
        database.execute(f"SELECT {', '.join(COLUMNS)} FROM runs LIMIT 1")  # noqa: S608 (constants)

    def _replace_damaged(self, now: float) -> None:
        """Build a file from what can be read of the damaged one, which keeps its content under another name."""
        rows, lost = salvage_rows(self._path, COLUMNS)
        entries = []
        for row in rows:
            try:
                entries.append(parse_row(row))
            except MALFORMED:
                lost += 1
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now))
        aside = self._path.with_name(f"{self._path.stem}.damaged-{stamp}-{os.getpid()}{self._path.suffix}")
        part = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        part.unlink(missing_ok=True)
        try:
            with sqlite3.connect(part, isolation_level=None) as database:
                _migrate(database, 0)
                database.execute("BEGIN")
                database.executemany(_INSERT, [_format_row(entry) for entry in entries])
                database.execute("COMMIT")
            database.close()
            _keep_copy(self._path, aside)
            part.replace(self._path)
        finally:
            part.unlink(missing_ok=True)
        for journal in ("-journal", "-wal", "-shm"):  # it belongs to the damaged file
            self._path.with_name(self._path.name + journal).unlink(missing_ok=True)
        message = (f"{self._path}: was damaged: {len(entries)} runs were read, "
                             f"{f'about {lost} ' if lost else 'an unknown number '}lost; the damaged file is {aside.name}")  # fmt: skip
        self._database = self._open()
        self._database.execute(
            "INSERT INTO losses VALUES (?, ?)", (time.strftime("%Y-%m-%d", time.gmtime(now)), message)
        )
        self.problems.append(message)

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise HistoryError(self._path, _describe_error(error)) from error


def _identify(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one that took its name; None if there is none."""
    with suppress(OSError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None


def _check_format(path: Path, database: sqlite3.Connection) -> int:
    """Return the format of a file; raise `UsageError` if it is newer than ours."""
    found = int(database.execute("PRAGMA user_version").fetchone()[0])
    if found > FORMAT:
        raise UsageError(f"{path}: has format {found}, this version reads up to {FORMAT}; "
                         "update contract-watch, or give another HISTORY=")  # fmt: skip
    return found


def _migrate(database: sqlite3.Connection, found: int) -> None:
    """Bring a file from the format ``found`` to the newest, in one transaction."""
    if found == FORMAT:
        return
    database.execute("BEGIN IMMEDIATE")
    for step in _MIGRATIONS[found:]:
        for statement in filter(str.strip, step.split(";")):
            database.execute(statement)
    database.execute(f"PRAGMA user_version = {FORMAT}")
    database.execute("COMMIT")


def _keep_copy(path: Path, aside: Path) -> None:
    """Give a file a second name, so that it never lacks one; copy it where the file system has no links."""
    try:
        os.link(path, aside)
    except OSError:
        shutil.copyfile(path, aside)


def _format_row(entry: RunEntry) -> tuple[Any, ...]:
    content = {**vars(entry), "causes": [vars(cause) for cause in entry.causes]}
    content |= {name: json.dumps(content[name], separators=(",", ":")) for name in _JSON_COLUMNS}
    content["shapes"] = zlib.compress(content["shapes"].encode())  # a tenth: they repeat themselves
    return tuple(content[name] for name in COLUMNS)


def parse_row(row: Sequence[Any]) -> RunEntry:
    """Return the entry of a row; raise one of `MALFORMED` if it is malformed."""
    content = dict(zip(COLUMNS, row, strict=True))
    if isinstance(content["shapes"], bytes):
        content["shapes"] = _decompress(content["shapes"])
    content |= {name: json.loads(content[name]) for name in _JSON_COLUMNS}
    causes = tuple(
        CauseEntry(**{**cause, "findings": tuple(cause["findings"]), "clauses": tuple(cause["clauses"])})
        for cause in content.pop("causes")
    )
    names = tuple(map(str, content.pop("not_exercised")))
    conclusive = bool(content.pop("is_conclusive"))
    return RunEntry(**content, causes=causes, not_exercised=names, is_conclusive=conclusive)


def _decompress(content: bytes) -> bytes:
    reader = zlib.decompressobj()
    try:
        text = reader.decompress(content, _MAX_SHAPES_BYTES)
    except zlib.error as error:
        raise ValueError("not compressed") from error
    if not reader.eof:
        raise ValueError("cut, or too long")
    return text


def _is_damage(error: sqlite3.OperationalError) -> bool:
    """Return True if an error is about the file's content, such as a missing table, and not about the system."""
    return getattr(error, "sqlite_errorname", "") in ("SQLITE_ERROR", "SQLITE_CORRUPT", "SQLITE_NOTADB")


def _describe_error(error: Exception) -> str:
    """Return the system's message or SQLite's, on one line: SQLite may quote what a damaged file holds."""
    return error.strerror if isinstance(error, OSError) and error.strerror else escape_text(str(error), _MAX_MESSAGE)


@contextmanager
def _lock_file(path: Path) -> Iterator[None]:
    """Let one process at a time work on a history: a damaged file may be replaced by another process.

    Raises:
        OSError: the lock was not free in time, or the directory is not writable.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("a") as file:
        until = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise TimeoutError(0, "another process has locked it for too long") from None
                time.sleep(_LOCK_POLL_SECONDS)
        yield
