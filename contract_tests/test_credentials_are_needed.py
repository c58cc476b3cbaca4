"""Every operation needs a good credential."""

from contract_watch.engine.command.pytest_plugin import assert_no_findings, get_run_or_skip
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.planning.probe import Probe

FAMILY = "credentials"
STAGE = "probes"


def test_a_request_without_a_good_credential_is_refused(suite: Suite, slug: str, surface: str, probe: Probe) -> None:
    """A request without a good credential is rejected and changes nothing.

    It has no key, a wrong one, or the right one under another scheme or without a scheme.
    """
    assert_no_findings(get_run_or_skip(suite, slug, surface).runner.run_probe(probe))
