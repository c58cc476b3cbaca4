"""The generated client reads what the vendor answers."""

from contract_watch.engine.command.pytest_plugin import expect_none, proceed, wanted
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.running.client_stage import parse_recorded, run_client

STAGE = "client"


@wanted(lambda suite: suite.drives("client/life"))
def test_the_client_lives_an_object_s_life(suite: Suite, slug: str) -> None:
    """Claim: the generated client can do all that the contract offers.

    Situation: an object's life through the client, synchronously and asynchronously, refusals included.
    Expectation: every answer is parsed into the documented type, with nothing left over.
    """
    run = proceed(suite, slug)
    expect_none(run_client(run.session, run.runner))


@wanted(lambda suite: suite.drives("client/recorded"))
def test_the_client_reads_every_kind_of_answer(suite: Suite, slug: str) -> None:
    """Claim: the generated client understands every documented answer.

    Situation: one answer of each operation and status that the probes saw, given to the client; nothing is sent.
    Expectation: it is parsed into the documented type, and gives the same JSON back.
    """
    run = proceed(suite, slug)
    expect_none(parse_recorded(run.session, run.runner))
