"""Rules that only prose states hold."""

from contract_watch.engine.command.pytest_plugin import expect_none, proceed
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.planning.probe import Probe

FAMILY = "rules"
STAGE = "probes"


def test_a_flow_goes_as_the_model_says(suite: Suite, slug: str, surface: str, probe: Probe) -> None:
    """Claim: Rules that only prose states hold.

    Situation: a flow of requests from the contract's scenarios, on fresh objects.
    Expectation: answers, step by step, that the model allows.
    """
    expect_none(proceed(suite, slug, surface).runner.run(probe))
