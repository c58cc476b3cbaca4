"""The generated client parses the vendor's responses."""

from contract_watch.engine.command.pytest_plugin import assert_no_findings, get_run_or_skip, run_when
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.running.client_stage import parse_recorded_responses, run_client

STAGE = "client"


@run_when(lambda suite: suite.should_drive_client("client/life"))
def test_client_completes_object_lifecycle(suite: Suite, slug: str) -> None:
    """The generated client completes an object's life cycle, synchronously and asynchronously, refusals included.

    It parses each response into the documented type and leaves no additional properties.
    """
    run = get_run_or_skip(suite, slug)
    assert_no_findings(run_client(run.session, run.runner))


@run_when(lambda suite: suite.should_drive_client("client/recorded"))
def test_client_reads_every_kind_of_response(suite: Suite, slug: str) -> None:
    """The generated client parses one recorded response of each operation and status, and returns the same JSON.

    Nothing is sent.
    """
    run = get_run_or_skip(suite, slug)
    assert_no_findings(parse_recorded_responses(run.session, run.runner))
