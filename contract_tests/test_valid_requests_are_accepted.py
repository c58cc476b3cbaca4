"""Whatever the document allows is accepted."""

from contract_watch.engine.command.pytest_plugin import assert_no_findings, get_run_or_skip
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.planning.probe import Probe

FAMILY = "accepted"
STAGE = "probes"


def test_a_request_on_the_bounds_is_accepted(suite: Suite, slug: str, surface: str, probe: Probe) -> None:
    """Claim: Whatever the document allows is accepted.

    Situation: a valid request with every property on one of its bounds, as many together as may be.
    Expectation: success, and what was set is read back; where refused, each property is tried alone.
    """
    assert_no_findings(get_run_or_skip(suite, slug, surface).runner.run_probe(probe))
