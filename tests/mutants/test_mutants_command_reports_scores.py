"""``make mutants`` measures, reports the score, and rejects bad arguments."""

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mutants.derivation import MutantConfig
from contract_watch.mutants.mutant_runner import MutantResult, MutantRunner, start_mutant_runner
from contract_watch.mutants.score import compute_score
from tests.support.command_process import (
    assert_one_line_error,
    is_group_empty,
    run_command,
    start_process,
    wait_for_exit,
)
from tests.support.mutant_lists import list_equivalent_mutants, list_mutants
from tests.support.sampling import effort

MUTANTS = {mutant.id: mutant for mutant in list_mutants("jetemail")}
EQUIVALENT = [mutant.id for mutant in list_equivalent_mutants("jetemail")]


def test_a_sample_of_every_family_is_noticed(tmp_path: Path) -> None:
    """Every change of this repository is measured against a fixed sample of every family.

    Real servers run the mutants on all cores. The floors hold; the report has the matrix, the figures and every result.
    """
    ended = run_command(
        "contract_watch.mutants", "--vendor", "jetemail", "--sample", str(effort(6, 12)), "--out", str(tmp_path)
    )
    assert ended.status == 0, ended
    [run] = json.loads((tmp_path / "mutants.json").read_text(encoding="utf-8"))["runs"]
    assert (run["score"], run["survivors"], run["failures"]) == (1.0, [], [])
    families = {result["mutant"].split("/")[0] for result in run["mutants"]}
    assert families == {"status", "body", "media", "requests", "credentials", "state", "methods"}
    assert len(run["mutants"]) >= effort(40, 80)
    assert all(result["requests"] <= 190 for result in run["mutants"] if result["finding"])
    assert run["baseline"]["requests"] <= run["floors"]["requests"]
    assert "score 100.00%" in ended.out
    assert "# Mutants" in (tmp_path / "mutants.md").read_text(encoding="utf-8")


@pytest.fixture(name="tried", scope="module")
def _tried(jetemail: Contract) -> Iterator[MutantRunner]:
    with start_mutant_runner(jetemail) as made:
        yield made


@pytest.mark.parametrize("name", EQUIVALENT)
def test_an_equivalent_mutant_cannot_be_observed(tried: MutantRunner, name: str) -> None:
    """A mutant that is not counted passes all deterministic stages of the suite without a finding."""
    result = tried.run_mutant(MUTANTS[name])
    assert (result.finding, result.reason) == ("", "")


def test_the_list_of_equivalents_is_short(jetemail: Contract) -> None:
    """The list can be reviewed: at most a dozen reasons, at most 5 % of all mutants, no stale pattern."""
    config, found = MutantConfig(jetemail), list_mutants("jetemail")
    assert len(config.equivalents) <= 12
    assert 0 < len(EQUIVALENT) <= len(found) * 0.05
    assert config.find_stale_patterns(found) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "weather"], ["--only", "weather", "credentials"]),
        (["--shard", "3/2"], ["--shard", "3/2"]),
        (["--vendor", "jetemail", "--only", "methods", "--shard", "13/40"], ["--shard", "12 mutants"]),
        (["--vendor", "nobody"], ["nobody", "jetemail"]),
        (["--sample", "-1"], ["--sample"]),
        (["--thorough", "2"], ["--thorough", "0 or 1"]),
        (["--speed", "9"], ["--speed"]),
    ],
)
def test_wrong_usage_is_one_line(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    """A bad selection is rejected at once with status 3, and nothing is written."""
    assert_one_line_error(run_command("contract_watch.mutants", *arguments, "--out", str(tmp_path / "out")), *words)
    assert not (tmp_path / "out").exists()


def test_one_mutant_can_be_tried_alone(tmp_path: Path) -> None:
    """ONLY takes a mutant's id; the report has that result, its finding, and a matrix of one."""
    name = "body/deleteSmtpUser/404/success/flipped"
    ended = run_command("contract_watch.mutants", "--vendor", "jetemail", "--only", name, "--out", str(tmp_path))
    assert ended.status == 0, ended
    [run] = json.loads((tmp_path / "mutants.json").read_text(encoding="utf-8"))["runs"]
    [result] = run["mutants"]
    assert (result["mutant"], result["finding"]) == (name, "deleteSmtpUser/404/body/success/value")
    assert (result["names_operation"], result["names_property"]) == (True, True)


def test_a_thorough_measurement_asks_what_others_stand_for(tmp_path: Path) -> None:
    """A mutant that the allowance leaves out is found with THOROUGH=1, in more requests."""
    left_out = "requests/createSmtpUser/ipRestrictions/pattern-looser-no-start/items"
    arguments = ("--vendor", "jetemail", "--only", left_out, "--out", str(tmp_path))
    requests = []
    for thorough, survivors in (("0", [left_out]), ("1", [])):
        ended = run_command("contract_watch.mutants", *arguments, "--thorough", thorough)
        assert ended.status == len(survivors), ended
        [run] = json.loads((tmp_path / "mutants.json").read_text(encoding="utf-8"))["runs"]
        assert (run["survivors"], run["thorough"]) == (survivors, thorough == "1")
        requests.append(run["baseline"]["requests"])
    assert requests[0] < requests[1]
    assert f"no finding in {requests[1]} requests (THOROUGH=1 has no bound)" in ended.out


@pytest.mark.parametrize(("is_thorough", "failures"), [(True, 0), (False, 1)])
def test_only_a_usual_run_has_a_bound_of_requests(jetemail: Contract, is_thorough: bool, failures: int) -> None:
    """A thorough run may take as many requests as it needs."""
    faithful = asdict(MutantResult("baseline", "", "", False, False, 0, 305, 1.0)) | {"contract": jetemail.slug}
    score = compute_score(jetemail, [], [faithful], is_complete=False, is_thorough=is_thorough)
    assert len(score.list_failures()) == failures


def test_a_shortfall_is_status_1(tmp_path: Path) -> None:
    """The command itself checks the floor.

    An equivalent mutant survives without the list of equivalents: the status is 1, and the output names it.
    """
    copied = _copy_repository(tmp_path)
    config = copied / "contracts" / "jetemail" / "mutants.toml"
    config.write_text(config.read_text(encoding="utf-8").split("[[equivalent]]")[0], encoding="utf-8")
    name = "body/deleteSmtpUser/404/error/emptied"
    out = tmp_path / "out"
    ended = run_command("contract_watch.mutants", "--only", name, "--out", str(out), cwd=copied, PYTHONPATH=str(copied))
    assert ended.status == 1, ended
    assert name in ended.out
    assert "below the floor: score 0.00%" in ended.err


def _copy_repository(directory: Path) -> Path:
    """Create a root with copies of this one's packages and a contract of its own."""
    here = Path(__file__).resolve().parents[2]
    root = directory / "root"
    (root / "contracts").mkdir(parents=True)
    for path in here.iterdir():
        if path.name in (
            "contract_tests",
            "contract_watch",
            "generated",
            "openapi.json",
        ):
            _copy_tree(path, root / path.name)
    for path in (here / "contracts").iterdir():
        _copy_tree(path, root / "contracts" / path.name)
    return root


def _copy_tree(path: Path, to: Path) -> None:
    if path.is_dir():
        to.mkdir()
        for inner in path.iterdir():
            if inner.name != "__pycache__":
                _copy_tree(inner, to / inner.name)
    else:
        to.write_bytes(path.read_bytes())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_measure_writes_nothing(tmp_path: Path, number: int) -> None:
    """No half report is left: a signal once mutants are under way gives one line, status 2, and no process remains.

    Standard error is a terminal, where progress shows at once; elsewhere the first line comes after five seconds.
    """
    out = tmp_path / "out"
    terminal, other_end = os.openpty()
    arguments = ["contract_watch.mutants", "--vendor", "jetemail", "--out", str(out)]
    with start_process(arguments, {"TERM": "xterm", "NO_COLOR": ""}, stderr=other_end) as process:
        os.close(other_end)
        said = os.read(terminal, 4096)
        while not re.search(rb"\[\d+/\d+\]", said):  # two results within a twentieth of a second show one number
            said += os.read(terminal, 4096)
        os.kill(process.pid, number)
        with suppress(OSError):  # the other end is closed
            while more := os.read(terminal, 4096):
                said += more
        ended = wait_for_exit(process)
        assert is_group_empty(process.pid)
    os.close(terminal)
    assert ended.status == 2, said
    assert b"error: interrupted; nothing was written" in said
    assert b"Traceback" not in said
    assert list(out.iterdir()) == []
