"""Each drift is found, has the right severity and name, and is reproduced by the lines in the report."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.support.loopback_server import App, serve_app
from tests.support.patience import PATIENCE
from tests.support.suite_process import FREE_KEY, PAID_KEY, SuiteResult, check_target, run_two_at_a_time
from tests.vendors.jetemail import drifted_server as drifted
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail


@dataclass(frozen=True)
class DriftCase:
    """A drift: how grave it is, the methods that it touches, and the id of the finding that names it."""

    server: type[FaithfulJetEmail]
    severity: str
    methods: str
    id: str

    @property
    def exit_status(self) -> int:
        return 1 if self.severity == "breaking" else 0


CASES = {
    case.server.__name__: case
    for case in (
        DriftCase(drifted.DropsMessage, "breaking", "POST", "createSmtpUser/200/body/message/missing"),
        DriftCase(drifted.RenamesError, "breaking", "PATCH", "updateSmtpUser/400/body/error/missing"),
        DriftCase(drifted.UpdatesUnknown, "breaking", "PATCH", "updateSmtpUser/rule/name-unknown/accepted"),
        DriftCase(drifted.DeletesUnknown, "breaking", "DELETE", "deleteSmtpUser/rule/name-unknown/accepted"),
        DriftCase(drifted.ForgetsToDelete, "breaking", "DELETE", "deleteSmtpUser/effect/removed/unexpected"),
        DriftCase(drifted.EchoesPassword, "breaking", "POST", "createSmtpUser/rule/password-not-returned/unexpected"),
        DriftCase(drifted.AcceptsAnyKey, "breaking", "GET POST PATCH DELETE", "deleteSmtpUser/credential/accepted"),
        DriftCase(drifted.RefusesLongNames, "breaking", "POST", "createSmtpUser/request/username/maxLength/refused"),
        DriftCase(drifted.AcceptsNegativeQuota, "additive", "POST", "createSmtpUser/request/quota/minimum/accepted"),
        DriftCase(drifted.AddsField, "additive", "DELETE", "deleteSmtpUser/200/body/remaining/undocumented"),
        DriftCase(drifted.AddsToken, "breaking", "DELETE", "deleteSmtpUser/200/body/token/undocumented"),
        DriftCase(drifted.DropsQuota, "breaking", "PATCH", "updateSmtpUser/effect/quota/value"),
        DriftCase(drifted.IgnoresEmptyValues, "breaking", "PATCH", "updateSmtpUser/effect/quota/value"),
        DriftCase(drifted.ResetsDomains, "breaking", "PATCH", "updateSmtpUser/effect/untouched/approvedDomains/value"),
        DriftCase(drifted.MergesLists, "breaking", "PATCH", "updateSmtpUser/effect/ipRestrictions/value"),
        DriftCase(drifted.RequiresDigits, "breaking", "POST", "createSmtpUser/request/password/minLength/refused"),
        DriftCase(drifted.RefusesSmallQuota, "breaking", "PATCH", "updateSmtpUser/request/quota/minimum/refused"),
        DriftCase(drifted.HidesEmptyLists, "breaking", "GET", "listSmtpUsers/response/200/*"),
        DriftCase(drifted.AcceptsDuplicates, "breaking", "POST", "createSmtpUser/rule/name-taken/accepted"),
        DriftCase(drifted.AcceptsBothFlags, "breaking", "POST PATCH", "createSmtpUser/rule/flags-exclusive/accepted"),
        DriftCase(drifted.GeneratesNothing, "breaking", "POST", "createSmtpUser/200/body/password/missing"),
        DriftCase(
            drifted.ListsPasswords, "breaking", "GET", "listSmtpUsers/200/body/smarthosts/[*]/password/undocumented"
        ),
        DriftCase(drifted.SharesUsers, "breaking", "GET POST", "listSmtpUsers/rule/own-account/unexpected"),
        DriftCase(drifted.Answers201, "breaking", "POST", "createSmtpUser/*/status-201"),
        DriftCase(
            drifted.AnswersForbidden, "breaking", "GET POST PATCH DELETE", "updateSmtpUser/credential/status-403"
        ),
        DriftCase(drifted.AnswersHtml, "breaking", "PATCH", "updateSmtpUser/200/body/not-json"),
        DriftCase(drifted.CutsJson, "breaking", "PATCH", "updateSmtpUser/200/body/not-json"),
        DriftCase(drifted.TruncatesBody, "breaking", "PATCH", "updateSmtpUser/*no-answer"),
        DriftCase(drifted.FailsOnQuota, "breaking", "POST", "createSmtpUser/*quota*/status-500"),
    )
}
EVERY = pytest.mark.parametrize("drift", CASES)
ADDITIVE = pytest.mark.parametrize("drift", [name for name, case in CASES.items() if case.severity == "additive"])

Results = Callable[[str], SuiteResult]


@pytest.fixture(name="results", scope="module")
def _results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Results]:
    root = tmp_path_factory.mktemp("drifts")  # made here: pytest's factory is not for threads

    def work(drift: str) -> SuiteResult:
        (root / drift).mkdir()
        with serve_app(CASES[drift].server()) as at:
            return check_target(root / drift, at.url)

    with run_two_at_a_time(request, "drift", work) as results:
        yield results


def _find_named_finding(result: SuiteResult, case: DriftCase) -> dict[str, Any]:
    """Find the finding that names the drift."""
    found = [finding for name, finding in result.findings.items() if fnmatchcase(name, case.id)]
    assert found, (case.id, result)
    return found[0]


@EVERY
def test_a_drift_is_found_and_weighed(results: Results, drift: str) -> None:
    """A server that breaks one promise gives a finding with a stable id, and the right severity, verdict and status."""
    case, result = CASES[drift], results(drift)
    assert _find_named_finding(result, case)["severity"] == case.severity, result
    assert (result.report["verdict"], result.status) == (case.severity, case.exit_status)
    assert result.report["reason"] is None


@EVERY
def test_a_finding_names_its_operation_and_nothing_else_is_blamed(results: Results, drift: str) -> None:
    """Every finding is about an operation that the drift affects. Its id, clause and titles agree."""
    case, result = CASES[drift], results(drift)
    operations = {f"{method} /outbound/smarthost" for method in case.methods.split()}
    assert {finding["operation"] for finding in result.findings.values()} <= operations, result
    finding = _find_named_finding(result, case)
    assert finding["id"].split("/")[0] == finding["clause"].split("/")[0]
    assert all(finding[words].strip() for words in ("title", "why", "promise", "reproduce"))
    shown = finding["exchange"]["request"]
    assert shown["method"] in {"GET", *case.methods.split()}, "an effect shows in the list, all else where it is"


@EVERY
def test_a_steady_drift_is_not_called_flapping(results: Results, drift: str) -> None:
    """These servers drift every time: no finding is flaky, and no note says that one was not seen again."""
    report = results(drift).report
    assert [finding["id"] for finding in report["findings"] if finding["flapping"]] == []
    assert report["notes"] == []


@EVERY
def test_what_the_report_says_to_run_shows_the_drift(results: Results, drift: str) -> None:
    """The finding's curl lines show the drift to the vendor.

    On a fresh server with the drift the last response has the finding's status, and it differs from a faithful
    server's.
    """
    case, result = CASES[drift], results(drift)
    finding = _find_named_finding(result, case)
    lines = finding["reproduce"].replace(result.report["target"], "$TARGET")
    broken, good = (_run_curl(lines, server) for server in (case.server(), FaithfulJetEmail()))
    assert broken.status == finding["status"] or broken.code != 0
    assert broken != good


@ADDITIVE
def test_additive_drift_fails_where_that_is_asked_for(
    results: Results, drift: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """FAIL_ON=additive changes the status from 0 to 1 and leaves the verdict additive."""
    assert results(drift).status == 0
    with serve_app(CASES[drift].server()) as at:
        result = check_target(tmp_path_factory.mktemp(drift), at.url, "--fail-on", "additive")
    assert (result.report["verdict"], result.status) == ("additive", 1)


def test_a_drift_that_comes_and_goes_is_confirmed(tmp_path: Path) -> None:
    """Every second creation lacks its message. The finding is breaking, because retries show it again."""
    with serve_app(drifted.DropsEverySecondMessage()) as at:
        result = check_target(tmp_path, at.url)
    finding = result.findings["createSmtpUser/200/body/message/missing"]
    assert (finding["flapping"], finding["severity"], result.status) == (False, "breaking", 1)
    assert "message" not in finding["exchange"]["response"]["body"]


@pytest.mark.parametrize(
    ("server", "name"),
    [
        (drifted.FreezesSuspended, "updateSmtpUser/response/200/refused"),
        (drifted.DeletesByPrefix, "deleteSmtpUser/rule/name-unknown/accepted"),
    ],
)
def test_a_drift_that_spoils_other_flows_is_named_too(
    tmp_path: Path, server: type[FaithfulJetEmail], name: str
) -> None:
    """This drift leaves objects in a state that the model does not expect, so later flows differ, too.

    The finding for the drift itself is still there, breaking and steady.
    """
    with serve_app(server()) as at:
        result = check_target(tmp_path, at.url)
    finding = result.findings[name]
    assert (finding["severity"], finding["flapping"], result.status) == ("breaking", False, 1)


def test_what_exploring_found_can_be_shown_too(tmp_path: Path) -> None:
    """The server rejects passwords with letters outside ASCII, which only exploring sends.

    The finding is breaking; its curl lines show it on a fresh server and not on a faithful one.
    """
    explore = ("--explore", "1", "--seed", "1", "--only", "explore/createSmtpUser/positive")
    with serve_app(drifted.RefusesForeignLetters()) as at:
        result = check_target(tmp_path, at.url, *explore)
    assert result.status == 1, result
    steady = [finding for finding in result.report["findings"] if not finding["flapping"]]
    assert steady
    for finding in steady:
        lines = finding["reproduce"].replace(result.report["target"], "$TARGET")
        broken, good = (_run_curl(lines, server) for server in (drifted.RefusesForeignLetters(), FaithfulJetEmail()))
        assert (broken.status, good.status) == (400, 200), lines


@dataclass(frozen=True)
class _CurlResult:
    """The result of the last curl line: curl's own status, the HTTP status, the body without times and secrets."""

    code: int
    status: int | None
    body: Any


def _run_curl(lines: str, app: App) -> _CurlResult:
    """Run curl ``lines`` in a shell, one by one, as somebody would paste them."""
    with serve_app(app) as at:
        environment = {**os.environ, "JETEMAIL_API_KEY": PAID_KEY, "JETEMAIL_FREE_API_KEY": FREE_KEY, "TARGET": at.url}
        for line in lines.split("\n"):
            done = subprocess.run(  # noqa: S603 (what a reader would do)
                ["bash", "-c", line], env=environment, capture_output=True, check=False, timeout=PATIENCE  # noqa: S607 (as above)
            )  # fmt: skip
    head, _, body = done.stdout.decode().replace("\r\n", "\n").partition("\n\n")
    status = re.match(r"HTTP/1.1 ([0-9]{3}) ", head)
    try:
        shown = _drop_times(json.loads(body))
    except ValueError:
        shown = body
    return _CurlResult(done.returncode, int(status[1]) if status else None, shown)


def _drop_times(value: Any) -> Any:
    if isinstance(value, dict):
        passing = ("created_date", "last_modified", "password")
        return {name: "…" if name in passing else _drop_times(inner) for name, inner in value.items()}
    return [_drop_times(inner) for inner in value] if isinstance(value, list) else value
