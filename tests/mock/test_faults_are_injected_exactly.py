"""Injected faults change exactly the responses they are meant for, exactly as specified."""

import json
import time
from typing import Any

import httpx
import pytest

PATH = "/outbound/smarthost"


def _inject_fault(mock: httpx.Client, **fault: Any) -> None:
    """Have the mock play one fault."""
    mock.post("/__mock/faults", json=fault).raise_for_status()


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (500, {"success": False}, "application/json", '{"success":false}'),
        (502, "<html>Bad gateway</html>", "text/plain; charset=utf-8", "<html>Bad gateway</html>"),
        (520, None, None, ""),
        (200, [1, "é"], "application/json", '[1,"é"]'),
        (204, None, None, ""),
    ],
)
def test_status_and_body_are_played(mock: httpx.Client, status: int, body: Any, kind: str | None, text: str) -> None:
    """A fault responds instead of the vendor, with JSON, a plain string or no body. The request is not executed."""
    _inject_fault(mock, status=status, body=body, times=1)
    answer = mock.post(PATH, json={"username": "a"})
    assert (answer.status_code, answer.headers.get("content-type"), answer.text) == (status, kind, text)
    assert mock.get(PATH).json()["smarthosts"] == []


def test_headers_are_played(mock: httpx.Client) -> None:
    """A fault adds and replaces headers, here Retry-After and the media type of a page."""
    _inject_fault(mock, status=429, body="<html>", headers={"Retry-After": "300", "Content-Type": "text/html"})
    answer = mock.get(PATH)
    assert (answer.headers["retry-after"], answer.headers["content-type"]) == ("300", "text/html")


def test_fault_is_used_up(mock: httpx.Client) -> None:
    """A fault for two requests replaces two responses and no third one."""
    _inject_fault(mock, status=503, times=2)
    assert [mock.get(PATH).status_code for _ in range(3)] == [503, 503, 200]
    assert mock.get("/__mock/faults").json() == []


def test_faults_play_in_turn(mock: httpx.Client) -> None:
    """The oldest fault applies first; DELETE drops the pending ones."""
    for status in (501, 502, 503):
        _inject_fault(mock, status=status)
    assert [mock.get(PATH).status_code for _ in range(2)] == [501, 502]
    assert [fault["status"] for fault in mock.get("/__mock/faults").json()] == [503]
    assert mock.delete("/__mock/faults").json() == []
    assert mock.get(PATH).status_code == 200


@pytest.mark.parametrize(
    "meant", [{"operation": "deleteSmtpUser"}, {"method": "DELETE"}, {"path": f"{PATH}", "method": "DELETE"}]
)
def test_fault_waits_for_its_request(mock: httpx.Client, meant: dict[str, str]) -> None:
    """A fault with a filter replaces the first response that matches; other responses are not affected."""
    _inject_fault(mock, status=503, **meant)
    assert mock.get(PATH).status_code == 200
    assert mock.post(PATH, json={"username": "a"}).status_code == 200
    assert mock.request("DELETE", PATH, json={"username": "a"}).status_code == 503
    assert mock.request("DELETE", PATH, json={"username": "a"}).status_code == 200


def test_fault_for_a_path_above_is_refused(mock: httpx.Client) -> None:
    """The whole path must match; a fault that could never play is refused, with the paths that there are."""
    answer = mock.post("/__mock/faults", json={"status": 503, "path": "/outbound"})
    assert answer.status_code == 400
    assert PATH in answer.json()["error"]
    assert mock.get("/__mock/faults").json() == []


def test_control_calls_are_never_spoilt(mock: httpx.Client) -> None:
    """A fault for any request waits for a vendor's path, so the controls always work."""
    _inject_fault(mock, close=True)
    assert mock.get("/__mock/health").status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        mock.get(PATH)


def test_delay_is_waited(mock: httpx.Client) -> None:
    """A slow server sends the true response, after at least the delay."""
    _inject_fault(mock, delay=0.2)
    begun = time.monotonic()
    answer = mock.get(PATH)
    assert time.monotonic() - begun >= 0.2
    assert answer.json() == {"success": True, "smarthosts": []}


@pytest.mark.parametrize("cut", [0, 5])
def test_cut_body_breaks_the_connection(mock: httpx.Client, cut: int) -> None:
    """A response shorter than its Content-Length is a transport error with the bytes received.

    The request was executed, and the next one works.
    """
    _inject_fault(mock, cut=cut)
    with pytest.raises(httpx.RemoteProtocolError, match=f"received {cut} bytes"):
        mock.post(PATH, json={"username": "a"})
    assert [row["username"] for row in mock.get(PATH).json()["smarthosts"]] == ["a"]


def test_cut_takes_any_status(mock: httpx.Client) -> None:
    """The status line of a truncated response is complete, even for a status without a name."""
    _inject_fault(mock, cut=3, status=520, body="hello")
    with pytest.raises(httpx.RemoteProtocolError, match="received 3 bytes, expected 5"):
        mock.get(PATH)


def test_closed_connection_answers_nothing(mock: httpx.Client) -> None:
    """The mock closes the connection without a response. It executes the request and records it in the journal."""
    _inject_fault(mock, close=True)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        mock.post(PATH, json={"username": "a"})
    assert mock.post(PATH, json={"username": "a"}).status_code == 409
    assert [call["status"] for call in mock.get("/__mock/calls").json()] == [200, 409]


@pytest.mark.parametrize(
    "fault",
    [
        None,
        [],
        "slow",
        {"stauts": 500},
        {"status": 199},
        {"status": 600},
        {"status": "500"},
        {"status": True},
        {"times": 0},
        {"times": 1.5},
        {"delay": -1},
        {"delay": 61},
        {"delay": "1"},
        {"cut": -1},
        {"operation": 1},
        {"path": ["/"]},
        {"headers": []},
        {"headers": {"a": 1}},
        {"headers": {"a": "b\r\nc: d"}},
        {"headers": {"a": "é"}},
    ],
    ids=json.dumps,
)
def test_malformed_fault_is_refused(mock: httpx.Client, fault: Any) -> None:
    """A malformed fault is a 400 with the reason, and none is pending."""
    answer = mock.post("/__mock/faults", json=fault)
    assert answer.status_code == 400
    assert "fault" in answer.json()["error"]
    assert mock.get("/__mock/faults").json() == []
    assert mock.get(PATH).status_code == 200


@pytest.mark.parametrize("name", ["a b", "", "a:"])
def test_header_that_cannot_be_sent_is_refused(mock: httpx.Client, name: str) -> None:
    """A header's name must not be empty or contain a space or a colon."""
    assert mock.post("/__mock/faults", json={"headers": {name: "x"}}).status_code == 400


def test_any_text_can_be_played(mock: httpx.Client) -> None:
    """Half a surrogate pair is either rejected or sent as given, never a 500."""
    result = mock.post("/__mock/faults", content=b'{"status": 200, "body": "\\ud800"}')
    assert result.status_code == 400 or mock.get(PATH).status_code == 200


@pytest.mark.parametrize("fault", [{"close": "no"}, {"delay": True}, {"body": "never said"}])
def test_fault_that_does_not_mean_what_it_says_is_refused(mock: httpx.Client, fault: Any) -> None:
    """A string for a boolean, a boolean for a number, and a body without a status would be ignored in part."""
    assert mock.post("/__mock/faults", json=fault).status_code == 400
