"""A mock in its own process, and the clients' programs that call it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_watch.contracts.registry import ROOT, load_contracts
from tests.support.patience import PATIENCE


@dataclass(frozen=True)
class MockAddresses:
    """The addresses of the mock, each as ``host:port``."""

    rest: str
    grpc: str


def _make_environment() -> dict[str, str]:
    """Copy this process's environment without vendors' credentials and proxies: all servers are on loopback."""
    credentials = {credential.variable for contract in load_contracts().values() for credential in contract.credentials}
    dropped = credentials | {name for name in os.environ if name.lower().endswith("_proxy")}
    return {name: value for name, value in os.environ.items() if name not in dropped}


@contextmanager
def start_mock(errors: Path) -> Iterator[MockAddresses]:
    """Run the mock's command on free ports, with its standard error in the file ``errors``."""
    command = [sys.executable, "-m", "contract_watch.mock", "--port", "0", "--grpc-port", "0"]
    with (
        errors.open("w", encoding="utf-8") as noted,
        subprocess.Popen(  # noqa: S603 (our own command)
            command, cwd=ROOT, env=_make_environment(), stdout=subprocess.PIPE, stderr=noted, text=True
        ) as process,
    ):
        assert process.stdout is not None
        # Kill a mock that prints nothing, which ends the read.
        watch = threading.Timer(PATIENCE, process.kill)
        watch.start()
        try:
            lines = [process.stdout.readline().split() for _ in range(2)]
            watch.cancel()
            addresses = {line[0]: line[1].removeprefix("http://") for line in lines if len(line) == 2}
            assert set(addresses) == {"rest", "grpc"}, f"the mock did not start: {errors.read_text(encoding='utf-8')}"
            yield MockAddresses(**addresses)
        finally:
            watch.cancel()
            process.kill()


def run_checks(command: Sequence[str | Path]) -> dict[str, dict[str, Any]]:
    """Run a client's program; return its checks by name."""
    ended = subprocess.run(  # noqa: S603 (our own programs)
        command, cwd=ROOT, env=_make_environment(), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, ""), f"{command[1]} ended with {ended.returncode}: {ended.stderr}"
    checks = [json.loads(line) for line in ended.stdout.splitlines()]
    names = [check.pop("check") for check in checks]
    assert len(set(names)) == len(names)
    return dict(zip(names, checks, strict=True))
