"""The mock listens on both loopbacks, on other addresses only when told, and reports a port that it cannot have."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
import httpx
import pytest
import uvicorn
from grpc_health.v1 import health_pb2, health_pb2_grpc

from contract_watch.addresses import find_free_port
from contract_watch.commands import serve_mock
from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.errors import UsageError
from contract_watch.mock import hosts
from contract_watch.mock.app import Mock
from contract_watch.mock.hosts import ReservedAddresses, open_sockets, parse_allowed_hosts, parse_hosts
from contract_watch.mock.server import MockThread, build_mock
from tests.support.patience import PATIENCE

EVERY_IPV4, EVERY_IPV6 = "0.0.0.0", "::"  # noqa: S104 (names of the option, which only loopback calls here)
SERVING = health_pb2.HealthCheckResponse.SERVING
HAS_IPV6 = parse_hosts([]) == ("127.0.0.1", "::1")
needs_ipv6 = pytest.mark.skipif(not HAS_IPV6, reason="needs IPv6 on loopback")


@contextmanager
def _start_mock(*arguments: str) -> Iterator[tuple[list[str], subprocess.Popen[str]]]:
    """Run the command; give the lines that it prints until it is ready, and its process."""
    with subprocess.Popen(  # noqa: S603 (our own command)
        [sys.executable, "-m", "contract_watch.mock", "--port", "0", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        lines: list[str] = []
        try:
            while not lines or (lines[-1] and not lines[-1].startswith("controls:")):
                lines.append(process.stdout.readline())
            yield lines, process
        finally:
            process.kill()


def _end(process: subprocess.Popen[str]) -> str:
    """Interrupt the command, and return its error output."""
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=PATIENCE)[1]


def _run_wrong_usage(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command in this process, which must end 3 with one line; return the line."""
    assert serve_mock.main(["--port", "0", *arguments]) == 3
    output, errors = capsys.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    return errors


def _list_addresses(lines: list[str], protocol: str) -> list[str]:
    return [address for line in lines for address in re.findall(rf"\b{protocol} (\S*:\d+)", line)]


def _is_healthy(address: str) -> bool:
    with grpc.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE, wait_for_ready=True)
        return bool(answer.status == SERVING)


@needs_ipv6
def test_both_loopbacks_are_served_by_default() -> None:
    """REST and gRPC answer on 127.0.0.1 and ::1 at the same port each, and no warning is printed."""
    with _start_mock() as (lines, process):
        rest, native = _list_addresses(lines, "rest"), _list_addresses(lines, "grpc")
        assert [address.rpartition(":")[0] for address in rest] == ["127.0.0.1", "[::1]"]
        assert len({address.rpartition(":")[2] for address in rest}) == 1
        assert lines[0] == f"rest {rest[0]}\n"
        assert lines[1] == f"grpc {native[0]}\n"
        for address in rest:
            assert httpx.get(f"http://{address}/__mock/health", timeout=PATIENCE).json()["grpc"] == native[0]
        assert [_is_healthy(address) for address in native] == [True, True]
        assert _end(process) == ""


def test_one_host_is_served_alone() -> None:
    """With `--host 127.0.0.1` nothing listens on ::1."""
    with _start_mock("--vendor", "jetemail", "--host", "127.0.0.1") as (lines, _):
        [address] = _list_addresses(lines, "rest")
        port = int(address.rpartition(":")[2])
        with pytest.raises(OSError, match=r".+"):
            socket.create_connection(("::1", port), timeout=PATIENCE)


def test_hosts_may_be_repeated_or_joined() -> None:
    """Several hosts are served, whichever way they are given."""
    for given in (["--host", "127.0.0.1", "--host", "127.0.0.2"], ["--host", "127.0.0.1,127.0.0.2"]):
        if sys.platform != "linux":
            pytest.skip("only Linux has all of 127.0.0.0/8")
        with _start_mock("--vendor", "jetemail", *given) as (lines, _):
            for address in _list_addresses(lines, "rest"):
                assert httpx.get(f"http://{address}/__mock/health", timeout=PATIENCE).status_code == 200
            assert len(_list_addresses(lines, "rest")) == 2


def test_other_machines_are_warned_of() -> None:
    """An address that is not loopback's gives one line on stderr; REST and gRPC are printed as this machine reaches them."""
    with _start_mock("--host", EVERY_IPV4) as (lines, process):
        [address], [native] = _list_addresses(lines, "rest"), _list_addresses(lines, "grpc")
        assert address.startswith("127.0.0.1:")
        assert httpx.get(f"http://{address}/__mock/health", timeout=PATIENCE).status_code == 200
        assert _is_healthy(native)
        errors = _end(process)
    assert errors.startswith(f"warning: --host {EVERY_IPV4}: reachable from other machines; ")
    assert errors.count("\n") == 1


@needs_ipv6
def test_every_address_of_both_versions_may_be_served() -> None:
    """0.0.0.0 and :: share the ports, of REST and of gRPC."""
    with _start_mock("--host", f"{EVERY_IPV4},{EVERY_IPV6}") as (lines, _):
        for address in _list_addresses(lines, "rest"):
            assert httpx.get(f"http://{address}/__mock/health", timeout=PATIENCE).status_code == 200
        assert [_is_healthy(address) for address in _list_addresses(lines, "grpc")] == [True, True]


def test_allowed_names_control_the_mock() -> None:
    """A client that reaches the mock as `mock:8025` controls it if that name is allowed; all other names stay refused."""
    with _start_mock("--vendor", "jetemail", "--allow-host", "Mock", "--allow-host", "mock_2,10.0.0.7") as (lines, _):
        address = f"http://{_list_addresses(lines, 'rest')[0]}/__mock/health"

        def ask(**headers: str) -> int:
            return httpx.get(address, headers=headers, timeout=PATIENCE).status_code

        assert [ask(Host=host) for host in ("mock:8025", "MOCK", "mock_2:1", "10.0.0.7:8025", "localhost")] == [200] * 5
        assert ask(Host="mock:8025", Origin="http://mock:3000") == 200
        refused = ("mock.evil.example", "amock", "mock_", "mock:80:80", "10.0.0.70", "mock@evil.example", "test", "")
        assert [ask(Host=host) for host in refused] == [403] * len(refused)
        assert ask(Host="mock", Origin="http://evil.example") == 403
        target = httpx.URL(address)
        with socket.create_connection((target.host, target.port or 80), timeout=PATIENCE) as twice:
            twice.sendall(b"GET /__mock/health HTTP/1.0\r\nHost: mock\r\nHost: mock\r\n\r\n")
            assert twice.makefile("rb").readline() == b"HTTP/1.1 403 Forbidden\r\n"


def test_no_name_is_allowed_by_default() -> None:
    """Without the option the names of containers are foreign."""
    with _start_mock("--vendor", "jetemail") as (lines, _):
        address = f"http://{_list_addresses(lines, 'rest')[0]}/__mock/health"
        assert httpx.get(address, headers={"Host": "mock:8025"}, timeout=PATIENCE).status_code == 403


@pytest.mark.parametrize(
    "arguments",
    [["--host", "example.com"], ["--host", "127.0.0.1:80"], ["--host", "127.0.0.300"], ["--host", "*"], ["--host", "\x1b[2J"],
     ["--host", "203.0.113.7"], ["--host", "2001:db8::7"], ["--host", ",".join(f"127.0.0.{n}" for n in range(1, 20))],
     ["--allow-host", "*"], ["--allow-host", "*.example.com"], ["--allow-host", "http://mock"], ["--allow-host", "mock:8025"],
     ["--allow-host", "a b"], ["--allow-host", "-"]],
)  # fmt: skip
def test_wrong_hosts_are_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A name instead of an address, an address of another machine, and wildcards end 3 with a line that names the option."""
    line = _run_wrong_usage(capsys, "--vendor", "jetemail", *arguments)
    assert line.startswith(f"error: {arguments[0]}")
    assert line.strip().isprintable()


@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("::1", marks=needs_ipv6)])
@pytest.mark.parametrize("option", ["--port", "--grpc-port"])
def test_a_taken_port_names_its_option(option: str, host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A port that another program has on one of the hosts ends 3 with one line, whichever server wanted it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as taken:
        port = taken.getsockname()[1]
        line = _run_wrong_usage(capsys, option, str(port))
    assert line.startswith(f"error: port {port} on {host} cannot be used (")
    assert line.endswith(f"choose another with {option} or {option[2:].upper().replace('-', '_')}=\n")


def _find_free_port() -> int:
    [one] = open_sockets(["127.0.0.1"], 0, "PORT")
    with one:
        return int(one.getsockname()[1])


def test_a_port_used_twice_names_both_options(capsys: pytest.CaptureFixture[str]) -> None:
    """The same port for REST and gRPC ends 3 with one line; for a vendor without gRPC it is no error."""
    port = str(_find_free_port())
    line = _run_wrong_usage(capsys, "--port", port, "--grpc-port", port)
    assert line.startswith("error: --port and --grpc-port (PORT=, GRPC_PORT=): both are ")
    with _start_mock("--port", port, "--grpc-port", port, "--vendor", "jetemail") as (lines, _):
        assert lines[0] == f"rest 127.0.0.1:{port}\n"


@needs_ipv6
def test_a_free_port_is_free_on_every_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the port that one host gave is taken on another, the next one is tried, some times and not forever."""
    bind = hosts._bind  # noqa: SLF001 (a port that is taken on one host alone cannot be had on demand)
    tries: list[tuple[str, int]] = []

    def bind_some(host: str, port: int) -> socket.socket:
        tries.append((host, port))
        if ":" in host and len(tries) < 6:
            raise OSError(98, os.strerror(98)) if sys.platform == "linux" else OSError(48, os.strerror(48))
        return bind(host, port)

    monkeypatch.setattr(hosts, "_bind", bind_some)
    opened = open_sockets(["127.0.0.1", "::1"], 0, "PORT")
    assert len({one.getsockname()[1] for one in opened}) == 1
    assert [host for host, _ in tries] == ["127.0.0.1", "::1"] * 3
    for one in opened:
        one.close()

    tries.clear()
    monkeypatch.setattr(hosts, "_ATTEMPTS", 2)
    with pytest.raises(UsageError, match="cannot be used"):
        open_sockets(["127.0.0.1", "::1"], 0, "PORT")


def test_without_ipv6_only_ipv4_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """If ::1 does not exist, the default and `localhost` are IPv4 alone; ::1 itself is refused when it is bound."""
    bind = hosts._bind  # noqa: SLF001 (this machine has IPv6)

    def bind_ipv4(host: str, port: int) -> socket.socket:
        if ":" in host:
            raise OSError(99, "Cannot assign requested address")
        return bind(host, port)

    monkeypatch.setattr(hosts, "_bind", bind_ipv4)
    monkeypatch.setattr(hosts, "_NO_ADDRESS", {99})
    assert parse_hosts([]) == parse_hosts(["localhost"]) == ("127.0.0.1",)
    with pytest.raises(UsageError, match=r"^--host ::1: is no address of this machine"):
        open_sockets(parse_hosts(["::1"]), 0, "PORT")


def test_hosts_are_normalized() -> None:
    """Duplicates, brackets, and addresses that a wildcard covers are left out."""
    assert parse_hosts(["[::1], 0:0::1", " 127.0.0.1"]) == ("::1", "127.0.0.1")
    assert parse_hosts([f"127.0.0.1,{EVERY_IPV4}"]) == (EVERY_IPV4,)
    assert parse_hosts([f"{EVERY_IPV6},::1,127.0.0.1"]) == (EVERY_IPV6, "127.0.0.1")
    assert parse_hosts([""]) == parse_hosts([])
    assert parse_allowed_hosts(["Mock,[::2]", ""]) == {"mock", "::2"}


def test_a_port_that_is_lost_before_the_start_is_replaced() -> None:
    """The gRPC library binds its port itself: if another program is faster, a chosen port is replaced, and a given one is an error."""
    chosen = ReservedAddresses(["127.0.0.1"], 0, "GRPC_PORT")
    ports = chosen.release()
    first, second = next(ports), next(ports)
    assert first != 0
    assert chosen.contacts == [f"127.0.0.1:{second}"]
    given = ReservedAddresses(["127.0.0.1"], first, "GRPC_PORT").release()
    assert next(given) == first
    with pytest.raises(UsageError, match="GRPC_PORT="):
        next(given)


@needs_ipv6
@pytest.mark.parametrize(
    ("host", "shown"), [("fe80::1%lo", "fe80::1%lo"), ("2001:db8::abcd", "2001:0db8:0000:0000:0000:0000:0000:abcd")]
)
def test_a_foreign_address_is_the_problem_of_its_option(
    capsys: pytest.CaptureFixture[str], host: str, shown: str
) -> None:
    """The line names the address in a form that people can read, and does not blame the port."""
    error = _run_wrong_usage(capsys, "jetemail", "--host", host)
    assert error.startswith(f"error: --host {shown}: is no address of this machine")


def test_a_mapped_address_is_the_one_that_it_stands_for() -> None:
    """An IPv4 address in the notation of IPv6 is listened on as IPv4."""
    assert parse_hosts(["::ffff:127.0.0.1", "127.0.0.1"]) == ("127.0.0.1",)


def test_standard_output_may_be_closed() -> None:
    """A mock whose output is closed from the start serves like any other."""
    port = find_free_port()
    command = f"exec {shlex.quote(sys.executable)} -m contract_watch.mock jetemail --port {port} >&-"
    with subprocess.Popen(["sh", "-c", command], stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:  # noqa: S603, S607 (our own command)
        try:
            with httpx.Client(transport=httpx.HTTPTransport(retries=8), timeout=PATIENCE) as client:
                assert client.get(f"http://127.0.0.1:{port}/__mock/health").status_code == 200
        finally:
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=PATIENCE)[1] == ""


def test_a_vendor_is_served_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor that is named twice, or with `all`, is one."""
    built: list[str] = []

    def build(contracts: Sequence[Contract], **more: Any) -> Mock:
        built.extend(one.slug for one in contracts)
        return build_mock(contracts, **more)

    monkeypatch.setattr(serve_mock, "build_mock", build)
    monkeypatch.setattr(serve_mock, "serve", lambda *_: None)
    assert serve_mock.main(["all", "jetemail", "jetemail"]) == 0
    assert built == ["jetemail", "smtp2go", "zitadel"]


def test_a_mock_that_cannot_start_says_why(jetemail: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the exception that ended the server's thread, and comes at once."""

    async def fail(*_arguments: object) -> None:
        raise ValueError("a broken part")

    monkeypatch.setattr(uvicorn.Server, "startup", fail)
    served = MockThread(build_mock([jetemail], {}))
    with pytest.raises(RuntimeError, match="the mock did not start: ValueError: a broken part"):
        served.start()
    served.stop()


def test_a_stopped_mock_says_so(jetemail: Contract) -> None:
    """A handle that is used after its block has one line about it."""
    served = MockThread(build_mock([jetemail], {}))
    served.start()
    assert served.call(lambda: 1) == 1
    served.stop()
    with pytest.raises(UsageError, match=r"^the mock has stopped: use the vendor inside its block$"):
        served.call(lambda: 1)
