"""`make nightly` makes every check of a night, remembers it, and writes one page; jobs of a matrix can make its parts."""

import fcntl
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from contract_watch.commands import merge_history, run_night
from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.engine.command.live_runs import list_variables
from contract_watch.history.store import FORMAT, History
from contract_watch.nights.night_file import AXES, read_night
from contract_watch.nights.publish import compute_night_status, format_closing
from contract_watch.nights.run_files import RUN_NAME
from tests.support.contract_root import make_document, shorten_names, write_document
from tests.support.night_documents import build_axis, build_cause, build_night, build_vendor
from tests.support.patience import PATIENCE

JETEMAIL = Contract("jetemail")


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key is set, and the vendor publishes what is stored."""
    for variable in list_variables(JETEMAIL):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("JETEMAIL_PUBLISHED", write_document(tmp_path, make_document(JETEMAIL)))


def make_night(out: Path, *arguments: str) -> int:
    """Run the command for one vendor, without exploring."""
    return run_night.main(["--vendor", "jetemail", "--explore", "0", "--out", str(out), *arguments])


def read_axes(out: Path) -> dict[str, Any]:
    """Return the axes of the one vendor in the night of ``out``."""
    (vendor,) = read_night(out / "night.json")["vendors"]
    axes: dict[str, Any] = vendor["axes"]
    return axes


def test_one_command_checks_all_axes_and_writes_one_page(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert make_night(out) == 0
    first = read_axes(out)
    assert {name: axis["verdict"] for name, axis in first.items()} == {"live": None, "document": "none", "mock": "none"}
    assert first["live"]["not_checked"] == "no key in JETEMAIL_API_KEY"
    assert (first["mock"]["summary"], len(first["mock"]["strip"])) == (
        "first run on record: nothing to compare with",
        1,
    )
    assert "JetEmail: clean (live not checked, document none, mock none)" in capfd.readouterr().out
    for name in ("index.html", "report.md", "findings.sarif", "history.sqlite"):
        assert (out / name).stat().st_size > 0

    monkeypatch.setenv("JETEMAIL_PUBLISHED", write_document(tmp_path, make_document(JETEMAIL, shorten_names)))
    assert make_night(out, "--axes", "document") == 1
    axes = read_axes(out)
    assert axes["document"]["summary"].startswith("new since ")
    assert axes["document"]["causes"][0]["state"] == "new"
    assert axes["mock"]["verdict"] == "none", "what this part did not check is as the last one left it"
    assert "JetEmail: drift" in (text := capfd.readouterr().out)
    assert f"page: {out / 'index.html'}" in text


def test_a_result_of_a_wrong_clock_ages_no_other(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert make_night(out, "--axes", "document") == 0
    path = out / "jetemail" / "document" / RUN_NAME
    report = json.loads(path.read_text(encoding="utf-8"))
    report["runs"][0]["started"] = "2099-01-01T00:00:00Z"
    path.write_text(json.dumps(report), encoding="utf-8")
    assert make_night(out, "--axes", "mock") == 0
    assert read_axes(out)["mock"]["verdict"] == "none"
    assert read_night(out / "night.json")["night"] < "2099"


def test_parts_of_a_matrix_make_the_same_night(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    parts, joined = [tmp_path / "a", tmp_path / "b"], tmp_path / "joined"
    for part, axis in zip(parts, ("mock", "document"), strict=True):
        assert make_night(part, "--axes", axis) == 0
        shutil.copytree(part / "jetemail", joined / "jetemail", dirs_exist_ok=True)
        shutil.copy(part / "history.sqlite", joined / f"{axis}.sqlite")
    assert merge_history.main(["--out", str(joined)]) == 0
    assert "2 new runs from 4 of 4 files" in capfd.readouterr().out
    assert run_night.main(["--vendor", "jetemail", "--only-page", "1", "--out", str(joined)]) == 0
    assert {name: axis["verdict"] for name, axis in read_axes(joined).items()} == {
        "live": None,
        "document": "none",
        "mock": "none",
    }
    with History(joined / "history.sqlite") as history:
        assert all(entry.shapes for entry in history.read_stream("jetemail", "mock", with_shapes=True)), (
            "reports hold no shapes"
        )
    assert merge_history.main(["--out", str(joined)]) == 0
    assert "0 new runs" in capfd.readouterr().out, "merging twice adds nothing"


def test_results_of_an_earlier_night_are_not_tonights(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert make_night(out, "--axes", "mock") == 0
    report = out / "jetemail" / "mock" / RUN_NAME
    content = json.loads(report.read_text(encoding="utf-8"))
    content["runs"][0] |= {"started": "2026-01-02T02:17:00Z", "verdict": "breaking"}
    report.write_text(json.dumps(content), encoding="utf-8")
    assert make_night(out, "--axes", "document") == 0
    mock = read_axes(out)["mock"]
    assert (mock["verdict"], mock["not_checked"]) == (
        None,
        "not checked tonight; the result of 2026-01-02 was breaking",
    )
    assert read_night(out / "night.json")["night"] != "2026-01-02"


def test_another_vendors_report_is_one_line_and_nothing_is_lost(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert make_night(out, "--axes", "mock") == 0
    report = out / "jetemail" / "mock" / RUN_NAME
    content = json.loads(report.read_text(encoding="utf-8"))
    content["runs"][0]["contract"] = "smtp2go"
    report.write_text(json.dumps(content), encoding="utf-8")
    before = (out / "night.json").read_bytes()
    capfd.readouterr()
    assert run_night.main(["--vendor", "jetemail", "--only-page", "1", "--out", str(out)]) == 3
    (line,) = capfd.readouterr().err.splitlines()
    assert line == f"error: {report}: is a mock run of smtp2go; give another OUT, or move it to its own directory"
    assert (out / "night.json").read_bytes() == before


def test_a_history_of_a_newer_version_ends_before_anything_is_sent(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "h.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {FORMAT + 1}")
    assert make_night(tmp_path / "out", "--history", str(path)) == 3
    captured = capfd.readouterr()
    assert "update contract-watch" in captured.err
    assert "==" not in captured.out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--axes", "lvie"], "--axes: unknown check 'lvie'; choose from live, document, mock"),
        (["--require", "acme"], "--require: unknown vendor 'acme'"),
        (["--only-page", "1"], "is no directory; give the OUT of make nightly"),
    ],
)
def test_wrong_usage_is_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    assert make_night(tmp_path / "none", *arguments) == 3
    assert line in capfd.readouterr().err


def test_a_run_that_the_history_lost_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert make_night(tmp_path, "--axes", "mock") == 0
    (tmp_path / "history.sqlite").unlink()
    assert run_night.main(["--vendor", "jetemail", "--only-page", "1", "--out", str(tmp_path)]) == 2
    line = "history: the mock run of jetemail is not recorded; make merge-history adds it"
    assert line in capfd.readouterr().err
    assert read_night(tmp_path / "night.json")["history"]["problems"] == [line]
    assert merge_history.main(["--out", str(tmp_path)]) == 0
    assert run_night.main(["--vendor", "jetemail", "--only-page", "1", "--out", str(tmp_path)]) == 0


def test_two_nights_do_not_share_an_axis(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / ".jetemail-mock.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert make_night(tmp_path, "--axes", "mock") == 3
        line = f"--out {tmp_path}: another night is checking jetemail (mock); wait for it, or give another OUT"
        assert line in capfd.readouterr().err
        assert make_night(tmp_path, "--axes", "document") == 0


def test_a_damaged_history_is_named_and_the_night_is_made(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "history.sqlite").write_bytes(b"no history at all")
    assert make_night(out, "--axes", "mock") == 2
    assert "was damaged: 0 runs were read" in capfd.readouterr().err + "".join(
        read_night(out / "night.json")["history"]["problems"]
    )
    with History(out / "history.sqlite") as history:
        assert len(list(history.read_all())) == 1


def test_an_interrupted_night_keeps_what_it_has_checked(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "scripts.run_night",
        "--vendor",
        "all",
        "--axes",
        "mock",
        "--explore",
        "0",
        "--out",
        str(out),
    ]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=ROOT, text=True, start_new_session=True, **pipes) as night:  # type: ignore[call-overload] # noqa: S603 (our own)
        assert night.stdout is not None
        for line in night.stdout:
            if line.startswith("reports: "):
                night.send_signal(signal.SIGINT)
                break
        rest = night.stdout.read()
        assert night.wait(PATIENCE) == 2
    assert "interrupted: what was checked is below OUT; make night-page shows it" in rest
    assert run_night.main(["--vendor", "jetemail", "--only-page", "1", "--out", str(out)]) == 0
    assert read_axes(out)["mock"]["verdict"] == "none"


@pytest.mark.parametrize(
    ("axes", "required", "status"),
    [
        ({"live": build_axis("none")}, (), 0),
        ({"live": build_axis("warning")}, (), 0),
        ({"live": build_axis("breaking")}, (), 1),
        ({"live": build_axis("none"), "document": build_axis("warning")}, (), 1),
        ({"live": build_axis("inconclusive")}, (), 2),
        ({"live": build_axis("inconclusive"), "mock": build_axis("breaking")}, (), 1),
        ({"live": build_axis("none", left_behind=["x"])}, (), 2),
        ({"live": build_axis(None)}, (), 0),
        ({"live": build_axis(None)}, ("acme",), 2),
    ],
)
def test_the_status_is_that_of_the_worst_axis(axes: dict[str, Any], required: tuple[str, ...], status: int) -> None:
    night = build_night(build_vendor("clean", axes=axes))
    assert compute_night_status(night, required) == status
    assert format_closing(night).startswith("Acme: clean (live ")
    assert set(AXES) == {"live", "document", "mock"}


def test_the_last_lines_say_what_is_wrong_or_why_nobody_knows() -> None:
    causes = [build_cause(f"c{number}\x1b[31m") for number in range(5)]
    live = build_axis("breaking", causes, summary="new since 2026-01-01: 5 breaking")
    document = build_axis("inconclusive", reason="https://x: refuses connections", summary="first run")
    night = build_night(build_vendor("drift", axes={"live": live, "document": document}))
    assert format_closing(night).splitlines() == [
        "Acme: drift (live breaking, document inconclusive, mock none)",
        "  live: new since 2026-01-01: 5 breaking",
        *(f"    breaking: POST /users fails: c{number}\\x1b[31m" for number in range(3)),
        "    and 2 more: see the page",
        "  document: first run",
        "    incomplete: https://x: refuses connections",
    ]
