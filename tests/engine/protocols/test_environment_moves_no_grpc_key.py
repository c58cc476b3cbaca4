"""No variable of the environment chooses where gRPC's keys go, or whom it trusts."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from contract_watch.contracts.registry import ROOT
from contract_watch.engine.protocols.targets import validate_target
from contract_watch.errors import UsageError
from tests.support.patience import PATIENCE

_CALL = """
from contract_watch.contracts.registry import Contract
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.grpc_protocols import GrpcProtocol
from contract_watch.engine.protocols.wire import TransportError

protocol = GrpcProtocol(Contract("zitadel"), "127.0.0.1:9")
path = "/zitadel.admin.v1.AdminService/ListSMTPConfigs"
headers = {"authorization": "Bearer key"}
try:
    protocol.send(EncodedRequest("POST", f"http://127.0.0.1:9{path}", headers, b"", "listSmtpConfigs", True, b""))
except TransportError as error:
    print(error.kind)
"""


def test_a_proxy_of_the_environment_gets_nothing() -> None:
    """GRPC's core honours these variables even where its option for proxies is off."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def accept() -> None:
            connection, _ = proxy.accept()
            with connection:
                received.append(connection.recv(4096))

        Thread(target=accept, daemon=True).start()
        address = f"127.0.0.1:{proxy.getsockname()[1]}"
        variables = {
            "GRPC_ADDRESS_HTTP_PROXY": address,
            "GRPC_ADDRESS_HTTP_PROXY_ENABLED_ADDRESSES": "127.0.0.0/8",
            "grpc_proxy": f"http://{address}",
        }
        command = [sys.executable, "-c", _CALL]
        ended = subprocess.run(  # noqa: S603 (our own)
            command,
            cwd=ROOT,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
    assert ended.stdout.strip() == "refused", ended
    assert received == []


def test_authorities_of_the_environment_are_not_trusted(tmp_path: Path) -> None:
    """The roots are given to gRPC, and its variable for them is gone."""
    code = """
import os
from contract_watch.engine.protocols import grpc_protocols
import grpc
given = []
grpc.ssl_channel_credentials = lambda roots=None: given.append(roots)
grpc.secure_channel = lambda *arguments: None
from contract_watch.contracts.registry import Contract
grpc_protocols.GrpcProtocol(Contract("zitadel"), "127.0.0.1:9", secure=True)
print(given[0].count(b"BEGIN CERTIFICATE") > 10, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH" in os.environ)
"""
    environment = {**os.environ, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(tmp_path / "own-ca.pem")}
    command = [sys.executable, "-c", code]
    ended = subprocess.run(  # noqa: S603 (our own)
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert ended.stdout.strip() == "True False", ended


@pytest.mark.parametrize(
    "host",
    [
        "x%2ezitadel.cloud",
        "127%2e0%2e0%2e1",
        "a..b",
        ".localhost",
        f"{'a' * 64}.localhost",
        "zitadel。cloud",
        "a_b-.c",
        "[::1%25lo]",
    ],
)
@pytest.mark.parametrize("option", ["--target", "ZITADEL_URL"])
def test_a_host_that_libraries_read_differently_is_refused(host: str, option: str) -> None:
    """GRPC decodes percent signs, so a vendor's own server passed for another."""
    with pytest.raises(UsageError, match=option):
        validate_target(f"https://{host}:9", option)


def test_a_path_with_dots_is_refused() -> None:
    """The guard of a real account compares paths, and the client would shorten this one."""
    for path in ("/a/../b", "/a/%2e%2e/b", "/."):
        with pytest.raises(UsageError, match=r"without `\.`"):
            validate_target(f"https://127.0.0.1:9{path}")


@pytest.mark.parametrize(
    "target", ["http://[::1]:9", "https://mock_1.example-a.test.", "http://LOCALHOST:8025/v1", "https://1.2.3.4"]
)
def test_plain_hosts_are_accepted(target: str) -> None:
    """Names in Punycode, underscores and a final dot are plain."""
    assert validate_target(target) == target
