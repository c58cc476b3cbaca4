"""Only programs on this machine control the mock: no web page, under whatever name it reaches loopback."""

import asyncio
import json

import httpx
import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mock.server import build_mock

PATH = "/outbound/smarthost"
FAULT = {"operation": "listSmtpUsers", "times": 1000, "status": 500}
CONTROLS = [("GET", "health"), ("GET", "state"), ("DELETE", "state"), ("GET", "calls"), ("DELETE", "calls"), ("GET", "faults"),
            ("POST", "faults"), ("DELETE", "faults"), ("GET", "interpretations"), ("PUT", "interpretations")]  # fmt: skip
_EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 (what a page may send as Host, not an address to bind)
FOREIGN = ["evil.example", "evil.example:8025", "localhost.evil.example", "127.0.0.1.evil.example", "evil-localhost",
           _EVERY_ADDRESS, "[::]", "[2001:db8::1]:8025", "192.168.1.5:8025", "127.0.0.1@evil.example", "localhost:80:80",
           "mock", "testserver", ""]  # fmt: skip
LOCAL = ["localhost", "localhost:1", "LocalHost:8025", "127.0.0.1", "127.0.0.1:65535", "127.9.9.9:8025", "[::1]", "[::1]:8025",
         "app.localhost:3000"]  # fmt: skip


def assert_refused(response: httpx.Response, header: str) -> None:
    """Assert that the response is 403 with one line of JSON that names the header."""
    assert response.status_code == 403
    assert "\n" not in response.text
    assert response.json()["error"].startswith(f"{header} must be localhost or a loopback address, got ")


@pytest.mark.parametrize(("method", "control"), CONTROLS)
def test_every_control_refuses_a_page(mock: httpx.Client, method: str, control: str) -> None:
    """A page's Origin, and a name that was rebound to loopback in Host, are refused by each control."""
    for header, value in (("Origin", "https://evil.example"), ("Origin", "null"), ("Host", "evil.example:8025")):
        assert_refused(mock.request(method, f"/__mock/{control}", headers={header: value}, json={}), header)


@pytest.mark.parametrize("host", FOREIGN)
def test_a_foreign_host_plants_no_fault(mock: httpx.Client, host: str) -> None:
    """Names that only resemble loopback are foreign, as Host and as the host of an Origin."""
    assert_refused(mock.post("/__mock/faults", json=FAULT, headers={"Host": host}), "Host")
    assert_refused(mock.post("/__mock/faults", json=FAULT, headers={"Origin": f"http://{host}"}), "Origin")
    assert mock.get("/__mock/faults").json() == []


@pytest.mark.parametrize(
    "origin", ["file://", "chrome-extension://abc", "https://evil.example", "http://", "localhost", "a b"]
)
def test_an_origin_that_is_no_local_page_is_refused(mock: httpx.Client, origin: str) -> None:
    """Files, extensions and origins without a scheme count as foreign."""
    assert_refused(mock.get("/__mock/state", headers={"Origin": origin}), "Origin")


@pytest.mark.parametrize("host", LOCAL)
def test_this_machine_controls_the_mock_under_any_of_its_names(mock: httpx.Client, host: str) -> None:
    """Loopback names and addresses with any port may control it, with and without Origin."""
    for headers in ({"Host": host}, {"Host": host, "Origin": f"http://{host}"}, {"Origin": f"https://{host}"}):
        assert mock.get("/__mock/health", headers=headers).status_code == 200


def test_one_local_origin_excuses_no_other(mock: httpx.Client) -> None:
    """Each value of a repeated header counts."""
    headers = [("Origin", "http://localhost"), ("Origin", "https://evil.example")]
    assert_refused(mock.get("/__mock/state", headers=headers), "Origin")


def test_control_characters_do_not_reach_the_response(mock: httpx.Client) -> None:
    """The refused value is shown escaped and cut."""
    response = mock.get("/__mock/state", headers={b"Origin": b"http://\xe2\x80\xae\x85" + b"x" * 5000})
    assert_refused(response, "Origin")
    assert len(response.content) < 1000
    assert response.json()["error"].isprintable()


def test_the_vendors_paths_answer_any_page(mock: httpx.Client) -> None:
    """A front end under test may call the vendor's own paths from anywhere."""
    response = mock.get(PATH, headers={"Origin": "https://app.example", "Host": "api.example"})
    assert response.status_code == 200


@pytest.mark.parametrize("name", ["mock", "test", "testserver"])
def test_tests_without_a_server_use_the_usual_names(name: str, jetemail: Contract) -> None:
    """An application that is called in its own process takes those names; a foreign one is refused there too."""

    async def ask(host: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=build_mock([jetemail], {}))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.get("/__mock/health")

    assert asyncio.run(ask(name)).status_code == 200
    assert_refused(asyncio.run(ask("evil.example")), "Host")


def test_the_error_says_what_to_do(mock: httpx.Client) -> None:
    """The one line names the value and the address to use."""
    text = mock.get("/__mock/state", headers={"Host": "evil.example"}).text
    expected = (
        "Host must be localhost or a loopback address, got evil.example; control the mock at http://127.0.0.1:<port>, "
        "or start it with --allow-host and this name"
    )
    assert json.loads(text) == {"error": expected}
