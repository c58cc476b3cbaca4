"""Thousands of calls against every fault end as they should and leave nothing behind: `make soak` in small.

The soak runs in a process of its own, whose figures and logs are not those of pytest.
"""

import subprocess
import sys

import pytest

from contract_watch.contracts.registry import ROOT
from scripts.soak.faults import FAULTS
from scripts.soak_clients import main
from tests.support.clients.doors import PACKAGES
from tests.support.command_process import run_command
from tests.support.patience import PATIENCE


def test_two_thousand_calls_end_in_results_and_errors() -> None:
    """Every call ends in a typed result or the right `APIError`; nothing leaks, and no log shows a secret."""
    done = run_command("scripts.soak_clients", "--calls", "2000")
    assert (done.status, done.err) == (0, ""), done.out + done.err
    assert done.out.startswith("2,000 calls (1,000 sync, 1,000 async), 50 at a time, in ")
    rows = {line[:28].strip(): line[28:].split() for line in done.out.splitlines()}
    assert [fault for fault in FAULTS if int(rows[fault][0].replace(",", "")) == 0] == []
    assert rows["open connections (server)"][1:] == ["0", "0"]
    assert int(rows["log lines at DEBUG"][0].replace(",", "")) > 10_000


BROKEN = """
import socket
import sys
from urllib.parse import urlsplit
from scripts.soak import driver
from scripts.soak_clients import main
from scripts.soak.client_packages import load_client_packages

package = load_client_packages()[0]
http, session = package.load("_http"), package.load("_session")
driver._WARM_UP, driver._SETTLE = 100, 0.2
send, leaked = http.SyncSender.send, []

def log_key(self, prepared, timeout):
    session._log.debug("sending %r", prepared.headers)
    return send(self, prepared, timeout)

def leave_open(self):
    server = urlsplit(self._connection.url)
    leaked.append((self._transport, socket.create_connection((server.hostname, server.port))))
    self._transport = None

def surface(*_):
    raise KeyError("surfaced")

http.SyncSender.send, http.SyncSender.close, session.read_success = log_key, leave_open, surface
sys.exit(main(["--calls", "400"]))
"""


def test_what_goes_wrong_is_found() -> None:
    """A client that leaks connections, logs its key and surfaces a KeyError fails the soak, with a line for each."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", BROKEN], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 1, done.stderr
    assert f"the logger {PACKAGES[0].name} shows a secret" in done.stdout
    assert "none: KeyError surfaced" in done.stdout
    assert "x connections: " in done.stdout
    assert "x descriptors: " in done.stdout


def test_too_few_calls_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A soak has at least 100 calls."""
    assert main(["--calls", "99"]) == 3
    assert "--calls must be a whole number from 100" in capsys.readouterr().err
