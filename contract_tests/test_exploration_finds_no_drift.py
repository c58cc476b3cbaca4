"""Random requests and workflows find no drift.

Schemathesis and Hypothesis load slowly, so the tests import them; a run that does not explore never loads them.
Workflows come first: meanwhile another process draws the random requests.
"""

import time

from contract_watch.engine.command.pytest_plugin import assert_no_findings, get_run_or_skip, run_when
from contract_watch.engine.command.suite import Suite

STAGE = "explore"


@run_when(lambda suite: suite.should_explore("explore/lives"))
def test_random_workflows_match_model(suite: Suite, slug: str, surface: str) -> None:
    """The model allows each response along random workflows over a few shared names, for MINUTES.

    A finding carries the shortest workflow that shows it.
    """
    from contract_watch.engine.exploring.exploration import explore_workflows  # noqa: PLC0415 (as the module says)

    run = get_run_or_skip(suite, slug, surface)
    deadline = time.monotonic() + 60 * suite.options.minutes
    with suite.explore(run) as depth:
        findings = explore_workflows(run.session, run.runner, suite.options.seed, depth)
        round_number = 0
        while not findings and time.monotonic() < deadline and run.session.stop_reason is None:
            round_number += 1
            findings = explore_workflows(run.session, run.runner, suite.options.seed + round_number, depth)
    assert_no_findings(findings)


def test_random_requests_match_model(suite: Suite, slug: str, operation: str, mode: str) -> None:
    """The model allows each response to Schemathesis's cases for one operation, valid or not.

    A finding carries the smallest request that shows it.
    """
    from contract_watch.engine.exploring.exploration import explore_requests  # noqa: PLC0415 (as the module says)

    run = get_run_or_skip(suite, slug)
    with suite.explore(run) as depth:
        drawn = suite.exploring.take_cases(slug, operation, mode)
        findings = explore_requests(run.session, run.runner, operation, mode, suite.options.seed, depth, drawn)
    assert_no_findings(findings)
