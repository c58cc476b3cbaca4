"""One change by the vendor is one cause, however many requests show it; two changes are never one."""

import itertools
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.exploring.exploration import explore_requests
from contract_watch.engine.running.runner import Runner
from contract_watch.report.causes import group_findings
from contract_watch.report.markdown import format_markdown
from contract_watch.report.record import Record
from contract_watch.report.report_files import write_reports
from contract_watch.report.terminal import format_closing, format_terminal
from tests.support.direct_runs import run_directly
from tests.support.loopback_server import serve_app
from tests.vendors.jetemail import changed_server as changed
from tests.vendors.jetemail import drifted_server as drifted
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail

CONTRACT = Contract("jetemail")
PATH = "/outbound/smarthost"
SERVERS: Mapping[str, tuple[type[FaithfulJetEmail], list[str]]] = {
    "422 for 400": (changed.Answers422, [f"POST, DELETE and PATCH {PATH} answer 422 where 400 is documented"]),
    "no PATCH": (changed.LosesUpdate, [f"PATCH {PATH} refuses every request: expected 200, got 404"]),
    "README's example": (
        changed.CreatesNothing,
        [f"POST {PATH} answers 200 to every request", f"POST {PATH} creates no object"],
    ),
    "an enum value": (changed.RenamesStatus, [f'GET {PATH} 200: `smarthosts/*/status` = "enabled": expected disabled']),
    "a property": (changed.RenamesMessage, [f"POST, PATCH and DELETE {PATH} answer `detail` instead of `message`"]),
    "422 and an enum value": (
        changed.Answers422AndRenamesStatus,
        ["answer 422 where 400", '`smarthosts/*/status` = "enabled"'],
    ),
    "422 and no PATCH": (changed.LosesUpdateAndAnswers422, ["POST and DELETE", "PATCH"]),
    "a negative quota": (drifted.AcceptsNegativeQuota, [f"POST {PATH} accepts `quota` = -1"]),
    "long names": (drifted.RefusesLongNames, [f"POST {PATH} rejects `username`"]),
    "unknown names": (drifted.DeletesUnknown, [f"DELETE {PATH}"]),
}
SINGLE = [name for name in SERVERS if " and " not in name and name != "README's example"]
"""README's example includes others: whoever answers 200 to everything accepts a negative quota too."""


@cache
def _run(name: str) -> tuple[Record, Runner]:
    with serve_app(SERVERS[name][0]()) as at:
        return run_directly(CONTRACT, at.url)


@pytest.mark.parametrize("name", SERVERS)
def test_each_change_is_one_cause(name: str) -> None:
    """A run has as many causes as changes, README's example at most two; each title names what changed."""
    causes, titles = _run(name)[0].find_causes(), SERVERS[name][1]
    assert len(causes) == len(titles), [cause.title for cause in causes]
    for title in titles:
        assert any(title in cause.title for cause in causes), [cause.title for cause in causes]
    assert sum(cause.count for cause in causes) == len({finding.id for finding in _run(name)[0].findings})


@pytest.mark.parametrize("name", SERVERS)
def test_no_two_findings_have_the_same_title(name: str) -> None:
    """A title names what was sent and what differs, so that it stands for one finding alone."""
    titles = [finding.title for finding in _run(name)[0].findings]
    assert sorted({title for title in titles if titles.count(title) > 1}) == []


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(SINGLE, 2)))
def test_two_changes_are_never_one_cause(one: str, other: str) -> None:
    """The findings of two changes together have a cause that names each: no hypothesis covers both."""
    records = [_run(name)[0] for name in (one, other)]
    statuses = [record.conforming_statuses for record in records]
    conforming = {name: statuses[0].get(name, set()) & statuses[1].get(name, set()) for name in statuses[0]}
    causes = group_findings([finding for record in records for finding in record.findings], conforming)
    assert len(causes) >= 2
    for record in records:
        ids = {finding.id for finding in record.findings}
        assert any(ids.issuperset(cause.finding_ids) for cause in causes), [cause.title for cause in causes]


@pytest.mark.parametrize("name", ["422 for 400", "no PATCH", "README's example"])
def test_a_run_whose_cause_is_plain_stops_asking(name: str) -> None:
    """A wide drift costs at most 255 requests, with 20 for shorter reproductions; it is not explored, and the report says so."""
    record, runner = _run(name)
    assert sum(record.requests.values()) <= 235
    session = runner.confirmation._session  # noqa: SLF001 (the run's own)
    assert explore_requests(session, runner, "createSmtpUser", "positive", 1) == []
    assert record.requests["explore"] == 0
    assert any(note.startswith("not explored: ") for note in record.notes)


def test_an_exploration_goes_on_where_a_drift_is_narrow() -> None:
    """One drifted property is no reason to leave out the exploration."""
    for name in ("a negative quota", "an enum value"):
        assert _run(name)[1].confirmation.find_wide_drift() == ""


def test_causes_are_stable_and_point_to_their_findings(tmp_path: Path) -> None:
    """findings.json groups the ids of its findings; another run gives the causes the same ids."""
    record = _run("422 for 400")[0]
    write_reports([record], tmp_path)
    (run,) = json.loads((tmp_path / "findings.json").read_text(encoding="utf-8"))["runs"]
    (cause,) = run["causes"]
    assert (cause["id"], cause["severity"], cause["count"]) == ("status:400->422", "breaking", len(run["findings"]))
    assert cause["findings"] == [finding["id"] for finding in run["findings"]]
    assert (tmp_path / "junit.xml").stat().st_size < 200_000


@pytest.mark.parametrize("name", SERVERS)
def test_a_red_run_is_short_on_a_terminal(name: str) -> None:
    """At most 40 lines: the result first, each cause once; the closing lines repeat what a log must end with."""
    record = _run(name)[0]
    lines = format_terminal(record, colour=False).split("\n")
    assert len(lines) <= 40
    assert lines[0].startswith(f"JetEmail: {record.verdict.label} drift")
    for cause in record.find_causes():
        assert sum(f"{cause.severity.value}: {cause.title}" in line for line in lines) == 1
    closing = format_closing([record])
    assert closing.count("\n") <= 3
    worst = record.find_causes()[0]
    assert closing.startswith(f"JetEmail: {record.verdict.label}: {worst.title[:60]}")
    assert "whom: callers of " in closing
    assert "next: " in closing


@pytest.mark.parametrize("name", SERVERS)
def test_a_page_begins_with_five_lines(name: str) -> None:
    """The page says first the verdict, what broke, whom, since when and what to do; then causes, then drifted rows."""
    record = _run(name)[0]
    page = format_markdown([record])
    summary = [line.split(":**")[0] for line in page.split("\n")[2:7]]
    word = "broke" if record.verdict.label == "breaking" else "changed"
    assert summary == [f"- **{label}" for label in ("Verdict", f"What {word}", "Whom", "Since", "Next")]
    assert page.index("### 1. ") < page.index("| operation |")
    visible = page.split("<details><summary>")[0] + page.split("</details>")[-1]
    assert f"`{record.target}`" in visible
