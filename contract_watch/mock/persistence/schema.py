"""The file of `--state`: opened for this process alone, checked, and with its tables.

The write-ahead log with ``synchronous=NORMAL`` hands each transaction to the operating system before the response is sent.
So a killed process loses nothing; a power failure can lose the last transactions, and never leaves half of one.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text

FORMAT = 1
"""The version of the tables; see also `contract_watch.contracts.resource.state_codec.FORMAT`."""
_APPLICATION = 0x43574D53
"""The number that marks a file as a mock's states in its header."""
_TABLES = (
    "CREATE TABLE vendors (slug TEXT PRIMARY KEY, digest TEXT NOT NULL, choices TEXT NOT NULL, rest TEXT NOT NULL)",
    (
        "CREATE TABLE items (slug TEXT NOT NULL, position INTEGER NOT NULL, content TEXT NOT NULL, "
        "PRIMARY KEY (slug, position)) WITHOUT ROWID"
    ),
)
_MODE = 0o600
"""The file holds the passwords of test users, so it belongs to its owner alone."""


def open_state_file(path: Path) -> sqlite3.Connection:
    """Open the file of states at ``path``, and create it if there is none.

    Raises:
        UsageError: it cannot be written, another mock uses it, or it is no file of states of this version.
    """
    _create(path)
    try:
        connection = sqlite3.connect(path.absolute(), timeout=0, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise UsageError(f"{label_state_file(path)}: cannot be opened ({error}); choose another file") from error
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise UsageError(_describe(path, error)) from error
    except UsageError:
        connection.close()
        raise
    return connection


def label_state_file(path: Path) -> str:
    """Return the begin of an error about the file."""
    return f"--state {escape_text(str(path))}"


def _create(path: Path) -> None:
    """Create the file with `_MODE` if there is none, and give that mode to one that there is."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE))
        is_new = path.stat().st_size == 0
        if is_new:
            with suppress(OSError):
                path.chmod(_MODE)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no valid path"
        raise UsageError(
            f"{label_state_file(path)}: cannot be written ({reason}); choose a file in a writable directory"
        ) from error


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    [application], [version] = (
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
    )
    tables = sorted(sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"))
    is_new = not tables and not application
    if not is_new and application != _APPLICATION:
        raise UsageError(f"{label_state_file(path)}: is a database of another program; choose another file")
    if not is_new and version == FORMAT and tables != sorted(_TABLES):
        raise UsageError(
            f"{label_state_file(path)}: has other tables than this mock's; delete it or choose another file"
        )
    if not is_new and version != FORMAT:
        raise UsageError(
            f"{label_state_file(path)}: has format {version}, this mock reads {FORMAT}; delete it or choose another file"
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("BEGIN EXCLUSIVE")  # the lock stays until the file is closed or the process ends
    if is_new:
        for table in _TABLES:
            connection.execute(table)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("COMMIT")
    problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise sqlite3.DatabaseError(str(problem))


def _describe(path: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"{label_state_file(path)}: another mock uses it; stop that one or choose another file"
    if code.startswith("SQLITE_NOTADB"):
        return f"{label_state_file(path)}: is no SQLite database; choose another file"
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_PERM")):
        return f"{label_state_file(path)}: cannot be written ({code}); choose a file in a writable directory"
    return f"{label_state_file(path)}: is corrupt; delete it or restore a copy"
