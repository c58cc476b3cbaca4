"""Requests that satisfy the document are accepted."""

from contract_watch.engine.command.pytest_plugin import assert_no_findings, get_run_or_skip
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.planning.probe import Probe

FAMILY = "accepted"
STAGE = "probes"


def test_a_request_on_the_bounds_is_accepted(suite: Suite, slug: str, surface: str, probe: Probe) -> None:
    """A request on the bounds of its constraints is accepted, and its values are read back.

    As many properties as possible share one request; if it is refused, each is tried alone.
    """
    assert_no_findings(get_run_or_skip(suite, slug, surface).runner.run_probe(probe))
