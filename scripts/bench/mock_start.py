"""Measurements of how fast the mock starts: as a command, beside Prism, and as the fixture of a test.

``python -m scripts.bench.mock_start [--vendor …]`` prints the table.
"""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from contract_watch import cli
from contract_watch.addresses import find_free_port
from contract_watch.contracts.registry import ROOT, Contract, choose_contracts, load_contracts
from scripts.bench.node_tools import install_node_tool
from scripts.bench.process import BenchError, build_environment
from scripts.bench.table import (
    FigureSeries,
    Row,
    format_figure_row,
    format_goal,
    format_ratio_row,
    format_table,
    measure_interleaved,
)

_MAX_START, _MAX_FIXTURE = 0.5, 0.02
"""Goals in seconds: the first answer of the command, and a fixture after the first one of a session."""
_TIMEOUT = 60.0
_PAUSE = 0.002
_TESTS = 50
_TEST_FILE = """
import http.client
from urllib.parse import urlsplit

import pytest


@pytest.mark.parametrize("number", range({tests}))
def test_vendor(mock_{slug}, number):
    connection = http.client.HTTPConnection(urlsplit(mock_{slug}.origin).netloc)
    connection.request("{method}", "{path}")
    connection.getresponse().read()
    connection.close()
"""
_CONFTEST = """
import json, pathlib

TIMES = {}


def pytest_runtest_logreport(report):
    if report.when != "call":
        TIMES[report.nodeid] = TIMES.get(report.nodeid, 0.0) + report.duration


def pytest_sessionfinish(session):
    pathlib.Path("times.json").write_text(json.dumps(list(TIMES.values())))
"""
"""Collects the seconds that pytest itself reports for set-up and tear-down, of each test in order."""


def measure_start(contract: Contract, rounds: int) -> Iterator[Row]:
    """Measure the start of the mock: the rows of a table."""
    with TemporaryDirectory(prefix="bench-bytecode-") as scratch:
        tasks: dict[str, Callable[[], float]] = {
            "mock": lambda: _time_mock(contract, scratch),
            "Prism": lambda: _time_prism(contract),
        }
        found = measure_interleaved(tasks, rounds, warm=1)
    for name, one in found.items():
        yield format_figure_row(f"{name}, start to first answer", one, "{:.2f} s")
    yield _format_seconds("mock, start to first answer, fastest", found["mock"], _MAX_START)
    yield format_ratio_row("mock", "Prism", found["mock"], found["Prism"])
    fixtures = FigureSeries(_time_fixtures(contract))
    yield format_figure_row("fixture after the first, set-up and tear-down", fixtures, "{:.4f} s")
    yield _format_seconds("fixture after the first, fastest", fixtures, _MAX_FIXTURE)


def _format_seconds(label: str, one: FigureSeries[float], most: float) -> Row:
    """Build a row with the lowest figure: what else the machine does only adds to it."""
    if not one.figures:
        return label, "not measured", ""
    return label, f"{min(one.figures):.4f} s", format_goal(min(one.figures) < most, f"< {most:g} s")


def _time_mock(contract: Contract, bytecode: str) -> float:
    """Time a start with compiled modules in the directory ``bytecode``: pip compiles them when it installs a package."""
    port = find_free_port()
    command = [sys.executable, "-m", "contract_watch", "mock", contract.slug, "--port", str(port)]
    environment = {name: value for name, value in build_environment().items() if name != "PYTHONDONTWRITEBYTECODE"}
    return _time_first_answer(command, port, "/__mock/health", {**environment, "PYTHONPYCACHEPREFIX": bytecode})


def _time_prism(contract: Contract) -> float:
    port, document = find_free_port(), str(contract.published_file)
    command = [str(install_node_tool("prism")), "mock", document, "-p", str(port), "-h", "127.0.0.1", "-v", "silent"]
    return _time_first_answer(command, port, "/", build_environment())


def _time_first_answer(command: Sequence[str], port: int, path: str, environment: Mapping[str, str]) -> float:
    """Return the seconds from the start of ``command`` to the first HTTP response on ``port``.

    Raises:
        BenchError: there is none.
    """
    started = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 (ours, and a tool that the bench has installed)
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            while time.perf_counter() - started < _TIMEOUT and process.poll() is None:
                with suppress(OSError, http.client.HTTPException):
                    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
                    connection.request("GET", path)
                    connection.getresponse().read()
                    connection.close()
                    return time.perf_counter() - started
                time.sleep(_PAUSE)
        finally:
            process.terminate()
    raise BenchError(f"{Path(command[0]).name} did not answer")


def _time_fixtures(contract: Contract) -> list[float]:
    """Return the seconds of set-up and tear-down that pytest reports, of each test but the first.

    Raises:
        BenchError: the tests fail.
    """
    reader = contract.operations[contract.lifecycle.read]
    with TemporaryDirectory(prefix="bench-fixture-") as scratch:
        directory = Path(scratch)
        text = _TEST_FILE.format(
            tests=_TESTS, slug=contract.slug, method=reader.method, path=contract.base_path + reader.path
        )
        (directory / "test_vendor.py").write_text(text, encoding="utf-8")
        (directory / "conftest.py").write_text(_CONFTEST, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "contract_watch.testing.pytest_plugin",
            "-p",
            "no:cacheprovider",
        ]
        environment = {**build_environment(), "PYTHONPATH": str(ROOT), "CONTRACTS": str(contract.directory.parent)}
        done = subprocess.run(  # noqa: S603 (ours)
            command, cwd=directory, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
            timeout=_TIMEOUT,
        )  # fmt: skip
        if done.returncode:
            raise BenchError(f"the tests of the fixture fail: {done.stdout.strip().splitlines()[-1:]}")
        times: list[float] = json.loads((directory / "times.json").read_text(encoding="utf-8"))
    return times[1:]


@cli.command()
def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table."""
    parser = cli.CommandParser("scripts.bench.mock_start", "Measures how fast the mock starts.")
    parser.add_argument("--vendor", default=next(iter(load_contracts())), help="a contract's slug (the first one)")
    parser.add_argument("--rounds", default="9", help="starts of each server that count (9)")
    given = parser.parse_args(arguments)
    rounds = cli.parse_integer("--rounds", given.rounds, 1, 1000)
    print(format_table(list(measure_start(choose_contracts(given.vendor)[0], rounds))))
    return cli.ExitStatus.OK


if __name__ == "__main__":
    sys.exit(main())
