"""A rate limit of a contract is played for each account, on the mock's clock."""

from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from contract_watch.mock.app import Mock
from contract_watch.mock.clock import MockClock
from contract_watch.mock.vendor import MockVendor
from tests.support.in_process import InProcessMock
from tests.support.suite_process import FREE_KEY

PATH = "/outbound/smarthost"


def _count_admitted(api: InProcessMock, most: int, **more: Any) -> int:
    """Send requests until one is refused; return the number of those before it."""
    for number in range(most):
        if api.send("GET", PATH, **more).status_code == 429:
            return number
    return most


@pytest.fixture(name="api")
def _api(jetemail: Contract) -> InProcessMock:
    api = InProcessMock(jetemail)
    api.mock.vendors["jetemail"].clock.freeze()
    return api


def _get_clock(api: InProcessMock) -> MockClock:
    return api.mock.vendors["jetemail"].clock


def test_contract_limit_blocks_the_account(api: InProcessMock) -> None:
    """JetEmail's 240 requests a minute: the next one blocks the account for five minutes, and no other account."""
    api.mock.faults.add({"rate": "contract"})
    assert _count_admitted(api, 300) == 240
    answer = api.send("POST", PATH, json={"username": "a"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "300")
    assert answer.json()["success"] is False
    assert api.send("GET", PATH, key=FREE_KEY).status_code == 200
    _get_clock(api).advance(299)
    assert api.send("GET", PATH).headers["retry-after"] == "1"
    _get_clock(api).advance(1)
    assert api.send("GET", PATH).json()["smarthosts"] == []


def test_window_slides(api: InProcessMock) -> None:
    """Without a block, a request is admitted as soon as an old one leaves the window."""
    api.mock.faults.add({"rate": {"requests": 2, "seconds": 10, "block": 0}})
    clock = _get_clock(api)
    assert api.send("GET", PATH).status_code == 200
    clock.advance(6)
    assert _count_admitted(api, 5) == 1
    assert api.send("GET", PATH).headers["retry-after"] == "4"
    clock.advance(4)
    assert _count_admitted(api, 5) == 1


def test_clock_set_back_starts_anew(api: InProcessMock) -> None:
    """A block that was in the future is gone with the time it was in."""
    api.mock.faults.add({"rate": {"requests": 1}})
    assert _count_admitted(api, 3) == 1
    _get_clock(api).advance(-3600)
    assert api.send("GET", PATH).status_code == 200


def test_limit_is_reached_with_a_seed(jetemail: Contract) -> None:
    """A seed's clock moves a second with each request; the limit counts the real time and moves of the clock instead."""
    now = [0.0]
    clock = MockClock(step=1.0, stopwatch=lambda: now[0])
    api = InProcessMock(jetemail)
    api.mock = Mock([MockVendor(jetemail, {}, clock=clock, seed=7)], {})
    api.mock.faults.add({"rate": "contract"})
    assert _count_admitted(api, 300) == 240
    now[0] += 299.5
    assert api.send("GET", PATH).headers["retry-after"] == "1"
    now[0] += 0.5
    assert _count_admitted(api, 300) == 240
    clock.advance(300)
    assert api.send("GET", PATH).status_code == 200
    clock.freeze()
    now[0] += 1000
    assert _count_admitted(api, 300) == 239
    clock.run()
    assert api.send("GET", PATH).headers["retry-after"] == "300"


@pytest.mark.parametrize("slug", ["smtp2go", "zitadel"])
def test_no_limit_is_invented(slug: str, jetemail: Contract) -> None:
    """A vendor that publishes no limit has none to play; numbers of a test's own are played."""
    api = InProcessMock(jetemail, Contract(slug))
    for fault in ({"rate": "contract", "vendor": slug}, {"rate": "contract"}):
        with pytest.raises(UsageError, match=f"fault: {slug} publishes no rate limit; give `rate` an object of"):
            api.mock.faults.add(fault)
    api.mock.faults.add({"rate": "contract", "vendor": "jetemail"})
    api.mock.faults.add({"rate": {"requests": 3, "seconds": 10}, "vendor": slug})


def test_limit_stays_until_it_is_deleted(api: InProcessMock) -> None:
    """A limit is a state of the mock, not an event."""
    api.mock.faults.add({"rate": {"requests": 1}, "id": "limit"})
    assert _count_admitted(api, 3) == 1
    assert all(api.send("GET", PATH).status_code == 429 for _ in range(5))
    [fault] = api.mock.faults.pending
    assert (fault.matched, fault.played) == (7, 6)
    assert api.mock.journal.list_calls()[-1]["fault"] == "limit"
    api.mock.faults.remove("limit")
    assert api.send("GET", PATH).status_code == 200


def test_requests_without_a_key_belong_to_no_account(api: InProcessMock) -> None:
    """They are refused for their key, and are not counted."""
    api.mock.faults.add({"rate": {"requests": 1}})
    assert [api.send("GET", PATH, key="unknown").status_code for _ in range(3)] == [401] * 3
    assert _count_admitted(api, 3) == 1


def test_requests_count_though_another_fault_answers(api: InProcessMock) -> None:
    """The vendor received them."""
    api.mock.faults.add_all([{"status": 500, "times": 2}, {"rate": {"requests": 2}}])
    assert [api.send("GET", PATH).status_code for _ in range(3)] == [500, 500, 429]


def test_account_of_a_limit_is_a_choice(api: InProcessMock) -> None:
    """A limit can be one account's alone, and have an answer of the test's own."""
    api.mock.faults.add({
        "rate": {"requests": 1, "retry_after": False}, "account": "free",
        "status": 503, "body": {"busy": True}, "headers": {"X-Limit": "1"},
    })  # fmt: skip
    assert _count_admitted(api, 3) == 3
    answers = [api.send("GET", PATH, key=FREE_KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 503]
    assert (answers[1].json(), answers[1].headers["x-limit"]) == ({"busy": True}, "1")
    assert "retry-after" not in answers[1].headers


def test_answer_is_the_documented_429() -> None:
    """SMTP2GO documents a 429: its envelope, with the text of its table; both keys of an account share the limit.

    No page of it names Retry-After, so there is none unless the fault asks.
    """
    api = InProcessMock(Contract("smtp2go"))
    contract = api.mock.vendors["smtp2go"].contract
    api.mock.faults.add({"rate": {"requests": 1}})
    full, restricted = (one.test for one in contract.credentials)
    path = "/v3/users/smtp/view"
    assert api.send("POST", path, key=full, json={}).status_code == 200
    answer = api.send("POST", path, key=restricted, json={})
    assert answer.status_code == 429
    published = contract.published.find_operation("/users/smtp/view", "POST")
    assert published is not None
    assert answer.json()["data"]["error"] == published.responses[429].description
    assert "retry-after" not in answer.headers
    spec = contract.operations["viewSmtpUsers"].responses[429].media["application/json"]
    assert spec is not None
    assert spec.find_violations(answer.json()) == []
    api.mock.faults.clear()
    api.mock.faults.add({"rate": {"requests": 1, "retry_after": True}})
    assert [api.send("POST", path, json={}).headers.get("retry-after") for _ in range(2)] == [None, "60"]


def test_answer_has_the_code_of_grpc() -> None:
    """ZITADEL's errors are those of gRPC: resource exhausted."""
    api = InProcessMock(Contract("zitadel"))
    api.mock.faults.add({"rate": {"requests": 1}})
    answers = [api.send("POST", "/admin/v1/smtp/_search", json={}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json()["code"] == 8
