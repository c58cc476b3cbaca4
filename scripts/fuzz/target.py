"""The mock in a process of its own, which fuzzing sends bytes to and looks for damage in."""

import re
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

import httpx

from contract_watch.contracts.registry import ROOT
from scripts.bench.process import build_environment
from scripts.fuzz.objects import find_lost_objects

MAX_MEMORY = 600 * 1024 * 1024
"""Bytes of memory that the mock may ever have had."""
_ANSWER_TIMEOUT = 30.0
_QUIET_SECONDS = 0.15
"""Seconds without a byte after which the responses to a batch are complete: a mock that waits for more sends none."""
_MAX_BATCH_SECONDS = 20.0
_MAX_LOOKS = 5
"""Times that the mock is asked for objects before they are lost."""
_CRASH = re.compile(rb"HTTP/1\.1 500 [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\nInternal Server Error")


class FuzzTarget:
    """A running mock."""

    def __init__(
        self, process: subprocess.Popen[str], addresses: Mapping[str, str], errors: IO[str], vendors: Sequence[str] = ()
    ) -> None:
        self._process, self._errors, self._vendors = process, errors, vendors
        self.rest, self.grpc = addresses["rest"], addresses["grpc"]
        self._client = httpx.Client(base_url=f"http://{self.rest}", timeout=_ANSWER_TIMEOUT, trust_env=False)
        self._interpretations = self._client.get("/__mock/interpretations").raise_for_status().content

    def close(self) -> None:
        """Close the connections to it."""
        self._client.close()

    def send(self, address: str, batch: Sequence[bytes]) -> str:
        """Send each input of ``batch`` on a connection of its own, all at once; return the damage that responses show."""
        host, _, port = address.rpartition(":")
        received: dict[socket.socket, bytearray] = {}
        try:
            for content in batch:
                connection = socket.create_connection((host, int(port)), timeout=_ANSWER_TIMEOUT)
                received[connection] = bytearray()
                with suppress(OSError):  # a mock that refuses may close before it has read everything
                    connection.sendall(content)
            _receive(received)
        except OSError as error:
            # Native gRPC starts again after some inputs, once their connections end: `find_damage` waits for that.
            if address != self.grpc or not isinstance(error, ConnectionError):
                return f"the mock accepts no connection ({error.strerror or type(error).__name__})"
        finally:
            for connection in received:
                connection.close()
        crashed = next((number for number, content in enumerate(received.values()) if _CRASH.search(content)), None)
        return "" if crashed is None else f"input {crashed} of the batch was answered 500"

    def _find_lost_objects(self) -> str:
        """Return the first object that a mock without any loses each time; empty if it keeps them all once.

        A busy machine may still be at requests of the batch, which create, remove or delay others for a moment.
        """
        lost = ""
        for _ in range(_MAX_LOOKS):
            self.reset()
            lost = find_lost_objects(self._client, self._vendors)
            if not lost:
                break
        return lost

    def find_damage(self) -> str:
        """Return the damage to the mock, in one line; empty if there is none."""
        try:
            self._client.delete("/__mock/faults").raise_for_status()
            self._client.get("/__mock/health").raise_for_status()
            state = self._client.get("/__mock/state").raise_for_status().json()
            self._client.get("/__mock/calls").raise_for_status().json()
            if lost := self._find_lost_objects():
                return lost
        except (httpx.HTTPError, ValueError) as error:
            ended = "" if self._process.poll() is None else f"; it ended with status {self._process.returncode}"
            return f"the mock does not answer its controls ({type(error).__name__}){ended}"
        if not isinstance(state, dict) or not state:
            return "the state is no object with vendors"
        if self.grpc:
            host, _, port = self.grpc.rpartition(":")
            try:
                _wait_for_settings(host, int(port))
            except OSError as error:
                return f"native gRPC does not answer ({type(error).__name__})"
        self._errors.seek(0)
        if lines := [line for line in self._errors if line.strip()]:
            return f"the mock wrote to stderr: {lines[-1].strip()}"
        memory = _measure_memory(self._process.pid)
        return f"the mock took {memory // 1024**2} MB of memory" if memory > MAX_MEMORY else ""

    def reset(self) -> None:
        """Empty state, snapshots and journal, and bring back interpretations and clock."""
        with suppress(httpx.HTTPError):
            self._client.delete("/__mock/faults")
            self._client.put("/__mock/interpretations", content=self._interpretations)
            for one in self._client.get("/__mock/snapshots").raise_for_status().json():
                self._client.delete(f"/__mock/snapshots/{one['name']}")
            for name in ("state", "clock", "calls"):
                self._client.delete(f"/__mock/{name}")


@contextmanager
def start_target(vendors: Sequence[str] = ()) -> Iterator[FuzzTarget]:
    """Start a mock of ``vendors`` (none: all), and end it after the block."""
    command = [sys.executable, "-m", "contract_watch.mock", "--port", "0", "--host", "127.0.0.1", *vendors]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        subprocess.Popen(  # noqa: S603 (our own command)
            command, cwd=ROOT, env=build_environment(), stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            addresses = {"rest": "", "grpc": ""}
            for line in process.stdout:
                name, _, address = line.strip().partition(" ")
                if name in addresses:
                    addresses[name] = address
                if line.startswith("controls:"):
                    break
            with closing(FuzzTarget(process, addresses, errors, vendors)) as target:
                yield target
        finally:
            process.kill()


def _receive(received: dict[socket.socket, bytearray]) -> None:
    """Read from all connections until they end, or until nothing comes any more."""
    waiting = set(received)
    until = time.monotonic() + _MAX_BATCH_SECONDS
    while waiting and time.monotonic() < until:
        readable, _, _ = select.select(list(waiting), [], [], _QUIET_SECONDS)
        if not readable:
            return
        for connection in readable:
            try:
                more = connection.recv(65536)
            except OSError:
                more = b""
            received[connection] += more
            if not more:
                waiting.discard(connection)


def _wait_for_settings(host: str, port: int) -> None:
    """Wait for the first frame of an HTTP/2 server; one that starts again is tried until it listens."""
    until = time.monotonic() + _ANSWER_TIMEOUT
    while True:
        try:
            with socket.create_connection((host, port), timeout=_ANSWER_TIMEOUT) as connection:
                if connection.recv(1):
                    return
        except ConnectionError:
            if time.monotonic() > until:
                raise
        if time.monotonic() > until:
            raise TimeoutError


def _measure_memory(pid: int) -> int:
    """Return the most memory that a process has had, in bytes; 0 where the system does not say."""
    status = Path(f"/proc/{pid}/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii")) if status.exists() else None
    return 0 if found is None else int(found[1]) * 1024
