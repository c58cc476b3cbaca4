"""Killed, interrupted and parallel runs leave nothing on an account and disturb nobody."""

import datetime as dt
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.object_names import NameGenerator, parse_name
from tests.support.live_runs import is_run_name
from tests.support.patience import PATIENCE
from tests.support.production.fake import FakeProduction
from tests.support.sampling import effort
from tests.support.suite_process import SuiteProcess, SuiteResult, start_suite

KILLS = effort(2, 20)
"""Number of kills; `make test-all` has more."""
VENDORS = {slug: Contract(slug) for slug in ("jetemail", "zitadel", "smtp2go")[: effort(2, 3)]}
"""Vendors whose runs are killed: one without ids, one with them, and the third in `make test-all`."""


@pytest.fixture(name="production", params=VENDORS)
def _production(request: pytest.FixtureRequest) -> Iterator[FakeProduction]:
    with FakeProduction(
        VENDORS[request.param], is_run_name=is_run_name, with_neighbours=False, enforce_limit=False
    ) as production:
        yield production


def start_live_run(production: FakeProduction, directory: Path, name: str, *arguments: str) -> SuiteProcess:
    """Start a mutating run against the fake vendor, with the directory's ledger."""
    over = ("--grpc-target", production.grpc) if production.grpc else ()
    consent = {"ZITADEL_LIVE_ACTIVATE": "1"} if production.grpc else {}
    return start_suite(
        directory / name, "--vendor", production.contract.slug, "--target", production.base, "--live", "mutate", *over,
        *arguments, environment={"LEDGER": str(directory / "ledger"), **consent}, skip_waits=True,
    )  # fmt: skip


def list_run_ids(production: FakeProduction) -> set[str]:
    """List the runs whose objects exist."""
    return {stamp.run_id for left in production.list_run_objects() if (stamp := parse_name(left["name"])) is not None}


def assert_clean(production: FakeProduction, result: SuiteResult) -> None:
    """Assert that no object of a run is left, no foreign object was touched, and the former active object is active."""
    assert result.status == 0, result
    assert production.list_run_objects() == []
    allowed = {"activateSmtpConfig"}
    assert {touch["operation"] for touch in production.list_violations()} <= allowed
    assert production.read_active_object()["now"] == production.read_active_object()["start"]


def test_a_killed_run_is_swept_up_behind_by_the_next(production: FakeProduction, tmp_path: Path) -> None:
    """After a kill at any moment, the next run leaves nothing of the killed one.

    SIGKILL ends run after run at random moments; at any time the account has objects of at most one run. The last run
    ends normally: no object is left, and the former active object is active.
    """
    chance = random.Random(5)
    for number in range(KILLS):
        before = len(production.log)
        running = start_live_run(production, tmp_path, f"killed{number}")
        production.wait_for_requests(before + chance.randint(8, 150))
        running.send_signal(signal.SIGKILL)
        assert running.wait_for_exit().status != 0
        assert len(list_run_ids(production)) <= 1, production.list_run_objects()
    result = start_live_run(production, tmp_path, "last").wait_for_exit()
    assert_clean(production, result)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_cleans_up(number: int, production: FakeProduction, tmp_path: Path) -> None:
    """Ctrl-C or SIGTERM in the middle makes the run inconclusive."""
    running = start_live_run(production, tmp_path, "run")
    production.wait_for_requests(60)
    running.send_signal(number)
    result = running.wait_for_exit()
    assert result.report["verdict"] == "inconclusive"
    assert "interrupted" in result.report["reason"]
    assert production.list_run_objects() == [], result
    assert result.report["left_behind"] == []
    assert production.read_active_object()["now"] == production.read_active_object()["start"]


def test_two_runs_beside_each_other_disturb_neither(tmp_path: Path) -> None:
    """Two parallel runs on one account and one ledger end as if alone and leave nothing.

    The ledger also contains a third run, which was killed.
    """
    with FakeProduction(
        VENDORS["jetemail"], is_run_name=is_run_name, with_neighbours=False, enforce_limit=False
    ) as production:
        killed = start_live_run(production, tmp_path, "dead")
        production.wait_for_requests(40)
        killed.send_signal(signal.SIGKILL)
        killed.wait_for_exit()
        both = [start_live_run(production, tmp_path, name, "--explore", "1") for name in ("one", "two")]
        for result in [running.wait_for_exit(PATIENCE) for running in both]:
            assert (result.status, result.report["verdict"], result.report["findings"]) == (0, "none", []), result
            assert result.report["left_behind"] == []
        assert production.list_run_objects() == []
        assert production.list_violations() == []


def test_a_lost_ledger_is_made_up_for_by_listing_but_not_at_once(tmp_path: Path) -> None:
    """An object that no ledger knows is deleted once it is old, and left alone before.

    The names have the full form; the objects are 13 and 2 hours old. Look-alikes of foreign owners exist, too.
    """
    names = NameGenerator(dt.date(2026, 11, 20))
    with FakeProduction(
        VENDORS["jetemail"], is_run_name=is_run_name, with_neighbours=False, enforce_limit=False
    ) as production:
        old, young = names.create_name(), names.create_name()
        production.add_object(old, 13)
        production.add_object(young, 2)
        production.add_object(old.upper(), 500, foreign=True)
        production.add_object(f"{old} ", 500, foreign=True)
        result = start_live_run(production, tmp_path, "run").wait_for_exit()
        assert [left["name"] for left in production.list_run_objects()] == [young], result
        assert production.list_violations() == []
