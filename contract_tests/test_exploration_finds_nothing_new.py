"""Requests that nobody wrote down keep to the contract too.

Schemathesis and Hypothesis load slowly, so the tests import what needs them, and a run that does not explore never does.
"""

import time

from contract_watch.engine.command.pytest_plugin import assert_no_findings, get_run_or_skip, run_when
from contract_watch.engine.command.suite import Suite

STAGE = "explore"


def test_random_requests_match_model(suite: Suite, slug: str, operation: str, mode: str) -> None:
    """Claim: the contract holds for data that no probe thought of.

    Situation: Schemathesis's cases for one operation, valid or not, with names of the run's own.
    Expectation: each answer is one that the model allows; else the smallest request that shows it.
    """
    from contract_watch.engine.exploring.exploration import explore_requests  # noqa: PLC0415 (as the module says)

    run = get_run_or_skip(suite, slug)
    assert_no_findings(explore_requests(run.session, run.runner, operation, mode, suite.options.seed, suite.depth))


@run_when(lambda suite: suite.should_explore("explore/lives"))
def test_random_workflows_match_model(suite: Suite, slug: str, surface: str) -> None:
    """Claim: the contract holds along any path through its states.

    Situation: random lives of objects under a few names that cross, for as long as MINUTES says.
    Expectation: each answer is one that the model allows; else the shortest life that shows it.
    """
    from contract_watch.engine.exploring.exploration import explore_workflows  # noqa: PLC0415 (as the module says)

    run = get_run_or_skip(suite, slug, surface)
    until = time.monotonic() + 60 * suite.options.minutes
    findings = explore_workflows(run.session, run.runner, suite.options.seed, suite.depth)
    turn = 0
    while not findings and time.monotonic() < until and run.session.stop_reason is None:
        turn += 1
        findings = explore_workflows(run.session, run.runner, suite.options.seed + turn, suite.depth)
    assert_no_findings(findings)
