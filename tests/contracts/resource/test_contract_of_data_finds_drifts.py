"""A contract of data alone, 89 lines beside its document, against a server that shares no code with its model."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants import mutant_runner
from contract_watch.mutants.mutant_mock import MutantServer
from contract_watch.mutants.mutant_runner import MutantRunner
from contract_watch.report.finding import Finding
from tests.support.quill_server import DRIFTS, QuillServer

DATA = Path(__file__).parents[2] / "data" / "quill"
_MAX_LINES = 120
_MAX_REQUESTS = 190
FINDINGS = {
    "limit ignored": "listSenders/effect/limit/too-many",
    "limit plus one": "listSenders/effect/limit/too-many",
    "list capped at 5": "listSenders/effect/complete/too-few",
    "cursor ignored": "listSenders/effect/next/repeated",
    "cursor repeats": "listSenders/effect/next/repeated",
    "no next cursor": "listSenders/effect/complete/cut",
    "limit unchecked": "listSenders/request/query:limit/minimum/accepted",
    "limit lower": "listSenders/request/query:limit/maximum/refused",
    "filter ignored": "listSenders/effect/query:state/unexpected",
    "filter inverted": "listSenders/effect/query:state/unexpected",
    "filter unchecked": "listSenders/request/query:state/enum/accepted",
    "header ignored": "getSender/request/header:Quill-Version/required/accepted",
    "header unchecked": "deleteSender/request/header:Quill-Version/enum/accepted",
    "header required": "createSender/effect/created/refused",
    "idempotency ignored": "createSender/rule/idempotent/refused",
    "idempotency unchecked": "createSender/request/header:Idempotency-Key/minLength/accepted",
    "tags appended": "updateSender/effect/tags/value",
    "footer kept": "updateSender/effect/footer/value",
    "default gone": "createSender/effect/daily_limit/value",
    "pause unchecked": "pauseSender/rule/already-paused/accepted",
    "pause lost": "pauseSender/effect/paused/value",
    "update unpauses": "updateSender/effect/untouched/state/value",
    "update resets limit": "updateSender/effect/untouched/daily_limit/value",
    "pause clears tags": "pauseSender/effect/untouched/tags/value",
    "name not freed": "createSender/effect/created/refused",
    "name not unique": "createSender/rule/name-taken/accepted",
    "deleted is listed": "deleteSender/effect/removed/unexpected",
    "others listed": "listSenders/rule/own-account/unexpected",
    "no location": "createSender/201/header/location/missing",
}
"""The finding that names each drift; others may stand beside it."""


@pytest.fixture(name="quill", scope="module")
def _quill(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    """Quill's contract in a root of its own; it has no generated client, so the client stage is left out."""
    root = tmp_path_factory.mktemp("quill")
    shutil.copytree(DATA, root / "contracts" / "quill", ignore=shutil.ignore_patterns("__pycache__"))
    return Contract("quill", root)


@pytest.fixture(name="run", scope="module")
def _run(quill: Contract) -> Iterator["_Run"]:
    server = MutantServer()
    with run_in_thread(server) as base:
        yield _Run(MutantRunner(quill, base, server), server)


class _Run:
    """Runs the probes against Quill's server."""

    def __init__(self, runner: MutantRunner, server: MutantServer) -> None:
        self._runner, self._server = runner, server

    def __call__(self, drift: str = "") -> tuple[int, list[Finding]]:
        self._server.app = QuillServer(drift)
        record, found = self._runner.run_suite()
        assert record.reason is None
        return sum(record.requests.values()), found


@pytest.fixture(autouse=True)
def _no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutant_runner, "run_client", lambda *_: [])
    monkeypatch.setattr(mutant_runner, "parse_recorded_responses", lambda *_: [])


def test_contract_is_short() -> None:
    """Configuration, corrections and rules together have at most 120 lines."""
    lines = [line for path in DATA.glob("*.*") if path.suffix in (".toml", ".yaml", ".py")
             for line in path.read_text(encoding="utf-8").splitlines()]  # fmt: skip
    assert 0 < len(lines) <= _MAX_LINES


def test_faithful_server_is_never_accused(run: _Run) -> None:
    """A server that keeps its document gets no finding, within the allowance of requests."""
    requests, found = run()
    assert [(finding.id, finding.title) for finding in found] == []
    assert requests <= _MAX_REQUESTS


@pytest.mark.parametrize("drift", DRIFTS)
def test_drift_is_named(run: _Run, drift: str) -> None:
    """Each drift of the list is found, and told by its own clause."""
    _, found = run(drift)
    assert FINDINGS[drift] in [finding.id for finding in found], DRIFTS[drift]
