"""Requests that violate the document are rejected."""

from contract_watch.engine.command.pytest_plugin import assert_no_findings, get_run_or_skip
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.planning.probe import Probe

FAMILY = "refused"
STAGE = "probes"


def test_a_request_past_a_bound_is_refused(suite: Suite, slug: str, surface: str, probe: Probe) -> None:
    """A request that violates one constraint is rejected with a documented status.

    All its other properties are valid.
    """
    assert_no_findings(get_run_or_skip(suite, slug, surface).runner.run_probe(probe))
