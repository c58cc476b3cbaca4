"""SEED repeats a run; ONLY and SHARD narrow it."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.loopback_server import serve_app
from tests.support.patience import PATIENCE
from tests.support.reports import read_run
from tests.support.suite_process import check_target, start_suite
from tests.vendors.jetemail import drifted_server as drifted
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail

ROOT = Path(__file__).resolve().parents[3]
_PREFIX = re.compile(r"ct-[0-9]{6}-[a-z0-9]{6}-", re.IGNORECASE)
SentRequest = tuple[str, str, str]


def _list_explored_requests(out: Path, seed: str, hash_seed: str, **environment: str) -> list[SentRequest]:
    """List the requests of the exploring stage, with one prefix for all names; an empty ``seed`` is none."""
    command = [sys.executable, "-m", "contract_tests", "--vendor", "jetemail", "--seed", seed, "--out", str(out)]
    out.mkdir()
    variables = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT), **environment}
    with serve_app(FaithfulJetEmail()) as at:  # its own directory has no other run's examples
        subprocess.run([*command, "--target", at.url], cwd=out, env=variables,  # noqa: S603
                       check=True, capture_output=True, timeout=PATIENCE)  # fmt: skip
    report = read_run(out)
    assert (report["seed"], report["verdict"]) == (int(seed or report["seed"]), "none")
    last = at.requests[-report["requests"]["explore"] :]
    return [(a.method, a.path, _PREFIX.sub("ct-", a.content.decode("utf-8", "replace"))) for a in last]


def test_a_seed_repeats_the_exploring_stage(tmp_path: Path) -> None:
    """Runs with the same seed send the same requests in the same order, apart from the names' prefix.

    Another hash seed of Python does not matter; another SEED sends other requests.
    """
    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(_list_explored_requests, tmp_path / n, seed, n)
            for n, seed in (("1", "7"), ("2", "7"), ("3", "8"))
        ]
        one, two, other = [run.result() for run in runs]
    assert len(one) > 100
    assert one == two
    assert one != other


def test_each_night_explores_anew_and_its_printed_seed_repeats_it(tmp_path: Path) -> None:
    """Each nightly run explores anew, and the printed seed repeats a find.

    The environment says CI, as at night; there Hypothesis repeats its examples by default.
    """
    one, other = (_list_explored_requests(tmp_path / name, "", "1", CI="true") for name in ("one", "other"))
    printed = read_run(tmp_path / "one")["seed"]
    assert len(one) > 100
    assert one != other
    assert _list_explored_requests(tmp_path / "again", str(printed), "2") == one


def test_without_a_seed_one_is_printed(tmp_path: Path) -> None:
    """Every run without SEED prints the seed that its report contains, and runs differ."""
    runs = [start_suite(tmp_path / n, "--vendor", "jetemail", "--only", "rules/rename").wait_for_exit() for n in "ab"]
    printed = [re.findall(r"^seed ([0-9]+)$", run.out, re.MULTILINE) for run in runs]
    assert printed == [[str(run.report["seed"])] for run in runs]
    assert printed[0] != printed[1]


def test_only_runs_one_probe(tmp_path: Path) -> None:
    """ONLY takes a probe's id from junit.xml and also runs the clean-up.

    Few requests are sent, and the report gives the reason for each omission.
    """
    with serve_app(FaithfulJetEmail()) as at:
        result = check_target(tmp_path, at.url, "--only", "rules/rename")
    names = {str(case.get("name")) for case in result.junit.iter("testcase")}
    assert result.status == 0, result
    assert "rules/rename" in names
    assert {name.split("/")[0] for name in names} <= {"rules", "clean-up", "the run is conclusive"}
    assert len(at.requests) < 30
    assert "left out by --only" in {entry["why"] for entry in result.report["clauses"]["not_exercised"]}


@pytest.mark.parametrize(
    ("server", "finding"),
    [
        (drifted.DropsMessage, "createSmtpUser/200/body/message/missing"),
        (drifted.DropsQuota, "updateSmtpUser/effect/quota/value"),
        (drifted.UpdatesUnknown, "updateSmtpUser/rule/name-unknown/accepted"),
        (drifted.AcceptsAnyKey, "deleteSmtpUser/credential/accepted"),
        (drifted.AddsField, "deleteSmtpUser/200/body/remaining/undocumented"),
    ],
)
def test_only_runs_what_shows_a_finding_again(server: type[FaithfulJetEmail], finding: str, tmp_path: Path) -> None:
    """ONLY with a finding's id reports it on the server with the drift, and nothing on one without."""
    with serve_app(server()) as at:
        assert finding in check_target(tmp_path / "drifted", at.url, "--only", finding).findings
    with serve_app(FaithfulJetEmail()) as at:
        result = check_target(tmp_path / "faithful", at.url, "--only", finding)
    assert (result.status, result.findings) == (0, {}), result


def test_shards_share_the_probes(tmp_path: Path) -> None:
    """Each of three shards passes, and together they check exactly as much as the whole run."""

    def probes(shard: str) -> set[str]:
        with serve_app(FaithfulJetEmail()) as at:
            result = check_target(tmp_path / shard.replace("/", "of"), at.url, *(("--shard", shard) if shard else ()))
        assert result.status == 0, result
        cases = [str(case.get("name")) for case in result.junit.iter("testcase") if case.find("skipped") is None]
        return {name for name in cases if not name.startswith("clean-up/")}

    with ThreadPoolExecutor(2) as pool:
        whole, *parts = pool.map(probes, ("", "1/3", "2/3", "3/3"))
    assert set.union(*parts) == whole
    assert all(len(part) < 0.6 * len(whole) for part in parts)
