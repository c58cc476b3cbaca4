"""A fault breaks, slows and delays responses as specified, through a socket and in process."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from contract_watch.contracts.registry import Contract
from tests.support.in_process import InProcessMock

PATH = "/outbound/smarthost"
Send = Callable[..., httpx.Response]


@pytest.fixture(name="send", params=["socket", "in process"])
def _send(request: pytest.FixtureRequest, mock: httpx.Client, jetemail: Contract) -> Send:
    """Give a function that sends a request to a mock, over a socket and in process."""
    if request.param == "in process":
        return InProcessMock(jetemail).send
    return mock.request


def _script(send: Send, **fault: Any) -> None:
    assert send("POST", "/__mock/faults", json=fault).status_code == 200


def _list_names(send: Send) -> list[str]:
    return [row["username"] for row in send("GET", PATH).json()["smarthosts"]]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"cut": 5.0}, 0),
        ({"slow": {"bytes": 64.0, "pause": 0}}, 200),
        ({"slow": 100_000_000.0}, 200),
        ({"status": 418.0, "times": 1.0, "nth": 1.0}, 418),
        ({"status": 418, "one_in": 2.0, "seed": 1.0, "times": "always"}, 418),
        ({"rate": {"requests": 1.0}}, 429),
    ],
)
def test_whole_numbers_may_have_a_point(send: Send, fault: dict[str, Any], status: int) -> None:
    """JSON has one type of number, so 5.0 is 5 in every field that wants an integer."""
    _script(send, operation=None if "rate" in fault else "listSmtpUsers", **fault)
    if status == 0:
        with pytest.raises(httpx.RemoteProtocolError, match="received 5 bytes"):
            send("GET", PATH)
        return
    assert status in {send("GET", PATH).status_code for _ in range(10)}


@pytest.mark.parametrize("field", ["lost", "close"])
def test_lost_answer_leaves_the_change(send: Send, field: str) -> None:
    """The request is executed and the client gets no byte: a retry meets its own change."""
    _script(send, operation="createSmtpUser", **{field: True})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        send("POST", PATH, json={"username": "a"})
    assert _list_names(send) == ["a"]
    assert send("POST", PATH, json={"username": "a"}).status_code == 409
    assert [call["status"] for call in send("GET", "/__mock/calls").json()] == [200, 200, 409]


def test_refused_request_changes_nothing(send: Send) -> None:
    """The connection closes before the request is executed; the journal shows it with the status 0."""
    _script(send, operation="createSmtpUser", refused=True, id="down")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        send("POST", PATH, json={"username": "a"})
    assert _list_names(send) == []
    [call, _] = send("GET", "/__mock/calls").json()
    assert (call["status"], call["fault"], call["body"]) == (0, "down", {"username": "a"})


def test_cut_body_is_a_transport_error(send: Send) -> None:
    """Both ways the error says how much arrived."""
    _script(send, status=200, body="hello", cut=3)
    with pytest.raises(httpx.RemoteProtocolError, match=r"\(received 3 bytes, expected 5\)"):
        send("GET", PATH)
    assert send("GET", PATH).status_code == 200


@pytest.mark.parametrize("slow", [{"bytes": 2, "pause": 0.02}, 100])
def test_slow_body_arrives_whole(send: Send, slow: Any) -> None:
    """A slow body takes its time and is the vendor's own."""
    _script(send, slow=slow, headers={"X-More": "1"})
    begun = time.monotonic()
    answer = send("GET", PATH)
    assert time.monotonic() - begun >= 0.3
    assert answer.json() == {"success": True, "smarthosts": []}
    assert (answer.headers["content-length"], answer.headers["x-more"]) == (str(len(answer.content)), "1")


def test_slow_body_can_be_cut(send: Send) -> None:
    """The parts of a slow body come until it is cut."""
    _script(send, slow={"bytes": 1, "pause": 0.01}, cut=4)
    with pytest.raises(httpx.RemoteProtocolError, match="received 4 bytes"):
        send("GET", PATH)


def test_slow_body_comes_in_parts(mock: httpx.Client) -> None:
    """A streaming client sees each part, and can leave before the end; the mock goes on serving."""
    mock.post("/__mock/faults", json={"status": 200, "body": "x" * 1000, "slow": {"bytes": 3, "pause": 0.05}})
    with mock.stream("GET", PATH) as answer:
        parts = [part for part, _ in zip(answer.iter_raw(), range(3), strict=False)]
    assert parts == [b"xxx"] * 3
    assert mock.get(PATH).status_code == 200


def test_slow_body_outlasts_a_read_timeout(mock: httpx.Client) -> None:
    """A pause longer than the client's read timeout is a timeout."""
    mock.post("/__mock/faults", json={"slow": {"bytes": 1, "pause": 60}})
    with pytest.raises(httpx.ReadTimeout):
        mock.get(PATH, timeout=httpx.Timeout(5, read=0.05))


def test_delayed_request_is_executed_though_the_client_left(mock: httpx.Client) -> None:
    """A client that gives up has changed the vendor's state all the same."""
    mock.post("/__mock/faults", json={"operation": "createSmtpUser", "delay": 0.2}).raise_for_status()
    with pytest.raises(httpx.ReadTimeout):
        mock.post(PATH, json={"username": "a"}, timeout=httpx.Timeout(5, read=0.05))
    ends = time.monotonic() + 60
    while mock.get(PATH).json()["smarthosts"] == [] and time.monotonic() < ends:
        pass
    assert [row["username"] for row in mock.get(PATH).json()["smarthosts"]] == ["a"]


@pytest.mark.parametrize(
    "delay",
    [
        {"uniform": {"min": 0.1, "max": 0.2}},
        {"normal": {"mean": 0.1, "deviation": 0}},
        {"lognormal": {"median": 0.1, "sigma": 0}},
        {"lognormal": {"median": 0.1, "p95": 0.1}},
    ],
    ids=str,
)
def test_drawn_delay_is_waited(send: Send, delay: Any) -> None:
    """A distribution gives the delay of each playing."""
    _script(send, delay=delay)
    begun = time.monotonic()
    assert send("GET", PATH).status_code == 200
    assert time.monotonic() - begun >= 0.1


def test_error_in_process_has_its_request(jetemail: Contract) -> None:
    """A client's own retry logic treats it as a broken connection: it is a transport error with its request."""
    api = InProcessMock(jetemail)
    api.mock.faults.add({"lost": True})
    with pytest.raises(httpx.TransportError) as caught:
        api.send("GET", PATH)
    assert caught.value.request.url.path == PATH


def test_breaking_one_of_many_spares_the_others(jetemail: Contract) -> None:
    """Of concurrent requests in process, exactly as many fail as were asked for."""
    api = InProcessMock(jetemail)
    api.mock.faults.add({"lost": True, "times": 3})

    async def send_many() -> list[Any]:
        transport = httpx.ASGITransport(app=api.mock)
        headers = {"Authorization": f"Bearer {api.key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://mock", headers=headers) as client:
            return await asyncio.gather(*(client.get(PATH) for _ in range(20)), return_exceptions=True)

    found = asyncio.run(send_many())
    assert [type(one) for one in found if isinstance(one, Exception)] == [httpx.RemoteProtocolError] * 3
    assert [one.status_code for one in found if isinstance(one, httpx.Response)] == [200] * 17
