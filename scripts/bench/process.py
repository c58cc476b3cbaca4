"""Child processes of `make bench`: each ends with its block, and none gets a real key or a proxy."""

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
"""Seconds that a server may take to listen."""
_RESPONSE_TIMEOUT = 10.0
"""Seconds that a server may take to respond."""
_MAX_RESPONSE_BYTES = 8 * 1024 * 1024
_STOP_TIMEOUT = 5.0
"""Seconds that a process may take to end after a signal."""


class BenchError(Exception):
    """A failed measurement; the message, one line, replaces the figure in the table."""


@dataclass(frozen=True)
class FinishedProcess:
    """A finished command: exit status, wall time in seconds, largest memory of one of its processes in bytes."""

    status: int
    seconds: float
    peak_memory: int


def build_environment() -> dict[str, str]:
    """Return the environment without proxies and vendors' keys, so that every process uses test keys."""
    keys = {credential.variable for contract in load_contracts().values() for credential in contract.credentials}
    safe = {n: v for n, v in os.environ.items() if n not in keys and not n.lower().endswith("_proxy")}
    return {**safe, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "NO_COLOR": "1"}


@contextmanager
def _start_process(command: Sequence[str], cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start ``command`` without output as the leader of a process group, which ends with the block."""
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
    """Run ``command`` as a server on ``port`` of loopback until the block ends; yield the port."""
    with run_measured_server(command, port):
        yield port


@contextmanager
def run_measured_server(command: Sequence[str], port: int) -> Iterator[int]:
    """Run ``command`` as a server on ``port`` of loopback until the block ends; yield the id of its process."""
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
        yield process.pid


def read_resident_memory(pid: int, *, peak: bool = False) -> int:
    """Return the memory of a process that is in RAM now, or the most since `reset_peak_memory`, in bytes.

    Raises:
        BenchError: the system does not tell it, or the process has ended.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError as error:
        raise BenchError(f"the memory of process {pid} cannot be read: {error.strerror}") from error
    found = next((line.split()[1] for line in lines if line.startswith("VmHWM:" if peak else "VmRSS:")), None)
    if found is None:
        raise BenchError(f"the memory of process {pid} cannot be read: it has ended")
    return int(found) * 1024


def reset_peak_memory(pid: int) -> None:
    """Let the peak of a process's memory be the memory that it has now.

    Raises:
        BenchError: the system does not allow it, or the process has ended.
    """
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    except OSError as error:
        raise BenchError(f"the peak of process {pid} cannot be reset: {error.strerror}") from error


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def send_request(port: int, method: str, path: str, body: str = "") -> str:
    """Send a request to a server on ``port`` of loopback and return the body.

    Raises:
        BenchError: the server does not respond with 200.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_RESPONSE_TIMEOUT)
    try:
        connection.request(method, path, body.encode())
        response = connection.getresponse()
        text = response.read(_MAX_RESPONSE_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"the server does not respond: {error}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise BenchError(f"the server responds to {method} {path} with {response.status}")
    return text


def time_command(command: Sequence[str], limit: float, cwd: Path = ROOT, stop: Event | None = None) -> FinishedProcess:
    """Run ``command`` for at most ``limit`` seconds, or until another thread sets ``stop``.

    Linux includes the memory of the parent at the start in the child's peak, so this process has to stay small.
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
