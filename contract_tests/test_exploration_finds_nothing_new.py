"""Requests that nobody wrote down keep to the contract too."""

import time

from contract_watch.engine.command.pytest_plugin import expect_none, proceed, wanted
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.exploring.exploration import explore_lives, explore_requests

STAGE = "explore"


def test_random_requests_are_answered_as_documented(suite: Suite, slug: str, operation: str, mode: str) -> None:
    """Claim: the contract holds for data that no probe thought of.

    Situation: Schemathesis's cases for one operation, valid or not, with names of the run's own.
    Expectation: each answer is one that the model allows; else the smallest request that shows it.
    """
    run = proceed(suite, slug)
    expect_none(explore_requests(run.session, run.runner, operation, mode, suite.options.seed, suite.depth))


@wanted(lambda suite: suite.explores("explore/lives"))
def test_random_lives_keep_to_the_model(suite: Suite, slug: str, surface: str) -> None:
    """Claim: the contract holds along any path through its states.

    Situation: random lives of objects under a few names that cross, for as long as MINUTES says.
    Expectation: each answer is one that the model allows; else the shortest life that shows it.
    """
    run = proceed(suite, slug, surface)
    until = time.monotonic() + 60 * suite.options.minutes
    findings = explore_lives(run.session, run.runner, suite.options.seed, suite.depth)
    turn = 0
    while not findings and time.monotonic() < until and run.session.stopped is None:
        turn += 1
        findings = explore_lives(run.session, run.runner, suite.options.seed + turn, suite.depth)
    expect_none(findings)
