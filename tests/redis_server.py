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


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Gives its address; the test is skipped, and says so, where there is no redis-server."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed: sharing through Redis is not tested here")
    port = _free()
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)  # noqa: S603 (Debian's)
    try:
        # The client itself asks again until it is answered, for ten seconds at most.
        patience = Retry(ConstantBackoff(0.02), 500, supported_errors=(redis.ConnectionError,))
        with redis.Redis(port=port, socket_connect_timeout=1, retry=patience) as client:
            client.ping()
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


def _free() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port
