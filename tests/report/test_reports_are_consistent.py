"""Reports are consistent: sums are right, no secret appears, and strings from a server do no harm."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from markdown_it import MarkdownIt

from contract_watch.report.report_files import REPORT_NAMES
from tests.support.loopback_server import App, serve_app
from tests.support.suite_process import FREE_KEY, PAID_KEY, SuiteResult, check_target, run_two_at_a_time, start_suite
from tests.vendors.jetemail import drifted_server as drifted
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail

ROOT = Path(__file__).resolve().parents[2]
SERVERS: Mapping[str, type[FaithfulJetEmail]] = {
    kind.__name__: kind
    for kind in (
        FaithfulJetEmail,
        drifted.RenamesError,
        drifted.DropsQuota,
        drifted.ForgetsToDelete,
        drifted.EchoesPassword,
        drifted.ListsPasswords,
        drifted.TruncatesBody,
        drifted.LeaksSecrets,
        drifted.SendsHostileText,
        drifted.SendsMegabytes,
        drifted.RefusesForeignLetters,
    )
}
DYING_SERVER = "dies"
EVERY = pytest.mark.parametrize("server", [*SERVERS, DYING_SERVER])


@dataclass(frozen=True)
class ReportedRun:
    """A run, the number of requests that its target got, and the secrets that were exchanged."""

    result: SuiteResult
    requests: int
    secrets: set[str]


Runs = Callable[[str], ReportedRun]


@pytest.fixture(name="runs", scope="module")
def _runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    def work(name: str) -> ReportedRun:
        server = (FaithfulJetEmail if name == DYING_SERVER else SERVERS[name])()
        app: App = drifted.SwitchingApp(80, server, lambda _request: None) if name == DYING_SERVER else server
        explore = ("--explore", "1", "--seed", "1", "--only", "explore/createSmtpUser/positive")
        with serve_app(app) as at:
            result = check_target(
                tmp_path_factory.mktemp(name), at.url, *(explore if name == "RefusesForeignLetters" else ())
            )
        received = [request for request in at.requests if not request.path.startswith("/__mock/")]
        secrets = {text for text in server.secrets if len(text) >= 8} | {PAID_KEY, FREE_KEY}
        return ReportedRun(result, len(received), secrets)

    with run_two_at_a_time(request, "server", work) as runs:
        yield runs


@pytest.fixture(name="schema", scope="module")
def _schema() -> Any:
    return json.loads((ROOT / "contract_watch" / "report" / "findings.schema.json").read_text(encoding="utf-8"))


@EVERY
def test_findings_fit_their_schema_and_add_up(runs: Runs, schema: Any, server: str) -> None:
    """Write a valid findings.json whose sums are right.

    Requests are the sum of their parts and equal the requests that the server got; clauses add up; ids are unique.
    """
    seen = runs(server)
    report = seen.result.report
    assert [
        error.message[:200] for error in jsonschema_rs.validator_for(schema).iter_errors(seen.result.full_report)
    ] == []
    requests, clauses = report["requests"], report["clauses"]
    assert requests["total"] == requests["probes"] + requests["client"] + requests["explore"] == seen.requests
    left_out = [entry["id"] for entry in clauses["not_exercised"]]
    assert clauses["exercised"] + len(left_out) == clauses["documented"]
    assert len(left_out) == len(set(left_out))
    ids = [finding["id"] for finding in report["findings"]]
    assert len(ids) == len(set(ids))


@EVERY
def test_junit_carries_every_finding(runs: Runs, server: str) -> None:
    """Write a junit.xml with right counts: each finding fails a case, an inconclusive run has an error."""
    result = runs(server).result
    (suite,) = result.junit.iter("testsuite")
    cases = list(suite.iter("testcase"))
    counted = {kind: sum(case.find(kind) is not None for case in cases) for kind in ("failure", "error", "skipped")}
    stated = [suite.get(name) for name in ("tests", "failures", "errors", "skipped")]
    assert stated == [str(number) for number in (len(cases), counted["failure"], counted["error"], counted["skipped"])]
    assert counted["error"] == int(result.report["reason"] is not None)
    failures = "\n".join(failure.text or "" for failure in suite.iter("failure"))
    plain = [finding["id"] for finding in result.report["findings"] if re.fullmatch(r"[\w/*.-]{1,200}", finding["id"])]
    assert [name for name in plain if name not in failures] == []
    assert bool(result.findings) == (counted["failure"] > 0)


@EVERY
def test_no_secret_is_in_any_report(runs: Runs, server: str) -> None:
    """Write no key and no password, plain or encoded, into reports or output, even if servers repeat them."""
    seen = runs(server)
    texts = [seen.result.all_output, *_walk_strings(seen.result.report)]
    encoded = {form for secret in seen.secrets for form in (secret, json.dumps(secret)[1:-1])}
    assert len(encoded) > 10
    assert sorted(form for form in encoded if any(form in text for text in texts)) == []


@EVERY
def test_a_server_s_words_do_not_steer_a_terminal_or_a_ci_job(runs: Runs, server: str) -> None:
    """Write no control character and nothing that a CI job takes for a command, wherever it is in a line.

    One server responds with escapes, bidi overrides, line breaks and workflow commands.
    """
    result = runs(server).result
    files = [(result.directory / name).read_text(encoding="utf-8") for name in REPORT_NAMES]
    for text in (result.out, result.err, *files):
        assert (
            sorted({letter for letter in text if letter != "\n" and unicodedata.category(letter)[0] in "CZ"} - {" "})
            == []
        )
        assert re.findall(r"::[A-Za-z]|##[\w.-]*\[", text) == []


@EVERY
def test_a_server_s_words_do_no_harm_on_a_page(runs: Runs, server: str) -> None:
    """Write Markdown without HTML, links and mentions of a server, short enough for the summary of a CI job.

    One server responds with HTML, links, images, tables and code fences.
    """
    page = runs(server).result.markdown
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(page)
    html = [token.content for token in tokens if token.type == "html_block"]
    assert [text for text in html if not re.fullmatch(r"(</?details>|<summary>[\w ]+</summary>|\n)+", text)] == []
    inline = [token for token in tokens if token.type == "inline"]
    kinds = {child.type for token in inline for child in token.children or ()}
    assert kinds <= {"text", "text_special", "code_inline", "strong_open", "strong_close", "softbreak"}
    prose = "\n".join(re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", token.content) for token in inline)
    assert re.findall(r"://|www\.|@", prose) == []  # GitHub links addresses and mentions by itself
    assert len(page.encode()) < 1024 * 1024


def test_output_of_a_flood_is_bounded(runs: Runs) -> None:
    """Print little output for responses of two million characters, with findings."""
    result = runs("SendsMegabytes").result
    assert "updateSmtpUser/200/body/message/type" in result.findings
    assert len(result.out) + len(result.err) < 100_000
    assert (result.directory / "findings.json").stat().st_size < 4_000_000


def test_all_vendors_are_reported_as_a_list(schema: Any, tmp_path: Path) -> None:
    """Write a list of runs for VENDOR=all, one for each vendor."""
    result = start_suite(tmp_path, "--vendor", "all", "--explore", "0").wait_for_exit()
    assert jsonschema_rs.validator_for(schema).is_valid(result.full_report)
    vendors = sorted(path.parent.name for path in (ROOT / "contracts").glob("*/contract.toml"))
    assert [run["contract"] for run in result.full_report["runs"]] == vendors
    assert {run["verdict"] for run in result.full_report["runs"]} == {"none"}


def _walk_strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _walk_strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk_strings(inner)
