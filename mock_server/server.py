"""The mock as a running server: in a thread for tests, in its own process for ``python -m mock_server``."""

import os
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from contracts.catalogue import Contract, contracts
from contracts.errors import UsageError
from mock_server.app import Mock
from mock_server.vendor import Vendor

_START_TIMEOUT = 10.0


class Protocol(HttpToolsProtocol):
    """uvicorn's own protocol, which also lends the connection to scripted faults: ASGI cannot break one."""

    def on_message_begin(self) -> None:
        """See HttpToolsProtocol."""
        super().on_message_begin()
        self.scope["extensions"] = {"mock.connection": {"transport": self.transport}}


def build(
    chosen: Sequence[Contract], environment: Mapping[str, str] | None = None, readings: Mapping[str, str] | None = None
) -> Mock:
    """A mock of ``chosen``, with keys from ``environment`` (the process's own by default)."""
    environment = os.environ if environment is None else environment
    return Mock([Vendor(contract, environment, readings or {}) for contract in chosen], environment)


def listen(port: int, host: str = "127.0.0.1") -> socket.socket:
    """A socket bound to ``port`` on loopback (0: a free one); a `UsageError` where it is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"port {port} on {host} cannot be used ({reason}): choose another with PORT=") from error
    return bound


def config(mock: ASGIApp) -> uvicorn.Config:
    """How the mock is served."""
    return uvicorn.Config(
        mock,
        http=Protocol,
        loop="uvloop",
        lifespan="off",
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        date_header=True,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )


class _Server(uvicorn.Server):
    """A server that says in a thread-safe way when it is ready; signals are its owner's business."""

    def __init__(self, served: uvicorn.Config) -> None:
        super().__init__(served)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def running(mock: ASGIApp) -> Iterator[str]:
    """Serve ``mock`` in a thread on a free port of loopback; gives its address, ``http://127.0.0.1:port``."""
    bound = listen(0)
    server = _Server(config(mock))
    thread = threading.Thread(target=server.run, args=([bound],), name="mock", daemon=True)
    thread.start()
    try:
        if not server.ready.wait(_START_TIMEOUT):
            raise RuntimeError("the mock did not start")
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(_START_TIMEOUT)
        bound.close()


def serve(port: int, readings: Mapping[str, str] | None = None) -> None:
    """Serve every contract on ``port`` until interrupted; prints the address and the test credentials first."""
    chosen = list(contracts().values())
    mock = build(chosen, readings=readings)
    bound = listen(port)
    print(f"rest http://127.0.0.1:{bound.getsockname()[1]}", flush=True)
    for contract in chosen:
        for credential in contract.credentials:
            given = os.environ.get(credential.variable)
            shown = f"{credential.test} (the test value)" if not given else f"as ${credential.variable} says"
            print(f"{contract.slug} {credential.variable}: {shown}, {credential.about}", flush=True)
    print("controls below /__mock/: health, state, calls, faults, readings. Stop with Ctrl-C.", flush=True)
    uvicorn.Server(config(mock)).run([bound])
