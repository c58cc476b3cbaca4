"""A contract of data whose objects are below a given one, against a server that shares no code with its model."""

from collections.abc import Iterator

import pytest

from contract_watch.authoring.self_check import run_self_check
from contract_watch.contracts.registry import Contract
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants import mutant_runner
from contract_watch.mutants.mutant_mock import MutantServer
from contract_watch.mutants.mutant_runner import MutantRunner
from contract_watch.report.finding import Finding
from tests.support.alcove import copy_alcove
from tests.support.alcove_server import DRIFTS, AlcoveServer

_MAX_REQUESTS = 190
FINDINGS = {
    "parent ignored on read": "getUser/rule/domain-unknown/accepted",
    "parent ignored on list": "listUsers/rule/domain-only/unexpected",
    "parent ignored on update": "updateUser/rule/domain-unknown/accepted",
    "parent ignored on delete": "deleteUser/rule/domain-unknown/accepted",
    "created below another parent": "createUser/effect/domain/value",
    "unknown parent created": "createUser/rule/domain-unknown/accepted",
    "unknown parent is empty": "listUsers/rule/domain-unknown/accepted",
    "unknown parent is forbidden": "listUsers/rule/domain-unknown/status-403",
    "unknown parent deletes": "deleteUser/rule/domain-unknown/accepted",
    "others see the domain's users": "listUsers/rule/own-account/unexpected",
}
"""The finding that names each drift; others may stand beside it."""


@pytest.fixture(name="alcove", scope="module")
def _alcove(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    return copy_alcove(tmp_path_factory.mktemp("alcove"))


@pytest.fixture(name="run", scope="module")
def _run(alcove: Contract) -> Iterator["_AlcoveRun"]:
    server = MutantServer()
    with run_in_thread(server) as base:
        yield _AlcoveRun(MutantRunner(alcove, base, server), server)


class _AlcoveRun:
    """Runs the probes against Alcove's server."""

    def __init__(self, runner: MutantRunner, server: MutantServer) -> None:
        self._runner, self._server = runner, server

    def __call__(self, drift: str = "") -> tuple[int, list[Finding]]:
        self._server.app = AlcoveServer(drift)
        record, found = self._runner.run_suite()
        assert record.reason is None
        return sum(record.requests.values()), found


@pytest.fixture(autouse=True)
def _no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutant_runner, "run_client", lambda *_: [])
    monkeypatch.setattr(mutant_runner, "parse_recorded_responses", lambda *_: [])


def test_own_mock_keeps_every_clause(alcove: Contract) -> None:
    """The contract's own mock gets no finding, and the probes reach every clause."""
    checked = run_self_check(alcove)
    assert checked.stop_reason is None
    assert [finding.id for finding in checked.record.findings] == []
    assert checked.unreached == {}


def test_faithful_server_is_never_accused(run: _AlcoveRun) -> None:
    """A server that keeps its document gets no finding, within the allowance of requests."""
    requests, found = run()
    assert [(finding.id, finding.title) for finding in found] == []
    assert requests <= _MAX_REQUESTS


@pytest.mark.parametrize("drift", DRIFTS)
def test_drift_is_named(run: _AlcoveRun, drift: str) -> None:
    """Each drift of the list is found, and told by its own clause."""
    _, found = run(drift)
    assert FINDINGS[drift] in [finding.id for finding in found], DRIFTS[drift]
