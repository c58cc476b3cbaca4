"""Several files and directories replaced together: all of them, or none, whatever happens in between.

The replaced files are backed up until everything is in place. A process that is killed before leaves a manifest;
`restore_backup` restores the files that it names.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from contract_watch.errors import InconclusiveError, UsageError

STAGING_DIRECTORY = ".accept"
"""The directory below the root for new files and backups: on the same disk, so that moving is renaming."""
_MANIFEST, _LOCK = "list.json", ".accept.lock"


@contextmanager
def staging_directory(root: Path) -> Iterator[Path]:
    """Make a directory to build replacements in, for one process at a time; it is removed afterwards.

    A killed process's replacements are undone first.

    Raises:
        UsageError: another process uses it.
        InconclusiveError: the disk is full, or the root is not writable.
    """
    try:
        with (root / _LOCK).open("a", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UsageError(
                    f"{root / STAGING_DIRECTORY}: another `make accept` is running; wait for it"
                ) from error
            _roll_back(root)
            (root / STAGING_DIRECTORY).mkdir()
            try:
                yield root / STAGING_DIRECTORY
            finally:
                _roll_back(root)
    except OSError as error:
        raise InconclusiveError(f"{error.filename or root}: {error.strerror}; nothing was changed") from error


def restore_backup(root: Path) -> bool:
    """Undo the replacements of a killed process and return True if there were any; do nothing while one is running.

    Raises:
        UsageError: the manifest cannot be read; nothing was moved.
    """
    if not (root / STAGING_DIRECTORY / _MANIFEST).exists():
        return False
    with (root / _LOCK).open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return _roll_back(root)


def replace_atomically(root: Path, replacements: Mapping[str, Path]) -> None:
    """Move each replacement, which lies in the staging directory, to its key below ``root``; or change nothing.

    Raises:
        OSError: a file could not be moved.
    """
    targets = sorted(replacements)
    before = {name: (root / name).exists() for name in targets}
    part = root / STAGING_DIRECTORY / f"{_MANIFEST}.part"
    with part.open("w", encoding="utf-8") as file:
        json.dump(before, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(root / STAGING_DIRECTORY / _MANIFEST)
    for name in targets:
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if before[name]:
            target.rename(_get_backup_path(root, name))
        replacements[name].rename(target)
    (root / STAGING_DIRECTORY / _MANIFEST).unlink()  # from here on the replacement is complete


def _get_backup_path(root: Path, name: str) -> Path:
    return root / STAGING_DIRECTORY / f"old-{name.replace('/', '+')}"


def _roll_back(root: Path) -> bool:
    """Undo the replacements that the manifest names, and remove the staging directory."""
    manifest = root / STAGING_DIRECTORY / _MANIFEST
    found = manifest.exists()
    if found:
        for name, was_there in _read_manifest(manifest).items():
            old = _get_backup_path(root, name)
            if old.exists() or not was_there:
                _remove_path(root / name)
            if old.exists():
                old.rename(root / name)
        manifest.unlink()
    _remove_path(root / STAGING_DIRECTORY)
    return found


def _read_manifest(path: Path) -> dict[str, bool]:
    """Return the names in the manifest, all below the root, each with True if it existed before."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(_is_below_root(name) and isinstance(found[name], bool) for name in found):
        raise UsageError(f"{path}: is not the manifest of a killed `make accept`; restore the files named old-… next to it by hand, "
                         "or with git, then delete the directory")  # fmt: skip
    return found


def _is_below_root(name: str) -> bool:
    return bool(name) and not name.startswith("/") and ".." not in PurePosixPath(name).parts


def _remove_path(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
