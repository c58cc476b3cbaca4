"""Who is compared at telling drift: the suite, and Schemathesis' own command on two documents; how each says it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from contract_watch.contracts.registry import ROOT, Contract
from scripts.bench.process import BenchError, FinishedProcess
from scripts.bench.suite_runs import read_report, run_schemathesis, run_suite

SUITE, PROBES = "suite", "suite, probes + client"
PUBLISHED, EFFECTIVE = "Schemathesis, published document", "Schemathesis, effective document"
_BASELINE, _REPORT = "baseline.json", "report.json"


@dataclass(frozen=True)
class RunReport:
    """What one run said: ``red`` where it reports drift, ``alarms`` being what it reports, each under a stable name."""

    finished: FinishedProcess
    reports_drift: bool
    alarms: frozenset[str]


@dataclass(frozen=True)
class Contender:
    """A command under comparison. ``run`` takes a target, a seed, a folder of its own, and an event that ends it early."""

    name: str
    run: Callable[[str, int, Path, Event], RunReport]


def build_contenders(contract: Contract) -> list[Contender]:
    """Everybody compared, the suite first; each runs as a user would run it, with its defaults."""

    def suite(*options: str) -> Callable[[str, int, Path, Event], RunReport]:
        def run(target: str, seed: int, folder: Path, stop: Event) -> RunReport:
            return read_suite_report(run_suite(contract, target, folder, *options, seed=seed, stop=stop), folder)

        return run

    def schemathesis(document: Path) -> Callable[[str, int, Path, Event], RunReport]:
        def run(target: str, seed: int, folder: Path, stop: Event) -> RunReport:
            # Neither changes what is tested, nor the exit status: a baseline that is not there yet is only written.
            written = ["--baseline", _BASELINE, "--report", "json", "--report-json-path", _REPORT]
            if not document.is_file():
                raise BenchError(f"there is no {document.name}")
            finished = run_schemathesis(contract, target, folder, *written, document=document, seed=seed, stop=stop)
            return read_schemathesis_report(finished, folder)

        return run

    return [
        Contender(SUITE, suite()),
        Contender(PROBES, suite("--explore", "0")),
        Contender(PUBLISHED, schemathesis(contract.root / contract.settings["published"])),
        Contender(EFFECTIVE, schemathesis(ROOT / "generated" / contract.slug / "openapi.json")),
    ]


def read_suite_report(finished: FinishedProcess, folder: Path) -> RunReport:
    """What a run of the suite said in ``folder``: any finding counts, additive drift too, which ends with status 0."""
    try:
        alarms = frozenset(str(finding["id"]) for finding in read_report(folder)["findings"])
    except (KeyError, TypeError) as error:
        raise BenchError("findings.json is not of the documented form") from error
    return RunReport(finished, bool(alarms) or finished.status == 1, alarms)


def read_schemathesis_report(finished: FinishedProcess, folder: Path) -> RunReport:
    """What a run of Schemathesis said: status 1 counts. A `BenchError` for a status that is neither 0 nor 1.

    Its failures are named as it tells them apart itself, by operation, check, kind and signature; errors by their title.
    """
    if finished.status not in (0, 1):
        raise BenchError(f"schemathesis run ended with status {finished.status}")
    baseline, report = (_read_json(folder / name) for name in (_BASELINE, _REPORT))
    try:
        named = [
            [entry[part] for part in ("operation", "check", "failure", "signature")] for entry in baseline["entries"]
        ]
        alarms = [" ".join(part for part in name if part) for name in named]
        alarms += [f"error: {error['title']}" for error in report["errors"]]
    except (KeyError, TypeError) as error:
        raise BenchError(f"{_BASELINE} or {_REPORT} is not of the known form") from error
    return RunReport(finished, finished.status == 1, frozenset(alarms))


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BenchError(f"schemathesis wrote no {path.name}") from error
