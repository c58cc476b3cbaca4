"""Makes the environments that independent clients run in: once, from lock files that pin every package by its hash.

Node's is ``node_modules`` beside this file, Python's is ``.venv/interop``. To take newer versions: edit ``package.json``
and run ``npm install --package-lock-only --omit-lockfile-registry-resolved`` here; for Python run
``uv pip compile --universal --generate-hashes --no-header --no-annotate`` on a file that says ``jetemail``.
"""

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from contract_watch.contracts.registry import ROOT

DIRECTORY = Path(__file__).resolve().parents[2] / "data" / "interop"
OLDEST_NODE = 18
_FETCH_TIMEOUT = 180
"""Seconds that fetching packages may take."""
_STAMP = ".made-of"


class NoNodeError(RuntimeError):
    """Node is missing, or too old."""


class NotFetchedError(RuntimeError):
    """The packages cannot be fetched."""


def prepare_node() -> Path:
    """Node's program, with the packages in ``node_modules``; `NoNodeError` or `NotFetchedError` says what is missing."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        raise NoNodeError(f"node and npm are not installed: install Node {OLDEST_NODE} or newer")
    version = _read_output([program, "--version"])
    major = re.match(r"v(\d+)\.", version)
    if major is None or int(major[1]) < OLDEST_NODE:
        raise NoNodeError(f"node says version {version!r}: install Node {OLDEST_NODE} or newer")
    retries = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
    quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]

    def make() -> None:
        _fetch_packages([npm, "ci", "--ignore-scripts", "--prefer-offline", *retries, *quiet])

    _make_once(DIRECTORY / "node_modules", f"{version} {_hash_file(DIRECTORY / 'package-lock.json')}\n", make)
    return Path(program)


def prepare_python() -> Path:
    """The Python of ``.venv/interop``, with the packages of ``requirements.lock``; `NotFetchedError` where they lack."""
    folder, lock = ROOT / ".venv" / "interop", DIRECTORY / "requirements.lock"
    program = folder / "bin" / "python"

    def make() -> None:
        try:
            venv.create(folder, clear=True, with_pip=True)
        except (subprocess.SubprocessError, OSError) as error:
            raise NotFetchedError(f"{folder} cannot be made ({error}): install Python's venv and ensurepip") from error
        pip = [str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries=2"]
        _fetch_packages([*pip, "--require-hashes", "--requirement", str(lock)])

    _make_once(folder, f"{sys.version.split()[0]} {_hash_file(lock)}\n", make)
    return program


def _hash_file(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _read_output(command: Sequence[str]) -> str:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_TIMEOUT, check=True)  # noqa: S603 (found)
    except (subprocess.SubprocessError, OSError) as error:
        raise NoNodeError(f"{command[0]} does not run ({error}): install Node {OLDEST_NODE} or newer") from error
    return ended.stdout.strip()


def _make_once(folder: Path, wanted: str, make: Callable[[], None]) -> None:
    """Make ``folder`` if its stamp does not say ``wanted``; written last, so that a broken one is made again."""
    stamp = folder / _STAMP
    with _lock_environment(folder.name):
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return
        stamp.unlink(missing_ok=True)
        make()
        stamp.write_text(wanted, encoding="utf-8")


@contextmanager
def _lock_environment(name: str) -> Iterator[None]:
    """Two that make the same take turns."""
    lock = ROOT / ".venv" / f"{name}.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fetch_packages(command: Sequence[str]) -> None:
    tool = "npm" if command[1] == "ci" else "pip"
    remedy = "see that the package index can be reached, then try again"
    try:
        ended = subprocess.run(  # noqa: S603 (npm and pip with our own lock files)
            command, cwd=DIRECTORY, capture_output=True, text=True, timeout=_FETCH_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotFetchedError(f"{tool} takes more than {_FETCH_TIMEOUT} seconds: {remedy}") from error
    if ended.returncode:
        lines = [line for line in ended.stderr.splitlines() if "warn" not in line.lower() and line.strip()]
        why = lines[0] if lines else f"exit status {ended.returncode}"
        raise NotFetchedError(f"{tool} cannot fetch the packages ({why}): {remedy}")
