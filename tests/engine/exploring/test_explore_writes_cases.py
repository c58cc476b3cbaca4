"""``make explore`` searches for a given time, prints findings at once, and writes them as ready cases."""

import ast
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from hypothesis.database import InMemoryExampleDatabase

from contract_watch.cli import catch_signals
from contract_watch.contracts.registry import Contract
from contract_watch.engine.exploring.example_database import FailSafeDatabase
from contract_watch.engine.exploring.explorer import Explorer
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants.derivation import derive_mutants
from contract_watch.mutants.mutant_mock import MutantApp, MutantServer
from tests.support.command_process import (
    CommandResult,
    assert_one_line_error,
    is_group_empty,
    run_command,
    start_command,
    wait_for_exit,
)
from tests.support.loopback_server import serve_app
from tests.support.rate_limits.redis_server import serve_redis
from tests.vendors.jetemail import drifted_server as drifted

SHORT = ("--vendor", "jetemail", "--minutes", "0.05")
EXPLORE_MODULE = "contract_watch.engine.command.explore"


@pytest.fixture(name="house", scope="module")
def _house() -> Iterator[tuple[MutantServer, str]]:
    house = MutantServer()
    with run_in_thread(house) as base:
        yield house, base


def _start_mutant(house: tuple[MutantServer, str], contract: Contract, name: str) -> str:
    """Serve a vendor with one mutant and give its address."""
    mutant = next(mutant for mutant in derive_mutants(contract) if mutant.id == name)
    house[0].app = MutantApp(contract, mutant.create_mutation())
    return house[1]


def _read_report(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "exploration.json").read_text(encoding="utf-8"))
    return found


def _explore_until(fragment: str, directory: Path, target: str, *arguments: str, **environment: str) -> CommandResult:
    """Explore until the output has a case with ``fragment`` in its name, then stop as Ctrl-C does: no clock decides."""
    given = ("--vendor", "jetemail", "--minutes", "9", "--target", target, "--out", str(directory / "out"), *arguments)
    with start_command(EXPLORE_MODULE, *given, cwd=directory, **environment) as process:
        assert process.stdout is not None
        said = ""
        while not ("  case: " in said and fragment in said.rsplit("  case: ", 1)[1]):
            line = process.stdout.readline()
            assert line, f"it ended before it found anything:\n{said}"
            said += line
        os.killpg(process.pid, signal.SIGINT)
        ended = wait_for_exit(process)
    return CommandResult(ended.status, said + ended.out, ended.err)


def _run_case(path: Path, target: str) -> CommandResult:
    return run_command("pytest", "-q", "-p", "no:cacheprovider", str(path), TARGET=target)


def test_an_honest_target_gives_no_finding(tmp_path: Path) -> None:
    """On the mock the command exits with 0, writes no case and leaves nothing behind."""
    ended = run_command(EXPLORE_MODULE, *SHORT, "--out", str(tmp_path / "out"), cwd=tmp_path)
    assert ended.status == 0, ended
    report = _read_report(tmp_path / "out")
    assert (report["findings"], report["cases"], report["left_behind"], report["reasons"]) == ([], [], [], [])
    assert report["searches"] >= 2
    assert not (tmp_path / "out" / "cases").exists()


def test_a_find_becomes_a_case_that_fails_there_and_passes_elsewhere(
    house: tuple[MutantServer, str], jetemail: Contract, tmp_path: Path
) -> None:
    """Anybody can rerun a find without exploring.

    The mutant creates a name that is taken. The pytest case uses the generated client, fails on the mutant with the
    finding's id, and passes on the mock.
    """
    target = _start_mutant(house, jetemail, "state/createSmtpUser/off/name-taken")
    ended = _explore_until("name_taken_accepted", tmp_path, target)
    assert ended.status == 1, ended
    name = "createSmtpUser/rule/name-taken/accepted"
    assert name in {finding["id"] for finding in _read_report(tmp_path / "out")["findings"]}
    assert name in ended.out
    case = tmp_path / "out" / "cases" / "test_jetemail_create_smtp_user_rule_name_taken_accepted.py"
    text = case.read_text(encoding="utf-8")
    assert "from jetemail_client.api.outbound import create_smtp_user" in text
    # Two are the fewest; a machine that is very busy may not get that far in the time for shrinking.
    assert text.count("create_smtp_user.sync_detailed(") in (2, 3)
    there, elsewhere = _run_case(case, target), _run_case(case, "mock")
    assert (there.status, elsewhere.status) == (1, 0), (there, elsewhere)
    assert name in there.out


def test_a_hostile_answer_cannot_write_into_a_case(tmp_path: Path) -> None:
    """Responses contain quotes, line ends and escapes.

    Each case is still a Python module that only calls the client, without secrets or control characters.
    """
    with serve_app(drifted.SendsHostileText()) as at:
        _explore_until("test_jetemail", tmp_path, at.url)
    cases = list((tmp_path / "out" / "cases").iterdir())
    assert cases
    for case in cases:
        text = case.read_text(encoding="utf-8")
        assert text.isascii() or text.isprintable()
        assert [line for line in text.splitlines() if not line.isprintable()] == []
        kinds = {type(node).__name__ for node in ast.parse(text).body}
        assert kinds == {"Expr", "ImportFrom", "FunctionDef"}
        assert "api_test_" not in text


def test_a_round_ends_with_its_first_find(house: tuple[MutantServer, str], jetemail: Contract) -> None:
    """The round has a minute; it ends after the search that finds the drift, so that the drift is reported at once."""
    target = _start_mutant(house, jetemail, "body/deleteSmtpUser/404/error/missing")
    keys = {one.account: one.test for one in jetemail.credentials}
    database = FailSafeDatabase(InMemoryExampleDatabase())
    with catch_signals() as interruption:
        explorer = Explorer(jetemail, target, keys, database, interruption, repeats=True)
        result = explorer.run_round(4, time.time() + 60, 1005)
        explorer.close()
    assert [finding["id"] for finding in result["findings"]] == ["deleteSmtpUser/404/body/error/missing"]
    assert result["searches"] < 5


def test_a_body_that_the_client_cannot_say_is_sent_as_it_is(
    house: tuple[MutantServer, str], jetemail: Contract, tmp_path: Path
) -> None:
    """The mutant accepts a body without a name.

    The client cannot encode it, so the case uses the client's httpx client.
    """
    target = _start_mutant(house, jetemail, "requests/createSmtpUser/username/optional")
    _explore_until("username_required_accepted", tmp_path, target)
    case = tmp_path / "out" / "cases" / "test_jetemail_create_smtp_user_request_username_required_accepted.py"
    assert "get_httpx_client().request('POST', '/outbound/smarthost'" in case.read_text(encoding="utf-8").replace(
        '"', "'"
    )
    assert (_run_case(case, target).status, _run_case(case, "mock").status) == (1, 0)


def test_shards_share_what_they_found(house: tuple[MutantServer, str], jetemail: Contract, tmp_path: Path) -> None:
    """Two shards run one after the other with a real Redis. Both report the drift, and the server stores examples."""
    target = _start_mutant(house, jetemail, "body/deleteSmtpUser/404/error/missing")
    for number in (1, 2):
        (tmp_path / f"{number}").mkdir()
    with serve_redis(tmp_path) as url:
        for number in (1, 2):
            ended = _explore_until("error_missing", tmp_path / f"{number}", target, "--shard", f"{number}/2",
                                   HYPOTHESIS_REDIS_URL=url)  # fmt: skip
            assert ended.status == 1, ended
            with redis.Redis.from_url(url) as client:
                assert client.keys("hypothesis-example:*")
    assert not (tmp_path / "1" / ".hypothesis" / "examples").exists()


def test_a_dead_target_is_inconclusive(tmp_path: Path) -> None:
    """The command exits with 2 and the reason, and without a finding."""
    ended = run_command(
        EXPLORE_MODULE, *SHORT, "--target", "http://127.0.0.1:9", "--out", str(tmp_path / "out"), cwd=tmp_path
    )
    assert ended.status == 2, ended
    assert "inconclusive: no answer from http://127.0.0.1:9" in ended.out
    assert _read_report(tmp_path / "out")["findings"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--minutes", "0"], ["--minutes"]),
        (["--minutes", "soon"], ["--minutes", "soon"]),
        (["--minutes", "9999"], ["--minutes"]),
        (["--shard", "4/3"], ["--shard", "4/3"]),
        (["--seed", "x"], ["--seed"]),
        (["--vendor", "nobody"], ["nobody", "jetemail"]),
        (["--target", "live"], ["--target", "guarded"]),
        (["--target", "https://api.jetemail.com"], ["--target", "guarded"]),
        (["--live", "mutate"], ["--live"]),
    ],
)
def test_wrong_usage_is_one_line(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    """The command exits with 3; nothing is sent or written."""
    assert_one_line_error(run_command(EXPLORE_MODULE, *arguments, "--out", str(tmp_path / "out")), *words)
    assert not (tmp_path / "out").exists()


def test_a_redis_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """The command exits with 2 and one line: the server, the fix and no password. Another URL scheme is wrong usage."""
    url = "redis://:s3cret-pass@127.0.0.1:9"
    ended = run_command(EXPLORE_MODULE, *SHORT, "--out", str(tmp_path), HYPOTHESIS_REDIS_URL=url)
    assert_one_line_error(ended, "HYPOTHESIS_REDIS_URL", "127.0.0.1:9", "unset", status=2)
    assert "s3cret-pass" not in ended.err
    assert_one_line_error(
        run_command(EXPLORE_MODULE, *SHORT, "--out", str(tmp_path), HYPOTHESIS_REDIS_URL="gopher://x"), "redis://"
    )


@pytest.mark.parametrize("whole", [True, False], ids=["ctrl-c", "sigterm"])
def test_an_interrupted_exploration_keeps_what_it_found(
    house: tuple[MutantServer, str], jetemail: Contract, tmp_path: Path, whole: bool
) -> None:
    """After the first find all processes get Ctrl-C, or the command alone gets SIGTERM.

    The case and the report are written, the status is 1, and the target is empty.
    """
    target = _start_mutant(house, jetemail, "body/deleteSmtpUser/404/error/missing")
    arguments = ("--vendor", "jetemail", "--minutes", "9", "--target", target, "--out", str(tmp_path / "out"))
    with start_command(EXPLORE_MODULE, *arguments, cwd=tmp_path) as process:
        assert process.stdout is not None
        while not (line := process.stdout.readline()).startswith("  case: "):
            assert line, "it ended before it found anything"
        if whole:
            os.killpg(process.pid, signal.SIGINT)
        else:
            os.kill(process.pid, signal.SIGTERM)
        ended = wait_for_exit(process)
        assert is_group_empty(process.pid)
    assert ended.status == 1, ended
    report = _read_report(tmp_path / "out")
    assert (len(report["findings"]), len(report["cases"])) == (1, 1)
    assert "the exploration was interrupted" in report["reasons"]
    assert "Traceback" not in ended.err
    assert httpx.get(f"{target}/__mock/state").json() == {"jetemail": []}


def test_replay_says_where_it_cannot_begin(tmp_path: Path) -> None:
    """A malformed TARGET is a usage error that names it."""
    case = tmp_path / "test_case.py"
    case.write_text(
        "from contract_watch.engine.exploring.replay import Replay\n\n\ndef test_it() -> None:\n    with Replay('jetemail'):\n        pass\n"
    )
    ended = _run_case(case, "ftp://x")
    assert ended.status == 1
    assert "TARGET must be mock, live or a URL such as http://127.0.0.1:8025, got 'ftp://x'" in ended.out
    assert _run_case(case, "mock").status == 0


def test_a_case_tells_a_dead_target_from_drift(tmp_path: Path) -> None:
    """A closed port and a wrong key are inconclusive errors with a reason, and no broken contract."""
    case = tmp_path / "test_case.py"
    case.write_text(
        "from contract_watch.engine.exploring.replay import Replay\n\n\ndef test_it() -> None:\n    with Replay('jetemail'):\n        pass\n"
    )
    dead = _run_case(case, "http://127.0.0.1:9")
    assert dead.status == 1
    assert "InconclusiveError: no answer from http://127.0.0.1:9" in dead.out
    with serve_app(drifted.AnswersForbidden()) as at:
        refused = run_command("pytest", "-q", str(case), TARGET=at.url, JETEMAIL_API_KEY="wrong-key-of-nobody")
    assert "InconclusiveError: the target does not accept the key in JETEMAIL_API_KEY" in refused.out
    assert "ContractBrokenError" not in dead.out + refused.out
    assert "wrong-key-of-nobody" not in refused.out
