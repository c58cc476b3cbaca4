"""Child processes of `make bench`: each is ended by whoever started it, and none sees a real key or a proxy."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from contract_watch.contracts.registry import ROOT, load_contracts

_START_TIMEOUT = 30.0
"""Seconds that a server may take until it listens."""
_RESPONSE_TIMEOUT = 10.0
"""Seconds that a server may take to answer a call of ours."""
_STOP_TIMEOUT = 5.0
"""Seconds that a process may take to end once asked."""


class BenchError(Exception):
    """Something that cannot be measured here; its text, one line, stands in the table instead of a figure."""


@dataclass(frozen=True)
class FinishedProcess:
    """A command that ran to its end: exit status, wall time in seconds, largest memory of a process of it in bytes."""

    status: int
    seconds: float
    peak_memory: int


def build_environment() -> dict[str, str]:
    """This process's environment without proxies and vendors' keys, so that test values are used everywhere."""
    keys = {credential.variable for contract in load_contracts().values() for credential in contract.credentials}
    kept = {n: v for n, v in os.environ.items() if n not in keys and not n.lower().endswith("_proxy")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "NO_COLOR": "1"}


@contextmanager
def _start_process(command: Sequence[str], cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``command`` as the leader of a process group of its own, which ends with the block; it says nothing."""
    try:
        process = subprocess.Popen(  # noqa: S603 - commands of our own making
            command, cwd=cwd, env=build_environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise BenchError(f"{Path(command[0]).name} does not start: {error.strerror}") from error
    try:
        yield process
    finally:
        _stop_process(process)


def _stop_process(process: "subprocess.Popen[bytes]") -> None:
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, wanted)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_TIMEOUT)


@contextmanager
def run_server(command: Sequence[str], port: int) -> Iterator[int]:
    """``command`` as a server that listens on ``port`` of loopback, until the block ends; gives the port."""
    name = Path(command[0]).name if command[0] != sys.executable else " ".join(command[1:3])
    with _start_process(command, ROOT) as process:
        limit = time.monotonic() + _START_TIMEOUT
        while not _is_listening(port):
            if process.poll() is not None:
                raise BenchError(f"{name} ended with status {process.returncode}")
            if time.monotonic() > limit:
                raise BenchError(f"{name} did not listen within {_START_TIMEOUT:.0f} s")
            time.sleep(0.05)
        if process.poll() is not None:
            raise BenchError(f"{name} ended, and something else listens on its port")
        yield port


def _is_listening(port: int) -> bool:
    with socket.socket() as tried:
        tried.settimeout(1.0)
        return tried.connect_ex(("127.0.0.1", port)) == 0


def send_request(port: int, method: str, path: str, body: str = "") -> str:
    """The answer's text to one call of ours to a server on ``port`` of loopback; a `BenchError` where it is no 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_RESPONSE_TIMEOUT)
    try:
        connection.request(method, path, body.encode())
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"the server does not answer: {error}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise BenchError(f"the server answers {method} {path} with {answer.status}")
    return text


def time_command(command: Sequence[str], limit: float, cwd: Path = ROOT, stop: Event | None = None) -> FinishedProcess:
    """Run ``command`` to its end, at most ``limit`` seconds, and no longer once ``stop`` is set (from another thread).

    Linux counts into a child's peak what its parent held when starting it, so this process is to stay small.
    """
    start = time.perf_counter()
    with _start_process(command, cwd) as process:
        while time.perf_counter() - start < limit and not (stop and stop.is_set()):
            found, status, usage = os.wait4(process.pid, os.WNOHANG)
            if found:
                process.returncode = os.waitstatus_to_exitcode(status)
                unit = 1 if sys.platform == "darwin" else 1024
                return FinishedProcess(process.returncode, time.perf_counter() - start, usage.ru_maxrss * unit)
            time.sleep(0.005)
    if stop and stop.is_set():
        raise BenchError("interrupted")
    raise BenchError(f"{' '.join(command[1:3])} took longer than {limit:.0f} s")
