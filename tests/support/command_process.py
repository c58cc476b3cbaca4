"""Commands that distribute work over processes, each in a process group of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contract_watch.contracts.registry import ROOT
from tests.support.patience import PATIENCE

_DROPPED_VARIABLES = ("JETEMAIL_", "HYPOTHESIS_", "PYTEST_", "COV_")


@dataclass(frozen=True)
class CommandResult:
    """Exit status and output of a command."""

    status: int
    out: str
    err: str


@contextmanager
def start_command(
    module: str, *arguments: str, cwd: Path = ROOT, **environment: str
) -> Iterator["subprocess.Popen[str]"]:
    """Start ``python -m module``; kill its group at the end of the block."""
    with start_process([module, *arguments], environment, cwd) as process:
        yield process


@contextmanager
def start_process(
    arguments: Sequence[str], environment: Mapping[str, str], cwd: Path = ROOT, stderr: int = subprocess.PIPE
) -> Iterator["subprocess.Popen[str]"]:
    """Start ``python -m`` with ``arguments`` and standard error at ``stderr``, a descriptor, as `start_command` does."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED_VARIABLES)}
    process = subprocess.Popen(  # noqa: S603 (our own)
        [sys.executable, "-m", *arguments], cwd=cwd, env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        text=True, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for_exit(process: "subprocess.Popen[str]") -> CommandResult:
    """Wait for the command's end."""
    out, err = process.communicate(timeout=PATIENCE)
    return CommandResult(process.returncode, out, err or "")


def run_command(module: str, *arguments: str, cwd: Path = ROOT, **environment: str) -> CommandResult:
    """Run ``python -m module`` to its end; ``environment`` is added to this process's, without its keys."""
    with start_command(module, *arguments, cwd=cwd, **environment) as process:
        return wait_for_exit(process)


def is_group_empty(group: int) -> bool:
    """Return True if no process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def assert_one_line_error(result: CommandResult, *fragments: str, status: int = 3) -> None:
    """Assert that the command rejected its arguments in one line that contains ``words``."""
    assert (result.status, result.out) == (status, ""), result
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1, result.err
    assert [word for word in fragments if word not in result.err] == []
