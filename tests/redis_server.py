"""A real redis-server on a free port of the loopback, for as long as a test needs it."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

_START = 10.0
"""Seconds that the server may take to answer."""


@contextmanager
def redis_server(folder: Path, port: int = 0) -> Iterator[str]:
    """Gives its address; the test is skipped, and says so, where there is no redis-server."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed: sharing through Redis is not tested here")
    chosen = port or _free()
    command = [
        program,
        "--bind",
        "127.0.0.1",
        "--port",
        str(chosen),
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        str(folder),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 (Debian's)
    try:
        _wait(chosen, process)
        yield f"redis://127.0.0.1:{chosen}/0"
    finally:
        process.kill()
        process.wait()


def _free() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _START
    with redis.Redis(port=port, socket_connect_timeout=1) as client:
        while time.monotonic() < until and process.poll() is None:
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.02)  # between two looks, not for good
            else:
                return
    raise AssertionError("redis-server did not start")
