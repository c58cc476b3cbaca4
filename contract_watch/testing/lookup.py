"""The contracts that a test can play, loaded once for a process: reading one takes longer than most tests."""

from collections.abc import Iterable
from pathlib import Path

from contract_watch.contracts.directories import find_contracts, find_contracts_in
from contract_watch.contracts.registry import SLUG, Contract
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.suggestions import suggest_name

Directories = str | Path | Iterable[str | Path] | None
"""Directories with ``<slug>/contract.toml`` in each; None: those that CONTRACTS names, else the usual ones."""
_LOADED: dict[Path, tuple[int, Contract]] = {}
"""Contracts by directory, each with the time of its newest file."""
_MAX_SHOWN = 100


def find_contract(slug: str, directories: Directories = None) -> Contract:
    """Return the contract of one vendor; one whose files are as they were is not read again.

    Raises:
        UsageError: no directory has it, or a directory does not exist.
    """
    found = list_contracts(directories)
    if not isinstance(slug, str) or slug not in found:
        name = str(slug)
        raise UsageError(f"play: unknown vendor {escape_text(name, _MAX_SHOWN)!r}; {suggest_name(name, found)}")
    directory = found[slug]
    changed = max(map(_read_time, directory.rglob("*")))
    known = _LOADED.get(directory)
    if known is None or known[0] != changed:
        known = _LOADED[directory] = changed, Contract(slug, directory.parents[1], directory.parent.name)
    return known[1]


def list_contracts(directories: Directories = None) -> dict[str, Path]:
    """Return the contracts' directories by slug.

    Raises:
        UsageError: one of ``directories`` does not exist, or two hold a contract of the same name.
    """
    if directories is None:
        found = find_contracts()
    else:
        given = [directories] if isinstance(directories, str | Path) else directories
        found = find_contracts_in([Path(one).resolve() for one in given], "contracts")
    return {slug: path for slug, path in found.items() if SLUG.fullmatch(slug)}


def _read_time(path: Path) -> int:
    """Return the time of a file's last change; 0 for compiled code, and for a file that is gone or a broken link."""
    try:
        return path.stat().st_mtime_ns if path.suffix != ".pyc" else 0
    except OSError:
        return 0
