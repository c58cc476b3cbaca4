"""A green that can be trusted: whatever the documents leave open, a server that keeps to them is told ``none``."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faithful_server import READINGS, JetEmail
from tests.loopback_server import serving
from tests.suite_command import Result, check, two_at_a_time

ALONE = [f"{name}={value}" for name, values in READINGS.items() for value in values[1:]]
TOGETHER = [
    "names=hyphenated,lookup=sanitised",
    "names=dropped,lookup=sanitised,unique=everywhere",
    "unknown=refused,order=404 403 400 409",
    "lists=array,all domains=boolean,texts=sorted,numbers=decimal",
    "own name=409,order=409 404 400 403,stored flag=kept",
    "words=others,media=application/json; charset=utf-8,new status=disabled,inactive=disabled",
]
EXPLORED = [
    "seed=1",
    "seed=20260",
    "names=hyphenated,lookup=sanitised,seed=3",
    "own name=400,order=404 409 403 400,seed=4",
]


@dataclass(frozen=True)
class Visit:
    """A run against a faithful server in which somebody else has users too."""

    result: Result
    theirs: dict[str, Any]
    after: dict[str, Any]


Visits = Callable[[str], Visit]


@pytest.fixture(name="visits", scope="module")
def _visits(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visits]:
    def visit(readings: str) -> Visit:
        told = dict(pair.split("=", 1) for pair in readings.split(",") if pair)
        seed = told.pop("seed", "")
        server = JetEmail(**told)
        theirs = server.inhabit()
        explore = ("--explore", "1", "--seed", seed) if seed else ()
        with serving(server) as at:
            result = check(tmp_path_factory.mktemp("visit"), at.url, *explore)
        return Visit(result, theirs, server.rows)

    with two_at_a_time(request, "readings", visit) as visits:
        yield visits


@pytest.mark.parametrize("readings", ["", *ALONE, *TOGETHER, *EXPLORED])
def test_a_faithful_server_is_told_none(visits: Visits, readings: str) -> None:
    """Claim: a green depends on what is documented, not on what is left open.

    Situation: an independent server under one way to read the documents, or several at once; some runs explore.
    Expectation: `none` without a reason, status 0, and nothing found, noted or waived.
    """
    result = visits(readings).result
    report = result.report
    assert report["verdict"] == "none", result
    assert (result.status, report["reason"], report["notes"]) == (0, None, [])
    assert report["findings"] == report["waived"] == []
    assert report["clauses"]["exercised"] > 0.9 * report["clauses"]["documented"]


@pytest.mark.parametrize("readings", ["", *ALONE, *TOGETHER, *EXPLORED])
def test_a_run_leaves_an_account_as_it_was(visits: Visits, readings: str) -> None:
    """Claim: a run is safe in an account that somebody else uses.

    Situation: the same runs, beside users of somebody else's with names that the documents use in their examples.
    Expectation: nothing of the run's is left behind, and the others' users are unchanged to the last property.
    """
    visit = visits(readings)
    assert visit.after == visit.theirs
    assert visit.result.report["left_behind"] == []


@pytest.mark.parametrize("readings", EXPLORED)
def test_exploring_asks_for_more_than_the_probes(visits: Visits, readings: str) -> None:
    """Claim: a green with exploring stands on more than the planned requests.

    Situation: the runs that explore.
    Expectation: the exploring stage sent at least as many requests as the probes.
    """
    requests = visits(readings).result.report["requests"]
    assert requests["explore"] >= requests["probes"] > 100
