"""Every gRPC call ends after its deadline, also on a connection that the server floods and never reads."""

import json
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from threading import Thread

import pytest

from contract_watch.contracts.registry import ROOT
from tests.support.patience import PATIENCE

_CALLS = """
import json, sys
from contract_watch.contracts.registry import Contract
from contract_watch.engine.protocols import grpc_protocols
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.wire import TransportError

grpc_protocols.READ_TIMEOUT, grpc_protocols._GRACE_SECONDS = 0.3, 0.2
protocol = grpc_protocols.GrpcProtocol(Contract("zitadel"), sys.argv[1])
path = "/zitadel.admin.v1.AdminService/ListSMTPConfigs"
kinds = []
for _ in range(3):
    try:
        protocol.send(EncodedRequest("POST", f"http://{sys.argv[1]}{path}", {}, b"", "listSmtpConfigs", True, b""))
    except TransportError as error:
        kinds.append(error.kind)
protocol.close()
print(json.dumps(kinds))
"""
_SETTINGS, _PING = 4, 6


def _build_frame(kind: int, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content))[1:] + struct.pack(">BBI", kind, 0, 0) + content


def _flood(listener: socket.socket, frame: bytes) -> None:
    """Accept connections; after the first bytes of a client, send ``frame`` without end and read nothing more."""

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(64)
            connection.sendall(_build_frame(_SETTINGS))
            while True:
                connection.sendall(frame * 1000)

    with suppress(OSError):
        while True:
            Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


@pytest.mark.parametrize("frame", [_build_frame(_PING, bytes(8)), _build_frame(_SETTINGS)], ids=["PING", "SETTINGS"])
def test_a_flooded_connection_is_given_up(frame: bytes) -> None:
    """GRPC's own deadline does not end the second call on it; the run would wait for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=_flood, args=(listener, frame), daemon=True).start()
        command = [sys.executable, "-c", _CALLS, f"127.0.0.1:{listener.getsockname()[1]}"]
        ended = subprocess.run(  # noqa: S603 (our own)
            command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True
        )
    assert json.loads(ended.stdout) == ["silent"] * 3
