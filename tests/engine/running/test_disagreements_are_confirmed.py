"""A disagreement is retried before it counts: repeated it is drift, never again it is flaky or set aside."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.judging.judge import Attempt
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.report.finding import Finding
from contract_watch.report.verdict import Verdict
from tests.support.fault_proxies import FAULTS
from tests.support.loopback_server import LoopbackResponse, ReceivedRequest, serve_app
from tests.support.protocol_sessions import make_session
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail

MISSING = "createSmtpUser/200/body/message/missing"


class _Scripted(FaithfulJetEmail):
    """JetEmail whose creations follow a script: ``m`` lacks its message, ``5`` is a page, ``.`` and all later are good."""

    def __init__(self, script: str) -> None:
        super().__init__()
        self._script = iter(script)
        self.creation_count = 0

    def respond(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        if requested.method != "POST":
            return super().respond(requested)
        self.creation_count += 1
        step = next(self._script, ".")
        answer = FAULTS["nginx-500"] if step == "5" else super().respond(requested)
        if step == "m" and isinstance(answer, LoopbackResponse):
            return LoopbackResponse(200, {name: value for name, value in answer.body.items() if name != "message"})
        return answer


@contextmanager
def _confirm(script: str) -> Iterator[tuple[Session, list[Finding], _Scripted]]:
    """Create a user until the disagreement of the first creation is settled."""
    contract, app = Contract("jetemail"), _Scripted(script)
    with serve_app(app) as at:
        session = make_session(contract, at.url + contract.base_path, None)
        try:
            runner = Runner(session)

            def create() -> Attempt:
                with session.record_attempt() as attempt:
                    session.send_operation("createSmtpUser", {"username": session.names.create_name()})
                return attempt

            yield session, runner.confirm_attempt(create(), create), app
        finally:
            session.close()


@pytest.mark.parametrize(("script", "times"), [("m.m", "2 of 3"), ("m...m", "2 of 5")])
def test_what_a_later_retry_shows_again_is_drift(script: str, times: str) -> None:
    """A drift that comes and goes is breaking; the finding shows both answers, a note tells how often."""
    with _confirm(script) as (session, (finding,), _):
        notes = session.record.notes
    assert (finding.id, finding.flapping) == (MISSING, False)
    assert finding.again is not None
    assert "message" in finding.again["response"]["body"]
    assert [f"seen in {times} tries" in note for note in notes] == [True]


def test_a_steady_drift_needs_one_retry() -> None:
    """Nothing is noted where the first retry shows the same."""
    with _confirm("mmmmmm") as (_, (finding,), app):
        assert (finding.flapping, finding.again, app.creation_count) == (False, None, 2)


def test_what_no_retry_shows_again_decides_nothing() -> None:
    """A flaky finding is told as such, and leaves the verdict as it is."""
    with _confirm("m") as (session, (finding,), app):
        assert (finding.id, finding.flapping) == (MISSING, True)
        assert app.creation_count == 5
        assert session.record.verdict is Verdict.NONE


def test_a_page_that_is_not_repeated_vanishes() -> None:
    """It is no finding, and neither coverage nor the client sees it."""
    with _confirm("5") as (session, found, app):
        assert (found, session.record.findings, app.creation_count) == ([], [], 2)
        assert ("createSmtpUser", 500) not in session.coverage.exchanges_by_status
        assert [note for note in session.record.notes if note.startswith("set aside")]
        assert len(session.record.notes) == 1


def test_a_page_has_to_be_repeated_twice() -> None:
    """Two pages in a row may be one outage."""
    with _confirm("55.") as (_, found, app):
        assert (found, app.creation_count) == ([], 3)
    with _confirm("555....") as (_, found, _):
        assert [finding.flapping for finding in found] == [False] * len(found) != []


def test_an_outage_during_a_retry_does_not_count() -> None:
    """The retry met a page: it is sent again, and the drift is confirmed."""
    with _confirm("m5m") as (_, found, _):
        assert [(finding.id, finding.flapping) for finding in found] == [(MISSING, False)]


class _Forgetful(FaithfulJetEmail):
    """JetEmail that loses the changes of the user that was made first; ``shown`` limits how often its list shows that."""

    def __init__(self, shown: int) -> None:
        super().__init__()
        self._first, self._shown = "", shown

    def respond(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        body = json.loads(requested.content) if requested.content else {}
        if requested.method == "POST":
            self._first = self._first or body["username"]
        if requested.method == "GET" and self._shown:
            self._shown -= 1
            return _set_quota(super().respond(requested), self._first)
        return super().respond(requested)


def _set_quota(answer: LoopbackResponse | bytes | None, name: str) -> LoopbackResponse:
    assert isinstance(answer, LoopbackResponse)
    rows = [{**row, "quota": 0} if row["username"] == name else row for row in answer.body["smarthosts"]]
    return LoopbackResponse(200, {**answer.body, "smarthosts": rows})


@pytest.mark.parametrize(("shown", "is_flaky"), [(100, False), (1, True)])
def test_what_one_object_keeps_is_drift(shown: int, is_flaky: bool) -> None:
    """A change that is lost on an object with a history is not lost on a new one: the same read is sent once more."""
    contract = Contract("jetemail")
    with serve_app(_Forgetful(shown)) as at:
        session = make_session(contract, at.url + contract.base_path, None, lag=0.0)
        try:

            def change() -> Attempt:
                with session.record_attempt() as attempt:
                    name = session.names.create_name()
                    session.send_operation("createSmtpUser", {"username": name})
                    session.send_operation("updateSmtpUser", {"currentUsername": name, "quota": 7})
                    session.send_operation("listSmtpUsers")
                return attempt

            (finding,) = Runner(session).confirm_attempt(change(), change)
        finally:
            session.close()
    assert (finding.id, finding.flapping) == ("updateSmtpUser/effect/quota/value", is_flaky)
    kept = [note for note in session.record.notes if note.startswith("one object shows it")]
    assert len(kept) == (0 if is_flaky else 1)


class _Coerces(FaithfulJetEmail):
    """JetEmail that takes a number for the name that it spells."""

    def respond(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        body = requested.json_body
        if requested.method == "POST" and isinstance(body, dict) and isinstance(body.get("username"), int):
            body = {**body, "username": str(body["username"])}
        return super().respond(replace(requested, content=json.dumps(body).encode()))


def test_a_retry_with_another_wrong_status_confirms() -> None:
    """The number is taken for a name, so the retry finds the name taken: neither is the refusal that is documented."""
    contract = Contract("jetemail")
    with serve_app(_Coerces()) as at:
        session = make_session(contract, at.url + contract.base_path, None, lag=0.0)
        try:

            def create() -> Attempt:
                with session.record_attempt("createSmtpUser/request/username/type") as attempt:
                    session.send_operation("createSmtpUser", {"username": 12345678})
                return attempt

            (finding,) = Runner(session).confirm_attempt(create(), create)
        finally:
            session.close()
    assert (finding.id, finding.flapping) == ("createSmtpUser/request/username/type/accepted", False)


class _RemovesInSilence(FaithfulJetEmail):
    """JetEmail whose removals say success, and no message."""

    def respond(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        answer = super().respond(requested)
        if requested.method == "DELETE" and isinstance(answer, LoopbackResponse) and answer.status == 200:
            return LoopbackResponse(200, {"success": True})
        return answer


def test_what_no_retry_can_show_counts() -> None:
    """The object is gone, so the retry of its removal gets another status: that refutes nothing."""
    contract = Contract("jetemail")
    with serve_app(_RemovesInSilence()) as at:
        session = make_session(contract, at.url + contract.base_path, None, lag=0.0)
        try:
            name = session.names.create_name()
            session.send_operation("createSmtpUser", {"username": name})

            def remove() -> Attempt:
                with session.record_attempt() as attempt:
                    session.send_operation("deleteSmtpUser", {"username": name})
                return attempt

            (finding,) = Runner(session).confirm_attempt(remove(), remove)
        finally:
            session.close()
    assert (finding.id, finding.flapping) == ("deleteSmtpUser/200/body/message/missing", False)
    assert [note for note in session.record.notes if note.startswith("no retry could show it")]


class _RefusesFirst(FaithfulJetEmail):
    """JetEmail that does not find the user that was made first when it is to be changed."""

    def __init__(self) -> None:
        super().__init__()
        self._first = ""

    def respond(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        body = requested.json_body or {}
        if requested.method == "POST":
            self._first = self._first or body["username"]
        if requested.method == "PATCH" and body["currentUsername"] == self._first:
            return LoopbackResponse(404, {"success": False, "error": "Smarthost not found or access denied"})
        return super().respond(requested)


def test_a_refusal_that_one_object_keeps_is_drift() -> None:
    """A new user is found, the first one still is not; the attempt's doubtful response is that one, not the last."""
    contract = Contract("jetemail")
    with serve_app(_RefusesFirst()) as at:
        session = make_session(contract, at.url + contract.base_path, None, lag=0.0)
        try:

            def change() -> Attempt:
                with session.record_attempt() as attempt:
                    name = session.names.create_name()
                    session.send_operation("createSmtpUser", {"username": name})
                    session.send_operation("updateSmtpUser", {"currentUsername": name, "quota": 7})
                    session.send_operation("listSmtpUsers")
                return attempt

            first = change()
            doubtful = first.find_doubtful()
            (finding,) = Runner(session).confirm_attempt(first, change)
        finally:
            session.close()
    assert doubtful is not None
    assert doubtful.operation == "updateSmtpUser"
    assert (finding.operation, finding.status, finding.flapping) == ("PATCH /outbound/smarthost", 404, False)
    assert [note for note in session.record.notes if note.startswith("one object shows it")]
