"""The commands that spread work over processes, as tests call them: each a process group of its own, which ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contract_watch.contracts.registry import ROOT

PATIENCE = 180.0
"""Seconds after which a command that still runs has failed its test."""
_KEYS = ("JETEMAIL_", "HYPOTHESIS_", "PYTEST_", "COV_")


@dataclass(frozen=True)
class Ended:
    """What a command left: exit status and output."""

    status: int
    out: str
    err: str


@contextmanager
def started(module: str, *arguments: str, cwd: Path = ROOT, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """``python -m module`` until the block ends, whatever becomes of it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_KEYS)}
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(  # noqa: S603 (our own)
        command, cwd=cwd, env={**kept, "PYTHONPATH": str(ROOT), **environment}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def end(process: "subprocess.Popen[str]") -> Ended:
    """Wait for its end."""
    out, err = process.communicate(timeout=PATIENCE)
    return Ended(process.returncode, out, err)


def command(module: str, *arguments: str, cwd: Path = ROOT, **environment: str) -> Ended:
    """Run ``python -m module`` to its end; ``environment`` is added to this process's, without its keys."""
    with started(module, *arguments, cwd=cwd, **environment) as process:
        return end(process)


def alone(group: int) -> bool:
    """Whether no process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def one_line_error(ended: Ended, *words: str, status: int = 3) -> None:
    """The command refused what it was asked, in one line that holds ``words``."""
    assert (ended.status, ended.out) == (status, ""), ended
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1, ended.err
    assert [word for word in words if word not in ended.err] == []
