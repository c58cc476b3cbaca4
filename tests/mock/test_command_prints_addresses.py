"""``python -m contract_watch.mock`` prints its addresses, and wrong usage is one line with exit status 3."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from contract_watch.contracts.registry import ROOT, load_contracts
from tests.support.patience import PATIENCE

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("JETEMAIL_")}


@contextmanager
def _start_command(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command; kill it at the end if it still runs."""
    with subprocess.Popen(  # noqa: S603 (our own command)
        [sys.executable, "-m", "contract_watch.mock", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**ENVIRONMENT, **variables},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _run_wrong_usage(*arguments: str) -> tuple[int, str, str]:
    """Exit status, output and error output of a command that is wrong usage."""
    with _start_command(*arguments) as process:
        output, errors = process.communicate(timeout=PATIENCE)
        return process.returncode, output, errors


def test_taken_port_is_one_line_and_status_3() -> None:
    """The error names the port that another process uses."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, output, errors = _run_wrong_usage("--port", str(port))
    assert (status, output) == (3, "")
    assert errors.startswith(f"error: port {port} on 127.0.0.1 cannot be used")
    assert errors.count("\n") == 1


def test_taken_grpc_port_is_one_line_and_status_3() -> None:
    """The error names the port for gRPC and its variable."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, output, errors = _run_wrong_usage("--port", "0", "--grpc-port", str(port))
    assert (status, output) == (3, "")
    assert errors.startswith(f"error: port {port} on 127.0.0.1 cannot be used")
    assert "GRPC_PORT=" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--port", "99999"], ["--port", "-1"], ["--interpretation", "jetemail.names=shouted"],
                                       ["--interpretation", "jetemail.weather=fine"], ["--interpretation", "nobody.names=refused"],
                                       ["--interpretation", "names=refused"], ["--vendor", "nobody"]])  # fmt: skip
def test_wrong_value_is_one_line_and_status_3(arguments: list[str]) -> None:
    """The port, the interpretation or the vendor does not exist."""
    status, output, errors = _run_wrong_usage("--port", "0", *arguments)
    assert (status, output, errors.count("\n")) == (3, "", 1)
    assert errors.startswith(f"error: {arguments[0]}") or arguments[0] == "--port"


@pytest.mark.parametrize("arguments", [["--port", "x"], ["--nothing"], ["more"]])
def test_wrong_argument_is_status_3(arguments: list[str]) -> None:
    """An unknown argument gives no traceback."""
    status, _, errors = _run_wrong_usage(*arguments)
    assert status == 3
    assert "Traceback" not in errors


def test_says_where_it_listens_and_which_keys_it_takes() -> None:
    """The output starts with the addresses as host:port. It has each variable and its test value, but no given key.

    Chosen interpretations apply. Ctrl-C exits with 0.
    """
    given = {"JETEMAIL_API_KEY": "api_given_by_the_user"}
    chosen = ["--interpretation", "jetemail.names=sanitised", "--interpretation", "jetemail.list-texts=array"]
    with _start_command("--port", "0", *chosen, **given) as process:
        assert process.stdout is not None
        first, second = process.stdout.readline().split(), process.stdout.readline().split()
        lines = [process.stdout.readline() for contract in load_contracts().values() for _ in contract.credentials]
        assert (first[0], second[0]) == ("rest", "grpc")
        assert httpx.get(f"http://{first[1]}/__mock/health", timeout=PATIENCE).json()["grpc"] == second[1]
        interpretations = httpx.get(f"http://{first[1]}/__mock/interpretations", timeout=PATIENCE).json()["jetemail"]
        listed = httpx.get(
            f"http://{first[1]}/outbound/smarthost", headers={"Authorization": f"Bearer {given['JETEMAIL_API_KEY']}"}
        )
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=PATIENCE)
    assert (interpretations["names"], interpretations["list-texts"], listed.status_code) == ("sanitised", "array", 200)
    assert any("JETEMAIL_API_KEY" in line for line in lines)
    assert any("api_test_free_0123456789abcdef" in line for line in lines)
    assert "api_given_by_the_user" not in "".join(lines) + rest
    assert (process.returncode, errors) == (0, "")


def test_one_vendor_can_be_served_alone() -> None:
    """A vendor without gRPC prints no gRPC address."""
    with _start_command("--port", "0", "--vendor", "jetemail") as process:
        assert process.stdout is not None
        first, second = process.stdout.readline().split(), process.stdout.readline().split()
        health = httpx.get(f"http://{first[1]}/__mock/health", timeout=PATIENCE).json()
    assert (first[0], second[0]) == ("rest", "jetemail")
    assert (health["contracts"], "grpc" in health) == (["jetemail"], False)


def test_interpretation_without_a_value_is_status_3() -> None:
    """The command ignores no argument: an interpretation without a value is wrong usage."""
    with _start_command("--port", "0", "--interpretation", "jetemail.names") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == ""
        assert process.wait(PATIENCE) == 3
