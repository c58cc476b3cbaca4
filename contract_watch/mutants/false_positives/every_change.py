"""Pytest module of `make false-positives`: a whole run against each permitted change, or one exploring stage."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from contract_watch.contracts.directories import VARIABLE, format_variable
from contract_watch.contracts.registry import ROOT, choose_contracts
from contract_watch.engine.running.parallel import read_work
from contract_watch.mutants.false_positives.command import select_changes
from contract_watch.mutants.false_positives.permitted_changes import PermittedChange
from contract_watch.mutants.fixtures import MutantRunnerFactory, mutant_runner_fixture

__all__ = ["mutant_runner_fixture"]

RUN_TIMEOUT = 300.0
"""Time limit of a whole run in seconds."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize the test by the selected changes."""
    settings = read_work(metafunc.config)
    pairs = [
        (contract.slug, change)
        for contract in (choose_contracts(slug)[0] for slug in settings["vendors"])
        for change in select_changes(
            contract, settings["only"], tuple(settings["shard"]), settings["seeds"], settings["sample"]
        )
    ]
    metafunc.parametrize(("slug", "change"), pairs, ids=[f"{slug}:{change.id}" for slug, change in pairs])


def test_change(
    slug: str, change: PermittedChange, mutant_runner_of: MutantRunnerFactory, tell: Callable[[Any], None]
) -> None:
    """Play one change and pass on the suite's verdict."""
    runner, mutation, started = mutant_runner_of(slug), change.create_mutation(), time.monotonic()
    runner.load_mutation(mutation, dict(change.interpretations))
    if change.kind == "seed":
        found = runner.explore(int(change.id.removeprefix("seed/")))
        result: dict[str, Any] = {"verdict": "breaking" if found else "none", "findings": [f.id for f in found],
                                  "requests": 0, "reason": None}  # fmt: skip
    else:
        with TemporaryDirectory(prefix="false-positives-") as directory:
            result = _run_suite(slug, runner.address, Path(directory))
        result["activations"] = mutation.activations
    tell(
        result
        | {
            "contract": slug,
            "change": change.id,
            "description": change.description,
            "seconds": time.monotonic() - started,
        }
    )


def _run_suite(slug: str, target: str, directory: Path) -> dict[str, Any]:
    """Run the suite as teams do, against ``target``; return verdict, findings and requests."""
    command = [
        sys.executable,
        "-m",
        "contract_watch",
        "check",
        "--vendor",
        slug,
        "--target",
        target,
        "--out",
        str(directory),
        "--seed",
        "1",
        "--surface",  # the changes apply to REST responses
        "rest",
    ]
    environment = {**os.environ, VARIABLE: format_variable()}
    ended = subprocess.run(  # noqa: S603 (our own)
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=RUN_TIMEOUT, check=False
    )
    report = directory / "findings.json"
    if not report.exists():
        raise AssertionError(f"the suite ended with {ended.returncode}: {ended.stderr.strip()[-200:]}")
    (run,) = json.loads(report.read_text(encoding="utf-8"))["runs"]
    requests = run["requests"]["probes"] + run["requests"]["client"]
    return {"verdict": run["verdict"], "findings": [f["id"] for f in run["findings"]], "requests": requests,
            "reason": run["reason"]}  # fmt: skip
