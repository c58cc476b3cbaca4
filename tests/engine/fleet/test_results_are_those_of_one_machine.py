"""A cluster gives the results of one machine: the same mutants, clauses, findings, causes and verdicts."""

import json
from pathlib import Path

import pytest

from contract_watch.contracts.registry import choose_contracts
from contract_watch.history.store import History
from contract_watch.nights.night_file import read_night
from tests.support.command_process import run_command
from tests.support.dask_cluster import DaskCluster, read_mutants
from tests.support.loopback_server import serve_app
from tests.support.suite_process import SuiteResult, start_suite
from tests.vendors.jetemail.drifted_server import RenamesError

_KNOWN_TO_DIFFER = ("target", "started", "seconds", "run_id", "history")
"""The address of a mock, times, and the id of a run."""


def _run_both(tmp_path: Path, cluster: DaskCluster, *arguments: str) -> tuple[SuiteResult, SuiteResult]:
    alone = start_suite(tmp_path / "alone", *arguments, "--seed", "1").wait_for_exit()
    spread = start_suite(tmp_path / "spread", *arguments, "--seed", "1", "--scheduler", cluster.address).wait_for_exit()
    return alone, spread


@pytest.mark.parametrize(("vendor", "surface"), [("jetemail", "rest"), ("all", "rest,grpc-web")])
def test_reports_are_the_same(tmp_path: Path, cluster: DaskCluster, vendor: str, surface: str) -> None:
    """One vendor, or every one, on the mock: verdicts, clauses, requests and notes are equal, and so are the cases of JUnit."""
    options = ("--vendor", vendor, "--explore", "0", "--shard", "1/2", "--surface", surface)
    alone, spread = _run_both(tmp_path, cluster, *options)
    assert (alone.status, spread.status) == (0, 0), spread
    runs = [[{key: value for key, value in run.items() if key not in _KNOWN_TO_DIFFER} for run in result.full_report["runs"]]
            for result in (alone, spread)]  # fmt: skip
    assert runs[0] == runs[1]
    assert [run["contract"] for run in runs[1]] == [one.slug for one in choose_contracts(vendor)]
    names = [[case.get("name") for case in result.junit.iter("testcase")] for result in (alone, spread)]
    assert names[0] == names[1]
    assert len(names[1]) > 50
    overviews = [(result.directory / "overview.json").read_text(encoding="utf-8") for result in (alone, spread)]
    assert overviews[0] == overviews[1]


def test_findings_are_the_same(tmp_path: Path, cluster: DaskCluster) -> None:
    """A server that renames a field of its errors: findings, causes and status are equal."""
    with serve_app(RenamesError()) as at:
        alone, spread = _run_both(tmp_path, cluster, "--vendor", "jetemail", "--explore", "0", "--target", at.url)
    assert (alone.status, spread.status) == (1, 1), spread
    kept = ("id", "severity", "operation", "status", "why", "clause", "flapping")
    found = [[{key: finding[key] for key in kept} for finding in run.report["findings"]] for run in (alone, spread)]
    assert found[0] == found[1]
    assert found[0]
    for key in ("verdict", "causes", "clauses", "requests", "surface", "left_behind"):
        assert alone.report[key] == spread.report[key]


def test_mutants_are_the_same(tmp_path: Path, cluster: DaskCluster) -> None:
    """A sample of mutants of every vendor: each is killed by the same finding after the same requests."""
    for name, more in (("alone", ()), ("spread", ("--scheduler", cluster.address))):
        ended = run_command("contract_watch.mutants", "--sample", "2", "--out", str(tmp_path / name), *more)
        assert ended.status == 0, ended
    assert read_mutants(tmp_path / "alone") == read_mutants(tmp_path / "spread")
    assert len(read_mutants(tmp_path / "spread")) > 36


def test_exploration_covers_other_seeds_on_each_worker(tmp_path: Path, cluster: DaskCluster) -> None:
    """Two workers explore at the same time and report together."""
    ended = run_command("contract_watch.engine.command.explore", "--vendor", "jetemail", "--minutes", "0.02",
                        "--out", str(tmp_path), "--scheduler", cluster.address)  # fmt: skip
    assert ended.status == 0, ended
    report = json.loads((tmp_path / "exploration.json").read_text(encoding="utf-8"))
    assert (report["findings"], report["reasons"]) == ([], [])
    assert report["searches"] >= 2


def test_a_night_gives_each_vendor_its_part_of_the_cluster(tmp_path: Path, cluster: DaskCluster) -> None:
    """`make nightly` checks the mock of several vendors on the cluster; each has its own report, and the history all."""
    arguments = ["--axes", "mock", "--explore", "0", "--out", str(tmp_path), "--scheduler", cluster.address]
    ended = run_command("scripts.run_night", *arguments)
    assert ended.status == 0, ended
    vendors = read_night(tmp_path / "night.json")["vendors"]
    assert {one["vendor"]: one["axes"]["mock"]["verdict"] for one in vendors} == dict.fromkeys(
        ("jetemail", "smtp2go", "zitadel"), "none"
    )
    with History(tmp_path / "history.sqlite") as history:
        assert {entry.vendor for entry in history.read_all()} == {"jetemail", "smtp2go", "zitadel"}
