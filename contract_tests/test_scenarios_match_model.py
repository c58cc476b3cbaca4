"""The vendor enforces the rules that only prose states."""

from contract_watch.engine.command.pytest_plugin import assert_no_findings, get_run_or_skip
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.planning.probe import Probe

FAMILY = "rules"
STAGE = "probes"


def test_scenario_matches_model(suite: Suite, slug: str, surface: str, probe: Probe) -> None:
    """The vendor enforces the rules that only prose states.

    The contract's scenario runs on fresh objects; the model must allow each response.
    """
    assert_no_findings(get_run_or_skip(suite, slug, surface).runner.run_probe(probe))
