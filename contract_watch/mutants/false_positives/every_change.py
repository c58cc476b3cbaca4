"""The work of `make allowed`: a whole run of the suite against each allowed change, or its exploring stage once."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from contract_watch.contracts.registry import ROOT, choose_contracts
from contract_watch.engine.running.parallel import read_work
from contract_watch.mutants.false_positives.command import select_changes
from contract_watch.mutants.false_positives.permitted_changes import PermittedChange
from contract_watch.mutants.fixtures import MutantRunnerFactory, mutant_runner_fixture

__all__ = ["mutant_runner_fixture"]

RUN_TIMEOUT = 300.0
"""Seconds that a whole run may take."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each change that was chosen."""
    todo = read_work(metafunc.config)
    pairs = [
        (contract.slug, change)
        for contract in (choose_contracts(slug)[0] for slug in todo["vendors"])
        for change in select_changes(contract, todo["only"], tuple(todo["shard"]), todo["seeds"], todo["sample"])
    ]
    metafunc.parametrize(("slug", "change"), pairs, ids=[f"{slug}:{change.id}" for slug, change in pairs])


def test_change(
    slug: str, change: PermittedChange, mutant_runner_of: MutantRunnerFactory, tell: Callable[[Any], None]
) -> None:
    """Tell what the suite says of one change."""
    court, play, began = mutant_runner_of(slug), change.create_mutation(), time.monotonic()
    court.load_mutation(play, dict(change.interpretations))
    if change.kind == "seed":
        found = court.explore(int(change.id.removeprefix("seed/")))
        result: dict[str, Any] = {"verdict": "breaking" if found else "none", "findings": [f.id for f in found],
                                  "requests": 0, "reason": None}  # fmt: skip
    else:
        with TemporaryDirectory(prefix="false-positives-") as folder:
            result = _run_suite(slug, court.address, Path(folder))
        result["activations"] = play.activations
    tell(
        result
        | {
            "contract": slug,
            "change": change.id,
            "description": change.description,
            "seconds": time.monotonic() - began,
        }
    )


def _run_suite(slug: str, target: str, directory: Path) -> dict[str, Any]:
    """The command that a team runs, against ``target``; how it ended."""
    command = [
        sys.executable,
        "-m",
        "contract_tests",
        "--vendor",
        slug,
        "--target",
        target,
        "--out",
        str(directory),
        "--seed",
        "1",
        "--surface",  # the changes dress what REST says
        "rest",
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=RUN_TIMEOUT, check=False)  # noqa: S603 (our own)
    report = directory / "findings.json"
    if not report.exists():
        raise AssertionError(f"the suite ended with {ended.returncode}: {ended.stderr.strip()[-200:]}")
    found = json.loads(report.read_text(encoding="utf-8"))
    requests = found["requests"]["probes"] + found["requests"]["client"]
    return {"verdict": found["verdict"], "findings": [f["id"] for f in found["findings"]], "requests": requests,
            "reason": found["reason"]}  # fmt: skip
