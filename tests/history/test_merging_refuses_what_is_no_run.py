"""Merging takes every run that can be one, refuses each other file by one line, and gives one timeline in any order."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from contract_watch.history.merge import merge_sources
from contract_watch.history.store import History
from contract_watch.history.timeline import trace_runs

CAUSE = {"id": "c", "severity": "breaking", "title": "t", "count": 1, "operations": ["GET /a"], "findings": ["f"],
         "flapping": False}  # fmt: skip


def write_report(directory: Path, name: str, **changes: Any) -> Path:
    """Write a report with one run; ``changes`` replace what it holds."""
    run = {"version": "1", "contract": "anchor", "contract_digest": "sha256:" + "0" * 64, "run_id": name, "axis": "live",
           "target": "http://127.0.0.1", "surface": ["rest"], "started": "2026-11-01T02:17:00Z", "verdict": "none",
           "reason": None, "seed": 1, "seconds": 1.0,
           "requests": {"probes": 1, "client": 0, "explore": 0, "total": 1},
           "clauses": {"documented": 1, "exercised": 1, "not_exercised": []},
           "causes": [], "findings": [], "waived": [], "left_behind": [], **changes}  # fmt: skip
    path = directory / name / "findings.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"format": 2, "runs": [run]}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"started": "9999-99-99T00:00:00Z"}, id="a date that is none"),
        pytest.param({"started": "0000-01-01T00:00:00Z"}, id="the year 0"),
        pytest.param({"seconds": 10**400}, id="more seconds than a float holds"),
        pytest.param({"requests": {"probes": 0, "client": 0, "explore": 0, "total": 10**30}}, id="10^30 requests"),
        pytest.param({"run_id": "\ud800"}, id="a key that is no Unicode"),
        pytest.param({"axis": "target", "target": "http://\ud800"}, id="a target that is no Unicode"),
    ],
)
def test_a_report_that_is_none_costs_itself_alone(tmp_path: Path, changes: dict[str, Any]) -> None:
    sources = [write_report(tmp_path, "hostile", **changes), write_report(tmp_path, "good")]
    lines: list[str] = []
    result = merge_sources(tmp_path / "history.sqlite", sources, lines.append)
    assert (result.files, result.added) == (1, 1)
    (line,) = lines
    assert line.startswith(f"not merged: {sources[0]}: ")
    assert "\n" not in line


def test_text_of_a_server_is_stored_whatever_it_holds(tmp_path: Path) -> None:
    hostile = "\0\ud800\n\u202e" + "x" * 100_000
    source = write_report(tmp_path, "a", causes=[{**CAUSE, "id": hostile, "title": hostile, "findings": [hostile]}],
                          reason=hostile, verdict="inconclusive")  # fmt: skip
    path = tmp_path / "history.sqlite"
    assert merge_sources(path, [source], print).added == 1
    with History(path) as history:
        (run,) = history.read_all()
        assert run.causes[0].id == hostile
        assert (len(run.causes[0].title), "\n" in run.reason) == (500, False)


def test_histories_merged_in_any_order_give_one_timeline(tmp_path: Path) -> None:
    sources = [
        write_report(tmp_path, f"night{number}", started=f"2026-11-0{number}T02:17:00Z", causes=[CAUSE] * (number != 2))
        for number in (1, 2, 3)
    ]
    pasts = []
    for at, order in enumerate(itertools.permutations(sources)):
        path = tmp_path / f"{at}.sqlite"
        for source in order:
            merge_sources(path, [source], print)
        with History(path) as history:
            pasts.append(trace_runs(history.read_stream("anchor", "live")))
    assert len(pasts) == 6
    assert all(one == pasts[0] for one in pasts)
    assert pasts[0].summary == "new since 2026-11-02: 1 breaking"
