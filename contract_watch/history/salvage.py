"""Reading what is left of a damaged history."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

_MAX_ROWS = 1_000_000
_MAX_MISSES = 500
"""Ids in a row without a readable run after which nothing more is expected: a page holds far fewer."""


def decode_text(content: bytes) -> str:
    """Return a column's text; a byte that is no UTF-8 becomes a surrogate, which no row may hold."""
    return content.decode("utf-8", "surrogateescape")


def salvage_rows(path: Path, columns: Sequence[str]) -> tuple[list[tuple[Any, ...]], int]:
    """Return the rows of ``runs`` that can be read, and how many more there were at least.

    A row of an older format lacks columns; those become ``'{}'``.
    """
    # An error about a damaged schema may quote bytes that are no UTF-8.
    with suppress(sqlite3.Error, UnicodeDecodeError), closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.text_factory = decode_text
        # SQLite refuses a file that is shorter than its header says, unless the schema may be written.
        database.execute("PRAGMA writable_schema = ON")
        known = {str(row[1]) for row in database.execute("PRAGMA table_info(runs)")}
        chosen = ", ".join(name if name in known else "'{}'" for name in columns)
        query = f"SELECT id, {chosen} FROM runs WHERE id"  # noqa: S608 (constants)
        last = _read_last_id(database)
        rows = _read_page_by_page(database, query, last)
        last = max(max(rows, default=0), last)
        return [row for _, row in sorted(rows.items())], last - len(rows)
    return [], 0


def _read_page_by_page(database: sqlite3.Connection, query: str, last: int) -> dict[int, tuple[Any, ...]]:
    """Read rows in the order of their ids, up to ``last`` if that is known; step over each that cannot be read."""
    rows: dict[int, tuple[Any, ...]] = {}
    at, misses = 0, 0
    while misses < _MAX_MISSES and len(rows) < _MAX_ROWS and (not last or at < last):
        try:
            for number, *row in database.execute(f"{query} > ? ORDER BY id", (at,)):
                if not at < number <= (last or _MAX_ROWS):  # the order of ids ends where the damage begins
                    break
                rows[number], at, misses = tuple(row), number, 0
            else:
                break
            at, misses = at + 1, misses + 1
        except sqlite3.DatabaseError:
            at, misses = at + 1, misses + 1
            with suppress(sqlite3.DatabaseError):
                for number, *row in database.execute(f"{query} = ?", (at,)):
                    rows[number], misses = tuple(row), 0
    return rows


def _read_last_id(database: sqlite3.Connection) -> int:
    """Return the highest id that was ever given, 0 if that cannot be read."""
    with suppress(sqlite3.Error):
        found = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'runs'").fetchone()
        return int(found[0]) if found else 0
    return 0
