"""Jobs of a matrix share a night with ``PAGE=0``; one job joins what they found, writes the page and notifies."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_watch.commands import merge_history, run_night
from contract_watch.contracts.registry import ROOT, load_contracts
from contract_watch.engine.command.live_runs import list_variables
from contract_watch.nights.night_file import FILE_NAME, read_night
from contract_watch.nights.publish import compute_night_status
from tests.support.loopback_server import LoopbackResponse, LoopbackServer, serve_app
from tests.support.night_documents import build_axis, build_night, build_vendor

SLUGS = list(load_contracts())
SLUG = SLUGS[0]


@pytest.fixture(name="receiver")
def _receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    """Serve a webhook that every process of the night would find in its environment; no vendor has a key."""
    for variable in {name for contract in load_contracts().values() for name in list_variables(contract)}:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("NOTIFY_ON", "always")
    monkeypatch.chdir(ROOT)
    with serve_app(lambda _: LoopbackResponse(200)) as server:
        monkeypatch.setenv("NOTIFY_URL", server.url)
        yield server


def _run_job(directory: Path, slug: str, *options: str) -> int:
    """Check one vendor as a job of the workflow does; without keys nothing is sent."""
    history = directory / slug / "history.sqlite"
    return run_night.main(
        [f"--vendor={slug}", "--axes=live", "--page=0", f"--out={directory}", f"--history={history}", *options]
    )


def _list_files(directory: Path) -> list[str]:
    """Return the files below a directory, without the locks of nights that are over."""
    files = (path for path in directory.rglob("*") if path.is_file() and path.suffix != ".lock")
    return sorted(path.relative_to(directory).as_posix() for path in files)


def test_a_job_writes_no_page_and_notifies_nobody(receiver: LoopbackServer, tmp_path: Path) -> None:
    """A job writes no file that another job writes too, so that the results of all jobs fit into one directory."""
    _run_job(tmp_path, SLUG)
    assert _list_files(tmp_path) == [f"{SLUG}/live/skipped.json"]
    assert receiver.requests == []


def test_one_job_joins_the_others_and_notifies(receiver: LoopbackServer, tmp_path: Path) -> None:
    """The page shows every job's results; a vendor whose job was killed is there too, as not checked."""
    single, joined = tmp_path / "job", tmp_path / "reports"
    _run_job(single, SLUG)
    shutil.copytree(single, joined)
    assert run_night.main(["--only-page=1", f"--out={joined}"]) == 2
    vendors = {one["vendor"]: one["axes"]["live"] for one in read_night(joined / FILE_NAME)["vendors"]}
    assert list(vendors) == SLUGS
    assert vendors[SLUG]["not_checked"].startswith("no key in ")
    assert {axis["not_checked"] for slug, axis in vendors.items() if slug != SLUG} == {
        "no job of this night checked it"
    }
    assert {"index.html", "report.md", "findings.sarif"} <= set(_list_files(joined))
    (request,) = receiver.requests
    assert [one["vendor"] for one in json.loads(request.content)["vendors"]] == SLUGS


def test_a_night_whose_jobs_were_all_killed_has_a_page(receiver: LoopbackServer, tmp_path: Path) -> None:
    """Nothing to merge is said, and takes no page away."""
    assert merge_history.main([f"--out={tmp_path}"]) == 3
    assert run_night.main(["--only-page=1", f"--out={tmp_path}"]) == 2
    assert (tmp_path / "index.html").is_file()
    assert len(receiver.requests) == 1


def test_a_malformed_webhook_concerns_no_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job without a page reads no setting of the webhook; a whole night refuses a malformed one before anything is sent."""
    monkeypatch.setenv("NOTIFY_URL", "http://far.test")
    monkeypatch.chdir(ROOT)
    assert _run_job(tmp_path, SLUG, "--axes=document") in (0, 2)
    assert run_night.main([f"--vendor={SLUG}", "--axes=document", f"--out={tmp_path}"]) == 3


def test_a_page_alone_needs_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The two switches contradict each other."""
    assert run_night.main(["--only-page=1", "--page=0", f"--out={tmp_path}"]) == 3
    assert capsys.readouterr().err.startswith("error: --page: 0 contradicts --only-page; ")


def test_the_run_on_the_mock_gets_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a vendor's variable nor the variables that hand one over reach it."""
    given: list[dict[str, str]] = []

    def record(command: list[str], *, env: dict[str, str], check: bool) -> subprocess.CompletedProcess[bytes]:
        assert not check
        given.append(env)
        return subprocess.CompletedProcess(command, 2)

    name = list_variables(load_contracts()[SLUG])[0]
    for variable, value in {name: "key-1", "SECRET_NAMES": name, "SECRET_0": "key-2", "SECRETS_JSON": "{}"}.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(subprocess, "run", record)
    monkeypatch.chdir(ROOT)
    assert run_night.main([f"--vendor={SLUG}", "--axes=mock", "--page=0", f"--out={tmp_path}"]) == 2
    (environment,) = given
    assert [text for text in environment.values() if text.startswith("key-")] == []
    assert {"SECRET_0", "SECRET_NAMES", "SECRETS_JSON", name} & set(environment) == set()
    assert "PATH" in environment


@pytest.mark.parametrize(
    ("axis", "required", "documents", "status"),
    [
        ("live", [], [], 0),
        ("live", ["acme"], [], 2),
        ("live", ["zeta"], ["acme"], 0),
        ("document", ["acme"], [], 0),
        ("document", [], ["acme"], 2),
    ],
)
def test_a_required_check_that_was_not_made_is_no_green_night(
    axis: str, required: list[str], documents: list[str], status: int
) -> None:
    """REQUIRE is about the live axis, REQUIRE_DOCUMENTS about the document."""
    night = build_night(build_vendor("clean", axes={axis: build_axis(None)}))
    assert compute_night_status(night, required, documents) == status


@pytest.mark.parametrize("option", ["--require", "--require-documents"])
def test_an_unknown_required_vendor_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """A typo would switch the requirement off."""
    assert run_night.main([f"--out={tmp_path}", f"{option}=nobody"]) == 3
    assert capsys.readouterr().err.startswith(f"error: {option}: unknown vendor 'nobody'; ")
