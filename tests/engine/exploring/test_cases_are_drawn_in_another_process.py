"""Cases drawn by another process are those that the run itself would draw, and no run depends on that process."""

import dataclasses
import datetime as dt
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.command.options import complete_settings, resolve_options
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.exploring.cases import LibraryCase, run_cases
from contract_watch.engine.exploring.depth import DEFAULT_DEPTH, ExplorationDepth, list_modes
from contract_watch.engine.exploring.drawn_case import CaseRequest, DrawnCase, UnportableCaseError
from contract_watch.engine.exploring.draws import CaseDrawer, draw_cases
from contract_watch.engine.exploring.exploration import explore_requests
from contract_watch.engine.exploring.search_settings import build_settings
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants.mutant_mock import MutantApp, MutantServer
from contract_watch.mutants.request_mutants import TightenedConstraint
from contract_watch.report.finding import Finding
from contract_watch.report.record import Record
from tests.support.patience import PATIENCE

CREATE = "createSmtpUser"
DEPTH = dataclasses.replace(DEFAULT_DEPTH, is_repeatable=True)
BASE = "http://127.0.0.1:9/base"
SEEDS = (1, 2, 3)


def compare_draws() -> None:
    """Fail unless another process draws what this one draws. Call it where no thread runs: the process is forked."""
    for seed in SEEDS:
        _compare_draws(seed)


def _compare_draws(seed: int) -> None:
    contract = Contract("jetemail")
    drawer = CaseDrawer([contract], seed, DEPTH)
    try:
        for operation, mode in list_modes(contract):
            own: list[CaseRequest] = []

            def check(case: LibraryCase, own: list[CaseRequest] = own) -> None:
                own.append(case.build_request(case.path_parameters, case.body, BASE))

            run_cases(contract, operation, mode, seed, build_settings(DEPTH.examples, DEPTH, None), check)
            drawn = drawer.take_cases((contract.slug, operation, mode))
            assert drawn is not None
            assert [case.build_request(case.path_parameters, case.body, BASE) for case in drawn] == own
            assert len(own) == DEPTH.examples or operation == "listSmtpUsers"
    finally:
        drawer.close()


def test_another_process_draws_the_same() -> None:
    """Each search gets the requests that Schemathesis would build from the same seed in the run's own process."""
    code = f"from {__name__} import compare_draws; compare_draws()"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=True, timeout=PATIENCE)  # noqa: S603 (our own command)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["dead", "hung"])
def test_a_run_outlives_the_other_process(jetemail: Contract, number: signal.Signals) -> None:
    """A search whose cases never come draws them itself."""
    drawer = CaseDrawer([jetemail], 1, DEPTH, max_silence=0.1)
    assert drawer.pid is not None
    os.kill(drawer.pid, number)
    last = list_modes(jetemail)[-1]
    assert drawer.take_cases((jetemail.slug, *last)) is None
    drawer.close()
    assert not _exists(drawer.pid)


STARTED = """
import sys, time
from contract_watch.contracts.registry import load_contracts
from contract_watch.engine.exploring.depth import ExplorationDepth
from contract_watch.engine.exploring.draws import CaseDrawer
drawer = CaseDrawer([load_contracts()["jetemail"]], 1, ExplorationDepth(examples=5000))
print(drawer.pid, flush=True)
time.sleep(60)
"""


def _exists(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_other_process_ends_with_the_run(number: signal.Signals) -> None:
    """Neither an interrupted nor a killed run leaves a process behind."""
    command = [sys.executable, "-c", STARTED]
    with subprocess.Popen(  # noqa: S603 (our own command)
        command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert _exists(pid)
        process.send_signal(number)
        process.wait(PATIENCE)
    limit = time.monotonic() + 30
    while _exists(pid):
        assert time.monotonic() < limit
        os.sched_yield()


def test_a_live_run_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A live run allows no other process, so it draws for itself, and so does a run of one finding."""
    monkeypatch.setattr("threading.active_count", lambda: 1)
    monkeypatch.setattr("contract_watch.engine.command.exploring_stage.count_cores", lambda: 2)
    given = {"vendor": "jetemail", "out": str(tmp_path), "explore": "1"}
    for more, starts in (({}, True), ({"live": "read", "target": "http://127.0.0.1:9"}, False),
                         ({"only": "explore/lives"}, False), ({"minutes": "1"}, False), ({"explore": "0"}, False)):  # fmt: skip
        suite = Suite(resolve_options(complete_settings({**given, **more}), {"JETEMAIL_API_KEY": "a" * 20}))
        try:
            suite.start_drawing()
            assert (suite.exploring.drawer is not None) is starts, more
        finally:
            suite.finish("the test is over")


def _explore(contract: Contract, base: str, drawn: list[DrawnCase] | None, depth: ExplorationDepth) -> list[Finding]:
    now = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    keys = {credential.account: credential.test for credential in contract.credentials}
    record = Record(contract.slug, contract.name, contract.digest, base, 0, now)
    session = Session(contract, base, keys, NameGenerator(now.date()), record)
    try:
        return explore_requests(session, Runner(session), CREATE, "positive", 1, depth, drawn)
    finally:
        session.close()


def test_a_failing_case_is_made_small_by_the_search(jetemail: Contract) -> None:
    """A search finds the same with cases that another process drew, and shrinks them."""
    server = MutantServer()
    server.app = MutantApp(jetemail, TightenedConstraint(CREATE, lambda body: "quota" in body))
    depth = dataclasses.replace(DEPTH, examples=20)
    drawn = draw_cases(jetemail, CREATE, "positive", 1, depth)
    assert drawn is not None
    with run_in_thread(server) as base:
        found, expected = _explore(jetemail, base, drawn, depth), _explore(jetemail, base, None, depth)
    assert [one.id for one in found] == [one.id for one in expected]
    assert found
    assert not any(one.flapping for one in found)


def test_a_failure_that_is_not_repeated_is_flaky(jetemail: Contract) -> None:
    """A disagreement that only the cases of another process saw is reported as flaky, not lost."""
    left = [1]

    def refuse_once(body: dict[str, object]) -> bool:
        return "quota" in body and bool(left) and bool(left.pop())

    server = MutantServer()
    server.app = MutantApp(jetemail, TightenedConstraint(CREATE, refuse_once))
    depth = dataclasses.replace(DEPTH, examples=20)
    drawn = draw_cases(jetemail, CREATE, "positive", 1, depth)
    with run_in_thread(server) as base:
        found = _explore(jetemail, base, drawn, depth)
    assert not left
    assert [one.flapping for one in found] == [True]


@pytest.mark.parametrize("name", ["a b", "ä", "..", ".", "", "a?b", "a#b"])
def test_a_name_that_libraries_encode_is_left_to_them(name: str) -> None:
    """A path parameter that a library may encode again is never sent from a copy of a case."""
    case = DrawnCase("GET", "/users/{name}", {"name": "a"}, "", None, b"", "")
    assert case.build_request({"name": "a-1.b"}, None, BASE).url == f"{BASE}/users/a-1.b"
    with pytest.raises(UnportableCaseError):
        case.build_request({"name": name}, None, BASE)


def test_a_number_that_is_no_json_is_left_to_the_library() -> None:
    """Only the library decides how it sends NaN."""
    case = DrawnCase("POST", "/users", {}, "", {"quota": 1}, b"", "application/json")
    assert case.build_request({}, {"quota": 2}, BASE).content == b'{"quota": 2}'
    with pytest.raises(UnportableCaseError):
        case.build_request({}, {"quota": float("nan")}, BASE)
