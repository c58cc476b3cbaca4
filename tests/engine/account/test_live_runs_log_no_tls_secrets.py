"""No live run writes TLS secrets to the file that SSLKEYLOGFILE names: with them, recorded traffic shows the key."""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_watch import net
from contract_watch.engine.command.live_run import LiveRun
from contract_watch.engine.command.options import complete_settings, resolve_options
from tests.support.suite_process import check_target

LABEL = "TRAFFIC_SECRET"


class TlsServer:
    """A server that makes TLS connections on loopback and counts them; nobody trusts its certificate."""

    def __init__(self, context: ssl.SSLContext, listener: socket.socket) -> None:
        self._context, self._listener = context, listener
        self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        self.connections = 0

    def serve(self) -> None:
        """Make connections until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                # A client that does not trust the certificate hangs up, after both know the secrets of the handshake.
                with (
                    connection,
                    contextlib.suppress(OSError),
                    self._context.wrap_socket(connection, server_side=True) as tls,
                ):
                    tls.recv(65536)


@pytest.fixture(name="tls_server")
def _tls_server(tmp_path: Path) -> Iterator[TlsServer]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
               "-keyout", str(key), "-out", str(certificate)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 (our own)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = TlsServer(context, listener)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_live_run_writes_no_secrets_of_its_connections(tls_server: TlsServer, tmp_path: Path) -> None:
    """The run connects over TLS with SSLKEYLOGFILE set; the file is not even created."""
    log = tmp_path / "secrets.log"
    environment = {"SSLKEYLOGFILE": str(log), "LEDGER": str(tmp_path / "ledger")}
    result = check_target(tmp_path / "run", f"https://{tls_server.address}", "--live", "read", environment=environment)
    assert (result.status, result.report["verdict"]) == (2, "inconclusive"), result
    assert "no trusted TLS connection" in result.report["reason"]
    assert tls_server.connections > 0
    assert not log.exists()


def test_the_server_of_the_test_shows_secrets(
    tls_server: TlsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A context of Python's own writes them to the file, though the certificate is not trusted."""
    log = tmp_path / "secrets.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    host, _, port = tls_server.address.partition(":")
    with socket.create_connection((host, int(port))) as connection, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(connection, server_hostname=host)
    assert LABEL in log.read_text(encoding="utf-8")


def test_our_context_is_the_usual_one_without_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It checks certificate and name as Python's own context does, trusts the same authorities, and has no log."""
    net._load_tls_context.cache_clear()  # noqa: SLF001 (an earlier test may have loaded it)
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "secrets.log"))
    ours = net.get_tls_context("https://example.com")
    assert ours.keylog_filename is None
    monkeypatch.delenv("SSLKEYLOGFILE")
    usual = net.httpx.create_ssl_context(trust_env=False)
    for attribute in ("verify_mode", "verify_flags", "check_hostname", "minimum_version", "options"):
        assert getattr(ours, attribute) == getattr(usual, attribute)
    assert ours.get_ca_certs() == usual.get_ca_certs()
    assert not (tmp_path / "secrets.log").exists()


def test_no_library_of_a_live_run_finds_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client of the shared rate limiter makes a context of its own, so a live run forgets the variable."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "secrets.log"))
    given = complete_settings({"vendor": "jetemail", "target": "http://127.0.0.1:1", "out": str(tmp_path)})
    LiveRun(resolve_options(given, {}))
    assert "SSLKEYLOGFILE" in os.environ
    live = LiveRun(resolve_options({**given, "live": "read"}, {"LEDGER": str(tmp_path / "ledger")}))
    live.finish({})
    assert "SSLKEYLOGFILE" not in os.environ
