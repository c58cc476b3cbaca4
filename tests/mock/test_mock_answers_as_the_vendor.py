"""The mock answers as the vendor would, shows its state, and takes an interpretation of the documents."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from contract_watch.mock.journal import MAX_CALLS
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.mock.vendor import MockVendor, check_overlaps
from tests.support.suite_process import PAID_KEY

PATH = "/outbound/smarthost"
FREE = {"Authorization": "Bearer api_test_free_0123456789abcdef"}


def _create_user(mock: httpx.Client, name: str, **more: Any) -> httpx.Response:
    return mock.post(PATH, json={"username": name, **more})


def test_health_names_the_contracts(mock: httpx.Client) -> None:
    """Health shows that the server is ready and a mock, and lists the slugs that it serves."""
    answer = mock.get("/__mock/health")
    assert answer.status_code == 200
    assert answer.json()["mock"] is True
    assert answer.json()["contracts"] == ["jetemail"]


def test_life_of_a_user(mock: httpx.Client) -> None:
    """The mock is stateful: the list follows creation, update, rename and deletion."""
    assert _create_user(mock, "a", quota=3).status_code == 200
    assert mock.patch(PATH, json={"currentUsername": "a", "newUsername": "b", "quota": 4}).status_code == 200
    listed = mock.get(PATH).json()
    assert [(row["username"], row["quota"]) for row in listed["smarthosts"]] == [("b", 4)]
    assert mock.request("DELETE", PATH, json={"username": "b"}).json()["success"] is True
    assert mock.get(PATH).json() == {"success": True, "smarthosts": []}


def _request_without_key(mock: httpx.Client) -> httpx.Response:
    return httpx.get(str(mock.base_url.join(PATH)))


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (lambda mock: _create_user(mock, "new"), 200),
        (lambda mock: _create_user(mock, "a"), 409),
        (lambda mock: _create_user(mock, "new", quota=-1), 400),
        (lambda mock: mock.post(PATH, json={"username": "new", "allowAnyDomain": True}, headers=FREE), 403),
        (lambda mock: mock.patch(PATH, json={"currentUsername": "a", "quota": 1}), 200),
        (lambda mock: mock.patch(PATH, json={"currentUsername": "new", "quota": 1}), 404),
        (lambda mock: mock.patch(PATH, json={"currentUsername": "a", "newUsername": "b"}), 409),
        (lambda mock: mock.request("DELETE", PATH, json={"username": "a"}), 200),
        (lambda mock: mock.request("DELETE", PATH, json={"username": "new"}), 404),
        (lambda mock: mock.get(PATH), 200),
        (_request_without_key, 401),
    ],
)
def test_documented_status(
    mock: httpx.Client, jetemail: Contract, ask: Callable[[httpx.Client], httpx.Response], status: int
) -> None:
    """Over HTTP each response has the documented status, is JSON and fits its schema."""
    _create_user(mock, "a")
    _create_user(mock, "b")
    answer = ask(mock)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    operation = jetemail.effective.find_operation(PATH, answer.request.method)
    assert operation is not None
    schema = operation.responses[status].media["application/json"]
    assert schema is not None
    assert schema.find_violations(answer.json()) == []


def test_state_is_shown_and_reset_without_secrets(mock: httpx.Client) -> None:
    """A failing test can inspect the mock's users by vendor, without passwords. DELETE removes them."""
    _create_user(mock, "a", password="correct horse")  # noqa: S106 (a made-up one, looked for below)
    response = mock.get("/__mock/state")
    assert (response.status_code, [user["username"] for user in response.json()["jetemail"]]) == (200, ["a"])
    assert "horse" not in response.text
    assert mock.delete("/__mock/state").json() == {"jetemail": []}
    assert mock.get(PATH).json()["smarthosts"] == []


def test_calls_are_kept_without_secrets(mock: httpx.Client) -> None:
    """The journal has requests and responses without secrets: keys in headers and bodies, passwords sent or generated.

    Control calls are not recorded; DELETE empties it.
    """
    _create_user(mock, "a", password="correct horse", approvedDomains=[PAID_KEY])  # noqa: S106 (looked for below)
    made = _create_user(mock, "b").json()["password"]
    mock.get("/__mock/state")
    response = mock.get("/__mock/calls")
    first, second = response.json()
    assert (first["method"], first["path"], first["status"], first["credential"]) == ("POST", PATH, 400, True)
    assert (second["body"]["username"], second["status"]) == ("b", 200)
    for secret in ("horse", made, PAID_KEY):
        assert secret not in response.text
    mock.delete("/__mock/calls")
    assert mock.get("/__mock/calls").json() == []


def test_secret_at_the_end_of_a_long_text_is_not_kept(mock: httpx.Client) -> None:
    """Truncating a long string must not reveal part of a key that begins near the limit."""
    _create_user(mock, "a", note="x" * 180 + PAID_KEY)
    assert PAID_KEY[:15] not in mock.get("/__mock/calls").text


def test_journal_is_bounded(mock: httpx.Client) -> None:
    """A long run does not fill the memory: the journal has the last thousand calls.

    Long strings, long lists and deep values are truncated.
    """
    assert MAX_CALLS == 1000
    _create_user(mock, "first")
    for _ in range(MAX_CALLS):
        mock.put(PATH)
    deep: list[Any] = []
    for _ in range(90):
        deep = [deep, "deep"]
    _create_user(mock, "last", note="x" * 100_000, notes=["y"] * 100_000, deep=deep)
    response = mock.get("/__mock/calls")
    assert len(response.json()) == MAX_CALLS
    assert [call["method"] for call in response.json()[-2:]] == ["PUT", "POST"]
    assert "first" not in response.text
    last = response.json()[-1]
    assert len(json.dumps(last)) < 5_000
    assert last["body"]["note"].startswith("x" * 200)
    assert last["body"]["notes"] == ["y"] * 200
    assert 10 < json.dumps(last["body"]["deep"]).count('"deep"') < 20


def test_journal_is_bounded_in_names_too(mock: httpx.Client) -> None:
    """The name of a property is truncated, too."""
    _create_user(mock, "a", **{"x" * 100_000: 1})
    assert len(mock.get("/__mock/calls").text) < 5_000


def test_interpretations_are_shown_and_set(mock: httpx.Client, jetemail: Contract) -> None:
    """The mock takes any interpretation and applies it from the next request on."""
    assert mock.get("/__mock/interpretations").json() == {
        "jetemail": {n: v[0] for n, v in jetemail.model.interpretations.items()}
    }
    assert _create_user(mock, "FOO").status_code == 400
    result = mock.put("/__mock/interpretations", json={"jetemail": {"names": "sanitised", "list-texts": "array"}})
    assert result.status_code == 200
    assert result.json()["jetemail"]["names"] == "sanitised"
    assert _create_user(mock, "FOO").status_code == 200
    [row] = mock.get(PATH).json()["smarthosts"]
    assert (row["username"], row["approvedDomains"]) == ("foo", [])


@pytest.mark.parametrize(
    "chosen",
    [
        {"jetemail": {"list-texts": "array", "names": "shouted"}},
        {"jetemail": {"list-texts": "array", "weather": "fine"}},
        {"jetemail": {"list-texts": "array"}, "nobody": {}},
        {"jetemail": {"list-texts": "array", "names": ["refused"]}},
        {"jetemail": "array"},
        ["array"],
        None,
    ],
)
def test_unknown_interpretation_changes_nothing(mock: httpx.Client, chosen: Any) -> None:
    """One wrong interpretation is a 400 and rejects all, including the valid ones."""
    _create_user(mock, "a")
    before = mock.get("/__mock/interpretations").json(), mock.get("/__mock/state").json()
    answer = mock.put("/__mock/interpretations", json=chosen)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert (mock.get("/__mock/interpretations").json(), mock.get("/__mock/state").json()) == before


@pytest.mark.parametrize("method", ["PUT", "TRACE", "OPTIONS", "HEAD", "PROPFIND"])
def test_undeclared_method_is_405(mock: httpx.Client, method: str) -> None:
    """A method that no document declares fails; HEAD allows no body."""
    answer = mock.request(method, PATH)
    assert answer.status_code == 405
    assert bool(answer.content) == (method != "HEAD")


@pytest.mark.parametrize(
    ("interpretation", "method", "value"), [("head", "HEAD", "200"), ("options", "OPTIONS", "204")]
)
def test_head_and_options_are_as_configured(mock: httpx.Client, interpretation: str, method: str, value: str) -> None:
    """Frameworks answer HEAD and OPTIONS by themselves, so an interpretation sets their status."""
    mock.put("/__mock/interpretations", json={"jetemail": {interpretation: value}})
    answer = mock.request(method, PATH)
    assert (answer.status_code, answer.content) == (int(value), b"")
    assert mock.request("PUT", PATH).status_code == 405


def test_unknown_path_is_404(mock: httpx.Client) -> None:
    """The mock serves only the contract's paths: an unknown one has the vendor's form."""
    for path in ("/outbound", f"{PATH}/more"):
        answer = mock.get(path)
        assert (answer.status_code, answer.json()) == (404, {"success": False, "error": "Not Found"})


def test_path_with_a_slash_at_its_end_is_404(mock: httpx.Client) -> None:
    """The mock does not redirect to the path without the slash."""
    assert mock.get(f"{PATH}/").status_code == 404


def test_keys_come_from_the_environment(jetemail: Contract) -> None:
    """Mock and suite use the same variables: a given key replaces the test value, an empty variable does not."""
    with run_in_thread(
        build_mock([jetemail], {"JETEMAIL_API_KEY": "api_mine", "JETEMAIL_FREE_API_KEY": ""})
    ) as address:
        statuses = {
            key: httpx.get(f"{address}{PATH}", headers={"Authorization": f"Bearer {key}"}).status_code
            for key in ("api_mine", PAID_KEY, "api_test_free_0123456789abcdef")
        }
    assert statuses == {"api_mine": 200, PAID_KEY: 401, "api_test_free_0123456789abcdef": 200}


def test_contracts_that_overlap_are_refused() -> None:
    """One path belongs to one vendor; the error names both contracts."""
    one, other = Contract("jetemail"), Contract("jetemail")
    assert other.model
    other.slug = "twin"
    with pytest.raises(UsageError, match=rf"^contracts jetemail and twin both declare {PATH}; "):
        build_mock([one, other], {})


@pytest.mark.parametrize(("mine", "theirs", "meet"), [
    ("/things/{id}", "/things/{name}", True),
    ("/things/{id}", "/things/mine", True),
    ("/things/{id}/start", "/things/{id}/stop", False),
    ("/things", "/things/{id}", False),
    ("/v1/things", "/v2/things", False),
])  # fmt: skip
def test_paths_with_parameters_overlap_too(mine: str, theirs: str, meet: bool) -> None:
    """Two paths with parameters overlap if one request can match both."""
    vendors = [_make_vendor_stub("one", mine), _make_vendor_stub("two", theirs)]
    if not meet:
        check_overlaps(vendors)
        return
    with pytest.raises(UsageError, match=r"^contracts one and two both declare "):
        check_overlaps(vendors)


def test_grpc_methods_overlap_too() -> None:
    """Two contracts with the same gRPC service are rejected; the error names both."""
    zitadel = Contract("zitadel")
    other = _make_vendor_stub("other", "/elsewhere")
    check_overlaps([MockVendor(zitadel, {}), other])
    other.contract.grpc = zitadel.grpc
    vendors = [MockVendor(zitadel, {}), other]
    with pytest.raises(
        UsageError, match=r"^contracts zitadel and other both declare /zitadel\.admin\.v1\.AdminService/"
    ):
        check_overlaps(vendors)


def _make_vendor_stub(slug: str, path: str) -> Any:
    """Build a stand-in for a vendor with one path."""
    operation = SimpleNamespace(path=path)
    return SimpleNamespace(
        contract=SimpleNamespace(slug=slug, base_path="", operations={"a": operation}, grpc=None, token=None)
    )
