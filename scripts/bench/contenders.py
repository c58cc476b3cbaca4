"""The compared commands: the suite, and Schemathesis on two documents, with the parsers of their reports."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from contract_watch.contracts.registry import Contract
from scripts.bench.process import BenchError, FinishedProcess
from scripts.bench.suite_runs import read_report, run_schemathesis, run_suite

SUITE, PROBES = "suite", "suite, probes + client"
PUBLISHED, EFFECTIVE = "Schemathesis, published document", "Schemathesis, effective document"
_BASELINE, _REPORT = "baseline.json", "report.json"


@dataclass(frozen=True)
class RunReport:
    """The report of one run; ``alarms`` are the stable names of everything that it reports."""

    finished: FinishedProcess
    reports_drift: bool
    alarms: frozenset[str]


@dataclass(frozen=True)
class Contender:
    """A compared command; ``run`` takes a target, a seed, an own directory, and an event that stops it early."""

    name: str
    run: Callable[[str, int, Path, Event], RunReport]


def build_contenders(contract: Contract) -> list[Contender]:
    """Return the compared commands, the suite first; each runs with its defaults."""

    def suite(*options: str) -> Callable[[str, int, Path, Event], RunReport]:
        def run(target: str, seed: int, directory: Path, stop: Event) -> RunReport:
            return read_suite_report(run_suite(contract, target, directory, *options, seed=seed, stop=stop), directory)

        return run

    def schemathesis(document: Path) -> Callable[[str, int, Path, Event], RunReport]:
        def run(target: str, seed: int, directory: Path, stop: Event) -> RunReport:
            # These options change neither the tests nor the exit status: a missing baseline is only written.
            options = ["--baseline", _BASELINE, "--report", "json", "--report-json-path", _REPORT]
            if not document.is_file():
                raise BenchError(f"{document.name} is missing")
            finished = run_schemathesis(contract, target, directory, *options, document=document, seed=seed, stop=stop)
            return read_schemathesis_report(finished, directory)

        return run

    return [
        Contender(SUITE, suite()),
        Contender(PROBES, suite("--explore", "0")),
        Contender(PUBLISHED, schemathesis(contract.published_file)),
        Contender(EFFECTIVE, schemathesis(contract.output_directory / "openapi.json")),
    ]


def read_suite_report(finished: FinishedProcess, directory: Path) -> RunReport:
    """Read the report of the suite in ``directory``; additive findings count too, although the status is 0."""
    try:
        alarms = frozenset(str(finding["id"]) for finding in read_report(directory)["findings"])
    except (KeyError, TypeError) as error:
        raise BenchError("findings.json does not have the documented format") from error
    return RunReport(finished, bool(alarms) or finished.status == 1, alarms)


def read_schemathesis_report(finished: FinishedProcess, directory: Path) -> RunReport:
    """Read the report of Schemathesis in ``directory``; status 1 means drift.

    Failures are named by operation, check, kind and signature, as Schemathesis distinguishes them; errors by title.

    Raises:
        BenchError: the status is neither 0 nor 1, or a report is malformed.
    """
    if finished.status not in (0, 1):
        raise BenchError(f"schemathesis run ended with status {finished.status}")
    baseline, report = (_read_json(directory / name) for name in (_BASELINE, _REPORT))
    try:
        named = [
            [entry[part] for part in ("operation", "check", "failure", "signature")] for entry in baseline["entries"]
        ]
        alarms = [" ".join(part for part in name if part) for name in named]
        alarms += [f"error: {error['title']}" for error in report["errors"]]
    except (KeyError, TypeError) as error:
        raise BenchError(f"{_BASELINE} or {_REPORT} does not have the known format") from error
    return RunReport(finished, finished.status == 1, frozenset(alarms))


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BenchError(f"schemathesis wrote no {path.name}") from error
