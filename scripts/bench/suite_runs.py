"""Whole runs of the contract suite and of Schemathesis against one mock: time, memory, requests."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from contract_watch.contracts.registry import Contract
from scripts.bench.process import BenchError, FinishedProcess, send_request, time_command
from scripts.bench.sample_requests import format_credential

TIMEOUT = 300.0
"""Seconds that one run may take."""
_VERDICT_STATUSES = (0, 1, 2)
"""The exit statuses of a run with a verdict."""


@dataclass(frozen=True)
class RequestCounts:
    """The requests of a run of the suite by stage, and its verdict."""

    probes: int
    client: int
    verdict: str


def run_suite(
    contract: Contract, target: str, out: Path, *options: str, seed: int = 1, stop: Event | None = None
) -> FinishedProcess:
    """Run the suite on ``target`` with reports in ``out``.

    Raises:
        BenchError: the run has no verdict.
    """
    command = [sys.executable, "-m", "contract_tests", "--vendor", contract.slug, "--target", target, "--out", str(out),
               "--seed", str(seed), *options]  # fmt: skip
    finished = time_command(command, TIMEOUT, stop=stop)
    if finished.status not in _VERDICT_STATUSES:
        raise BenchError(f"python -m contract_tests ended with status {finished.status}")
    return finished


def run_schemathesis(
    contract: Contract, target: str, cwd: Path, *options: str, document: Path | None = None, seed: int = 1,
    stop: Event | None = None,
) -> FinishedProcess:  # fmt: skip
    """Run the command of Schemathesis on ``document`` (by default the published one); its reports are not read here.

    It reads and writes its own files in ``cwd``.
    """
    program = Path(sys.executable).parent / "schemathesis"
    used = document or contract.published_file
    header = "{}: {}".format(*format_credential(contract))
    command = [str(program), "run", str(used), "--url", target + contract.base_path, "--header", header,
               "--seed", str(seed), "--no-color", *options]  # fmt: skip
    return time_command(command, TIMEOUT, cwd, stop)


def read_request_counts(out: Path) -> RequestCounts:
    """Read the counts from the report in ``out``."""
    report = read_report(out)
    try:
        return RequestCounts(report["requests"]["probes"], report["requests"]["client"], report["verdict"])
    except (KeyError, TypeError) as error:
        raise BenchError("findings.json does not have the documented format") from error


def read_report(out: Path) -> Any:
    """Read the first run of the suite's report in ``out``.

    Raises:
        BenchError: there is no report, or it is malformed.
    """
    found = next(iter(sorted(out.rglob("findings.json"))), None)
    if found is None:
        raise BenchError("the suite wrote no findings.json")
    try:
        return json.loads(found.read_text(encoding="utf-8"))["runs"][0]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BenchError("findings.json does not have the documented format") from error


def reset_mock(port: int) -> None:
    """Delete every object of the mock on ``port``, so that each run starts from the same state."""
    send_request(port, "DELETE", "/__mock/state")
