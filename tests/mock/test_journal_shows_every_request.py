"""The journal shows every request with its context, takes a selection, and can be written to the terminal."""

import json
import random
import signal
import subprocess
import sys
import tracemalloc
from typing import Any

import httpx
import pytest

from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.contracts.request import MissingBody
from contract_watch.mock.call_log import format_call
from contract_watch.mock.journal import MAX_CALLS, MockJournal
from contract_watch.mock.known_secrets import KnownSecrets
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.patience import PATIENCE
from tests.support.suite_process import PAID_KEY

PATH = "/outbound/smarthost"


def _list_calls(mock: httpx.Client, query: str = "") -> list[dict[str, Any]]:
    response = mock.get(f"/__mock/calls{query}").raise_for_status()
    calls: list[dict[str, Any]] = response.json()
    return calls


def test_a_call_has_its_context(mock: httpx.Client) -> None:
    """An entry names number, vendor, operation, protocol, query, headers and duration; a success has no reason."""
    mock.post(f"{PATH}?trace=1", json={"username": "a"}, headers={"Idempotency-Key": "once", "X-Other": "left out"})
    [call] = _list_calls(mock)
    assert {name: call[name] for name in ("vendor", "operation", "protocol", "query", "status")} == {
        "vendor": "jetemail", "operation": "createSmtpUser", "protocol": "rest", "query": "trace=1", "status": 200,
    }  # fmt: skip
    assert call["headers"]["content-type"] == "application/json"
    assert call["headers"]["idempotency-key"] == "once"
    assert not call["headers"].keys() & {"authorization", "x-other", "cookie"}
    assert call["duration"] > 0
    assert "reason" not in call


def test_a_refusal_has_its_reason(mock: httpx.Client) -> None:
    """The reason is the clause that the request broke, and its sentence."""
    mock.post(PATH, json={"username": "a", "quota": -1})
    mock.get(PATH, headers={"Authorization": "Bearer wrong"})
    mock.post("/__mock/faults", json={"status": 503})
    mock.get(PATH)
    assert [(call["status"], call["reason"]) for call in _list_calls(mock)] == [
        (400, "createSmtpUser/request/quota/minimum: minimum 0"),
        (401, "listSmtpUsers/credential: A request without a valid key is rejected."),
        (503, "a scripted fault"),
    ]


def test_a_body_that_is_too_large_is_recorded(mock: httpx.Client) -> None:
    """A refusal that no model decides is in the journal too."""
    mock.post(PATH, content=b" " * (8 * 1024 * 1024 + 1))
    [call] = _list_calls(mock)
    assert (call["status"], call["operation"], call["body"]) == (413, "createSmtpUser", "malformed")
    assert call["reason"] == "the body must be at most 8388608 bytes"


def test_calls_can_be_selected() -> None:
    """By vendor, operation and number; a number grows on after the journal was emptied."""
    with (
        run_in_thread(build_mock([Contract("jetemail"), Contract("smtp2go")], {})) as address,
        httpx.Client(base_url=address, timeout=PATIENCE) as client,
    ):
        for method, path in (
            ("GET", PATH),
            ("POST", "/v3/users/smtp/view"),
            ("DELETE", PATH),
            ("GET", PATH),
            ("GET", "/zzz"),
        ):
            client.request(method, path)
        assert [call["number"] for call in _list_calls(client)] == [1, 2, 3, 4, 5]
        for query, numbers in (
            ("?vendor=jetemail", [1, 3, 4]),
            ("?operation=listSmtpUsers", [1, 4]),
            ("?vendor=smtp2go&operation=viewSmtpUsers", [2]),
            ("?after=3", [4, 5]),
            ("?limit=2", [4, 5]),
            ("?after=1&limit=2", [2, 3]),
            ("?limit=0", []),
        ):
            assert [call["number"] for call in _list_calls(client, query)] == numbers, query
        assert [call["number"] for call in client.delete("/__mock/calls?vendor=jetemail").json()] == [2, 5]
        assert client.delete("/__mock/calls").json() == []
        client.get(PATH)
        assert [call["number"] for call in _list_calls(client)] == [6]


@pytest.mark.parametrize(
    ("method", "query", "problem"),
    [
        ("GET", "vendors=jetemail", "calls: unknown parameter 'vendors'; choose from vendor, operation, after, limit"),
        ("GET", "vendor=nobody", "calls: unknown vendor 'nobody'; this mock serves jetemail"),
        ("GET", "vendor=", "calls: unknown vendor ''; this mock serves jetemail"),
        ("GET", "operation=nothing", "calls: unknown operation 'nothing'; choose from listSmtpUsers, createSmtpUser"),
        ("GET", "after=x", "calls: after must be a whole number, got 'x'"),
        ("GET", "limit=-1", "calls: limit must be a whole number, got '-1'"),
        ("GET", "after=1&after=2", "calls: the parameter after is repeated; give it once"),
        ("GET", "%1b%5b=1", "calls: unknown parameter '\\x1b['; choose from"),
        ("DELETE", "operation=listSmtpUsers", "calls: unknown parameter 'operation'; choose from vendor"),
    ],
)
def test_a_wrong_selection_is_refused(mock: httpx.Client, method: str, query: str, problem: str) -> None:
    """A misspelled parameter would select everything; nothing is removed."""
    mock.get(PATH)
    response = mock.request(method, f"/__mock/calls?{query}")
    assert response.status_code == 400
    assert response.json()["error"].startswith(problem)
    assert len(_list_calls(mock)) == 1


def test_secrets_stay_out_of_the_context(mock: httpx.Client) -> None:
    """Keys in a query, a path or a header, and values under a secret's name, are redacted everywhere."""
    mock.get(f"{PATH}?password=correct-horse&x={PAID_KEY}", headers={"User-Agent": f"me {PAID_KEY}"})
    mock.get(f"/outbound/{PAID_KEY}?token=correct-horse&pin_token=ab", headers={"X-Request-Id": "correct-horse"})
    text = mock.get("/__mock/calls").text
    assert PAID_KEY not in text
    assert "correct-horse" not in text
    assert "password=[redacted, 13 characters]" in text
    assert "pin_token=[redacted, 2 characters]" in text


def test_large_context_is_bounded(mock: httpx.Client) -> None:
    """Long queries, paths and headers are cut in the journal, and secrets in them redacted first."""
    long = "y" * 60_000
    mock.get(f"{PATH}?a={long}", headers={"User-Agent": long, "X-Request-Id": long})
    mock.get(f"/outbound/{long}/{PAID_KEY}")
    calls = _list_calls(mock)
    assert len(json.dumps(calls)) < 12_000
    assert calls[0]["headers"]["user-agent"].endswith("(60000 characters)")
    assert calls == _list_calls(mock)


def test_numbers_go_on_when_old_calls_are_dropped(mock: httpx.Client) -> None:
    """A program that reads with `after` sees a gap where the journal was too short."""
    mock.get(PATH)
    first = _list_calls(mock)[0]["number"]
    for _ in range(MAX_CALLS):
        mock.put(PATH)
    calls = _list_calls(mock, f"?after={first}&limit=1")
    assert [call["number"] for call in calls] == [first + 1]


def _build_call(**more: Any) -> dict[str, Any]:
    return {"at": 0.5, "method": "GET", "path": "/a", "query": "", "status": 200, "vendor": "jetemail",
            "operation": "listSmtpUsers", "protocol": "rest", **more}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "end"),
    [
        ({}, "GET  /a  200  jetemail.listSmtpUsers"),
        ({"query": "b=1", "protocol": "grpc"}, "GET  /a?b=1  200  jetemail.listSmtpUsers  grpc"),
        ({"vendor": "", "operation": "", "status": 404, "reason": "no such path"}, "GET  /a  404  -  no such path"),
        ({"path": "/a\x1b[31m\n::error::b", "operation": ""}, "GET  /a\\x1b[31m\\n:\\x3aerror:\\x3ab  200  jetemail"),
    ],
)
def test_a_line_of_the_log_is_one_line(more: dict[str, Any], end: str) -> None:
    """Time, method, path, status, operation and reason; text from outside is escaped."""
    line = format_call(_build_call(**more))
    assert line.endswith(end)
    assert line.isprintable()


def test_the_command_logs_to_standard_error() -> None:
    """With `--log` each request is a line, without secrets; the addresses stay alone on standard output."""
    command = [sys.executable, "-m", "contract_watch", "mock", "jetemail", "--port", "0", "--log"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as server:  # noqa: S603
        try:
            assert server.stdout is not None
            assert server.stderr is not None
            address = f"http://{server.stdout.readline().split()[1]}"
            with httpx.Client(base_url=address, timeout=PATIENCE) as client:
                client.post(PATH, json={"username": "a"}, headers={"Authorization": f"Bearer {PAID_KEY}"})
                client.get(f"/outbound/%1B{PAID_KEY}")
            lines = [server.stderr.readline() for _ in range(2)]
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=PATIENCE)
    assert lines[0].rstrip().endswith(f"POST  {PATH}  200  jetemail.createSmtpUser")
    assert "404  jetemail  GET /outbound/\\x1b[redacted" in lines[1]
    assert PAID_KEY not in "".join(lines)


def _build_journal() -> MockJournal:
    return MockJournal(Redactor({"password"}), {"authorization"})


def _record(journal: MockJournal, body: Any, answer: Any = None) -> None:
    size = len(json.dumps([body, answer]))
    journal.record_call("POST", "/users", {}, body, 200, answer, size)


@pytest.mark.parametrize("most", [0, 8 * 1024 * 1024], ids=["redacted at once", "packed"])
def test_large_exchanges_hide_secrets_from_anywhere(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """The kept part of a large exchange hides a secret of its truncated part, of an earlier and of a later exchange."""
    monkeypatch.setattr("contract_watch.mock.journal._MAX_PACKED", most)
    journal = _build_journal()
    secrets = ["first-secret-1", "other-secret-2", "later-secret-3"]
    _record(journal, {"password": secrets[0]})
    rows: list[Any] = [{"note": f"see {one}", "number": at} for at, one in enumerate(secrets)]
    rows += [{"note": "x" * 40, "number": at} for at in range(300)]
    rows[-1] = {"inner": json.dumps({"password": secrets[1]})}
    _record(journal, {"page": 1}, {"rows": rows, "long": "y" * 9000})
    _record(journal, {"password": secrets[2]})
    shown = journal.list_calls()[1]
    assert not [one for one in secrets if one in json.dumps(shown)]
    assert [one["note"] for one in shown["answer"]["rows"][:3]] == ["see [redacted, 14 characters]"] * 3
    assert len(shown["answer"]["rows"]) == 200
    assert shown["answer"]["long"].endswith("… (9000 characters)")
    assert list(shown) == list(journal.list_calls()[0])


def test_packed_exchanges_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compressed exchanges take no more memory than their limit, and leave room for others once they are gone."""
    monkeypatch.setattr("contract_watch.mock.journal.MAX_CALLS", 4)
    monkeypatch.setattr("contract_watch.mock.journal._MAX_PACKED", 9000)
    journal = _build_journal()
    for number in range(40):
        _record(journal, {"text": random.Random(number).randbytes(3000).hex()})
        assert 0 < journal.packed_size < 9000 + 4000
    assert len(journal.list_calls()) == 4
    journal.clear()
    assert journal.packed_size == 0


def test_secrets_that_are_remembered_are_bounded() -> None:
    """Large bodies full of secrets take little memory; the latest secrets are still redacted in other exchanges."""
    known = KnownSecrets(Redactor())
    for number in range(30):
        known.add((f"secret-{number:02}-{at:04}" for at in range(5000)), 1000)
    known.add(["x" * 1_000_000, "latest-secret"], 1000)
    assert known.count <= 20_000
    shown = known.get_redactor().redact_string("secret-00-0001 secret-29-0999 secret-29-1000 latest-secret")
    assert shown == "secret-00-0001 [redacted, 14 characters] secret-29-1000 [redacted, 13 characters]"
    known.clear()
    assert known.get_redactor().redact_string("latest-secret") == "latest-secret"


def test_shown_secrets_come_before_those_of_the_rest() -> None:
    """A body has more secrets than are remembered: those in the part that the journal shows are redacted elsewhere."""
    journal = _build_journal()
    _record(journal, {"rows": [{"password": f"secret-{at:05}"} for at in range(20_000)]})
    _record(journal, {"notes": ["see secret-00000", "see secret-00199"]})
    assert journal.list_calls()[1]["body"] == {"notes": ["see [redacted, 12 characters]"] * 2}


@pytest.mark.parametrize("most", [0, 8 * 1024 * 1024], ids=["redacted at once", "packed"])
@pytest.mark.parametrize("where", ["path", "query", "user-agent", "x-orgid"])
def test_long_texts_of_an_exchange_take_little_memory(monkeypatch: pytest.MonkeyPatch, most: int, where: str) -> None:
    """The journal holds no more of a path, a query, a header or a parameter in one than it shows."""
    monkeypatch.setattr("contract_watch.mock.journal._MAX_PACKED", most)
    journal, long = _build_journal(), "x" * 200_000
    headers = {where: long} if where in ("user-agent", "x-orgid") else {}
    parameters = {"header:X-OrgId": long} if where == "x-orgid" else {}
    tracemalloc.start()
    try:
        for number in range(20):
            path, query = (f"{number}{long}" if name == where else "a" for name in ("path", "query"))
            journal.record_call("GET", path, headers, MissingBody.ABSENT, 404, None, 0, parameters, query=query)
        assert tracemalloc.get_traced_memory()[0] < 600_000
    finally:
        tracemalloc.stop()
    assert "characters)" in json.dumps(journal.list_calls())


def test_an_unknown_path_is_not_held_whole(mock: httpx.Client) -> None:
    """The explanation of a long path is computed from its beginning."""
    for letter in ("y", "z"):
        mock.get(f"/outbound/{'x' * 60_000}{letter}")
    first, second = _list_calls(mock)
    assert first["reason"] == second["reason"]
    assert len(first["reason"]) < 500
