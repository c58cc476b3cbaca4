"""Merging what shards and machines wrote: histories and reports, into one history."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contract_watch.errors import UsageError
from contract_watch.history.entry import build_entry
from contract_watch.history.store import History, HistoryError
from contract_watch.report.run_reader import read_runs

_DAMAGED = ".damaged-"


@dataclass
class MergeResult:
    """The number of files that were read, and of runs that the history did not know."""

    files: int = 0
    added: int = 0


def find_sources(directory: Path, target: Path) -> list[Path]:
    """Return the histories and reports below ``directory``, without ``target`` and copies of damaged files."""
    found = [*directory.rglob("*.sqlite"), *directory.rglob("findings.json")]
    known = target.resolve()
    return sorted(one for one in found if one.is_file() and _DAMAGED not in one.name and one.resolve() != known)


def merge_sources(target: Path, sources: list[Path], warn: Callable[[str], None]) -> MergeResult:
    """Add every run of ``sources`` to the history ``target``; runs that it knows by their key count once.

    A file that cannot be read is a line for ``warn``, and the others are merged all the same. A report holds no shapes, so
    histories come first.

    Raises:
        HistoryError: ``target`` cannot be written; what was merged before stands.
        UsageError: a newer version wrote ``target``.
    """
    result = MergeResult()
    with History(target) as history:
        for source in sorted(sources, key=lambda path: path.suffix != ".sqlite"):
            try:
                if source.suffix == ".sqlite":
                    with History(source) as other:
                        result.added += history.append(other.read_all())
                        for problem in other.problems:
                            warn(problem)
                else:
                    result.added += history.append(build_entry(run) for run in read_runs(source))
                result.files += 1
            except UsageError as error:
                warn(f"not merged: {error}")
            except (ValueError, OverflowError):
                warn(f"not merged: {source}: has a date or a number that no run has; run the check again")
            except HistoryError as error:
                if error.path != source:
                    raise
                warn(f"not merged: {error}")
        for problem in history.problems:
            warn(problem)
    return result
