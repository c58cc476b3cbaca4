"""An unknown path is refused in the vendor's form, and the journal says which operation is nearest and why it failed."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.patience import PATIENCE

NEUTRAL = {"error": "Not Found"}
JETEMAIL = {"success": False, "error": "Not Found"}
ZITADEL = {"code": 5, "message": "Not Found"}
SENTENCE = "The requested resource doesn't exist."


def _open(*slugs: str) -> Iterator[httpx.Client]:
    contracts = [Contract(slug) for slug in slugs] or choose_contracts("all")
    with (
        run_in_thread(build_mock(contracts, {})) as address,
        httpx.Client(base_url=address, timeout=PATIENCE) as client,
    ):
        yield client


@pytest.fixture(name="every", scope="module")
def _every() -> Iterator[httpx.Client]:
    yield from _open("jetemail", "smtp2go", "zitadel")


@pytest.fixture(name="smtp2go", scope="module")
def _smtp2go() -> Iterator[httpx.Client]:
    yield from _open("smtp2go")


def _explain(client: httpx.Client, method: str, path: str, **more: Any) -> dict[str, Any]:
    """Send a request; return what the journal has of it."""
    client.request(method, path, **more)
    call: dict[str, Any] = client.get("/__mock/calls?limit=1").json()[0]
    return call


@pytest.mark.parametrize(
    ("path", "answer", "vendor"),
    [
        ("/outbound", JETEMAIL, "jetemail"),
        ("/outbound/smarthost/more", JETEMAIL, "jetemail"),
        ("/admin/v1/nothing", ZITADEL, "zitadel"),
        ("/nothing", NEUTRAL, ""),
        ("/users/smtp/add", NEUTRAL, ""),
        ("/__mock", NEUTRAL, ""),
    ],
)
def test_an_unknown_path_has_the_form_of_its_vendor(
    every: httpx.Client, path: str, answer: dict[str, Any], vendor: str
) -> None:
    """Vendors share the server: the base path decides, then the first segments; nothing in common is neutral."""
    response = every.get(path)
    assert (response.status_code, response.json()) == (404, answer)
    assert every.get("/__mock/calls?limit=1").json()[0]["vendor"] == vendor


def test_a_base_path_decides(every: httpx.Client) -> None:
    """Below a vendor's base path its error answers, whatever follows."""
    answer = every.post("/v3/nothing/at/all").json()
    assert answer["data"] == {"error": SENTENCE, "error_code": "E_ApiResponseCodes.API_EXCEPTION"}
    assert len(answer["request_id"]) == 36


def test_a_vendor_alone_answers_everything(smtp2go: httpx.Client) -> None:
    """A mock of one vendor stands for its host, so that a path without the base path is its own too."""
    assert smtp2go.post("/users/smtp/add").json()["data"]["error"] == SENTENCE


def test_an_unknown_control_is_neutral(every: httpx.Client) -> None:
    """Controls are the mock's own: the refusal names them, and the journal does not record it."""
    every.delete("/__mock/calls")
    response = every.get("/__mock/stat")
    assert response.status_code == 404
    assert response.json() == {"error": "unknown control '/__mock/stat'; did you mean '/__mock/state'?"}
    assert every.get("/__mock/calls").json() == []


@pytest.mark.parametrize(
    ("method", "path", "reason"),
    [
        ("POST", "/smtp/user", "no such path; nearest is POST /v3/users/smtp/"),
        ("POST", "/users/smtp/add", "base path /v3 is missing; nearest is POST /v3/users/smtp/add (addSmtpUser)"),
        ("POST", "/v3/v3/users/smtp/add", "base path /v3 is there twice; nearest is POST /v3/users/smtp/add (addSmtpUser)"),
        ("POST", "/v3/users/smtp/add/", "the path ends with a slash; nearest is POST /v3/users/smtp/add (addSmtpUser)"),
        ("POST", "/v3//users/smtp/add", "the path has an empty segment; nearest is POST /v3/users/smtp/add (addSmtpUser)"),
        ("PATCH", "/v3/users/SMTP/Edit", "the path differs in case; nearest is PATCH /v3/users/smtp/edit (patchSmtpUser)"),
        ("POST", "/v3/users/smtp/edti", "no such path; nearest is POST /v3/users/smtp/edit (editSmtpUser)"),
        ("GET", "/api/outbound/smarthost", "/api is no base path; nearest is GET /outbound/smarthost (listSmtpUsers)"),
        ("DELETE", "/outbound/smarthosts", "no such path; nearest is DELETE /outbound/smarthost (deleteSmtpUser)"),
        ("PUT", "/admin/v1/smtp/7/pasword", "no such path; nearest is PUT /admin/v1/smtp/{id}/password (updateSmtpConfigPassword)"),
        ("GET", "/admin/v1/smtp/7/", "the path ends with a slash; nearest is GET /admin/v1/smtp/{id} (getSmtpConfigById)"),
        ("GET", "/zzzzzz", "no such path"),
    ],
)  # fmt: skip
def test_the_journal_names_the_nearest_operation(every: httpx.Client, method: str, path: str, reason: str) -> None:
    """The reason names the slip; `nearest` has vendor, operation, method and path for programs."""
    call = _explain(every, method, path)
    assert call["reason"].startswith(f"{method} {path}: {reason}")
    assert call["status"] == 404
    nearest = call.get("nearest")
    assert (nearest is None) == (path == "/zzzzzz")
    assert nearest is None or f"{nearest['method']} {nearest['path']}" in call["reason"]


def test_an_undeclared_method_is_explained(every: httpx.Client) -> None:
    """The journal lists the declared methods, as the header Allow does; the body has the vendor's form."""
    response = every.put("/outbound/smarthost")
    assert (response.status_code, response.json()) == (405, {"success": False, "error": "Method Not Allowed"})
    assert set(response.headers["allow"].split(", ")) == {"GET", "POST", "DELETE", "PATCH"}
    call = every.get("/__mock/calls?limit=1").json()[0]
    assert call["reason"].startswith("method PUT is not declared; declared: GET, POST")
    assert every.delete("/admin/v1/smtp").json() == {"code": 12, "message": "Method Not Allowed"}


def test_a_malformed_path_is_400(every: httpx.Client) -> None:
    """A broken escape is refused in the vendor's form, and the journal names it."""
    request = every.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=b"/admin/v1/smtp/%zz")
    response = every.send(request)
    assert (response.status_code, response.json()) == (400, {"code": 3, "message": "invalid request"})
    assert every.get("/__mock/calls?limit=1").json()[0]["reason"] == (
        "a percent sign must be followed by two hexadecimal digits"
    )


def test_an_unknown_grpc_web_method_is_unimplemented(every: httpx.Client) -> None:
    """A client of gRPC-web reads the status from the trailers; the journal names the nearest method."""
    path = "/zitadel.admin.v1.AdminService/AddSmtpConfig"
    response = every.post(path, content=b"\0" * 5, headers={"Content-Type": "application/grpc-web+proto"})
    [(_, trailers)] = grpc_web_frames.decode_frames(response.content)
    assert grpc_web_frames.decode_trailers(trailers)["grpc-status"] == "12"
    call = every.get("/__mock/calls?limit=1").json()[0]
    assert (call["protocol"], call["status"], call["nearest"]["operation"]) == ("grpc-web", 501, "addSmtpConfig")
    assert "the path differs in case" in call["reason"]


def test_hostile_paths_are_quoted_and_bounded(every: httpx.Client) -> None:
    """Control characters are escaped in the reason, and a long path is cut."""
    call = _explain(every, "GET", "/outbound/%1B%5B31m%E2%80%AE" + "x" * 60_000)
    assert call["reason"].isprintable()
    assert len(call["reason"]) < 1_000
    assert len(call["path"]) < 3_000
