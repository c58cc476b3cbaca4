"""The tools from npm that `make bench` compares with: installed once, as the lock file says, below ``.venv``."""

import json
import shutil
import subprocess
from pathlib import Path

from contract_watch.contracts.registry import ROOT
from scripts.bench.process import BenchError

_DIRECTORY = ROOT / ".venv" / "bench"
_INSTALL_TIMEOUT = 300.0
"""Seconds that npm may take."""


def install_node_tool(name: str) -> Path:
    """Install all tools, unless they are; return the path of the command ``name``.

    Raises:
        BenchError: Node.js or npm is missing, or npm fails.
    """
    source = Path(__file__).parent
    program, installed = _DIRECTORY / "node_modules" / ".bin" / name, _DIRECTORY / "installed.json"
    lock = (source / "package-lock.json").read_text(encoding="utf-8")
    if shutil.which("node") is None:
        raise BenchError("Node.js is not installed")
    if program.exists() and installed.exists() and installed.read_text(encoding="utf-8") == lock:
        return program
    npm = shutil.which("npm")
    if npm is None:
        raise BenchError("npm is not installed")
    command = [npm, "ci", "--ignore-scripts", "--omit-lockfile-registry-resolved", "--no-audit", "--no-fund"]
    try:
        shutil.rmtree(_DIRECTORY, ignore_errors=True)
        _DIRECTORY.mkdir(parents=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(source / file, _DIRECTORY / file)
        done = subprocess.run(  # noqa: S603 - a command of our own making
            command, cwd=_DIRECTORY, capture_output=True, timeout=_INSTALL_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"npm ci failed: {error}") from error
    if done.returncode or not program.exists():
        raise BenchError(f"npm ci ended with status {done.returncode}")
    installed.write_text(lock, encoding="utf-8")
    return program


def read_node_version(package: str) -> str:
    """Return the version of an installed package; empty if it is not installed."""
    packages = [*(_DIRECTORY / "node_modules").glob(f"@*/{package}/package.json")]
    try:
        return str(json.loads(packages[0].read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, IndexError):
        return ""
