"""One module makes the connections of the suite and of fetches, and neither can get in the other's way."""

import ast
import ssl
import threading
import time
from pathlib import Path

import httpcore
import pytest

from contract_watch import net
from contract_watch.addresses import is_loopback
from contract_watch.engine.account.network_sandbox import SandboxViolationError, allow_connections, block_connections
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.wire import Wire
from tests.support.loopback_server import LoopbackResponse, serve_app

ROOT = Path(__file__).parents[1]


def test_only_net_imports_httpcore() -> None:
    """No other module builds connections of its own, on which its own deadlines would hold."""
    importing = set()
    paths = (ROOT / "contract_watch").rglob("*.py")
    for path in (one for one in paths if one.parent.name != "client_runtime"):  # a part of the generated clients
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "httpcore" for name in names):
                importing.add(path.relative_to(ROOT).as_posix())
    assert importing == {"contract_watch/net.py"}


def test_a_guarded_request_uses_its_own_thread_alone() -> None:
    """A live run's network sandbox allows connections thread by thread, so the suite looks names up in its own."""
    with serve_app(lambda _request: LoopbackResponse(200, {})) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        wire = Wire(url)
        before = threading.active_count()
        with block_connections() as violations, allow_connections():
            assert wire.send(EncodedRequest("GET", url, {}, b"")).status == 200
        wire.close()
        assert violations == {}
        assert threading.active_count() <= before + 1  # the server's own thread for the connection


def test_a_bounded_lookup_is_not_for_live_runs() -> None:
    """The look-up that has a deadline runs in another thread, which the network sandbox blocks."""
    backend = net.DeadlineBackend(net.Deadline(5.0), bounded_lookup=True)
    with block_connections() as violations, allow_connections(), pytest.raises(httpcore.ConnectError) as caught:
        backend.connect_tcp("localhost", 9)
    assert isinstance(caught.value.__cause__, SandboxViolationError)
    assert len(violations) == 1


@pytest.mark.parametrize("bounded_lookup", [False, True])
def test_one_deadline_holds_for_every_step(*, bounded_lookup: bool) -> None:
    """A deadline that has passed ends reading and writing, and a restart allows both again."""
    deadline = net.Deadline(5.0)
    with serve_app(lambda _request: LoopbackResponse(200, {})) as server:
        stream = net.DeadlineBackend(deadline, bounded_lookup=bounded_lookup).connect_tcp(
            "127.0.0.1", server.server_port, 5.0
        )
        deadline.restart(0.0)
        for step in (lambda: stream.write(b"GET"), lambda: stream.read(1)):
            with pytest.raises(httpcore.ReadTimeout):
                step()
        deadline.restart(5.0)
        stream.write(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        assert stream.read(100).startswith(b"HTTP/1.1 200")
        stream.close()


def test_a_step_has_no_more_than_its_own_timeout() -> None:
    """A step takes the shorter of its time-out and the rest of the deadline."""
    deadline = net.Deadline(100.0)
    assert deadline.compute_remaining(3.0) == 3.0
    assert 99.0 < deadline.compute_remaining(None) <= 100.0
    assert 99.0 < deadline.compute_remaining(1000.0) <= 100.0


def test_certificates_are_read_for_https_alone() -> None:
    """Reading certificates costs more than a run of probes needs to connect to a server on plain HTTP."""
    began = time.thread_time()
    plain = net.get_tls_context("http://127.0.0.1:8025")
    assert time.thread_time() - began < 0.02
    assert plain.get_ca_certs() == []
    assert plain.verify_mode is ssl.CERT_REQUIRED
    checked = net.get_tls_context("https://example.com")
    assert checked.verify_mode is ssl.CERT_REQUIRED
    assert checked.check_hostname
    assert checked is net.get_tls_context("HTTPS://other.example")


@pytest.mark.parametrize(
    ("host", "expected", "strict"),
    [
        ("127.0.0.1", True, True),
        ("127.9.9.9", True, True),
        ("::1", True, True),
        ("localhost", True, True),
        ("mail.localhost", True, False),
        ("localhost.example.com", False, False),
        ("128.0.0.1", False, False),
        ("", False, False),
    ],
)
def test_loopback_is_this_machine(host: str, *, expected: bool, strict: bool) -> None:
    """Names below .localhost are this machine for test keys, but not for documents fetched over plain HTTP."""
    assert is_loopback(host) is expected
    assert is_loopback(host, strict=True) is strict
