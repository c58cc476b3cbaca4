"""The contracts that a test can play, loaded once for a process: reading one takes longer than most tests."""

from collections.abc import Iterable
from pathlib import Path

from contract_watch.contracts.directories import find_contracts
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
    if slug not in found:
        raise UsageError(f"play: unknown vendor {escape_text(slug, _MAX_SHOWN)!r}; {suggest_name(slug, found)}")
    directory = found[slug]
    changed = max(path.stat().st_mtime_ns for path in directory.rglob("*") if path.suffix != ".pyc")
    known = _LOADED.get(directory)
    if known is None or known[0] != changed:
        known = _LOADED[directory] = changed, Contract(slug, directory.parents[1], directory.parent.name)
    return known[1]


def list_contracts(directories: Directories = None) -> dict[str, Path]:
    """Return the contracts' directories by slug; raise `UsageError` if one of ``directories`` does not exist."""
    if directories is None:
        return {slug: path for slug, path in find_contracts().items() if SLUG.fullmatch(slug)}
    found: dict[str, Path] = {}
    for given in [directories] if isinstance(directories, str | Path) else directories:
        directory = Path(given).resolve()
        if not directory.is_dir():
            raise UsageError(f"contracts: {directory} is no directory; name one with <slug>/contract.toml in it")
        for file in sorted(directory.glob("*/contract.toml")):
            if SLUG.fullmatch(file.parent.name):
                found.setdefault(file.parent.name, file.parent)
    return found
