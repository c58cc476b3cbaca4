"""In a live run nothing leaves the process except through the gate."""

import asyncio
import os
import socket
import subprocess
import urllib.request
from collections.abc import Callable
from contextlib import closing

import httpx
import pytest
import requests

from contract_watch.engine.account.network_sandbox import SandboxViolationError, allow_connections, block_connections
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.wire import TransportError, Wire
from tests.support.loopback_server import LoopbackResponse, serve_app
from tests.support.patience import PATIENCE


def _connect_raw(port: int) -> None:
    with closing(socket.socket()) as connection:
        connection.connect(("127.0.0.1", port))


def _send_datagram(port: int) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as connection:
        connection.sendto(b"x", ("127.0.0.1", port))


async def _send_request(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    await writer.wait_closed()


WAYS_OUT: dict[str, Callable[[int], object]] = {
    "httpx": lambda port: httpx.get(f"http://127.0.0.1:{port}/", trust_env=False),
    "requests": lambda port: requests.get(f"http://127.0.0.1:{port}/", timeout=PATIENCE),
    "urllib": lambda port: urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE),
    "socket": _connect_raw,
    "datagram": _send_datagram,
    "asyncio": lambda port: asyncio.run(_send_request(port)),
    "name": lambda _port: socket.getaddrinfo("localhost", 80),
    "curl": lambda port: subprocess.run(["curl", f"http://127.0.0.1:{port}/"], check=True, capture_output=True),  # noqa: S603, S607 (must be blocked)
    "shell": lambda port: os.system(f"curl -s http://127.0.0.1:{port}/ > /dev/null"),  # noqa: S605 (must be blocked)
    "fork": lambda _port: os.fork(),
    "spawn": lambda _port: os.posix_spawn("/bin/true", ["true"], {}),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS_OUT)
def test_every_other_connection_is_blocked(name: str) -> None:
    """In the sandbox no library opens a connection, not even to the target, and no subprocess starts.

    Each attempt raises an error before anything is sent, and the report has a line about it.
    """
    with serve_app(lambda _asked: LoopbackResponse(200, {})) as server:
        with block_connections() as held, pytest.raises(Exception) as caught:  # noqa: PT011 (libraries put it into errors of their own)
            WAYS_OUT[name](server.server_port)
        assert _is_sandbox_error(caught.value), caught.value
        assert server.connections == 0
        assert len(held) == 1
        assert "blocked: " in next(iter(held))


def test_a_redirect_is_not_followed() -> None:
    """A target cannot send a run elsewhere: the redirect's server gets no connection."""
    with serve_app(lambda _asked: LoopbackResponse(200, {})) as elsewhere:
        away = {"Location": f"{elsewhere.url}/outbound/smarthost"}
        with serve_app(lambda _asked: LoopbackResponse(302, {}, headers=away)) as server, block_connections() as held:
            wire = Wire(server.url)
            with allow_connections():
                assert wire.send(EncodedRequest("GET", f"{server.url}/outbound/smarthost", {}, b"")).status == 302
                with pytest.raises(TransportError, match="was blocked"):
                    wire.send(EncodedRequest("GET", f"{elsewhere.url}/outbound/smarthost", {}, b""))
            wire.close()
            assert held == {}
        assert elsewhere.connections == 0


def test_the_gate_s_own_connection_is_allowed_for_its_thread() -> None:
    """A connection inside `allow_connections` succeeds; one outside it fails."""
    with serve_app(lambda _asked: LoopbackResponse(200, {})) as server, block_connections():
        with allow_connections():
            assert httpx.get(f"http://127.0.0.1:{server.server_port}/", trust_env=False).status_code == 200
        with pytest.raises(SandboxViolationError):
            _connect_raw(server.server_port)


def test_nothing_is_blocked_where_no_real_account_is_asked() -> None:
    """After the sandbox has ended, connections and subprocesses work again."""
    with serve_app(lambda _asked: LoopbackResponse(200, {})) as server:
        with block_connections():
            pass
        assert httpx.get(f"http://127.0.0.1:{server.server_port}/", trust_env=False).status_code == 200
        assert subprocess.run(["true"], check=False).returncode == 0  # noqa: S607 (any program)


def _is_sandbox_error(error: BaseException | None) -> bool:
    """Return True if an error, or its cause, is the sandbox's."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, SandboxViolationError) or "blocked: " in str(error):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__ or getattr(error, "reason", None)
    return False
