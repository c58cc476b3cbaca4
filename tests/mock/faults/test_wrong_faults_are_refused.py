"""A fault that could never play, contradicts itself or is hostile is refused in one line, with what there is."""

import json
from typing import Any

import httpx
import pytest

from contract_watch.contracts.registry import load_contracts
from contract_watch.errors import UsageError
from contract_watch.mock.faults.queue import MAX_FAULTS
from contract_watch.mock.faults.values import MAX_DEPTH, MAX_VALUES
from contract_watch.mock.server import build_mock

CONTRACTS = list(load_contracts().values())
ADD = "/zitadel.admin.v1.AdminService/AddSMTPConfig"
NEVER = [
    ({"operation": "createSmtpUsr", "status": 503}, "did you mean 'createSmtpUser'"),
    ({"operation": "nothing like it", "status": 503}, "listSmtpUsers"),
    ({"stauts": 503}, "did you mean 'status'"),
    ({"status": 503, "where": {"headers": {}}}, "did you mean 'header'"),
    ({"method": "CONNECT", "status": 503}, "choose from DELETE, GET"),
    ({"method": "", "status": 503}, "unknown method ''"),
    ({"operation": "createSmtpUser", "method": "get", "status": 503}, "use POST"),
    ({"path": "/outbound/smarthosts", "status": 503}, "did you mean '/outbound/smarthost'"),
    ({"path": "", "status": 503}, "unknown path ''"),
    ({"path": "/admin/v1/smtp/{id}/passwords", "status": 503}, "/admin/v1/smtp/{id}/password"),
    ({"path": "/admin/v1/{x}/{id}/password", "status": 503}, "unknown path"),
    ({"path": "/outbound/smarthost", "operation": "addSmtpUser", "status": 503}, "the other fields"),
    ({"path": ADD, "method": "PUT", "status": 503}, "the other fields"),
    ({"vendor": "jetmail", "status": 503}, "did you mean 'jetemail'"),
    ({"vendor": "smtp2go", "operation": "createSmtpUser", "status": 503}, "unknown operation"),
    ({"vendor": "zitadel", "path": "/outbound/smarthost", "status": 503}, "the other fields"),
    ({"account": "payed", "status": 503}, "did you mean 'paid'"),
    ({"account": "paid", "operation": "addSmtpUser", "status": 503}, "choose from full, restricted"),
    ({"path": ADD, "cut": 3}, "for REST"),
    ({"path": ADD, "headers": {"a": "b"}}, "for REST"),
    ({"path": ADD, "status": 503, "where": {"query": {"a": "b"}}}, "for REST"),
]
CONTRADICTORY = [
    ({}, "has no effect"),
    ({"operation": "createSmtpUser", "close": False, "headers": {}}, "has no effect"),
    ({"status": 204, "body": {}}, "has no body"),
    ({"status": 304, "body": "x"}, "has no body"),
    ({"body": {}}, "needs a `status`"),
    ({"cut": 0, "close": True}, "`close` cannot go with `cut`"),
    ({"lost": True, "refused": True}, "`lost` cannot go with `refused`"),
    ({"lost": True, "status": 503}, "never arrives"),
    ({"close": True, "headers": {"a": "b"}}, "never arrives"),
    ({"refused": True, "slow": 1}, "never arrives"),
    ({"nth": 2, "one_in": 2, "status": 503}, "keep one"),
    ({"rate": "contract", "operation": "createSmtpUser"}, "'operation'"),
    ({"rate": "contract", "times": 2}, "'times'"),
    ({"rate": {}, "lost": True}, "'lost'"),
    ({"delay": {"uniform": {"min": 2, "max": 1}}}, "at most"),
    ({"delay": {"lognormal": {"median": 1}}}, "`p95` and `sigma`"),
    ({"delay": {"lognormal": {"median": 1, "p95": 2, "sigma": 1}}}, "`p95` and `sigma`"),
    ({"delay": {"lognormal": {"median": 1, "p95": 0.5}}}, "at most `p95`"),
    ({"delay": {"lognormal": {"median": 0, "p95": 0}}}, "above 0"),
    ({"status": 200, "headers": {"Content-Length": "3"}}, "the server's own"),
    ({"status": 200, "headers": {"transfer-encoding": "chunked"}}, "the server's own"),
]
MALFORMED: list[Any] = [
    {"status": 503, "nth": 0},
    {"status": 503, "nth": 1_000_001},
    {"status": 503, "one_in": 1},
    {"status": 503, "times": "ever"},
    {"status": 503, "times": "always\n"},
    {"status": 503, "times": None},
    {"status": 503, "times": 10**400},
    {"status": 503, "id": "a b"},
    {"status": 503, "id": ""},
    {"status": 503, "id": "x" * 65},
    {"status": 503, "seed": -1},
    {"status": 503, "optional": 1},
    {"status": 503, "where": []},
    {"status": 503, "where": {"header": {"a": 1}}},
    {"status": 503, "where": {"header": {"a b": "1"}}},
    {"status": 503, "where": {"query": "a=b"}},
    {"status": 503, "account": ["paid"]},
    {"status": 503, "body": 10**400},
    {"delay": {}},
    {"delay": {"uniform": {"min": 0}}},
    {"delay": {"uniform": {"min": 0, "max": 61}}},
    {"delay": {"normal": 3}},
    {"delay": {"zipf": {"s": 1}}},
    {"delay": 1e308},
    {"slow": 0},
    {"slow": {"bytes": 1}},
    {"slow": {"bytes": 1, "pause": 61}},
    {"rate": "mine"},
    {"rate": {"requests": 0}},
    {"rate": {"seconds": 0}},
    {"rate": {"requests": 10**9}},
    {"rate": True},
    {"headers": {"a": "b\r\nSet-Cookie: c"}},
    {"headers": {"a\r\nb": "c"}},
    {"headers": {"a": "\ud800"}},
    {"headers": {"a": "x" * 10_000}},
    {"operation": "\ud800\x1b[31m", "status": 503},
    {"\x1b]0;x\x07": 1},
    {"path": "/(a+)+$" + "a" * 5000, "status": 503},
    {"status": 503, "body": [0] * (MAX_VALUES + 1)},
    [{"status": 503}, {"status": 1}],
    [[{"status": 503}]],
    [],
]


def _refuse(mock: httpx.Client, fault: Any) -> str:
    """Post a fault; return the reason why it was refused, which is one printable line."""
    answer = mock.post("/__mock/faults", content=json.dumps(fault))
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert isinstance(error, str)
    assert error.isprintable()
    assert len(error) < 3000
    assert mock.get("/__mock/faults").json() == []
    return error


@pytest.mark.parametrize(("fault", "reason"), [*NEVER, *CONTRADICTORY], ids=str)
def test_fault_that_cannot_play_is_refused(fault: Any, reason: str) -> None:
    """The reason names the nearest name, or the fields that do not go together."""
    faults = build_mock(CONTRACTS, {}).faults
    with pytest.raises(UsageError) as caught:
        faults.add(fault)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("fault: ")
    assert str(caught.value).isprintable()
    assert faults.pending == []


@pytest.mark.parametrize("fault", MALFORMED, ids=lambda fault: repr(fault)[:60])
def test_hostile_fault_is_refused(mock: httpx.Client, fault: Any) -> None:
    """Wrong types, huge numbers, injected headers and terminal escapes: 400 with one line, and nothing is pending."""
    assert "fault" in _refuse(mock, fault)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, b"x", {"a"}, 1j], ids=str)
def test_value_that_is_no_json_is_refused(value: Any) -> None:
    """From Python, and from YAML, a fault can hold values that JSON has not."""
    faults = build_mock(CONTRACTS, {}).faults
    for fault in ({"status": 200, "body": value}, {"delay": value}, {"status": 200, "where": {"body": value}}):
        with pytest.raises(UsageError, match=r"^fault: "):
            faults.add(fault)


@pytest.mark.parametrize("content", [b'{"status": NaN}', b'{"delay": 1e999}', b"", b"\xff", b"[" * 100_000])
def test_body_that_is_no_json_is_refused(mock: httpx.Client, content: bytes) -> None:
    """The control answers 400, never 500."""
    assert mock.post("/__mock/faults", content=content).status_code == 400


def test_deep_fault_is_refused(mock: httpx.Client) -> None:
    """Nesting has a bound, below which it plays."""
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert "nested deeper" in _refuse(mock, {"status": 200, "body": deep})
    assert mock.post("/__mock/faults", json={"status": 200, "body": deep[0][0]}).status_code == 200
    assert mock.get("/outbound/smarthost").json() == deep[0][0]


def test_list_is_added_whole_or_not_at_all(mock: httpx.Client) -> None:
    """The error names the position of the wrong one."""
    assert _refuse(mock, [{"status": 503}, {"status": 503}, {"operation": "x", "status": 503}]).startswith("fault 3: ")
    added = mock.post("/__mock/faults", json=[{"status": 501}, {"status": 502, "id": "mine"}]).json()
    assert [(one["id"], one["status"]) for one in added] == [("fault-1", 501), ("mine", 502)]


def test_ids_are_unique_among_the_pending(mock: httpx.Client) -> None:
    """A second fault of the same id is refused; a generated id steps aside."""
    mock.post("/__mock/faults", json={"id": "fault-2", "status": 503}).raise_for_status()
    assert "taken" in mock.post("/__mock/faults", json={"id": "fault-2", "status": 503}).json()["error"]
    added = mock.post("/__mock/faults", json=[{"status": 503}, {"status": 503}]).json()
    assert [one["id"] for one in added] == ["fault-2", "fault-1", "fault-3"]


def test_pending_faults_are_bounded(mock: httpx.Client) -> None:
    """Nobody fills the memory with faults."""
    faults = [{"status": 503, "operation": "deleteSmtpUser"}] * MAX_FAULTS
    assert mock.post("/__mock/faults", json=faults).status_code == 200
    assert "at most" in mock.post("/__mock/faults", json={"status": 503}).json()["error"]


def test_fault_is_shown_replaced_and_removed(mock: httpx.Client) -> None:
    """One fault has an address of its own, which shows how often it matched and played."""
    mock.post("/__mock/faults", json=[{"id": "a", "status": 503, "nth": 3}, {"id": "b", "status": 502}])
    assert [mock.get("/outbound/smarthost").status_code for _ in range(2)] == [502, 200]
    shown = mock.get("/__mock/faults/a").json()
    assert (shown["matched"], shown["played"], shown["times"], shown["nth"]) == (2, 0, 1, 3)
    assert [one["id"] for one in mock.get("/__mock/faults").json()] == ["a"]
    assert [(one["id"], one["played"]) for one in mock.get("/__mock/faults?all=1").json()] == [("b", 1), ("a", 0)]
    assert mock.put("/__mock/faults/a", json={"status": 500}).json()["matched"] == 0
    assert mock.get("/outbound/smarthost").status_code == 500
    assert mock.delete("/__mock/faults/a").status_code == 404
    assert mock.get("/__mock/faults/nothing").status_code == 404
    assert "unknown id" in mock.delete("/__mock/faults/nothing").json()["error"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_used_fault_cannot_be_changed(mock: httpx.Client, method: str) -> None:
    """A fault that has played as often as it was asked to is known, and the refusal says what to do."""
    mock.post("/__mock/faults", json={"id": "a", "status": 503})
    assert mock.get("/outbound/smarthost").status_code == 503
    answer = mock.request(method, "/__mock/faults/a", json={"status": 500})
    assert (answer.status_code, answer.json()["error"]) == (404, "fault: 'a' has played already; add it again")


def test_replacing_all_is_all_or_nothing(mock: httpx.Client) -> None:
    """PUT replaces every pending fault; a wrong list leaves them as they were."""
    mock.post("/__mock/faults", json={"id": "a", "status": 503})
    assert mock.put("/__mock/faults", json=[{"status": 501}, {"status": 1}]).status_code == 400
    assert [one["id"] for one in mock.get("/__mock/faults").json()] == ["a"]
    assert [one["status"] for one in mock.put("/__mock/faults", json=[{"status": 501}]).json()] == [501]
    assert mock.put("/__mock/faults/fault-1", json={"status": 500, "id": "other"}).status_code == 400
    mock.post("/__mock/faults", json={"id": "b", "status": 503}).raise_for_status()
    assert [one["id"] for one in mock.delete("/__mock/faults/fault-1").json()] == ["b"]


def test_reset_of_a_vendor_needs_a_served_one(mock: httpx.Client) -> None:
    """DELETE can be for one vendor; an unknown one removes nothing."""
    mock.post("/__mock/faults", json={"status": 503}).raise_for_status()
    assert mock.delete("/__mock/faults?vendor=jetmail").status_code == 400
    assert len(mock.get("/__mock/faults").json()) == 1
    assert mock.delete("/__mock/faults?vendor=jetemail").json() == []


def test_null_field_counts_as_absent(mock: httpx.Client) -> None:
    """Clients that send every field of their own type can leave most of them empty."""
    fault = dict.fromkeys(("vendor", "account", "operation", "path", "nth", "one_in", "cut", "delay", "where", "rate"))
    mock.post("/__mock/faults", json={**fault, "status": 503}).raise_for_status()
    assert [mock.get("/outbound/smarthost").status_code for _ in range(2)] == [503, 200]
