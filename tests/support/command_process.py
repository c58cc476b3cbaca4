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
_DROPPED_VARIABLES = ("JETEMAIL_", "HYPOTHESIS_", "PYTEST_", "COV_")


@dataclass(frozen=True)
class CommandResult:
    """What a command left: exit status and output."""

    status: int
    out: str
    err: str


@contextmanager
def start_command(
    module: str, *arguments: str, cwd: Path = ROOT, **environment: str
) -> Iterator["subprocess.Popen[str]"]:
    """``python -m module`` until the block ends, whatever becomes of it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED_VARIABLES)}
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


def wait_for_exit(process: "subprocess.Popen[str]") -> CommandResult:
    """Wait for its end."""
    out, err = process.communicate(timeout=PATIENCE)
    return CommandResult(process.returncode, out, err)


def run_command(module: str, *arguments: str, cwd: Path = ROOT, **environment: str) -> CommandResult:
    """Run ``python -m module`` to its end; ``environment`` is added to this process's, without its keys."""
    with start_command(module, *arguments, cwd=cwd, **environment) as process:
        return wait_for_exit(process)


def is_group_empty(group: int) -> bool:
    """Whether no process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def assert_one_line_error(result: CommandResult, *fragments: str, status: int = 3) -> None:
    """The command refused what it was asked, in one line that holds ``words``."""
    assert (result.status, result.out) == (status, ""), result
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1, result.err
    assert [word for word in fragments if word not in result.err] == []
