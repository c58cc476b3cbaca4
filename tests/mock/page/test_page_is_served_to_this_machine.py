"""The page is served to browsers on this machine, with strict headers, without keys of the environment, and lazily."""

import json
from typing import Any

import httpx
import pytest

from contract_watch.contracts.openapi import OpenApi
from contract_watch.contracts.registry import Contract, load_contracts
from contract_watch.mock.page import files
from contract_watch.mock.page.facts import describe_state
from contract_watch.mock.page.routes import POLICY, PREFIX
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.mock.vendor import MockVendor

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PATHS = ["/", PREFIX, f"{PREFIX}/", f"{PREFIX}/page.js", f"{PREFIX}/swagger-ui.css", f"{PREFIX}/facts.json", f"{PREFIX}/state.json",
         f"{PREFIX}/documents/jetemail.json", f"{PREFIX}/no-such-file.js"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_every_response_has_the_headers(mock: httpx.Client, path: str) -> None:
    """A browser runs nothing else, guesses no type, sends no address, and lets no other page embed or read it."""
    response = mock.get(path, headers=BROWSER)
    assert response.status_code == (404 if "no-such" in path else 200)
    assert response.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    assert response.headers["cache-control"] in ("no-store", "no-cache")


@pytest.mark.parametrize("path", PATHS)
def test_foreign_pages_and_names_are_refused(mock: httpx.Client, path: str) -> None:
    """The page uses the controls, so it is as closed as they are."""
    for header, value in (("Host", "evil.example"), ("Origin", "https://evil.example")):
        response = mock.get(path, headers={**BROWSER, header: value})
        assert (response.status_code, list(response.json())) == (403, ["error"])


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_a_client_with_a_wrong_address_gets_no_page(mock: httpx.Client, accept: str) -> None:
    """Only a browser asks for HTML by name; others learn that there is nothing at the root."""
    response = mock.get("/", headers={"Accept": accept})
    assert (response.status_code, response.json()["error"]) == (404, "Not Found")
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert mock.request(method, "/", headers=BROWSER).status_code == 404


def test_head_is_answered_without_a_body(mock: httpx.Client) -> None:
    """HEAD has the headers of GET alone."""
    response = mock.head("/", headers=BROWSER)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "text/html; charset=utf-8"


def test_a_file_that_the_browser_has_is_not_sent_again(mock: httpx.Client) -> None:
    """The renderer is large: a second visit gets 304."""
    first = mock.get(f"{PREFIX}/swagger-ui-bundle.js")
    second = mock.get(f"{PREFIX}/swagger-ui-bundle.js", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, second.status_code, second.content) == (200, 304, b"")


@pytest.mark.parametrize(
    "name", ["..%2Froutes.py", "%2e%2e/routes.py", "routes.py", "static", "origin.json", "LICENSE", ""]
)
def test_no_other_file_is_served(mock: httpx.Client, name: str) -> None:
    """Names are looked up in a list, and code is not in it."""
    response = mock.get(f"{PREFIX}/documents/{name}")
    assert response.status_code == 404
    assert b"import" not in mock.get(f"{PREFIX}/{name}", headers={"Accept": "*/*"}).content[:2000] or name == ""


def test_a_vendor_with_a_path_at_the_root_keeps_it() -> None:
    """The contract's own path wins, and the page is where the controls are."""
    contract = Contract("jetemail")
    raw = contract.effective.raw
    contract.effective = OpenApi({**raw, "paths": {"/": raw["paths"]["/outbound/smarthost"]}})
    with run_in_thread(build_mock([contract], {})) as address:
        assert httpx.get(f"{address}/", headers=BROWSER).status_code == 401
        assert "<title>" in httpx.get(f"{address}{PREFIX}/").text


def test_keys_of_the_environment_stay_there() -> None:
    """The documented test key is shown, one from the environment is not; its variable is named."""
    secret = "jet_secret_of_the_environment"  # noqa: S105 (made up)
    with run_in_thread(build_mock(list(load_contracts().values()), {"JETEMAIL_API_KEY": secret})) as address:
        found = {path: httpx.get(address + path, headers=BROWSER).text for path in PATHS}
        facts = json.loads(found[f"{PREFIX}/facts.json"])
    assert [path for path, text in found.items() if secret in text] == []
    paid, free = facts[0]["accounts"]
    assert (paid["key"], paid["authorizations"], paid["variable"]) == (None, {}, "JETEMAIL_API_KEY")
    assert free["authorizations"] == {"apiKeyAuth": {"value": free["key"]}}


def test_documents_name_the_mock_as_their_only_server() -> None:
    """No document sends a request that is tried, with its key, to the vendor or elsewhere."""
    with run_in_thread(build_mock(list(load_contracts().values()), {})) as address:
        for slug, contract in load_contracts().items():
            document = httpx.get(f"{address}{PREFIX}/documents/{slug}.json").json()
            assert [one["url"] for one in document["servers"]] == [contract.base_path or "/"]
            assert document["paths"].keys() == contract.effective.raw["paths"].keys()
        assert httpx.get(f"{address}{PREFIX}/documents/nobody.json").status_code == 404


def test_state_is_bounded_and_newest_first(mock: httpx.Client) -> None:
    """The page gets the last 200 objects and their number, without secrets."""
    headers = {"Authorization": "Bearer api_test_paid_0123456789abcdef"}
    for number in range(203):
        mock.post(
            "/outbound/smarthost", headers=headers, json={"username": f"user-{number}", "password": "Secret-123-secret"}
        )
    state = mock.get(f"{PREFIX}/state.json").json()["jetemail"]
    assert (state["count"], len(state["rows"]), state["rows"][0]["username"]) == (203, 200, "user-202")
    assert "Secret-123" not in json.dumps(state)
    assert list(mock.get(f"{PREFIX}/state.json?vendor=jetemail").json()) == ["jetemail"]
    assert mock.get(f"{PREFIX}/state.json?vendor=nobody").json() == {}


def test_only_the_objects_that_the_page_shows_are_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state of many objects costs the page no more than one of 200."""
    vendor = MockVendor(Contract("jetemail"), {})
    vendor.restore(vendor.prepare([{"username": f"user-{number}"} for number in range(5000)], "preset"))
    rendered: list[Any] = []
    model: Any = vendor.contract.model
    dump = model.dump_item

    def dump_and_note(item: Any) -> Any:
        rendered.append(item)
        return dump(item)

    monkeypatch.setattr(model, "dump_item", dump_and_note)
    described = describe_state(vendor)
    assert (described["count"], len(rendered)) == (5000, 200)
    assert described["rows"] == vendor.dump()[:-201:-1]


def test_the_page_leaves_no_trace_in_the_journal(mock: httpx.Client) -> None:
    """Requests of the page itself are no calls."""
    for path in PATHS:
        mock.get(path, headers=BROWSER)
    assert mock.get("/__mock/calls").json() == []


def test_a_mock_starts_without_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file of the page is read or listed before somebody asks for the page."""
    monkeypatch.setattr(files, "_list_paths", lambda: pytest.fail("read at the start"))
    build_mock([Contract("jetemail")], {})
    with pytest.raises(pytest.fail.Exception):
        files.read_file("index.html")
