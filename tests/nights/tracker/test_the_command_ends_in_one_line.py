"""``make keep-issue``: bad input, a missing token and a tracker that is down end with one line and a status."""

import sys
from pathlib import Path

import pytest

from contract_watch.commands.keep_issue import main
from contract_watch.nights.night_file import FILE_NAME, write_night
from tests.support.command_process import assert_one_line_error, run_command
from tests.support.issues_api import REPOSITORY, TOKEN, IssuesApi, Keeper
from tests.support.loopback_server import LoopbackResponse, serve_app
from tests.support.night_documents import build_cause, build_night, build_vendor
from tests.support.virtual_clock import VirtualClock

NIGHT = build_night(build_vendor("drift", [build_cause()]), number=0)


@pytest.fixture(name="out")
def _out(tmp_path: Path) -> Path:
    write_night(NIGHT, tmp_path / FILE_NAME)
    return tmp_path


@pytest.fixture(name="environment")
def _environment(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> IssuesApi:
    """Set the variables as CI does."""
    for name, value in {
        "GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_API_URL": keeper.server.url, "GITHUB_RUN_NUMBER": "7",
        "GITHUB_RUN_ATTEMPT": "2", "TRACKER_AUTHOR": "",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return keeper.api


def test_the_command_opens_an_issue(environment: IssuesApi, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The number of the CI run serves a night that has none."""
    assert main([f"--out={out}"], VirtualClock()) == 0
    assert capsys.readouterr().out == "Acme: opened #1\n"
    assert '"run":[7,2,' in environment.issues[1]["body"]


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("GITHUB_TOKEN", "", "GITHUB_TOKEN: is not set; give the job a token that may write issues"),
        ("GITHUB_TOKEN", "a b", "GITHUB_TOKEN: holds characters that no token has; store it again"),
        ("GITHUB_REPOSITORY", "", "GITHUB_REPOSITORY: must be owner/name, got ''; set it"),
        ("GITHUB_REPOSITORY", "../x", "GITHUB_REPOSITORY: must be owner/name"),
        ("GITHUB_API_URL", "http://api.github.test", "GITHUB_API_URL: must be an https address"),
        ("GITHUB_API_URL", "https://user:pass@api.github.test", "GITHUB_API_URL: must be an https address"),
        ("GITHUB_API_URL", "https://[", "GITHUB_API_URL: must be an https address"),
        ("GITHUB_RUN_NUMBER", "seven", "GITHUB_RUN_NUMBER: must be a whole number, got 'seven'"),
        ("TRACKER_AUTHOR", "a b", "TRACKER_AUTHOR: must be a login, got 'a b'"),
    ],
)
@pytest.mark.usefixtures("environment")
def test_a_bad_variable_is_one_line(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str, line: str
) -> None:
    """Status 3; neither the token nor the credentials of an address are printed."""
    monkeypatch.setenv(variable, value)
    assert main([f"--out={out}"]) == 3
    printed = capsys.readouterr()
    assert printed.err.startswith(f"error: {line}")
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert TOKEN not in printed.err
    assert "pass" not in printed.err


@pytest.mark.parametrize("content", [None, "{", "[]", '{"format": 2}', '{"format": 1}'])
@pytest.mark.usefixtures("environment")
def test_a_bad_night_is_one_line(
    keeper: Keeper, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    """Status 3, and nothing is sent."""
    if content is not None:
        (tmp_path / FILE_NAME).write_text(content)
    assert main([f"--out={tmp_path}"]) == 3
    printed = capsys.readouterr().err
    assert printed.startswith(f"error: {tmp_path}/{FILE_NAME}: ")
    assert printed.count("\n") == 1
    assert keeper.server.requests == []


@pytest.mark.usefixtures("environment")
def test_a_tracker_that_is_down_loses_nothing(
    keeper: Keeper, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 and one line; the next call does all that this one could not."""
    with serve_app(lambda _: LoopbackResponse(500, {"message": TOKEN})) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        assert main([f"--out={out}"], VirtualClock()) == 2
    printed = capsys.readouterr().err
    assert printed == f"error: {server.url}: status 500, and no time is left to wait; run make keep-issue again\n"
    monkeypatch.setenv("GITHUB_API_URL", keeper.server.url)
    assert main([f"--out={out}"], VirtualClock()) == 0
    assert keeper.api.list_open() == [1]


def test_the_command_runs_as_make_calls_it(tmp_path: Path) -> None:
    """As a program it rejects a missing token before it reads anything."""
    result = run_command("scripts.keep_issue", f"--out={tmp_path}", GITHUB_TOKEN="")
    assert_one_line_error(result, "GITHUB_TOKEN: is not set")


@pytest.mark.usefixtures("environment")
def test_a_missing_library_is_one_line(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The client library is an extra; the line names it."""
    for module in ("github_tracker", "keeper"):
        monkeypatch.delitem(sys.modules, f"contract_watch.nights.tracker.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "github", None)
    assert main([f"--out={out}"]) == 3
    assert capsys.readouterr().err == "error: PyGithub: is not installed; install contract-watch[tracker]\n"
