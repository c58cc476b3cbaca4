"""Clients that are slow, many or never done cost the mock little, and others are served meanwhile."""

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from contract_watch.contracts.protobuf import MessageCodec
from contract_watch.contracts.registry import ROOT, Contract, load_contracts
from contract_watch.mock import protocol
from contract_watch.mock.app import Mock
from contract_watch.mock.grpc import native
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.patience import PATIENCE
from tests.support.raw_http import RawResponses, connect, exchange
from tests.support.suite_process import PAID_KEY

PATH = "/outbound/smarthost"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {PAID_KEY}\r\n".encode()
LIST = HEAD.replace(b"POST", b"GET") + b"\r\n"
CREATE = HEAD + b'Content-Length: 17\r\n\r\n{"username": "a"}'
WHOLE = LIST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
# What a slow client has sent when it stops, with the status that ends its connection; None: it is ended without one.
UNFINISHED = {
    "nothing": (b"", None),
    "a line break": (b"\r\n", None),
    "a method": (b"GE", 408),
    "half a request line": (b"GET /outbound", 408),
    "half the headers": (HEAD, 408),
    "no body": (HEAD + b"Content-Length: 17\r\n\r\n", 408),
    "half a body": (HEAD + b"Content-Length: 17\r\n\r\n" + b'{"username"', 408),
    "a body without its last byte": (CREATE[:-1], 408),
    "half a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b'11\r\n{"username"', 408),
    "no last chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b'11\r\n{"username": "a"}\r\n', 408),
    "half a trailer": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b'11\r\n{"username": "a"}\r\n0\r\nX: y', 408),
    "the rest of 100 MB": (HEAD + b"Content-Length: 104857600\r\n\r\n" + b" " * 9_000_000, 413),
    "half a control": (b"DELETE /__mock/state HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\n", 408),
}


@pytest.fixture(name="mock")
def _mock(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Mock, str]]:
    """Serve all vendors to clients that have little time."""
    monkeypatch.setattr(protocol, "CLIENT_TIMEOUT", 0.2)
    monkeypatch.setattr(native, "CLIENT_TIMEOUT", 0.2)
    mock = build_mock(list(load_contracts().values()), {})
    with run_in_thread(mock) as base:
        yield mock, base


@pytest.mark.parametrize("what", UNFINISHED)
def test_an_unfinished_request_ends_its_connection(mock: tuple[Mock, str], what: str) -> None:
    """A client has a minute for a whole request; then it gets 408 and is hung up on, and nothing was carried out."""
    content, status = UNFINISHED[what]
    received = exchange(mock[1], content)
    assert received.statuses == ([] if status is None else [status])
    assert exchange(mock[1], WHOLE).content.endswith(b'"smarthosts":[]}')


def test_an_idle_connection_is_ended(mock: tuple[Mock, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is kept for another request is closed after a while without one."""
    monkeypatch.setattr(protocol, "IDLE_TIMEOUT", 0.2)
    assert exchange(mock[1], LIST).statuses == [200]


def test_an_answered_request_is_no_excuse(mock: tuple[Mock, str]) -> None:
    """After a whole request the next one has its time too, and earlier responses come first."""
    received = exchange(mock[1], CREATE + LIST + CREATE[:-1])
    assert received.statuses == [200, 200, 408]


def test_line_breaks_do_not_hold_a_connection(mock: tuple[Mock, str]) -> None:
    """A client that sends a blank line now and then owes a request all the same."""
    with connect(mock[1]) as connection:
        connection.settimeout(0.01)
        connection.sendall(LIST)
        received = bytearray()
        while True:
            try:
                more = connection.recv(65536)
                if not more:
                    break
                received += more
            except TimeoutError:
                with contextlib.suppress(OSError):
                    connection.sendall(b"\r\n")
            except ConnectionResetError:
                break
    assert RawResponses(bytes(received)).statuses[0] == 200


def test_a_slow_fault_is_no_slow_client(mock: tuple[Mock, str]) -> None:
    """A response that the mock itself delays beyond the limit is delivered, and so are the requests behind it."""
    fault = {"operation": "listSmtpUsers", "times": 1, "delay": 1.5}
    httpx.post(f"{mock[1]}/__mock/faults", json=fault, timeout=PATIENCE).raise_for_status()
    assert exchange(mock[1], LIST + CREATE + WHOLE).statuses == [200, 200, 200]


def test_a_client_that_reads_nothing_is_cut_off(mock: tuple[Mock, str]) -> None:
    """A client that sends requests and takes no response is hung up on, and its unsent responses are dropped."""
    for number in range(15):  # as many as the journal stores without work
        body = f'{{"username": "user{number:05}"}}'.encode()
        exchange(mock[1], HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    with connect(mock[1]) as connection, pytest.raises(ConnectionError):
        connection.sendall(LIST * 1_000_000)
    assert exchange(mock[1], WHOLE).statuses == [200]


def test_an_unfinished_grpc_call_is_ended(mock: tuple[Mock, str]) -> None:
    """A call whose message never comes ends with DEADLINE_EXCEEDED."""
    never = threading.Event()

    def send() -> Iterator[bytes]:
        never.wait(PATIENCE)
        yield b""

    path = MessageCodec(Contract("zitadel")).get_method_path("addSmtpConfig")
    with grpc.insecure_channel(mock[0].controls.grpc_address) as channel:
        method: Any = channel.stream_unary(path)
        with pytest.raises(grpc.RpcError) as caught:
            method(send(), timeout=PATIENCE)
        never.set()
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert "did not arrive" in (caught.value.details() or "")


@pytest.mark.parametrize("limit", [2_000_000])
def test_unfinished_bodies_have_a_limit_together(
    mock: tuple[Mock, str], monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Bodies that have not arrived whole share a limit: the one beyond it is 413, and all are forgotten with their clients."""
    monkeypatch.setattr(protocol, "MAX_UNFINISHED_BYTES", limit)
    monkeypatch.setattr(protocol, "CLIENT_TIMEOUT", PATIENCE)
    part = HEAD + b"Content-Length: 1000001\r\n\r\n" + b" " * 900_000
    for _ in range(3):  # what the first clients held is free for the next ones
        with connect(mock[1]) as one, connect(mock[1]) as other, connect(mock[1]) as third:
            one.sendall(part)
            other.sendall(part)
            with contextlib.suppress(OSError):
                third.sendall(part)
            assert _wait_for_refusal([one, other, third]) == b"HTTP/1.1 413"
        assert exchange(mock[1], CREATE, WHOLE).statuses in ([200, 200], [409, 200])


def _wait_for_refusal(connections: list[socket.socket]) -> bytes:
    """Return the first bytes that any of ``connections`` gets."""
    readable, _, _ = select.select(connections, [], [], PATIENCE)
    return bytes(readable[0].recv(12))


@pytest.fixture(name="process")
def _process() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve one vendor in a process of its own; give its URL."""
    command = [sys.executable, "-m", "contract_watch.mock", "--port", "0", "--vendor", "jetemail"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JETEMAIL_")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as process:  # noqa: S603 (our own)
        try:
            assert process.stdout is not None
            yield f"http://{process.stdout.readline().split()[1]}", process
        finally:
            process.kill()


def _measure_memory(process: subprocess.Popen[str]) -> int:
    """Return the most memory that ``process`` has had, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
def test_huge_bodies_take_no_memory(process: tuple[str, subprocess.Popen[str]]) -> None:
    """Bodies of 100 MB, by length or in chunks, to vendor and controls, are 413 and stay below 100 MB together."""
    base, server = process
    exchange(base, WHOLE)
    before = _measure_memory(server)
    size = 100 * 1024 * 1024
    for path in (PATH, "/__mock/faults", "/__mock/interpretations"):
        method = b"PUT" if "inter" in path else b"POST"
        head = HEAD.replace(b"POST", method).replace(PATH.encode(), path.encode())
        declared = b"Content-Length: %d\r\n\r\n" % size + bytes(size)
        chunk = b"100000\r\n" + bytes(0x100000) + b"\r\n"
        chunked = b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 100 + b"0\r\n\r\n"
        for body in (declared, chunked):
            first, second = exchange(base, head + body, WHOLE).statuses
            assert (first in (400, 413), second) == (True, 200)
    assert _measure_memory(server) - before < 100 * 1024 * 1024


def test_two_hundred_connections_are_served_at_once(process: tuple[str, subprocess.Popen[str]]) -> None:
    """While half of 200 clients send a byte at a time or nothing, the other half is answered; at the end all of them are."""
    base, server = process
    slow = [connect(base) for _ in range(100)]
    quick = [connect(base) for _ in range(100)]
    bodies = [f'{{"username": "user{number:05}"}}'.encode() for number in range(200)]
    requests = [HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body for body in bodies]
    for at in range(40):
        for number, connection in enumerate(slow):
            connection.sendall(requests[number][at : at + 1])
    for connection, request in zip(quick, requests[100:], strict=True):
        connection.sendall(request)
    assert [RawResponses(_read(connection)).statuses for connection in quick] == [[200]] * 100
    for number, connection in enumerate(slow):
        connection.sendall(requests[number][40:])
    assert [RawResponses(_read(connection)).statuses for connection in slow] == [[200]] * 100
    assert len(httpx.get(f"{base}/__mock/state", timeout=PATIENCE).json()["jetemail"]) == 200
    server.send_signal(signal.SIGTERM)
    assert server.wait(PATIENCE) == 0


def _read(connection: socket.socket) -> bytes:
    with connection:
        return connection.makefile("rb").read()
