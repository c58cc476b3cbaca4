"""Reproducible builds: two builds of one package in different surroundings have the same bytes."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from contract_watch.contracts.registry import Contract

_TIMEOUT = 300
"""Seconds that one build may take."""
_FIRST = {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}
_SECOND = {"TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"}
_OTHER_TIME = 1_000_000_000
_OLDEST_TIME = "315532800"
"""1980-01-01, the oldest time that a zip archive can hold."""


class ReleaseError(Exception):
    """A release that failed; the message is one line."""


def build_twice(client: Path, scratch: Path, epoch: str) -> list[Path]:
    """Build sdist and wheel of the package in ``client`` and return them; ``epoch`` is the time of the files inside.

    The second build has another directory, time zone, umask, hash seed and times of the files.

    Raises:
        ReleaseError: a build fails, or the second one has other bytes.
    """
    first = _build(client, scratch / "first", _FIRST, 0o022, epoch, touch=False)
    second = _build(client, scratch / "second" / "deeper", _SECOND, 0o077, epoch, touch=True)
    for one, other in zip(first, second, strict=True):
        if (one.name, one.read_bytes()) != (other.name, other.read_bytes()):
            raise ReleaseError(f"{one.name}: two builds differ; find what depends on time, place or order")
    return first


def choose_epoch(contract: Contract, environment: Mapping[str, str]) -> str:
    """Return the time of the files in a client's distribution; see `choose_commit_time`."""
    return choose_commit_time(contract.root, [f"generated/{contract.slug}/client"], environment)


def choose_commit_time(root: Path, paths: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return ``SOURCE_DATE_EPOCH``, else the time of the last commit to ``paths`` (none: to anything)."""
    if environment.get("SOURCE_DATE_EPOCH", "").isdigit():
        return environment["SOURCE_DATE_EPOCH"]
    git = shutil.which("git")
    if git is None:
        return _OLDEST_TIME
    command = [git, "log", "-1", "--format=%ct", "--", *paths]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - git
    return done.stdout.strip() or _OLDEST_TIME


def list_files(root: Path, paths: Sequence[str]) -> list[str]:
    """Return the files below ``paths`` that git knows; empty if ``root`` is no checkout.

    Raises:
        ReleaseError: there is one that git neither knows nor ignores, and a release could take it along.
    """
    if untracked := _list_names(root, "--others", "--exclude-standard", "--", *paths):
        raise ReleaseError(f"{root / untracked[0]}: is not under version control; commit it, or remove it")
    return [name for name in _list_names(root, "--cached", "--", *paths) if (root / name).is_file()]


def _list_names(root: Path, *options: str) -> list[str]:
    command = [shutil.which("git") or "git", "ls-files", "-z", *options]
    done = subprocess.run(command, cwd=root, capture_output=True, timeout=60, check=False)  # noqa: S603 - git
    return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name] if done.returncode == 0 else []


def write_sums(directory: Path) -> None:
    """Write ``SHA256SUMS`` of the files in ``directory``, in the format of sha256sum."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(directory.iterdir())]
    (directory / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def _build(
    client: Path, directory: Path, surroundings: Mapping[str, str], umask: int, epoch: str, *, touch: bool
) -> list[Path]:
    """Build from a copy, so that nothing appears beside the sources; return the files, sorted."""
    source, out = directory / "source", directory / "out"
    shutil.copytree(client, source, ignore=shutil.ignore_patterns("__pycache__"))
    for path in source.rglob("*") if touch else ():
        os.utime(path, (_OTHER_TIME, _OTHER_TIME))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_", "HATCH"))}
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter
            command, env={**kept, **surroundings, "SOURCE_DATE_EPOCH": epoch}, umask=umask,
            capture_output=True, text=True, timeout=_TIMEOUT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(f"{client}: the build takes more than {_TIMEOUT} seconds") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise ReleaseError(f"{client}: the build fails: {lines[-1]}")
    found = sorted(out.iterdir())
    if [path.suffix for path in found] != [".whl", ".gz"] and [path.suffix for path in found] != [".gz", ".whl"]:
        raise ReleaseError(f"{client}: the build gives {len(found)} files; expected a wheel and an sdist")
    return found
