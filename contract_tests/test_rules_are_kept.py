"""Rules that only prose states hold."""

from contract_watch.engine.command.pytest_plugin import assert_no_findings, get_run_or_skip
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.planning.probe import Probe

FAMILY = "rules"
STAGE = "probes"


def test_scenario_matches_model(suite: Suite, slug: str, surface: str, probe: Probe) -> None:
    """Claim: Rules that only prose states hold.

    Situation: a flow of requests from the contract's scenarios, on fresh objects.
    Expectation: answers, step by step, that the model allows.
    """
    assert_no_findings(get_run_or_skip(suite, slug, surface).runner.run_probe(probe))
