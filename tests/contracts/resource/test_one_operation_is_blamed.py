"""Who first shows a wrong value is blamed for it; later responses that show the same value blame nobody else."""

import shutil
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mock.server import run_in_thread
from contract_watch.report.finding import Finding
from tests.support import direct_runs
from tests.support.quill_server import QuillServer

DATA = Path(__file__).parents[2] / "data" / "quill"
FINDINGS = {
    "update resets limit": "updateSender/effect/untouched/daily_limit/value",
    "update unpauses": "updateSender/effect/untouched/state/value",
    "tags appended": "updateSender/effect/tags/value",
    "footer kept": "updateSender/effect/footer/value",
    "pause clears tags": "pauseSender/effect/untouched/tags/value",
}
"""Drifts of one operation, each with the only finding of a whole run."""


@pytest.fixture(name="quill", scope="module")
def _quill(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    root = tmp_path_factory.mktemp("quill")
    shutil.copytree(DATA, root / "contracts" / "quill", ignore=shutil.ignore_patterns("__pycache__"))
    return Contract("quill", root)


@pytest.fixture(autouse=True)
def _no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quill has no generated client here."""
    monkeypatch.setattr(direct_runs, "run_client", lambda *_: None)
    monkeypatch.setattr(direct_runs, "parse_recorded_responses", lambda *_: None)


def _run(quill: Contract, drift: str) -> list[Finding]:
    with run_in_thread(QuillServer(drift)) as base:
        return direct_runs.run_directly(quill, base + quill.base_path)[0].findings


@pytest.mark.parametrize("drift", FINDINGS)
def test_innocent_operations_are_not_blamed(quill: Contract, drift: str) -> None:
    """All probes run, on objects that the drift damaged as well, and no finding names another operation or property."""
    assert [(found.id, found.flapping) for found in _run(quill, drift)] == [(FINDINGS[drift], False)]
