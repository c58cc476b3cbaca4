"""Undeclared methods do not succeed."""

from contract_watch.engine.command.pytest_plugin import assert_no_findings, get_run_or_skip
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.planning.probe import Probe

FAMILY = "undeclared"
STAGE = "probes"


def test_a_method_that_is_not_documented_does_not_succeed(suite: Suite, slug: str, surface: str, probe: Probe) -> None:
    """A method that the document does not declare does not succeed.

    The request has a declared path and a good credential; any response but a 2xx conforms.
    """
    assert_no_findings(get_run_or_skip(suite, slug, surface).runner.run_probe(probe))
