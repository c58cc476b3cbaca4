"""A real redis-server on a free port of the loopback, for as long as a test needs it."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contract_watch.net import find_free_port


class RedisServer:
    """A server that can be killed and started again: on the same port, in the same folder, with the same ``options``.

    The test is skipped, and says so, where there is no redis-server.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("redis-server is not installed: sharing through Redis is not tested here")
        self.port = find_free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._command = [program, "--bind", "127.0.0.1", "--port", str(self.port), "--appendonly", "no", *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=subprocess.DEVNULL)  # noqa: S603 (Debian's)
        deadline = time.monotonic() + 10
        while not self._is_ready():
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.02)  # a port tells nobody when it opens

    def _is_ready(self) -> bool:
        """Whether it answers, be it with a refusal, and has read what it saved."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                line.sendall(b"PING\r\n")
                answer = line.recv(100)
        except OSError:
            return False
        return answer != b"" and not answer.startswith(b"-LOADING")

    def kill(self) -> None:
        """End it at once, without a chance to save anything."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def start_redis(folder: Path, *options: str) -> Iterator[RedisServer]:
    """A started server, which ends with the block."""
    server = RedisServer(folder, *options)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def serve_redis(folder: Path) -> Iterator[str]:
    """Gives the address of one that keeps nothing."""
    with start_redis(folder, "--save", "") as server:
        yield server.url
