"""The generated client reads what the vendor answers."""

from contract_watch.engine.command.pytest_plugin import assert_no_findings, get_run_or_skip, run_when
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.running.client_stage import parse_recorded_responses, run_client

STAGE = "client"


@run_when(lambda suite: suite.should_drive_client("client/life"))
def test_client_completes_object_lifecycle(suite: Suite, slug: str) -> None:
    """Claim: the generated client can do all that the contract offers.

    Situation: an object's life through the client, synchronously and asynchronously, refusals included.
    Expectation: every answer is parsed into the documented type, with nothing left over.
    """
    run = get_run_or_skip(suite, slug)
    assert_no_findings(run_client(run.session, run.runner))


@run_when(lambda suite: suite.should_drive_client("client/recorded"))
def test_client_reads_every_kind_of_response(suite: Suite, slug: str) -> None:
    """Claim: the generated client understands every documented answer.

    Situation: one answer of each operation and status that the probes saw, given to the client; nothing is sent.
    Expectation: it is parsed into the documented type, and gives the same JSON back.
    """
    run = get_run_or_skip(suite, slug)
    assert_no_findings(parse_recorded_responses(run.session, run.runner))
