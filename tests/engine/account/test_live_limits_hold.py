"""The limits of a live run hold, and reaching one ends the run without a finding."""

from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.exploring.depth import ExplorationDepth
from tests.support.live_runs import is_run_name, make_options, run_suite
from tests.support.production.fake import FakeProduction
from tests.support.rate_limits.redis_server import serve_redis
from tests.support.virtual_clock import VirtualClock

JETEMAIL = Contract("jetemail")


@pytest.mark.parametrize(("variable", "value", "words"), [
    ("LIVE_REQUESTS", "60", "request limit reached (60"),
    ("LIVE_REQUESTS", "4", "request limit reached (4"),
    ("LIVE_MINUTES", "0.5", "time limit reached (0.5 minutes)"),
])  # fmt: skip
def test_a_limit_ends_the_run_and_leaves_nothing(variable: str, value: str, words: str, tmp_path: Path) -> None:
    """A reached limit ends the run as inconclusive, preserves its results, and cleans up.

    The limit is a number of requests, or a time that a slow rate uses up.
    """
    clock = VirtualClock()
    with FakeProduction(JETEMAIL, clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
        environment = {variable: value, "LIVE_PER_MINUTE": "40"}
        record = run_suite(make_options(production, tmp_path, environment=environment), clock)
        assert record.verdict.label == "inconclusive"
        assert words in str(record.reason)
        assert record.findings == []
        assert production.list_run_objects() == []
        assert record.left_behind == []
        if variable == "LIVE_REQUESTS":
            assert len(production.log) <= int(value)


def test_few_objects_are_there_at_once(tmp_path: Path) -> None:
    """A run never has more objects than its limit: it deletes each as soon as nothing needs it.

    The limit is nine; the run, with its exploration, creates some thirty. The fake vendor's log has the count.
    """
    clock = VirtualClock()
    with FakeProduction(JETEMAIL, clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
        few = make_options(production, tmp_path, explore="1", environment={"LIVE_OBJECTS": "9"})
        record = run_suite(few, clock, ExplorationDepth(examples=20, workflows=5))
        there, most = 0, 0
        for entry in production.log:
            made = entry["operation"] == "createSmtpUser" and entry["status"] == 200
            there += made - (entry["operation"] == "deleteSmtpUser" and entry["status"] == 200)
            most = max(most, there)
        assert most <= 9
        assert (record.verdict.label, record.reason) == ("none", None)


def test_a_limit_of_objects_that_is_too_low_is_reported(tmp_path: Path) -> None:
    """With a limit of two the run never creates a third object, and reports the limit as its reason."""
    clock = VirtualClock()
    with FakeProduction(JETEMAIL, clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
        record = run_suite(make_options(production, tmp_path, environment={"LIVE_OBJECTS": "2"}), clock)
        assert "object limit reached (2)" in str(record.reason)
        assert record.verdict.label == "inconclusive"
        assert production.list_run_objects() == []


def test_runs_one_after_the_other_share_the_allowance(tmp_path: Path) -> None:
    """All runs together send at most four fifths of the account's rate in any minute.

    Three runs follow one another on a virtual clock with a local file; one uses Redis.
    """
    with serve_redis(tmp_path) as url:
        for shared in ("", url):
            clock = VirtualClock()
            directory = tmp_path / ("redis" if shared else "local")
            with FakeProduction(JETEMAIL, clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
                environment = {"LIMITER_REDIS_URL": shared} if shared else {}
                for _ in range(1 if shared else 3):
                    options = make_options(production, directory, environment={**environment, "LIVE_PER_MINUTE": "60"})
                    run_suite(options, clock)
                assert max(production.read_peak_requests().values()) <= 60 if not shared else True
                assert production.count_limit_hits() == 0


def test_a_redis_that_goes_away_ends_the_run(tmp_path: Path) -> None:
    """Without an answer from the limiter nothing is sent.

    No Redis listens at the address: the run is inconclusive and its report omits the password.
    """
    clock = VirtualClock()
    with FakeProduction(JETEMAIL, clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
        environment = {"LIMITER_REDIS_URL": "redis://:s3cret-pass@127.0.0.1:9/0"}
        record = run_suite(make_options(production, tmp_path, environment=environment), clock)
        assert record.verdict.label == "inconclusive"
        assert "127.0.0.1:9" in str(record.reason)
        assert "s3cret-pass" not in str(record.to_json())
        assert production.log == []
