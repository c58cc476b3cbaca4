"""A load deletes what it has created, so that no round of the benchmark is slower for the rounds before it."""

from dataclasses import asdict

import httpx
import uvloop

from contract_watch.contracts.registry import Contract
from contract_watch.mock.server import build_mock, run_in_thread
from scripts.bench.load import LoadOrder, run_load
from scripts.bench.sample_requests import build_sample_requests


def test_a_load_ends_its_turns() -> None:
    """Eight connections stop after a number of requests that is no multiple of a turn: no user is left."""
    contract = Contract("jetemail")
    samples = build_sample_requests(contract)
    turns = [(sample.parts, sample.expected) for sample in samples]
    with run_in_thread(build_mock([contract], {})) as address:
        port = httpx.URL(address).port or 0
        load = uvloop.run(run_load(LoadOrder(port, turns, 0, 8, 30, 25)))
        left = httpx.get(f"{address}/__mock/state/jetemail", trust_env=False).json()
    assert load.unexpected_status == "", asdict(load)
    assert load.requests >= 25
    assert load.requests % len(turns) == 0
    assert left == []
