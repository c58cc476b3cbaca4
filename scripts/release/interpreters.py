"""The Python interpreters that a release is verified on."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contract_watch.errors import UsageError

OLDEST_MINOR = 11
"""The clients' `requires-python` is 3.11 or newer."""
_NEWEST_MINOR = 30
_PROBE = "import sys, venv, ensurepip; print(*sys.version_info[:2])"


@dataclass(frozen=True, order=True)
class Interpreter:
    """An interpreter of Python 3: the second number of its version, and its program."""

    minor: int
    program: str

    def __str__(self) -> str:
        return f"Python 3.{self.minor}"


def find_interpreters(given: str) -> tuple[Interpreter, Interpreter]:
    """Return the lowest and the highest interpreter at hand; ``given`` names others, separated by commas.

    Raises:
        UsageError: an interpreter does not run, is too old, or none is found.
    """
    if given:
        found = [_require(name.strip()) for name in given.split(",")]
    else:
        found = [one for name in _list_candidates() if (one := _probe(name)) is not None and one.minor >= OLDEST_MINOR]
    if not found:
        raise UsageError(f"--pythons: no Python 3.{OLDEST_MINOR} or newer was found; name one")
    return min(found), max(found)


def _require(name: str) -> Interpreter:
    found = _probe(name)
    if found is None:
        raise UsageError(
            f"--pythons: {name!r} does not run, or has no venv; name a Python such as python3.{OLDEST_MINOR}"
        )
    if found.minor < OLDEST_MINOR:
        raise UsageError(f"--pythons: {name!r} is {found}; the client needs 3.{OLDEST_MINOR} or newer")
    return found


def _list_candidates() -> Iterator[str]:
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for minor in range(OLDEST_MINOR, _NEWEST_MINOR):
        if (program := shutil.which(f"python3.{minor}")) is not None:
            yield program
        yield from (str(path) for path in sorted(versions.glob(f"3.{minor}.*/bin/python3.{minor}")))


def _probe(program: str) -> Interpreter | None:
    """Return the interpreter if it runs and can make environments."""
    try:
        done = subprocess.run(  # noqa: S603 - the user's interpreters
            [program, "-I", "-c", _PROBE], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    numbers = done.stdout.split()
    if done.returncode or len(numbers) != 2 or numbers[0] != "3":
        return None
    return Interpreter(int(numbers[1]), program)
