"""A real redis-server on a free port of the loopback, for as long as a test needs it."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry


class RedisServer:
    """A server that can be killed and started again: on the same port, in the same folder, with the same ``options``.

    The test is skipped, and says so, where there is no redis-server.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("redis-server is not installed: sharing through Redis is not tested here")
        self.port = _free()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._command = [program, "--bind", "127.0.0.1", "--port", str(self.port), "--appendonly", "no", *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=subprocess.DEVNULL)  # noqa: S603 (Debian's)
        # The client itself asks again until it is answered, for ten seconds at most.
        patience = Retry(ConstantBackoff(0.02), 500, supported_errors=(redis.ConnectionError,))
        with redis.Redis(port=self.port, socket_connect_timeout=1, retry=patience) as client:
            try:
                client.ping()
            except redis.AuthenticationError:
                return  # it answers: it wants a password

    def kill(self) -> None:
        """End it at once, without a chance to save anything."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def restartable(folder: Path, *options: str) -> Iterator[RedisServer]:
    """A started server, which ends with the block."""
    server = RedisServer(folder, *options)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Gives the address of one that keeps nothing."""
    with restartable(folder, "--save", "") as server:
        yield server.url


def _free() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port
