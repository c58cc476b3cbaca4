"""A server error has the documented form."""

from contract_tests.harness.plugin import expect_none, proceed
from contract_tests.harness.probe import Probe
from contract_tests.harness.suite import Suite

FAMILY = "faults"
STAGE = "probes"


def test_a_server_error_has_the_documented_form(suite: Suite, slug: str, surface: str, probe: Probe) -> None:
    """Claim: A server error has the documented form.

    Situation: the mock, told to fail with a documented status (other targets cannot be told to).
    Expectation: the documented body.
    """
    expect_none(proceed(suite, slug, surface).runner.run(probe))
