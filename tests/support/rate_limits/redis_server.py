"""A real redis-server on a free loopback port."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contract_watch.addresses import find_free_port


class RedisServer:
    """Server that can be killed and restarted on the same port, in the same directory, with the same ``options``.

    The test is skipped with a reason if there is no redis-server.
    """

    def __init__(self, directory: Path, *options: str) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("redis-server is not installed: sharing through Redis is not tested here")
        self.port = find_free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = directory
        self._command = [program, "--bind", "127.0.0.1", "--port", str(self.port), "--appendonly", "no", *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it responds."""
        self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=subprocess.DEVNULL)  # noqa: S603 (Debian's)
        deadline = time.monotonic() + 10
        while not self._is_ready():
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.02)  # a port tells nobody when it opens

    def _is_ready(self) -> bool:
        """Return True if it responds, even with an error, and has loaded its data."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                response = connection.recv(100)
        except OSError:
            return False
        return response != b"" and not response.startswith(b"-LOADING")

    def kill(self) -> None:
        """Kill it without a chance to save anything."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def start_redis(directory: Path, *options: str) -> Iterator[RedisServer]:
    """Start a server that ends with the block."""
    server = RedisServer(directory, *options)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def serve_redis(directory: Path) -> Iterator[str]:
    """Yield the URL of a server without persistence."""
    with start_redis(directory, "--save", "") as server:
        yield server.url
