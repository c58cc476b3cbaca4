"""An interrupted run reports the interruption, cleans up and never leaves half a report."""

import signal
from pathlib import Path

import pytest

from tests.support.loopback_server import LoopbackResponse, ReceivedRequest, serve_app
from tests.support.patience import PATIENCE
from tests.support.reports import read_run
from tests.support.suite_process import assert_inconclusive, check_target, start_check
from tests.vendors.jetemail.drifted_server import StallingApp
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail


@pytest.mark.parametrize(
    ("number", "method", "count"),
    [
        (signal.SIGTERM, "POST", 1),
        (signal.SIGINT, "POST", 4),
        (signal.SIGINT, "PATCH", 1),
        (signal.SIGTERM, "DELETE", 2),
    ],
)
def test_an_interrupted_run_cleans_up_and_reports(number: int, method: str, count: int, tmp_path: Path) -> None:
    """SIGTERM or SIGINT arrives after the target executed a request and before it answers.

    The run is inconclusive, its reports are complete, and the account is as it was.
    """
    app = FaithfulJetEmail()
    stalls = StallingApp(app, method, count)
    with serve_app(stalls) as at:
        running = start_check(tmp_path, at.url)
        assert stalls.reached.wait(PATIENCE)
        running.send_signal(number)
        result = running.wait_for_exit()
        stalls.go.set()
    assert_inconclusive(result)
    assert "interrupted" in result.report["reason"]
    assert app.rows == {"paid": {}, "free": {}}
    assert result.report["left_behind"] == []
    assert (result.junit.tag, result.markdown[:12]) == ("testsuites", "- JetEmail (")


def test_an_interrupted_preflight_is_an_interruption(tmp_path: Path) -> None:
    """SIGINT arrives during the run's first request. The reason is told in words, not as a name of Python's."""
    stalls = StallingApp(FaithfulJetEmail(), "GET", 1)
    with serve_app(stalls) as at:
        running = start_check(tmp_path, at.url)
        assert stalls.reached.wait(PATIENCE)
        running.send_signal(signal.SIGINT)
        result = running.wait_for_exit()
        stalls.go.set()
    assert_inconclusive(result)
    assert result.report["reason"] == "the run was interrupted"


def test_an_interrupted_clean_up_says_what_is_left(tmp_path: Path) -> None:
    """SIGTERM arrives during the first deletion of the clean-up. The run is inconclusive and names all leftovers."""
    app = FaithfulJetEmail()
    stalls = StallingApp(app, "DELETE", 1)
    with serve_app(stalls) as at:
        running = start_check(tmp_path, at.url, "--only", "accepted/createSmtpUser/1")
        assert stalls.reached.wait(PATIENCE)
        running.send_signal(signal.SIGTERM)
        result = running.wait_for_exit()
        stalls.go.set()
    assert_inconclusive(result)
    assert {name for rows in app.rows.values() for name in rows} <= set(result.report["left_behind"])


def test_a_killed_run_leaves_the_last_report_alone(tmp_path: Path) -> None:
    """A run is killed midway. The directory still contains exactly the reports of an earlier run."""
    with serve_app(FaithfulJetEmail()) as at:
        earlier = check_target(tmp_path, at.url, "--only", "rules/rename")
    before = {path.name: path.read_bytes() for path in earlier.directory.iterdir()}
    assert len(before) == 5
    stalls = StallingApp(FaithfulJetEmail(), "POST", 3)
    with serve_app(stalls) as at:
        running = start_check(tmp_path, at.url)
        assert stalls.reached.wait(PATIENCE)
        running.send_signal(signal.SIGKILL)
        assert running.wait_for_exit().status == -signal.SIGKILL
        stalls.go.set()
    assert {path.name: path.read_bytes() for path in earlier.directory.iterdir()} == before


def test_a_reader_never_sees_half_a_report(tmp_path: Path) -> None:
    """Reports are replaced atomically: a reader that polls sees the earlier report, then the new one."""
    with serve_app(FaithfulJetEmail()) as at:
        earlier = check_target(tmp_path, at.url, "--only", "rules/rename", "--seed", "1")
        running = start_check(tmp_path, at.url, "--seed", "2")
        seeds = set()
        while running.is_alive:
            seeds.add(read_run(earlier.directory)["seed"])
        seeds.add(running.wait_for_exit().report["seed"])
    assert seeds == {1, 2}
    assert sorted(path.name for path in earlier.directory.iterdir()) == [
        ".history.sqlite.lock", "findings.json", "history.sqlite", "junit.xml", "report.md"]  # fmt: skip


def test_an_interruption_of_the_asynchronous_client_counts(tmp_path: Path) -> None:
    """SIGINT arrives while the asynchronous client waits for the run's last creation.

    No stage may swallow it: the run is inconclusive and leaves nothing.
    """
    whole = FaithfulJetEmail()
    made: list[ReceivedRequest] = []

    def counting(asked: ReceivedRequest) -> LoopbackResponse | bytes | None:
        answer = whole(asked)
        if asked.method == "POST" and isinstance(answer, LoopbackResponse) and answer.status == 200:
            made.append(asked)
        return answer

    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    with serve_app(counting) as at:
        check_target(tmp_path / "whole", at.url)
    app, creations = FaithfulJetEmail(), len(made)
    stalls = StallingApp(app, "POST", creations)
    with serve_app(stalls) as at:
        running = start_check(tmp_path / "cut", at.url)
        assert stalls.reached.wait(PATIENCE)
        running.send_signal(signal.SIGINT)
        result = running.wait_for_exit()
        stalls.go.set()
    assert_inconclusive(result)
    assert app.rows == {"paid": {}, "free": {}}
