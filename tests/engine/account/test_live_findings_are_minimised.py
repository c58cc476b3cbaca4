"""On a real account a finding is shown again with less, on the run's own objects and within its limits."""

from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.engine.running import minimizing
from tests.support.live_runs import is_run_name, make_options, run_suite
from tests.support.production.activity_log import PopulatedVendor
from tests.support.production.fake import FakeProduction
from tests.support.virtual_clock import VirtualClock

JETEMAIL = Contract("jetemail")


def drop_messages(monkeypatch: pytest.MonkeyPatch, method: str, name: str) -> None:
    """Let every fake vendor leave the property ``name`` out of its successes of ``method``."""
    honest = PopulatedVendor.handle_request

    def spoilt(self: PopulatedVendor, operation: Operation, *more: Any) -> tuple[int, Any]:
        status, body = honest(self, operation, *more)
        if (operation.method, status) == (method, 200):
            body = {key: value for key, value in body.items() if key != name}
        return status, body

    monkeypatch.setattr(PopulatedVendor, "handle_request", spoilt)


def test_shrinking_harms_nobody_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Updates lack their message on an account full of foreign objects, with its rate limit.

    The reproduction has a creation and a short update. Foreign objects are untouched, the limit is never exceeded, and
    nothing of the run remains.
    """
    drop_messages(monkeypatch, "PATCH", "message")
    clock = VirtualClock()
    with FakeProduction(JETEMAIL, clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
        record = run_suite(make_options(production, tmp_path), clock)
        assert production.list_violations() == []
        assert production.list_run_objects() == []
        assert production.count_limit_hits() == 0
    assert (record.verdict.label, record.reason, record.left_behind) == ("breaking", None, [])
    (finding,) = [one for one in record.findings if one.id == "updateSmtpUser/200/body/message/missing"]
    assert [len(line) < 300 for line in finding.reproduce.split("\n")] == [True, True]


def test_a_read_only_run_shrinks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list lacks a property. A run with LIVE=read reports it, and does not look for a shorter reproduction."""
    drop_messages(monkeypatch, "GET", "success")
    shrunk = list[object]()
    monkeypatch.setattr(minimizing.Minimizer, "run", shrunk.append)
    clock = VirtualClock()
    with FakeProduction(JETEMAIL, clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
        record = run_suite(make_options(production, tmp_path, live="read"), clock)
        assert production.list_violations() == []
    assert (record.verdict.label, record.reason, shrunk) == ("breaking", None, [])
