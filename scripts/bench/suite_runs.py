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
"""The exit statuses with which the suite says a verdict."""


@dataclass(frozen=True)
class RequestCounts:
    """How many requests a run of the suite sent in its stages, and its verdict."""

    probes: int
    client: int
    verdict: str


def run_suite(
    contract: Contract, target: str, out: Path, *options: str, seed: int = 1, stop: Event | None = None
) -> FinishedProcess:
    """Run the suite on ``target`` with reports in ``out``; a `BenchError` where it gives no verdict."""
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
    """Run Schemathesis' own command, as it comes, on a document (the published one); what it finds is not read here.

    It writes files of its own into ``cwd``, and reads them where it finds them.
    """
    program = Path(sys.executable).parent / "schemathesis"
    shown = document or contract.root / contract.settings["published"]
    header = "{}: {}".format(*format_credential(contract))
    command = [str(program), "run", str(shown), "--url", target + contract.base_path, "--header", header,
               "--seed", str(seed), "--no-color", *options]  # fmt: skip
    return time_command(command, TIMEOUT, cwd, stop)


def read_request_counts(out: Path) -> RequestCounts:
    """What the report in ``out`` says."""
    report = read_report(out)
    try:
        return RequestCounts(report["requests"]["probes"], report["requests"]["client"], report["verdict"])
    except (KeyError, TypeError) as error:
        raise BenchError("findings.json is not of the documented form") from error


def read_report(out: Path) -> Any:
    """The first run of the suite's report in ``out``; a `BenchError` where there is none."""
    found = next(iter(sorted(out.rglob("findings.json"))), None)
    if found is None:
        raise BenchError("the suite wrote no findings.json")
    try:
        report: Any = json.loads(found.read_text(encoding="utf-8"))
        return report["runs"][0] if "runs" in report else report
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BenchError("findings.json is not of the documented form") from error


def reset_mock(port: int) -> None:
    """Have the mock on ``port`` forget every object, so that each run finds it alike."""
    send_request(port, "DELETE", "/__mock/state")
