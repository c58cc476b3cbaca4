"""Remembering the runs of a command: added to the history, and each told its past."""

from collections.abc import Callable, Sequence
from pathlib import Path

from contract_watch.errors import UsageError
from contract_watch.history.entry import build_entry
from contract_watch.history.store import FILE_NAME, History, HistoryError
from contract_watch.history.timeline import select_until, trace_runs
from contract_watch.report.record import Record

HISTORY_HELP = "the file that remembers every run (history.sqlite in --out)"


def locate_history(text: str, out: Path) -> Path:
    """Return the path that ``--history`` gives, `history.sqlite` in the directory ``out`` by default.

    Raises:
        UsageError: a newer version wrote the file, or the path is a directory.
    """
    path = Path(text) if text else out / FILE_NAME
    if "\0" in text or path.is_dir():
        raise UsageError(f"--history: {path.name!r} must be a file; give the path of one")
    if path.exists():
        History.check_version(path)
    return path


def remember_runs(path: Path, records: Sequence[Record], warn: Callable[[str], None]) -> bool:
    """Add the runs to the history and give each record its past; return False if that failed.

    ``warn`` gets a line for everything that was lost.
    """
    try:
        with History(path) as history:
            entries = [build_entry({**record.to_json(), "shapes": record.shapes}) for record in records]
            history.append(entries)
            for record, entry in zip(records, entries, strict=True):
                record.past = trace_runs(select_until(history.read_stream(*entry.stream), entry))
            for problem in history.problems:
                warn(problem)
    except (HistoryError, UsageError) as error:
        warn(f"history: the run was not recorded: {error}")
        return False
    return True
