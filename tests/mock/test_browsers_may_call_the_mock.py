"""Pages of any origin call the vendors' paths from a browser, gRPC-web too, and never the mock's controls."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.registry import Contract
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.browser import open_browser
from tests.support.patience import PATIENCE
from tests.support.suite_process import PAID_KEY

PATH = "/outbound/smarthost"
ORIGIN = "https://app.example"
METHOD_PATH = "/zitadel.admin.v1.AdminService/ListSMTPConfigs"
FETCH = """async ([url, options]) => {
    try {
        const {body, ...rest} = options;
        const response = await fetch(url, {...rest, ...(body === undefined ? {} : {body: new Uint8Array(body)})});
        const bytes = [...new Uint8Array(await response.arrayBuffer())];
        return {status: response.status, headers: Object.fromEntries(response.headers), bytes};
    } catch (error) {
        return {error: String(error)};
    }
}"""


class _BlankPage(BaseHTTPRequestHandler):
    """A server of one empty page."""

    def do_GET(self) -> None:
        """Send the page."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>app</title>")

    def log_message(self, *_arguments: Any) -> None:
        """Print nothing."""


@pytest.fixture(name="address", scope="module")
def _address() -> Iterator[str]:
    with run_in_thread(build_mock([Contract("jetemail"), Contract("zitadel")], {})) as address:
        yield address


@pytest.fixture(name="page", scope="module")
def _page() -> Iterator[Page]:
    """Open a page of another origin in a real browser."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _BlankPage) as server, open_browser() as browser:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        yield page
        server.shutdown()


@pytest.fixture(name="client")
def _client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=PATIENCE) as client:
        for control in ("state", "calls", "faults"):
            client.delete(f"/__mock/{control}").raise_for_status()
        yield client


def _fetch(page: Page, url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    options = {"method": method, "headers": named, **({"body": list(body)} if body is not None else {})}
    found: dict[str, Any] = page.evaluate(FETCH, [url, options])
    return found


def test_a_page_creates_an_object(page: Page, address: str, client: httpx.Client) -> None:
    """The browser asks first because of the key's header; the page reads the answer, and the journal has one call."""
    found = _fetch(
        page,
        address + PATH,
        "POST",
        b'{"username": "a"}',
        authorization=f"Bearer {PAID_KEY}",
        content_type="application/json",
    )
    assert found["status"] == 200
    assert b'"success":true' in bytes(found["bytes"])
    [call] = client.get("/__mock/calls").json()
    assert (call["method"], call["status"], call["headers"]["origin"].startswith("http://127.0.0.1:")) == (
        "POST",
        200,
        True,
    )


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/outbound/nothing", 404), ("PUT", PATH, 405)])
def test_a_page_reads_refusals(
    page: Page, address: str, client: httpx.Client, method: str, path: str, status: int
) -> None:
    """A wrong path or method is no riddle of the browser: the page reads the status, and the journal explains it."""
    found = _fetch(page, address + path, method, authorization="Bearer x")
    assert (found["status"], "error" in found) == (status, False)
    assert client.get("/__mock/calls").json()[0]["reason"]


def test_a_page_reads_a_fault_with_its_headers(page: Page, address: str, client: httpx.Client) -> None:
    """A scripted refusal can be read, with the headers that the fault adds."""
    client.post("/__mock/faults", json={"status": 429, "headers": {"Retry-After": "300"}, "body": "slow down"})
    found = _fetch(page, address + PATH)
    assert (found["status"], found["headers"]["retry-after"], bytes(found["bytes"])) == (429, "300", b"slow down")


@pytest.mark.parametrize("path", [METHOD_PATH, "/zitadel.admin.v1.AdminService/Nothing"])
def test_a_page_calls_grpc_web(page: Page, address: str, client: httpx.Client, path: str) -> None:
    """The trailers arrive in the body, and the page may read gRPC's names in the headers too."""
    found = _fetch(
        page, address + path, "POST", grpc_web_frames.encode_frame(b""), content_type="application/grpc-web+proto",
        x_grpc_web="1", x_user_agent="grpc-web-javascript/0.1",
    )  # fmt: skip
    frames = list(grpc_web_frames.decode_frames(bytes(found["bytes"])))
    status = grpc_web_frames.decode_trailers(frames[-1][1])["grpc-status"]
    assert (found["status"], status) == (200, "16" if path == METHOD_PATH else "12")
    assert client.get("/__mock/calls").json()[0]["protocol"] == "grpc-web"


@pytest.mark.parametrize("control", ["calls", "state", "faults", "nothing"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_page_never_reads_a_control(client: httpx.Client, control: str, method: str) -> None:
    """No response below `/__mock/` names an origin, and a preflight is no permission."""
    for headers in ({"Origin": ORIGIN}, {"Origin": ORIGIN, "Access-Control-Request-Method": method}):
        for path in (f"/__mock/{control}", f"/%5F_mock/{control}", f"/__mock%2F{control}"):
            response = client.request("OPTIONS" if len(headers) > 1 else method, path, headers=headers)
            assert not [name for name in response.headers if name.startswith("access-control-")]
            assert response.status_code in (403, 404, 405)


def test_a_foreign_page_in_a_browser_reads_no_control(page: Page, address: str) -> None:
    """A page of another port of this machine may send, as programs here may, and still cannot read."""
    assert "error" in _fetch(page, f"{address}/__mock/calls")


def test_without_an_origin_nothing_changes(client: httpx.Client) -> None:
    """Programs other than browsers get no header of CORS."""
    for path in (PATH, "/outbound/nothing", METHOD_PATH):
        assert not [name for name in client.get(path).headers if name.startswith("access-control-")]


def test_a_preflight_allows_what_it_asks_for(client: httpx.Client) -> None:
    """Any method and well-formed header is allowed, for ten minutes; preflights are not recorded."""
    asked = {
        "Origin": ORIGIN, "Access-Control-Request-Method": "PURGE", "Access-Control-Request-Private-Network": "true",
        "Access-Control-Request-Headers": "authorization, X-Mine",
    }  # fmt: skip
    for path in (PATH, "/outbound/nothing", METHOD_PATH, "/admin/v1/smtp/%zz"):
        request = client.build_request("OPTIONS", "/", headers=asked)
        request.url = request.url.copy_with(raw_path=path.encode())
        answer = client.send(request)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-allow-methods"].split(", ")[-1] == "PURGE"
        assert answer.headers["access-control-allow-headers"] == "authorization, X-Mine"
        assert answer.headers["access-control-allow-private-network"] == "true"
        assert answer.headers["access-control-max-age"] == "600"
    assert client.get("/__mock/calls").json() == []


@pytest.mark.parametrize("headers", [{"Access-Control-Request-Method": "PO ST"}, {"Access-Control-Request-Method": ""},
                                     {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "a b"},
                                     {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "a," * 90 + "b" * 300}])  # fmt: skip
def test_a_malformed_preflight_is_refused(client: httpx.Client, headers: dict[str, str]) -> None:
    """Nothing that is no name is echoed, and the journal says why."""
    answer = client.options(PATH, headers={"Origin": ORIGIN, **headers})
    assert answer.status_code == 400
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert client.get("/__mock/calls").json()[0]["reason"].startswith("Access-Control-Request-")


@pytest.mark.parametrize("headers", [{}, {"Origin": ORIGIN}, {"Access-Control-Request-Method": "POST"}])
def test_options_without_a_preflight_is_the_vendors(client: httpx.Client, headers: dict[str, str]) -> None:
    """Only an origin and a method together are a browser's question."""
    assert client.options(PATH, headers=headers).status_code == 405
