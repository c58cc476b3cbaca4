"""A request that the guard blocks is a defect of the suite: it is reported as one, never as the vendor's drift."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.engine.account.guard import BlockedRequestError
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.protocols.httpx_transport import HttpxTransport
from tests.support.live_runs import is_run_name, make_options
from tests.support.patience import PATIENCE
from tests.support.production.fake import FakeProduction
from tests.support.reports import read_run
from tests.support.virtual_clock import VirtualClock

DEFECTIVE_SUITE = """
import sys
from contract_watch.engine.{where} import {what}
{spoil}
from contract_watch.commands.check_target import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(("where", "what", "spoil", "words"), [
    ("account.object_names", "NameGenerator", "NameGenerator.create_short_name = NameGenerator.create_name; NameGenerator.create_name = lambda self, length=None: 'smtp-user1'",
     "tried a request that the guard refuses"),
    ("running.runner", "Runner", "Runner.run_probe = lambda self, probe: __import__('socket').create_connection(('127.0.0.1', 9))",
     "blocked: a connection was opened outside the gate during a live run"),
    ("running.runner", "Runner", "Runner.run_probe = lambda self, probe: __import__('os').system('true')",
     "blocked: a subprocess was started during a live run"),
])  # fmt: skip
def test_a_suite_that_tries_is_reported_and_stopped(
    where: str, what: str, spoil: str, words: str, tmp_path: Path
) -> None:
    """No defect of the suite reaches a real account or counts as drift.

    The suite takes a foreign name for its own, opens a connection or starts a subprocess. The verdict is inconclusive
    with the reason, without findings.
    """
    with FakeProduction(
        Contract("jetemail"), is_run_name=is_run_name, with_neighbours=False, enforce_limit=False
    ) as production:
        script = DEFECTIVE_SUITE.format(where=where, what=what, spoil=spoil)
        arguments = [
            "--vendor",
            "jetemail",
            "--target",
            production.base,
            "--live",
            "mutate",
            "--out",
            str(tmp_path / "out"),
        ]
        ended = subprocess.run(  # noqa: S603 (our own command)
            [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
            env={**os.environ, "LEDGER": str(tmp_path / "ledger")},
        )  # fmt: skip
        report = read_run(tmp_path / "out")
        assert (ended.returncode, report["verdict"], report["findings"]) == (2, "inconclusive", []), ended
        assert words in report["reason"]
        assert production.list_violations() == []
        assert production.list_run_objects() == []
        assert "smtp-user1" not in report["reason"]


def test_nothing_of_what_is_blocked_leaves(tmp_path: Path) -> None:
    """A blocked request sends no byte, on each way out of a run.

    A probe, the client and a library each try to delete a foreign user.
    """
    clock = VirtualClock()
    with FakeProduction(
        Contract("jetemail"), clock=clock, is_run_name=is_run_name, with_neighbours=False
    ) as production:
        suite = Suite(make_options(production, tmp_path), clock=clock)
        try:
            session = suite.get_run("jetemail", "rest").session
            before = len(production.log)
            with pytest.raises(BlockedRequestError):
                session.send_operation("deleteSmtpUser", {"username": "smtp-user1"})
            with (
                httpx.Client(transport=HttpxTransport(session.send_http_request), base_url=session.base) as client,
                pytest.raises(BlockedRequestError),
            ):
                client.request(
                    "DELETE",
                    "/outbound/smarthost",
                    json={"username": "smtp-user1"},
                    headers=session.build_credential_headers(),
                )
            assert len(production.log) == before
            assert session.target.created_objects == {}
        finally:
            suite.finish()
        assert production.list_violations() == []
