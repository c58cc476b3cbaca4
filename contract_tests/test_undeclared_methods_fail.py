"""What the document does not declare is not there."""

from contract_watch.engine.command.pytest_plugin import assert_no_findings, get_run_or_skip
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.planning.probe import Probe

FAMILY = "undeclared"
STAGE = "probes"


def test_a_method_that_is_not_documented_does_not_succeed(suite: Suite, slug: str, surface: str, probe: Probe) -> None:
    """Claim: What the document does not declare is not there.

    Situation: a method that no document declares, on a path that one does, with a good credential.
    Expectation: any answer but success.
    """
    assert_no_findings(get_run_or_skip(suite, slug, surface).runner.run_probe(probe))
