"""A long reproduction is a file beside the report, and the finding holds the one line that runs it."""

import datetime as dt
import json
import subprocess
from pathlib import Path

from contract_watch.report.finding import Finding, Severity
from contract_watch.report.record import Record
from contract_watch.report.report_files import write_reports
from contract_watch.report.waivers import Waiver
from tests.support.patience import PATIENCE

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
HOSTILE = "getThing/200/body/../../$(touch x)/undocumented"
LONG = "\n".join(f"printf '%s\\n' {number}" for number in range(40))


def _make_finding(name: str, script: str) -> Finding:
    exchange = {
        "request": {"method": "GET", "url": "http://127.0.0.1:9", "headers": {}, "body": None},
        "response": {"status": 200, "headers": {}, "body": None},
    }
    return Finding(
        name, Severity.BREAKING, "GET /things", "rest", 200, "title", "impact", "clause", "promise", exchange, script
    )


def _make_record(*findings: Finding) -> Record:
    record = Record("acme", "Acme", "sha256:0", "http://127.0.0.1:9", 1, NOW)
    record.findings = list(findings)
    return record


def _list_files(out: Path) -> list[str]:
    return sorted(str(path.relative_to(out)) for path in out.rglob("*.sh"))


def test_the_one_line_runs_the_file(tmp_path: Path) -> None:
    """A script of 40 lines becomes one line that runs it, in every report; a short one stays in its finding.

    The id of the finding, a server's words, is no part of the file's name.
    """
    out = tmp_path / "my reports"
    out.mkdir()
    record = _make_record(_make_finding(HOSTILE, LONG), _make_finding("short", "curl -sS http://127.0.0.1:9"))
    record.waived = [(_make_finding("waived", f"{LONG}\ntrue"), Waiver("waived", "known", dt.date(2027, 1, 1)))]
    write_reports([record], out)
    long, short = (finding.reproduce for finding in record.findings)
    assert (long.count("\n"), short) == (0, "curl -sS http://127.0.0.1:9")
    assert len(_list_files(out)) == 2
    assert all(Path(name).parent.name == "reproduce" and len(Path(name).stem) == 12 for name in _list_files(out))
    shown = subprocess.run(["bash", "-c", long], capture_output=True, timeout=PATIENCE, check=True)  # noqa: S603, S607 (the line under test)
    assert shown.stdout.decode().split() == [str(number) for number in range(40)]
    assert [
        finding["reproduce"] for finding in json.loads((out / "findings.json").read_text())["runs"][0]["findings"]
    ] == [
        long,
        short,
    ]
    assert long in (out / "report.md").read_text()


def test_files_of_earlier_reports_are_removed(tmp_path: Path) -> None:
    """The next report in the same directory has one long reproduction of its own; another's file is not touched."""
    write_reports([_make_record(_make_finding("first", LONG))], tmp_path)
    (before,) = _list_files(tmp_path)
    (tmp_path / "reproduce" / "mine.sh").write_text("true\n")
    write_reports([_make_record(_make_finding("second", f"{LONG}\ntrue"))], tmp_path)
    assert before not in _list_files(tmp_path)
    assert (len(_list_files(tmp_path)), (tmp_path / "reproduce/mine.sh").exists()) == (2, True)
