"""The response that first shows a wrong value decides the blame; later ones that show the same value blame nothing."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants.mutant_mock import MutantServer
from contract_watch.mutants.mutant_runner import start_mutant_runner
from contract_watch.report.record import Record
from tests.support import direct_runs
from tests.support.mutant_lists import list_mutants
from tests.support.patience import PATIENCE
from tests.support.quill_server import SPREADING_DRIFT, QuillServer

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


def _run(quill: Contract, base: str) -> Record:
    return direct_runs.run_directly(quill, base + quill.base_path)[0]


@pytest.mark.parametrize("drift", FINDINGS)
def test_innocent_operations_are_not_blamed(quill: Contract, drift: str) -> None:
    """All probes run, on objects that the drift damaged as well, and no finding names another operation or property."""
    with run_in_thread(QuillServer(drift)) as base:
        assert [(found.id, found.flapping) for found in _run(quill, base).findings] == [(FINDINGS[drift], False)]


@pytest.mark.skipif(shutil.which("bash") is None, reason="the lines are for bash")
def test_blamed_request_is_in_the_reproduction(quill: Contract) -> None:
    """A removal takes another object away: pasted, the lines create both, remove one, and list neither."""
    server, key = MutantServer(), quill.credentials[0]
    server.app = QuillServer(SPREADING_DRIFT)
    with run_in_thread(server) as base:
        findings = {found.id: found for found in _run(quill, base).findings}
        lines = findings["deleteSender/effect/untouched/senders/row-missing"].reproduce
        server.app = QuillServer(SPREADING_DRIFT)
        shown = subprocess.run(  # noqa: S603 (the lines under test)
            [shutil.which("bash") or "bash", "-c", lines],
            env={**os.environ, key.variable: key.test}, capture_output=True, text=True, timeout=PATIENCE, check=True,
        )  # fmt: skip
    statuses = re.findall(r"HTTP/1.1 (\d+)", shown.stdout + shown.stderr)
    assert (statuses.count("201"), statuses.count("204")) == (2, 1), lines
    assert json.loads(shown.stdout.splitlines()[-1])["senders"] == []


def test_value_that_one_object_keeps_is_no_flaky_finding() -> None:
    """A property of an object with a history is not emptied: new objects do not show it, the same list shows it again."""
    contract = Contract("jetemail")
    drift = next(one for one in list_mutants("jetemail") if one.id == "state/updateSmtpUser/unemptied/approvedDomains")
    with start_mutant_runner(contract) as mutants:
        mutants.load_mutation(drift.create_mutation())
        _, found = mutants.run_suite()
    assert "updateSmtpUser/effect/approvedDomains/value" in [one.id for one in found if not one.flapping]


def test_titles_name_the_list_and_its_filter(quill: Contract) -> None:
    """A filter selects the other senders: the list omits objects, not the read, and the title has what was asked for."""
    with run_in_thread(QuillServer("filter inverted")) as base:
        record = _run(quill, base)
    titles = {found.id: found.title for found in record.findings}
    assert re.match(
        r'GET /senders with `query:state` = "(active|paused)" 200: expected no row named snd_\d+ ',
        titles["listSenders/effect/query:state/unexpected"],
    )
    missing = next(found for found in record.findings if found.id == "listSenders/effect/query:state/row-missing")
    assert missing.hypotheses[0].format_title([missing.operation]) == "GET /senders omits objects that exist"
