"""A server error has the documented form."""

from contract_watch.engine.command.pytest_plugin import assert_no_findings, get_run_or_skip
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.planning.probe import Probe

FAMILY = "faults"
STAGE = "probes"


def test_a_server_error_has_the_documented_form(suite: Suite, slug: str, surface: str, probe: Probe) -> None:
    """A server error has the documented body.

    Only the mock can be told to fail, so other targets skip this.
    """
    assert_no_findings(get_run_or_skip(suite, slug, surface).runner.run_probe(probe))
