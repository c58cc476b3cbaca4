"""After a run its findings are shown again with fewer requests and simpler values, at 20 requests at most."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.encodability import can_encode_rest
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.planning.probe import FAMILIES
from contract_watch.engine.running import minimizing
from contract_watch.engine.running.cleanup import clean_up
from contract_watch.engine.running.client_stage import parse_recorded_responses, run_client
from contract_watch.engine.running.minimizing import minimize_reproductions
from contract_watch.engine.running.preflight import run_preflight
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.report.finding import Finding
from tests.support.loopback_server import App, LoopbackResponse, ReceivedRequest, serve_app
from tests.support.patience import PATIENCE
from tests.support.protocol_sessions import make_session
from tests.vendors.jetemail import drifted_server as drifted
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail

JETEMAIL = Contract("jetemail")
PLAN = sorted(
    (probe for probe in plan_probes(JETEMAIL) if can_encode_rest(JETEMAIL, probe)),
    key=lambda probe: FAMILIES.index(probe.family),
)
BASH = shutil.which("bash") or ""


class UpdatesWithoutMessage(drifted.RewritingServer):
    """An update says success, and no message."""

    METHOD, STATUS = "PATCH", 200

    def rewrite_response(self, answer: LoopbackResponse, _requested: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(200, {name: value for name, value in answer.body.items() if name != "message"})


class RefusesDigitDomains(FaithfulJetEmail):
    """A creation refuses domains that begin with the digit 9."""

    def respond(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        body = requested.json_body
        domains = body.get("approvedDomains") if requested.method == "POST" and isinstance(body, dict) else None
        if isinstance(domains, list) and any(str(domain).startswith("9") for domain in domains):
            return LoopbackResponse(400, {"success": False, "error": "Validation failed"})
        return super().respond(requested)


class RefusesWith422(drifted.RewritingServer):
    """Every refusal with 400 is 422."""

    STATUS = 400

    def rewrite_response(self, answer: LoopbackResponse, _requested: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(422, answer.body)


@dataclass
class Gateway:
    """An app in front of ``behind``: once ``is_down``, it answers as a proxy does whose server is gone."""

    behind: App
    is_down: bool = False
    requests: list[ReceivedRequest] = field(default_factory=list)

    def __call__(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        self.requests.append(requested)
        if self.is_down:
            return LoopbackResponse(503, content=b"<html>Down</html>", media_type="text/html")
        return self.behind(requested)


@dataclass
class Checked:
    """A session whose probes and client stage are over."""

    session: Session
    runner: Runner

    def minimize(self) -> str | None:
        return minimize_reproductions([(self.session, self.runner)], None)

    @property
    def findings(self) -> dict[str, Finding]:
        return {finding.id: finding for finding in self.session.record.findings}

    @property
    def total(self) -> int:
        return sum(self.session.record.requests.values())


@contextmanager
def check_app(app: App, operation: str = "") -> Iterator[Checked]:
    """Run the probes of ``operation`` (all, and the client, by default) against ``app``."""
    with serve_app(app) as at:
        session = make_session(JETEMAIL, at.url + JETEMAIL.base_path, None, lag=0.0)
        runner = Runner(session)
        run_preflight(session, runner)
        for probe in PLAN:
            if operation in ("", probe.operation):
                runner.run_probe(probe)
        if not operation:
            run_client(session, runner)
            parse_recorded_responses(session, runner)
        yield Checked(session, runner)
        session.close()


def paste_lines(lines: str, app: App, base: str) -> tuple[int, Any]:
    """Run ``lines`` in bash against a fresh server; return status and body of the last response."""
    with serve_app(app) as at:
        environment = {**os.environ, **{one.variable: one.test for one in JETEMAIL.credentials}}
        shown = subprocess.run(  # noqa: S603 (the lines under test)
            [BASH, "-c", lines.replace(base, at.url)],
            env=environment,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
    head, _, body = shown.stdout.decode().replace("\r\n", "\n").rpartition("\n\n")
    return int(head.rpartition("HTTP/1.1 ")[2][:3]), json.loads(body[: body.rindex("}") + 1])


@pytest.mark.skipif(not BASH, reason="the lines are for bash")
@pytest.mark.parametrize(
    ("server", "operation", "name", "requests"),
    [
        (UpdatesWithoutMessage, "updateSmtpUser", "updateSmtpUser/200/body/message/missing", 2),
        (drifted.DropsMessage, "createSmtpUser", "createSmtpUser/200/body/message/missing", 1),
    ],
)
def test_a_missing_property_takes_one_short_request(
    server: type[FaithfulJetEmail], operation: str, name: str, requests: int
) -> None:
    """The probe that shows a missing property first has every optional property, at its longest.

    The reproduction has the creation that an update needs, one request, and short values. Pasted into bash, it shows
    the response that the finding quotes.
    """
    with check_app(server(), operation) as checked:
        before = checked.findings[name]
        assert checked.minimize() is None
        after = checked.findings[name]
        base = checked.session.base.removesuffix(JETEMAIL.base_path)
    lines = after.reproduce.split("\n")
    assert (len(lines), all(len(line) < 300 for line in lines)) == (requests, True), before.reproduce
    status, body = paste_lines(after.reproduce, server(), base)
    response = after.exchange["response"]
    assert (status, set(body)) == (response["status"], set(response["body"]))
    assert (after.status, after.clause, after.severity) == (before.status, before.clause, before.severity)


def test_a_lost_change_takes_one_change() -> None:
    """Flows rename the user and change it several times. The reproduction of the lost quota holds one request for a change."""
    with check_app(drifted.DropsQuota()) as checked:
        name = "updateSmtpUser/effect/quota/value"
        checked.minimize()
        lines = checked.findings[name].reproduce.split("\n")
    assert [line.split("-X ")[1].split(" ")[0] for line in lines] == ["POST", "PATCH", "GET"]
    assert all(len(line) < 300 for line in lines)


def test_the_item_that_is_refused_is_found() -> None:
    """The server refuses one domain of 27. The reproduction has that one alone."""
    name = "createSmtpUser/request/approvedDomains/*/pattern/refused"
    with check_app(RefusesDigitDomains(), "createSmtpUser") as checked:
        before = checked.findings[name].exchange["request"]["body"]["approvedDomains"]
        checked.minimize()
        after = checked.findings[name].exchange["request"]["body"]["approvedDomains"]
    assert (len(before) > 20, len(after)) == (True, 1)
    assert after[0].startswith("9")


def test_a_wide_drift_costs_20_requests_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every 400 is 422: dozens of findings. Shrinking, with the removal of its objects, costs 20 requests at most."""
    totals = {}
    for allowance in (0, minimizing.MAX_REQUESTS):
        monkeypatch.setattr(minimizing, "MAX_REQUESTS", allowance)
        with check_app(RefusesWith422(), "updateSmtpUser") as checked:
            ids = list(checked.findings)
            checked.minimize()
            clean_up(checked.session, checked.runner)
            totals[allowance] = checked.total
            assert list(checked.findings) == ids
            assert checked.session.record.left_behind == []
            assert len(ids) > 10
    assert 0 < totals[20] - totals[0] <= 20


def test_a_faithful_server_gets_no_further_request() -> None:
    """Without a finding nothing is shrunk, and nothing is sent."""
    with check_app(FaithfulJetEmail(), "deleteSmtpUser") as checked:
        before = checked.total
        assert (checked.minimize(), checked.total) == (None, before)


def test_an_outage_meanwhile_changes_nothing() -> None:
    """The vendor goes down when shrinking begins: findings stay as they are, and the run has no reason to stop."""
    gateway = Gateway(drifted.DropsMessage())
    with check_app(gateway, "createSmtpUser") as checked:
        before, sent = checked.findings, checked.total
        gateway.is_down = True
        assert checked.minimize() is None
        assert checked.total == sent + 1
        assert (checked.findings, checked.session.stop_reason) == (before, None)
        assert checked.session.record.reason is None


def test_an_interruption_meanwhile_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user interrupts the first request of shrinking: findings stay, and the object that it made is cleaned up."""
    with check_app(drifted.DropsMessage(), "createSmtpUser") as checked:
        before, send = checked.findings, checked.session.protocol.send

        def interrupt(encoded: Any) -> Any:
            send(encoded)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(checked.session.protocol, "send", interrupt)
            reason = checked.minimize()
        assert reason == "the run was interrupted while it looked for shorter reproductions"
        assert checked.findings == before
        clean_up(checked.session, checked.runner)
        assert checked.session.target.list_owned() == set()


def test_an_error_of_ours_meanwhile_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shrinking fails where nobody foresaw it: the findings stay, and the reason names the kind of the error alone."""
    with check_app(drifted.DropsMessage(), "createSmtpUser") as checked:
        before = checked.findings

        def fail(_encoded: Any) -> Any:
            raise ZeroDivisionError("secret")

        monkeypatch.setattr(checked.session.protocol, "send", fail)
        reason = checked.minimize()
        assert reason == "internal error while looking for shorter reproductions: ZeroDivisionError"
        assert checked.findings == before
