"""The controls of state, snapshots and clock do what they say, for one vendor or all, and refuse the rest in one line."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from contract_watch.contracts.registry import load_contracts
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.mock.snapshots import MAX_SNAPSHOTS
from tests.support.patience import PATIENCE

KEYS = {"Authorization": "Bearer api_test_paid_0123456789abcdef"}
USERS = "/outbound/smarthost"
NEW_YEAR = "2027-01-01T00:00:00Z"
NEW_YEAR_MS = 1_798_761_600_000
YAML = {"content-type": "application/yaml; charset=utf-8"}


@pytest.fixture(name="vendors")
def _vendors() -> Iterator[httpx.Client]:
    """Give a client of a fresh mock of two vendors."""
    contracts = load_contracts()
    mock = build_mock([contracts["jetemail"], contracts["smtp2go"]], {})
    with run_in_thread(mock) as url, httpx.Client(base_url=url, headers=KEYS, timeout=PATIENCE) as client:
        yield client


def _list_names(client: httpx.Client) -> list[str]:
    return [row["username"] for row in client.get(USERS).json()["smarthosts"]]


def test_state_is_put_for_one_vendor(vendors: httpx.Client) -> None:
    """PUT of one vendor replaces its objects and leaves the others; GET returns what PUT takes."""
    vendors.put("/__mock/state", json={"smtp2go": [{"username": "user-one"}]}).raise_for_status()
    for name in ("a", "b"):
        answer = vendors.put("/__mock/state/jetemail", json=[{"username": name}])
        assert answer.status_code == 200
        assert answer.json() == vendors.get("/__mock/state/jetemail").json()
    assert _list_names(vendors) == ["b"]
    assert [one["username"] for one in vendors.get("/__mock/state").json()["smtp2go"]] == ["user-one"]


def test_state_is_put_as_yaml(vendors: httpx.Client) -> None:
    """A body of the type application/yaml is YAML; without it, the same text is no JSON."""
    text = b"jetemail:\n- username: a\n  created_date: 2025-11-30T00:00:00Z\n"
    assert vendors.put("/__mock/state", content=text).status_code == 400
    assert vendors.put("/__mock/state", content=text, headers=YAML).status_code == 200
    assert vendors.get(USERS).json()["smarthosts"][0]["created_date"] == "1764460800000"


def test_state_is_deleted_for_one_vendor(vendors: httpx.Client) -> None:
    """DELETE of one vendor leaves the others alone."""
    vendors.put("/__mock/state", json={"jetemail": [{"username": "a"}], "smtp2go": [{"username": "user-one"}]})
    assert vendors.delete("/__mock/state/jetemail").json() == []
    state = vendors.get("/__mock/state").json()
    assert (state["jetemail"], len(state["smtp2go"])) == ([], 1)


def test_no_secret_is_exported(vendors: httpx.Client) -> None:
    """Neither the state nor a refusal contains a password."""
    word = "Correct-Horse-99-Staple"
    put = vendors.put("/__mock/state/smtp2go", json=[{"username": "user-one", "email_password": word}])
    assert put.status_code == 200
    refused = vendors.put("/__mock/state/jetemail", json=[{"username": "a", "password": word * 9}])
    assert refused.status_code == 400
    assert word not in put.text + refused.text + vendors.get("/__mock/state").text


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "problem"),
    [
        ("GET", "state/jetemal", None, 404, "unknown vendor 'jetemal'; did you mean 'jetemail'?"),
        ("PUT", "state/zitadel", [], 404, "unknown vendor 'zitadel'"),
        ("PUT", "state", {"zitadel": []}, 400, "body: unknown vendor 'zitadel'"),
        ("PUT", "state", [], 400, "body: must be an object"),
        ("PUT", "state", None, 400, "body:1: is not JSON"),
        ("PUT", "state/jetemail", [{"username": "a", "status": "x"}], 400, "body: jetemail[0].status must be one of"),
        ("PUT", "state/jetemail", {"jetemail": []}, 400, "body: jetemail must be a list of objects"),
        ("POST", f"snapshots/{'n' * 65}", None, 400, "a snapshot's name must have 1 to 64"),
        ("POST", "snapshots/a%20b", None, 400, "a snapshot's name must have 1 to 64"),
        ("POST", "snapshots/none/restore", None, 404, "unknown snapshot 'none'; there are: none"),
        ("DELETE", "snapshots/none", None, 404, "unknown snapshot 'none'; there are: none"),
        ("PUT", "clock", [], 400, 'the clock takes one of {"now"'),
        ("PUT", "clock", {"now": NEW_YEAR, "frozen": True}, 400, 'the clock takes one of {"now"'),
        ("PUT", "clock", {"then": 1}, 400, 'the clock takes one of {"now"'),
        ("PUT", "clock", {"now": 5}, 400, "now must be an ISO 8601 time of the years 1970 to 9999, got 5"),
        ("PUT", "clock", {"now": "soon"}, 400, "now must be an ISO 8601 time of the years 1970 to 9999, got 'soon'"),
        ("PUT", "clock", {"now": "1969-12-31T23:59:59Z"}, 400, "now must be an ISO 8601 time of the years 1970 to"),
        ("PUT", "clock", {"now": "9999-12-31T23:59:59-01:00"}, 400, "now must be an ISO 8601 time of the years 1970"),
        ("PUT", "clock", {"advance": -1}, 400, "advance must be seconds, 0 or more, got -1; set `now` to go back"),
        ("PUT", "clock", {"advance": True}, 400, "advance must be seconds, 0 or more, got true"),
        ("PUT", "clock", {"advance": 253402300799}, 400, "advance would lead beyond the year 9999"),
        ("PUT", "clock", {"frozen": "yes"}, 400, "frozen must be true or false, got 'yes'"),
    ],
)
def test_bad_controls_are_refused(
    method: str, path: str, body: Any, status: int, problem: str, vendors: httpx.Client
) -> None:
    """A control that makes no sense is one line of JSON with the reason."""
    answer = (
        vendors.request(method, f"/__mock/{path}", json=body)
        if body is not None
        else vendors.request(method, f"/__mock/{path}")
    )
    assert answer.status_code == status
    assert problem in answer.json()["error"]
    assert vendors.get("/__mock/state").json() == {"jetemail": [], "smtp2go": []}


@pytest.mark.parametrize(
    ("method", "path", "problem"),
    [
        ("DELETE", "state?vendor=jetemail", "state: unknown parameter 'vendor'; it takes none here"),
        ("DELETE", "faults?vendr=jetemail", "faults: unknown parameter 'vendr'; choose from vendor, all"),
        ("DELETE", "faults?vendor=", "vendor: unknown vendor ''; choose from jetemail, smtp2go"),
        ("DELETE", "faults?vendor=jetemail&vendor=smtp2go", "faults: the parameter vendor is repeated; give it once"),
        ("GET", "faults?vendor=jetemail", "faults: unknown parameter 'vendor'; choose from all"),
        ("DELETE", "clock?now=1", "clock: unknown parameter 'now'; it takes none here"),
        ("PUT", "interpretations?vendor=jetemail", "interpretations: unknown parameter 'vendor'; it takes none here"),
        ("POST", "snapshots/a?vendor=jetemail", "snapshots: unknown parameter 'vendor'; it takes none here"),
    ],
)
def test_unknown_parameters_of_controls_are_refused(
    method: str, path: str, problem: str, vendors: httpx.Client
) -> None:
    """A parameter that a control does not have is refused: without it, the effect would be larger."""
    vendors.put("/__mock/state/jetemail", json=[{"username": "a"}])
    vendors.post("/__mock/faults", json={"status": 503, "vendor": "smtp2go"})
    answer = vendors.request(method, f"/__mock/{path}", json={})
    assert (answer.status_code, answer.json()["error"]) == (400, problem)
    assert _list_names(vendors) == ["a"]
    assert len(vendors.get("/__mock/faults").json()) == 1


def test_a_probe_may_add_what_it_likes(vendors: httpx.Client) -> None:
    """Health changes nothing, and programs that ask for it evade caches with parameters of their own."""
    assert vendors.get("/__mock/health?at=1").status_code == 200


@pytest.mark.parametrize(("method", "path"), [("POST", "faults"), ("PUT", "interpretations"), ("PUT", "clock")])
def test_a_body_that_is_too_large_says_how_large_it_may_be(method: str, path: str, vendors: httpx.Client) -> None:
    """Every control refuses it with 413 and the limit."""
    answer = vendors.request(method, f"/__mock/{path}", content=b" " * (8 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert answer.json() == {"error": "the body must be at most 8388608 bytes; send less"}


def test_a_wrong_method_names_the_right_ones(vendors: httpx.Client) -> None:
    """The refusal of a method is one line of JSON, and has the header Allow."""
    answer = vendors.request("PATCH", "/__mock/state")
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, HEAD, PUT")
    assert answer.json() == {"error": "/__mock/state has no method PATCH; use DELETE, GET, HEAD, PUT"}


def test_snapshots_bring_states_back(vendors: httpx.Client) -> None:
    """A snapshot brings objects and interpretations back as often as it is restored, until it is deleted."""
    vendors.put("/__mock/state/jetemail", json=[{"username": "a"}])
    shown = vendors.post("/__mock/snapshots/one").json()
    assert (
        shown == [{"name": "one", "objects": {"jetemail": 1, "smtp2go": 0}}] == vendors.get("/__mock/snapshots").json()
    )
    for _ in range(2):
        vendors.put("/__mock/interpretations", json={"jetemail": {"names": "sanitised"}})
        assert vendors.post(USERS, json={"username": "B"}).status_code == 200
        assert _list_names(vendors) == ["b"]
        restored = vendors.post("/__mock/snapshots/one/restore").json()
        assert [one["username"] for one in restored["jetemail"]] == _list_names(vendors) == ["a"]
        assert vendors.get("/__mock/interpretations").json()["jetemail"]["names"] == "refused"
    assert vendors.delete("/__mock/snapshots/one").json() == []


def test_snapshots_are_bounded(vendors: httpx.Client) -> None:
    """There is a most number of snapshots; one that exists can be taken again."""
    for number in range(MAX_SNAPSHOTS):
        vendors.post(f"/__mock/snapshots/s{number}").raise_for_status()
    refused = vendors.post("/__mock/snapshots/more")
    assert (refused.status_code, refused.json()["error"]) == (
        400,
        f"there are {MAX_SNAPSHOTS} snapshots already; delete one",
    )
    assert vendors.post("/__mock/snapshots/s0").status_code == 200


def test_objects_follow_the_clock(vendors: httpx.Client) -> None:
    """A frozen clock dates objects, an advance moves it, and DELETE returns to the real time."""
    vendors.put("/__mock/clock", json={"frozen": True})
    shown = vendors.put("/__mock/clock", json={"now": NEW_YEAR}).json()
    assert shown == {"now": NEW_YEAR, "frozen": True}
    vendors.post(USERS, json={"username": "a"})
    assert vendors.put("/__mock/clock", json={"advance": 86_400}).json()["now"] == "2027-01-02T00:00:00Z"
    vendors.patch(USERS, json={"currentUsername": "a", "quota": 1})
    [row] = vendors.get(USERS).json()["smarthosts"]
    assert (row["created_date"], row["last_modified"]) == (str(NEW_YEAR_MS), NEW_YEAR_MS // 1000 + 86_400)
    assert vendors.put("/__mock/clock", json={"frozen": False}).json()["frozen"] is False
    real = vendors.delete("/__mock/clock").json()
    assert real["frozen"] is False
    assert real["now"] < "2027" or real["now"] > "2027-01-03"


@pytest.mark.parametrize("now", ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_vendors_work_at_the_bounds_of_the_clock(now: str, vendors: httpx.Client) -> None:
    """The first and the last time that the clock takes are times that every vendor can show."""
    assert vendors.put("/__mock/clock", json={"now": now}).status_code == 200
    assert vendors.post(USERS, json={"username": "a"}).status_code == 200
    assert _list_names(vendors) == ["a"]
    assert vendors.get("/__mock/clock").json()["now"].startswith(now[:4])
