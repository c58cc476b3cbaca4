"""Whatever the document forbids is refused."""

from contract_tests.harness.plugin import expect_none, proceed
from contract_tests.harness.probe import Probe
from contract_tests.harness.suite import Suite

FAMILY = "refused"
STAGE = "probes"


def test_a_request_past_a_bound_is_refused(suite: Suite, slug: str, surface: str, probe: Probe) -> None:
    """Claim: Whatever the document forbids is refused.

    Situation: a valid request but for one property, just past one of its constraints.
    Expectation: the documented refusal.
    """
    expect_none(proceed(suite, slug, surface).runner.run(probe))
