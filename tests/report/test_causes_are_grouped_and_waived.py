"""Findings are grouped by the hypothesis that explains most of them, and a waiver may name a cause."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from contract_watch.errors import UsageError
from contract_watch.report.causes import group_findings
from contract_watch.report.finding import Finding, Severity
from contract_watch.report.hypothesis import Hypothesis
from contract_watch.report.junit import format_junit
from contract_watch.report.markdown import format_markdown
from contract_watch.report.record import Record, SuiteCheck
from contract_watch.report.terminal import format_closing, format_terminal
from contract_watch.report.waivers import Waiver, read_waivers

TODAY = dt.date(2026, 11, 29)
LOST = Hypothesis("getThing:answers:404", "answer", "404 to every request", "GET /things", 3, only_status=(("GET /things", 404),))  # fmt: skip
EVERYWHERE = Hypothesis("status:400->422", "answer", "422 where 400 is documented")


def _make_finding(name: str, *hypotheses: Hypothesis, severity: Severity = Severity.BREAKING, **more: Any) -> Finding:
    exchange = {
        "request": {"method": "GET", "url": "http://127.0.0.1:9/things", "headers": {}, "body": {"a": 1}},
        "response": {"status": 404, "headers": {}, "body": {"code": 9}},
    }
    given = {"operation": "GET /things", "surface": "rest"} | more
    return Finding(name, severity, given.pop("operation"), given.pop("surface"), 404, f"title of {name}", "impact",
                   "clause", "promise", exchange, "curl", hypotheses=hypotheses, **given)  # fmt: skip


def _make_record(*findings: Finding) -> Record:
    now = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)
    record = Record("acme", "Acme", "sha256:0", "http://127.0.0.1:9", 1, now, since="version 1 of the document")
    record.documented, record.findings = ["clause"], list(findings)
    return record


def test_the_widest_hypothesis_takes_its_findings_first() -> None:
    """Of two hypotheses the one that explains more takes the findings; the rest stands alone; the worst comes first."""
    both = [_make_finding(f"both/{number}", LOST, EVERYWHERE) for number in range(2)]
    alone = _make_finding("alone", severity=Severity.ADDITIVE)
    others = [_make_finding(f"other/{number}", EVERYWHERE, operation="PUT /things") for number in range(2)]
    causes = group_findings([alone, *both, *others], {})
    assert [(cause.id, cause.count) for cause in causes] == [("status:400->422", 4), ("alone", 1)]
    assert causes[0].title == "GET and PUT /things answer 422 where 400 is documented (4 findings)"


def test_a_conforming_response_refutes_a_hypothesis() -> None:
    """An operation that conformed with another status does not answer 404 to every request."""
    findings = [_make_finding(f"lost/{number}", LOST) for number in range(4)]
    assert [cause.id for cause in group_findings(findings, {"GET /things": {404}})] == [LOST.key]
    assert len(group_findings(findings, {"GET /things": {200, 404}})) == 4
    assert len(group_findings(findings[:2], {})) == 2  # two may be unrelated


def test_a_drift_of_several_protocols_counts_once() -> None:
    """Findings with the same id on several protocols are one, and need no hypothesis to be."""
    findings = [_make_finding("lost", LOST, surface=surface) for surface in ("rest", "grpc")]
    (cause,) = group_findings(findings, {})
    assert (cause.id, cause.count, cause.surfaces) == ("lost", 1, ["rest", "grpc"])


def test_no_breaking_cause_is_hidden() -> None:
    """However many causes there are, each breaking one is on the terminal and on the page; additive ones are counted."""
    breaking = [_make_finding(f"breaking/{number}") for number in range(60)]
    additive = [_make_finding(f"additive/{number}", severity=Severity.ADDITIVE) for number in range(60)]
    record = _make_record(*additive, *breaking)
    terminal, page = format_terminal(record, colour=False), format_markdown([record])
    for finding in breaking:
        assert f"breaking: {finding.title}\n" in terminal
        assert f"breaking: {finding.title}\n" in page
    assert "… and 60 more causes, none of them breaking: see report.md" in terminal


def test_a_waiver_may_name_a_cause(tmp_path: Path) -> None:
    """It waives every finding of the cause, also where one is left, and each summary names what breaks."""
    path = tmp_path / "waivers.toml"
    path.write_text(f'[[waivers]]\ncause = "{EVERYWHERE.key}"\nreason = "agreed"\nexpires = 2999-01-01\n')
    for number in (2, 1):
        record = _make_record(
            *(_make_finding(f"both/{one}", LOST, EVERYWHERE) for one in range(number)), _make_finding("x")
        )
        record.apply_waivers(read_waivers(path), TODAY, is_whole=True)
        assert [finding.id for finding in record.findings] == ["x"]
        assert [one["waived"] for one in record.to_json()["waived"]] == [
            {"cause": EVERYWHERE.key, "reason": "agreed", "expires": "2999-01-01"}
        ] * number
        for text in (format_terminal(record, colour=False), format_markdown([record]).split("\n### ")[0]):
            assert "breaking: title of both/0" in text
        assert record.notes == []


def test_a_waived_drift_is_named_on_a_green_page() -> None:
    """A run whose only finding is waived has no drift, but its summary names the breaking finding."""
    record = _make_record(_make_finding("x"))
    record.apply_waivers([Waiver("x", "agreed", dt.date(2999, 1, 1))], TODAY, is_whole=True)
    assert record.verdict.label == "none"
    assert "waived: breaking: title of x until 2999-01-01 (agreed) [x]" in format_terminal(record, colour=False)
    assert "- **Waived:** breaking: title of x until 2999-01-01" in format_markdown([record])
    assert format_closing([record]) == ""


@pytest.mark.parametrize(("is_whole", "reason", "count"), [(True, None, 1), (False, None, 0), (True, "outage", 0)])
def test_a_waiver_that_matches_nothing_is_named(is_whole: bool, reason: str | None, count: int) -> None:
    """A run that asked everything names it and says what to do; others do not know."""
    record = _make_record(_make_finding("x"))
    record.reason = reason
    record.apply_waivers([Waiver("y", "agreed", dt.date(2999, 1, 1))], TODAY, is_whole=is_whole)
    named = [note for note in record.notes if note.startswith("waiver y matched nothing: delete it")]
    assert len(named) == count
    assert all(f"note: {note}" in format_terminal(record, colour=False) for note in named)


@pytest.mark.parametrize("text", ['id = "x"\ncause = "y"', 'cause = ""', "cause = 1"])
def test_a_malformed_waiver_of_a_cause_is_refused(text: str, tmp_path: Path) -> None:
    """A waiver names an id or a cause, as a string that is not empty."""
    path = tmp_path / "waivers.toml"
    path.write_text(f'[[waivers]]\n{text}\nreason = "agreed"\nexpires = 2999-01-01\n')
    with pytest.raises(UsageError, match="waiver 1"):
        read_waivers(path)


def test_a_case_has_one_failure() -> None:
    """The failure of a case holds all its findings; what an earlier case has told is only named again."""
    record = _make_record(_make_finding("x"), _make_finding("y", severity=Severity.ADDITIVE))
    record.suite_checks = [SuiteCheck(name, "probes", name, finding_ids=["x", "y"]) for name in ("one", "two")]
    text = format_junit([record])
    assert text.count("<failure ") == 2
    assert text.count("impact") == 2
    assert text.count("title of x (and 1 more)") == 2


def test_a_change_of_a_document_is_no_exchange() -> None:
    """The page shows before and after, and no request and no status."""
    page = format_markdown([_make_record(_make_finding("document/property-removed/paths"))])
    assert "before: promise\nafter:  {" in page
    assert "HTTP 404" not in page
    assert "GET http" not in page
