"""The environments of independent clients, built once from lock files with the hash of every package.

Node's is ``tests/data/interop/node_modules``, Python's is ``.venv/interop``; pyright's is ``tests/data/typing/node_modules``.
To update the versions, edit the ``package.json`` and run ``npm install --package-lock-only
--omit-lockfile-registry-resolved`` beside it; for Python run ``uv pip compile --universal --generate-hashes --no-header --no-annotate`` on a file with the line
``jetemail``.
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
PYRIGHT_DIRECTORY = DIRECTORY.parent / "typing"
OLDEST_NODE = 18
_FETCH_TIMEOUT = 180
"""Time limit for fetching the packages, in seconds."""
_STAMP = ".made-of"


class NoNodeError(RuntimeError):
    """A missing or outdated Node."""


class NotFetchedError(RuntimeError):
    """Packages that cannot be fetched."""


def prepare_node(directory: Path = DIRECTORY) -> Path:
    """Install the packages of ``directory`` in its ``node_modules``; return Node's program. Raises `NoNodeError` or `NotFetchedError`."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        raise NoNodeError(f"node and npm are not installed; install Node {OLDEST_NODE} or newer")
    version = _read_output([program, "--version"])
    major = re.match(r"v(\d+)\.", version)
    if major is None or int(major[1]) < OLDEST_NODE:
        raise NoNodeError(f"node must be version {OLDEST_NODE} or newer, got {version!r}; install a newer one")
    retries = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
    quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]

    def make() -> None:
        _fetch_packages([npm, "ci", "--ignore-scripts", "--prefer-offline", *retries, *quiet], directory)

    _make_once(directory / "node_modules", f"{version} {_hash_file(directory / 'package-lock.json')}\n", make)
    return Path(program)


def prepare_python() -> Path:
    """Install ``requirements.lock`` in ``.venv/interop``; return its Python. Raises `NotFetchedError`."""
    directory, lock = ROOT / ".venv" / "interop", DIRECTORY / "requirements.lock"
    program = directory / "bin" / "python"

    def make() -> None:
        try:
            venv.create(directory, clear=True, with_pip=True)
        except (subprocess.SubprocessError, OSError) as error:
            problem = f"{directory}: cannot be created ({error})"
            raise NotFetchedError(f"{problem}; install Python's venv and ensurepip") from error
        pip = [str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries=2"]
        _fetch_packages([*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", str(lock)])

    _make_once(directory, f"{sys.version.split()[0]} {_hash_file(lock)}\n", make)
    return program


def _hash_file(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _read_output(command: Sequence[str]) -> str:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_TIMEOUT, check=True)  # noqa: S603 (found)
    except (subprocess.SubprocessError, OSError) as error:
        raise NoNodeError(f"{command[0]} does not run ({error}); install Node {OLDEST_NODE} or newer") from error
    return ended.stdout.strip()


def _make_once(directory: Path, version: str, make: Callable[[], None]) -> None:
    """Build ``directory`` unless its stamp is ``version``; the stamp is written last, so a broken build is repeated."""
    stamp = directory / _STAMP
    with _lock_environment(directory.name):
        if stamp.exists() and stamp.read_text(encoding="utf-8") == version:
            return
        stamp.unlink(missing_ok=True)
        make()
        stamp.write_text(version, encoding="utf-8")


@contextmanager
def _lock_environment(name: str) -> Iterator[None]:
    """Let only one process at a time build the environment ``name``."""
    lock = ROOT / ".venv" / f"{name}.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fetch_packages(command: Sequence[str], directory: Path = DIRECTORY) -> None:
    tool = "npm" if command[1] == "ci" else "pip"
    remedy = "make sure that the package index is reachable, then try again"
    try:
        ended = subprocess.run(  # noqa: S603 (npm and pip with our own lock files)
            command, cwd=directory, capture_output=True, text=True, timeout=_FETCH_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotFetchedError(f"{tool} takes more than {_FETCH_TIMEOUT} seconds; {remedy}") from error
    if ended.returncode:
        lines = [line for line in ended.stderr.splitlines() if "warn" not in line.lower() and line.strip()]
        why = lines[0] if lines else f"exit status {ended.returncode}"
        raise NotFetchedError(f"{tool} cannot fetch the packages ({why}); {remedy}")
