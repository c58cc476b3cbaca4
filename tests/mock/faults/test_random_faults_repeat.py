"""Chance follows a seed, distributions are as described, and any accepted fault plays and is reported."""

import json
import statistics
from random import Random
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_watch.contracts.registry import Contract
from contract_watch.mock.faults.calls import REST, IncomingCall
from contract_watch.mock.faults.delays import MAX_DELAY, parse_delay
from contract_watch.mock.faults.queue import FaultQueue
from tests.support.in_process import InProcessMock
from tests.support.json_strategies import VALUES

PATH = "/outbound/smarthost"
API = InProcessMock(Contract("jetemail"))
VENDORS = API.mock.vendors


def _call(faults: FaultQueue) -> Any:
    vendor = VENDORS["jetemail"]
    headers = {"authorization": f"Bearer {API.key}"}
    return faults.take(IncomingCall(vendor, REST, "listSmtpUsers", "GET", PATH, PATH, headers))


def _draw(faults: FaultQueue, **fault: Any) -> list[Any]:
    faults.clear()
    faults.add({"delay": {"uniform": {"min": 0, "max": 1}}, "one_in": 3, **fault})
    return [_call(faults) for _ in range(60)]


def test_seed_repeats_choices() -> None:
    """The same seed and order of faults give the same choices after each clear; another seed gives others."""
    faults = FaultQueue(VENDORS)
    first = _draw(faults)
    assert 5 < sum(one is not None for one in first) < 40
    assert _draw(faults) == first == _draw(FaultQueue(VENDORS))
    assert _draw(FaultQueue(VENDORS, seed=8)) != first
    faults.reseed(8)
    assert _draw(faults) == _draw(FaultQueue(VENDORS, seed=8))


def test_fault_has_a_seed_of_its_own() -> None:
    """Other faults do not shift its choices; a list shows the seed, and with it the choices repeat anywhere."""
    faults = FaultQueue(VENDORS)
    first = _draw(faults)
    seed = faults.pending[0].dump()["seed"]
    other = FaultQueue(VENDORS, seed=99)
    other.add({"status": 500, "one_in": 2, "operation": "createSmtpUser"})
    assert [one and one.delay for one in _draw(other, seed=seed)] == [one and one.delay for one in first]


def test_reseed_restarts_pending_faults() -> None:
    """A seed that comes after the faults counts for them as well."""
    faults = FaultQueue(VENDORS)
    faults.add({"status": 500, "one_in": 2})
    [_call(faults) for _ in range(7)]
    faults.reseed(5)
    first = [_call(faults) is None for _ in range(40)]
    faults.reseed(5)
    assert [_call(faults) is None for _ in range(40)] == first
    assert set(first) == {True, False}


@pytest.mark.parametrize("one_in", [2, 10])
def test_one_in_n_plays_about_so_often(one_in: int) -> None:
    """Of 10,000 calls about one in n fails."""
    faults = FaultQueue(VENDORS)
    faults.add({"status": 500, "one_in": one_in})
    played = sum(_call(faults) is not None for _ in range(10_000))
    assert abs(played - 10_000 / one_in) < 300
    assert (faults.pending[0].matched, faults.pending[0].played) == (10_000, played)


@pytest.mark.parametrize(
    ("raw", "median", "p95"),
    [
        ({"uniform": {"min": 1, "max": 3}}, 2, 2.9),
        ({"normal": {"mean": 5, "deviation": 1}}, 5, 6.645),
        ({"lognormal": {"median": 0.2, "p95": 1}}, 0.2, 1),
        ({"lognormal": {"median": 2, "sigma": 0.5}}, 2, 4.552),
        ({"normal": {"mean": 0, "deviation": 1}}, 0, 1.645),
        ({"lognormal": {"median": 30, "sigma": 2}}, 30, MAX_DELAY),
        (1.5, 1.5, 1.5),
    ],
    ids=str,
)
def test_distribution_has_its_quantiles(raw: Any, median: float, p95: float) -> None:
    """Median and 95th percentile are as described, and no delay leaves its bounds."""
    delay, random = parse_delay("fault", raw), Random(1)
    drawn = [delay.draw(random) for _ in range(20_000)]
    assert 0 <= min(drawn) <= max(drawn) <= MAX_DELAY
    quantiles = statistics.quantiles(drawn, n=20)
    assert quantiles[9] == pytest.approx(median, rel=0.05, abs=0.02)
    assert quantiles[18] == pytest.approx(p95, rel=0.05)


_OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "vendor": st.just("jetemail"),
    "account": st.just("paid"),
    "operation": st.sampled_from(["listSmtpUsers", "createSmtpUser"]),
    "method": st.sampled_from(["get", "GET", "POST"]),
    "path": st.just(PATH),
    "where": st.fixed_dictionaries(
        {}, optional={"body": VALUES, "header": st.just({"X-A": "b"}), "query": st.just({"a": "b"})}
    ),
    "times": st.integers(1, 3) | st.just("always"),
    "nth": st.integers(1, 3),
    "one_in": st.integers(2, 3),
    "seed": st.integers(0, 9),
    "optional": st.booleans(),
    "status": st.integers(200, 599),
    "body": VALUES,
    "headers": st.dictionaries(st.sampled_from(["X-A", "Retry-After", "Content-Type"]), st.just("1")),
    "delay": st.just(0) | st.just({"uniform": {"min": 0, "max": 0.001}}),
    "cut": st.integers(0, 30),
    "slow": st.just(10**9) | st.just({"bytes": 1000, "pause": 0}),
    "close": st.booleans(),
    "lost": st.booleans(),
    "refused": st.booleans(),
    "rate": st.just("contract") | st.just({"requests": 2}),
}


@given(raw=st.fixed_dictionaries({}, optional=_OPTIONAL))
def test_accepted_fault_plays_and_is_reported(raw: Any) -> None:
    """A fault is refused in one line, or it is valid JSON, means the same when sent again, and is counted as it plays.

    No response to it is an error of the mock's own.
    """
    for control in ("faults", "calls", "state"):
        API.send("DELETE", f"/__mock/{control}")
    answer = API.send("POST", "/__mock/faults", content=json.dumps(raw))
    if answer.status_code == 400:
        assert answer.json()["error"].startswith("fault: ")
        return
    [shown] = answer.json()
    again = {name: value for name, value in shown.items() if name not in ("matched", "played")}
    assert API.send("PUT", "/__mock/faults", content=json.dumps(again)).json()[0] == shown
    outcomes = []
    for number in range(6):
        method = raw.get("method", "get" if raw.get("operation") == "listSmtpUsers" else "post").upper()
        body = {"username": f"u{number}"} if method == "POST" else None
        try:
            status = API.send(method, PATH, headers={"x-a": "b"}, params={"a": "b"}, json=body).status_code
        except httpx.RemoteProtocolError:
            status = 0
        outcomes.append(status)
    shown = API.send("GET", f"/__mock/faults/{shown['id']}").json()
    named = [call for call in API.mock.journal.list_calls() if call.get("fault") == shown["id"]]
    assert shown["played"] == len(named)
    assert shown["played"] <= shown["matched"] <= 6
    if "body" not in raw.get("where", {}) and "one_in" not in raw and "rate" not in raw:
        asked = raw.get("times", 1)
        most = 7 - raw.get("nth", 1)
        assert shown["played"] == (most if asked == "always" else min(asked, most))
        if "status" in raw and "cut" not in raw:
            assert outcomes.count(raw["status"]) >= shown["played"]
