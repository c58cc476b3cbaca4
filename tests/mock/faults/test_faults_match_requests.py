"""A fault plays on exactly the requests that its fields describe, and as often as they say."""

from typing import Any

import httpx
import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from contract_watch.mock.faults.calls import REST, Where
from contract_watch.mock.faults.catalog import FaultCatalog, ServedRoute
from tests.support.in_process import InProcessMock
from tests.support.suite_process import FREE_KEY, PAID_KEY

PATH = "/outbound/smarthost"
USER = {"username": "a", "approvedDomains": ["x.example", "y.example"]}


@pytest.fixture(name="api")
def _api(jetemail: Contract) -> InProcessMock:
    return InProcessMock(jetemail)


def _script(api: InProcessMock, **fault: Any) -> None:
    api.mock.faults.add({"status": 503, "times": "always", **fault})


def _is_faulty(api: InProcessMock, method: str = "POST", **more: Any) -> bool:
    return api.send(method, PATH, **more).status_code == 503


@pytest.mark.parametrize("method", ["get", "Get", "GET"])
def test_method_matches_in_any_case(mock: httpx.Client, method: str) -> None:
    """`"method": "get"` plays on GET, and on nothing else."""
    mock.post("/__mock/faults", json={"method": method, "status": 503}).raise_for_status()
    assert mock.post(PATH, json={"username": "a"}).status_code == 200
    assert [mock.get(PATH).status_code for _ in range(2)] == [503, 200]


def test_account_matches_its_key(api: InProcessMock) -> None:
    """A fault of one account spares the others, and requests without a known key."""
    _script(api, account="free")
    keys = (FREE_KEY, PAID_KEY, "unknown")
    assert [_is_faulty(api, "GET", key=key) for key in keys] == [True, False, False]


def test_account_matches_a_key_in_the_body() -> None:
    """A vendor can take the key as a property of the body."""
    api = InProcessMock(Contract("smtp2go"))
    api.mock.faults.add({"account": "restricted", "status": 503})
    keys = {one.account: one.test for one in api.mock.vendors["smtp2go"].contract.credentials}
    found = [
        api.send("POST", "/v3/users/smtp/view", key="", json={"api_key": keys[name]}).status_code
        for name in ("full", "restricted")
    ]
    assert (found[0] == 503, found[1] == 503) == (False, True)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"username": "a"}, True),
        ({}, True),
        ({"username": "b"}, False),
        ({"username": "a", "quota": 5}, False),
        ({"approvedDomains": ["x.example", "y.example"]}, True),
        ({"approvedDomains": ["x.example"]}, False),
        (["username"], False),
        ("a", False),
    ],
    ids=str,
)
def test_body_contains_the_part(api: InProcessMock, part: Any, expected: bool) -> None:
    """A body has at least the properties; anything that is no object is equal as a whole."""
    _script(api, where={"body": part})
    assert _is_faulty(api, json=USER) is expected


def test_nested_body_contains_the_part(api: InProcessMock) -> None:
    """Objects inside objects may have more properties too, and true is not 1."""
    _script(api, where={"body": {"a": {"b": 1}}})
    assert _is_faulty(api, json={"a": {"b": 1.0, "c": 2}, "d": 3})
    assert not _is_faulty(api, json={"a": {"b": True}})
    assert not _is_faulty(api, json={"a": 1})


@pytest.mark.parametrize("content", [b"", b"{", b'"a'])
def test_no_body_contains_nothing(api: InProcessMock, content: bytes) -> None:
    """A missing or malformed body matches no part, not even null."""
    _script(api, where={"body": None})
    assert not _is_faulty(api, content=content)
    assert _is_faulty(api, content=b"null")


def test_header_matches_exactly(api: InProcessMock) -> None:
    """A header's name has no case; its value has, and all of them must match."""
    _script(api, where={"header": {"x-ATTEMPT": "2", "X-Kind": "a"}})
    assert _is_faulty(api, headers={"X-Attempt": "2", "x-kind": "a"})
    assert not _is_faulty(api, headers={"X-Attempt": "2", "x-kind": "A"})
    assert not _is_faulty(api, headers={"X-Attempt": "2"})


def test_query_matches_exactly(api: InProcessMock) -> None:
    """One of the values of a name is equal, decoded."""
    _script(api, where={"query": {"page": "1 2"}})
    assert _is_faulty(api, "GET", params={"page": ["0", "1 2"], "more": "x"})
    assert not _is_faulty(api, "GET", params={"page": "12"})
    assert not _is_faulty(api, "GET")


def test_nth_counts_its_own_matches(api: InProcessMock) -> None:
    """The third matching request alone fails, whatever other requests come between."""
    _script(api, operation="createSmtpUser", nth=3, times=1)
    found = []
    for number in range(5):
        found.append(_is_faulty(api, json={"username": f"u{number}"}))
        assert not _is_faulty(api, "GET")
    assert found == [False, False, True, False, False]


def test_nth_with_times_fails_from_there_on(api: InProcessMock) -> None:
    """With ``times`` the following matches fail too; another fault in between moves nothing."""
    _script(api, id="first", nth=1, times=1)
    _script(api, id="later", nth=3, times=2)
    assert [_is_faulty(api, "GET") for _ in range(6)] == [True, False, True, True, False, False]
    assert [(one.id, one.played) for one in api.mock.faults.list_used()] == [("first", 1), ("later", 2)]


def test_always_never_ends(api: InProcessMock) -> None:
    """A fault without end stays until it is deleted."""
    _script(api, id="down")
    assert all(_is_faulty(api, "GET") for _ in range(20))
    api.mock.faults.remove("down")
    assert not _is_faulty(api, "GET")


@pytest.mark.parametrize("path", ["/admin/v1/smtp/{id}", "/admin/v1/smtp/{any}", "/admin/v1/smtp/7"])
def test_path_is_a_path_or_a_template(path: str) -> None:
    """A path template matches all of its paths, a path itself alone."""
    api = InProcessMock(Contract("zitadel"))
    api.mock.faults.add({"path": path, "method": "GET", "status": 503, "times": "always"})
    found = [api.send("GET", f"/admin/v1/smtp/{name}").status_code == 503 for name in ("7", "8")]
    assert found == [True, "{" in path]
    assert api.send("POST", "/admin/v1/smtp/7/_activate").status_code != 503


@pytest.mark.parametrize(
    ("path", "is_template"),
    [("/v1/things/7:run", False), ("/things/a%2Fb:run", False), ("/things/{any}:run", True), ("/things/7", None)],
)
def test_a_parameter_may_be_part_of_a_segment(path: str, is_template: bool | None) -> None:
    """A template such as `/things/{id}:run` has the paths that the server routes to it."""
    catalog = FaultCatalog({})
    catalog._routes = [ServedRoute("made", REST, "/v1/things/{id}:run", "/things/{id}:run", "runThing", "POST")]  # noqa: SLF001 (no vendor has such a path)
    if is_template is None:
        with pytest.raises(UsageError, match="unknown path"):
            catalog.resolve_target("fault", {"path": path}, Where())
        return
    target = catalog.resolve_target("fault", {"path": path}, Where())
    assert target.vendors == {"made"}
    assert target.is_template is is_template


@pytest.mark.parametrize("path", ["/users/smtp/view", "/v3/users/smtp/view"])
def test_path_may_lack_the_base_path(path: str) -> None:
    """A path as the vendor's document spells it matches as well."""
    api = InProcessMock(Contract("smtp2go"))
    api.mock.faults.add({"path": path, "status": 503})
    assert api.send("POST", "/v3/users/smtp/view", json={}).status_code == 503


def test_vendor_limits_a_fault() -> None:
    """Of several vendors, only the named one fails; a clear of the other leaves the fault."""
    api = InProcessMock(Contract("jetemail"), Contract("smtp2go"))
    api.mock.faults.add({"vendor": "smtp2go", "status": 503, "times": "always", "id": "one"})
    api.mock.faults.add({"operation": "createSmtpUser", "status": 503, "id": "two"})
    api.mock.faults.add({"status": 503, "id": "any", "times": "always", "where": {"header": {"x": "y"}}})
    assert api.send("GET", PATH).status_code == 200
    assert api.send("POST", "/v3/users/smtp/view", json={}).status_code == 503
    api.mock.faults.clear("jetemail")
    assert [fault.id for fault in api.mock.faults.pending] == ["one", "any"]
    api.mock.faults.clear()
    assert api.mock.faults.pending == []


def test_journal_names_the_fault(api: InProcessMock) -> None:
    """An exchange that a fault changed has its id; others have none."""
    _script(api, id="outage", times=1)
    api.send("GET", PATH)
    api.send("GET", PATH)
    assert [call.get("fault") for call in api.mock.journal.list_calls()] == ["outage", None]


def test_unplayed_faults_are_listed(api: InProcessMock) -> None:
    """A fault that has to play more often is unplayed; chance, a limit and an optional one promise nothing."""
    api.mock.faults.add_all([
        {"id": "once", "status": 503},
        {"id": "twice", "status": 503, "times": 2},
        {"id": "always", "status": 503, "times": "always", "operation": "deleteSmtpUser"},
        {"id": "chance", "status": 503, "one_in": 2, "operation": "deleteSmtpUser"},
        {"id": "optional", "status": 503, "optional": True},
        {"id": "limit", "rate": "contract"},
    ])  # fmt: skip
    assert [fault.id for fault in api.mock.faults.list_unplayed()] == ["once", "twice", "always"]
    api.send("GET", PATH)
    api.send("GET", PATH)
    unplayed = api.mock.faults.list_unplayed()
    assert [fault.describe() for fault in unplayed] == [
        "twice: status 503 for any request (2 times): matched 2, played 1",
        "always: status 503 for deleteSmtpUser (always): matched 0, played 0",
    ]


def test_description_holds_no_secret(api: InProcessMock) -> None:
    """The line about a fault names the parts of a request that it looks at, not their values."""
    fault = api.mock.faults.add({
        "lost": True, "path": PATH, "account": "paid", "nth": 2,
        "where": {"header": {"Authorization": f"Bearer {PAID_KEY}"}, "body": {"password": "s3cret-word"}},
    })  # fmt: skip
    assert fault.describe() == (
        f"fault-1: answer lost for {PATH} by account paid with header with body (once, from match 2 on): matched 0, played 0"
    )
    shown = api.send("GET", "/__mock/faults").text
    assert PAID_KEY not in shown
    assert "s3cret-word" not in shown
