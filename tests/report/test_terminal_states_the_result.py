"""The report on a terminal states the result, the clauses checked, and the code that fails."""

import datetime as dt
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import ROOT
from contract_watch.report.finding import Finding, Severity
from contract_watch.report.markdown import format_markdown
from contract_watch.report.record import Record
from contract_watch.report.terminal import format_terminal
from tests.support.patience import PATIENCE

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)


def _make_finding(
    severity: Severity, name: str = "getThing/200/body/note/undocumented", body: Any = None, **more: Any
) -> Finding:
    exchange = {
        "request": {"method": "GET", "url": "http://127.0.0.1:9", "headers": {}, "body": None},
        "response": {"status": 200, "headers": {}, "body": body},
    }
    return Finding(
        name,
        severity,
        "GET /things",
        "rest",
        200,
        "title",
        "impact",
        "clause",
        "promise: absent",
        exchange,
        "curl",
        **more,
    )


def _make_record(*findings: Finding, reason: str | None = None) -> Record:
    record = Record("acme", "Acme", "sha256:0", "http://127.0.0.1:9", 1, NOW, seconds=1.52, reason=reason)
    record.documented, record.not_exercised = ["a", "b", "c"], {"c": "no key"}
    record.requests["probes"] = 7
    record.findings = list(findings)
    return record


@pytest.mark.parametrize(
    ("record", "headline"),
    [
        (_make_record(), "no drift"),
        (_make_record(_make_finding(Severity.ADDITIVE)), "additive drift, 1 finding"),
        (
            _make_record(_make_finding(Severity.BREAKING), _make_finding(Severity.ADDITIVE, "other")),
            "breaking drift, 2 findings",
        ),
        (_make_record(reason="time limit reached (15 minutes)"), "inconclusive"),
    ],
)
def test_a_report_begins_with_the_result(record: Record, headline: str) -> None:
    """State the result and the number of checked clauses, in the terminal and in Markdown."""
    line = f"Acme: {headline} (2 of 3 clauses checked)"
    assert line in format_terminal(record, colour=False).split("\n")
    assert format_markdown([record]).split("\n")[0].endswith(line)
    assert "Target: http://127.0.0.1:9, 7 requests (7 probes, 0 client, 0 explore) in 1.5 s" in format_terminal(
        record, colour=False
    )


def test_an_incomplete_run_states_the_reason() -> None:
    """Name the reason of a run that could not check everything, even if it found drift."""
    record = _make_record(_make_finding(Severity.BREAKING), reason="time limit reached (15 minutes)")
    assert "Incomplete: time limit reached (15 minutes)" in format_terminal(record, colour=False)
    assert "**Incomplete:** time limit reached" in format_markdown([record])


def test_a_flaky_finding_is_marked() -> None:
    """Mark a finding that a retry did not reproduce, and no other."""
    flaky = _make_record(_make_finding(Severity.BREAKING).mark_flaky(None))
    assert "breaking: title [flaky: not reproduced on retry]" in format_terminal(flaky, colour=False)
    assert "flaky" not in format_terminal(_make_record(_make_finding(Severity.BREAKING)), colour=False)


@pytest.mark.parametrize(("body", "after"), [(None, "removed"), ({"type": "string"}, '{"type": "string"}')])
def test_a_change_of_a_document_has_a_before_and_an_after(body: Any, after: str) -> None:
    """State the old and the new value of a document's change, and no status."""
    lines = format_terminal(
        _make_record(_make_finding(Severity.BREAKING, "document/rule/location", body)), colour=False
    ).split("\n")
    assert "  before:  promise: absent" in lines
    assert f"  after:   {after}" in lines
    assert not any(line.startswith("  actual:") for line in lines)


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize(
    "finding_id", ["a/$(touch HIT)$(shell touch HIT)", "it's`touch HIT`", "x\n\u202e!! # \U0001f600", "-n"]
)
def test_a_finding_says_how_to_look_at_it_again(finding_id: str, tmp_path: Path) -> None:
    """The line with ONLY= hands the very id to the command: neither the shell nor make reads it."""
    record = _make_record(_make_finding(Severity.BREAKING, finding_id))
    record.target_option = "http://127.0.0.1:9/$(touch HIT)"
    (line,) = (
        line.removeprefix("  again:   ")
        for line in format_terminal(record, colour=False).split("\n")
        if line.startswith("  again:   ")
    )
    shutil.copy(ROOT / "Makefile", tmp_path)
    stub = tmp_path / ".venv" / "bin" / "python"
    stub.parent.mkdir(parents=True)
    stub.write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n", encoding="utf-8")
    stub.chmod(0o755)
    done = subprocess.run(  # noqa: S603 (the line under test)
        [shutil.which("bash") or "bash", "-c", f"{line} PYTHON=true"],
        cwd=tmp_path,
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    )
    given = done.stdout.decode("utf-8").split("\0")
    assert f"--only={finding_id}" in given
    assert f"--target={record.target_option}" in given
    assert list(tmp_path.glob("HIT*")) == []
    assert re.search(r"^- Again: `+ ?make contract VENDOR=acme TARGET=", format_markdown([record]), re.MULTILINE)


def test_a_long_command_is_never_cut() -> None:
    """A comment stands for a line that is too long: what follows a quote that is left open would be commands."""
    long = replace(_make_finding(Severity.BREAKING), reproduce=f"curl 'http://x/{'y' * 9000}'\ncurl 'short'")
    for text in (format_terminal(_make_record(long), colour=False), format_markdown([_make_record(long)])):
        assert "# a command of 9016 characters: see findings.json" in text
        assert "curl 'short'" in text
        assert "yyy" not in text
