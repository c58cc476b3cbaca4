"""Whole runs of the contract suite and of Schemathesis against one mock: time, memory, requests."""

import http.client
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.catalogue import Contract
from scripts.bench_process import BenchError, Finished, timed
from scripts.bench_requests import credential

LONGEST = 300.0
"""Seconds that one run may take."""
_ENDS = (0, 1, 2)
"""The exit statuses with which the suite says a verdict."""


@dataclass(frozen=True)
class Requests:
    """How many requests a run of the suite sent in its stages, and its verdict."""

    probes: int
    client: int
    verdict: str


def run_suite(contract: Contract, target: str, out: Path) -> Finished:
    """Run the suite on ``target`` with reports in ``out``; a `BenchError` where it gives no verdict."""
    command = [sys.executable, "-m", "contract_tests", "--vendor", contract.slug, "--target", target, "--out", str(out),
               "--seed", "1"]  # fmt: skip
    finished = timed(command, LONGEST)
    if finished.status not in _ENDS:
        raise BenchError(f"python -m contract_tests ended with status {finished.status}")
    return finished


def run_schemathesis(contract: Contract, target: str, cwd: Path) -> Finished:
    """Run Schemathesis' own command on the published document, as it comes; what it finds does not matter here."""
    program = Path(sys.executable).parent / "schemathesis"
    document = contract.root / contract.settings["published"]
    header = "{}: {}".format(*credential(contract))
    command = [str(program), "run", str(document), "--url", target + contract.base_path, "--header", header,
               "--seed", "1", "--no-color"]  # fmt: skip
    return timed(command, LONGEST, cwd)


def requests(out: Path) -> Requests:
    """What the report in ``out`` says."""
    found = next(iter(sorted(out.rglob("findings.json"))), None)
    if found is None:
        raise BenchError("the suite wrote no findings.json")
    try:
        report: Any = json.loads(found.read_text(encoding="utf-8"))
        report = report["runs"][0] if "runs" in report else report
        return Requests(report["requests"]["probes"], report["requests"]["client"], report["verdict"])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BenchError("findings.json is not of the documented form") from error


def forget(port: int) -> None:
    """Have the mock on ``port`` forget every object, so that each run finds it alike."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("DELETE", "/__mock/state")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"the mock does not answer: {error}") from error
    finally:
        connection.close()
