"""Whatever the document allows is accepted."""

from contract_tests.harness.plugin import expect_none, proceed
from contract_tests.harness.probe import Probe
from contract_tests.harness.suite import Suite

FAMILY = "accepted"
STAGE = "probes"


def test_a_request_on_the_bounds_is_accepted(suite: Suite, slug: str, surface: str, probe: Probe) -> None:
    """Claim: Whatever the document allows is accepted.

    Situation: a valid request with every property on one of its bounds, as many together as may be.
    Expectation: success, and what was set is read back; where refused, each property is tried alone.
    """
    expect_none(proceed(suite, slug, surface).runner.run(probe))
