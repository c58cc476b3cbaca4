"""Runs that are killed, interrupted, or have another beside them leave nothing on an account, and disturb nobody."""

import datetime as dt
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.object_names import NameGenerator, parse_name
from tests.live_runs import exactly_ours
from tests.production import Production
from tests.suite_command import Result, Running, contract_tests

KILLS = int(os.environ.get("PROVE_KILLS", "4"))
"""How often a run is killed; `make prove-live` does it more often than every test run."""
VENDORS = {slug: Contract(slug) for slug in ("jetemail", "zitadel", "smtp2go")[: 3 if KILLS > 4 else 2]}
"""Whose runs are killed: one vendor's without ids, one's with them, and in `make prove-live` the third's too."""


@pytest.fixture(name="production", params=VENDORS)
def _production(request: pytest.FixtureRequest) -> Iterator[Production]:
    with Production(VENDORS[request.param], owns=exactly_ours, beside=False, limited=False) as production:
        yield production


def begin(production: Production, folder: Path, name: str, *arguments: str) -> Running:
    """A mutating run against the stand-in, with the folder's ledger."""
    over = ("--grpc-target", production.grpc) if production.grpc else ()
    consent = {"ZITADEL_LIVE_ACTIVATE": "1"} if production.grpc else {}
    return contract_tests(
        folder / name, "--vendor", production.contract.slug, "--target", production.base, "--live", "mutate", *over,
        *arguments, environment={"LEDGER": str(folder / "ledger"), **consent}, hurried=True,
    )  # fmt: skip


def runs(production: Production) -> set[str]:
    """The runs whose objects are there."""
    return {stamp.run_id for left in production.left() if (stamp := parse_name(left["name"])) is not None}


def expect_clean(production: Production, result: Result) -> None:
    """Nothing of ours is left, nothing of somebody else's was touched, and what was active is."""
    assert result.status == 0, result
    assert production.left() == []
    allowed = {"activateSmtpConfig"}
    assert {touch["operation"] for touch in production.touched()} <= allowed
    assert production.active()["now"] == production.active()["start"]


def test_a_killed_run_is_swept_up_behind_by_the_next(production: Production, tmp_path: Path) -> None:
    """Claim: whatever moment a run is killed at, after the next start nothing of it is left.

    Situation: run after run killed by SIGKILL at random moments, then one that ends.
    Expectation: at any time there are objects of one run at most; in the end none, and what was active is again.
    """
    chance = random.Random(5)
    for number in range(KILLS):
        before = len(production.log)
        running = begin(production, tmp_path, f"killed{number}")
        production.wait_for(before + chance.randint(8, 150))
        running.signal(signal.SIGKILL)
        assert running.end().status != 0
        assert len(runs(production)) <= 1, production.left()
    result = begin(production, tmp_path, "last").end()
    expect_clean(production, result)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_cleans_up(number: int, production: Production, tmp_path: Path) -> None:
    """Situation: Ctrl-C, or SIGTERM, in the middle. Expectation: inconclusive, and nothing is left."""
    running = begin(production, tmp_path, "run")
    production.wait_for(60)
    running.signal(number)
    result = running.end()
    assert result.report["verdict"] == "inconclusive"
    assert "interrupted" in result.report["reason"]
    assert production.left() == [], result
    assert result.report["left_behind"] == []
    assert production.active()["now"] == production.active()["start"]


def test_two_runs_beside_each_other_disturb_neither(tmp_path: Path) -> None:
    """Situation: two runs on one account and one ledger at once, and a third whose death neither minds.

    Expectation: both end as if alone; nothing is left.
    """
    with Production(VENDORS["jetemail"], owns=exactly_ours, beside=False, limited=False) as production:
        dead = begin(production, tmp_path, "dead")
        production.wait_for(40)
        dead.signal(signal.SIGKILL)
        dead.end()
        both = [begin(production, tmp_path, name, "--explore", "1") for name in ("one", "two")]
        for result in [running.end(120) for running in both]:
            assert (result.status, result.report["verdict"], result.report["findings"]) == (0, "none", []), result
            assert result.report["left_behind"] == []
        assert production.left() == []
        assert production.touched() == []


def test_a_lost_ledger_is_made_up_for_by_listing_but_not_at_once(tmp_path: Path) -> None:
    """Claim: what no ledger knows is removed once it is old, and is nobody's business before.

    Situation: objects of the full form, of a run whose ledger was lost, 13 and 2 hours old; look-alikes beside them.
    """
    names = NameGenerator(dt.date(2026, 11, 20))
    with Production(VENDORS["jetemail"], owns=exactly_ours, beside=False, limited=False) as production:
        old, young = names.create_name(), names.create_name()
        production.plant(old, 13)
        production.plant(young, 2)
        production.plant(old.upper(), 500, foreign=True)
        production.plant(f"{old} ", 500, foreign=True)
        result = begin(production, tmp_path, "run").end()
        assert [left["name"] for left in production.left()] == [young], result
        assert production.touched() == []
