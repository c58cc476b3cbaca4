"""The wheel of contract-watch in an empty environment, where its mock serves from an empty directory."""

import json
import os
import subprocess
import sysconfig
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.request import urlopen

from scripts.release.builds import ReleaseError

_TIMEOUT = 600
"""Seconds that one step may take: an installation fetches some forty packages."""
_REQUEST_TIMEOUT = 30
_LIBRARIES = "libraries.pth"


def verify_wheel(wheel: Path, python: Path, directory: Path, version: str, *, is_offline: bool) -> list[str]:
    """Install ``wheel`` in a new environment of ``python``, and ask the mock there; return the vendors that it serves.

    Without an index, ``is_offline``, the environment reads the libraries of this one.

    Raises:
        ReleaseError: a step fails.
    """
    _run([str(python), "-I", "-m", "venv", str(directory)], directory.parent)
    own = directory / "bin" / "python"
    pip = [str(own), "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if is_offline:
        _run([*pip, "--no-deps", "--no-index", str(wheel)], directory)
        (packages,) = directory.glob("lib/python*/site-packages")
        (packages / _LIBRARIES).write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    else:
        _run([*pip, str(wheel)], directory)
        _run([str(own), "-I", "-m", "pip", "check", "--disable-pip-version-check"], directory)
    said = _run([str(own), "-I", "-c", "import importlib.metadata as m; print(m.version('contract-watch'))"], directory)
    if said.strip() != version:
        raise ReleaseError(f"{wheel.name}: must be version {version}, got {said.strip()}")
    empty = directory / "empty"
    empty.mkdir()
    return _ask_mock([str(directory / "bin" / "contract-watch"), "mock", "--port", "0"], empty)


def _ask_mock(command: Sequence[str], directory: Path) -> list[str]:
    """Start the mock, send one request, and return the contracts that it names."""
    with subprocess.Popen(  # noqa: S603 - the wheel under test
        command, cwd=directory, env=_build_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        timer = threading.Timer(_REQUEST_TIMEOUT, process.kill)
        timer.start()
        try:
            assert process.stdout is not None
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith("rest "):
                    break
            else:
                raise ReleaseError(f"the installed mock did not start: {''.join(lines[-1:]).strip() or 'no output'}")
            health = f"http://{lines[-1].split()[1]}/__mock/health"
            with urlopen(health, timeout=_REQUEST_TIMEOUT) as response:
                served = json.load(response)["contracts"]
        except OSError as error:
            raise ReleaseError(f"the installed mock did not answer: {error}") from error
        finally:
            timer.cancel()
            process.kill()
    if not served:
        raise ReleaseError("the installed mock serves no contract")
    return [str(slug) for slug in served]


def _build_environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PIP_")) and name != "CONTRACTS"
    }


def _run(command: Sequence[str], directory: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - an environment of our own making
            command,
            cwd=directory,
            env=_build_environment(),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(f"{' '.join(command[2:5])} takes more than {_TIMEOUT} seconds") from error
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()
        reason = next((line for line in lines if line.startswith("ERROR")), lines[-1])
        raise ReleaseError(f"{' '.join(command[2:5])}: {reason}")
    return done.stdout
