"""Exploration ends within its budget of requests and seconds, however much is wrong, and loses no finding."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.command.options import complete_settings, resolve_options
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.exploring.depth import ExplorationDepth, list_modes
from contract_watch.engine.exploring.exploration import explore_requests, explore_workflows
from contract_watch.engine.running.exploration_budget import (
    MAX_REQUESTS,
    MAX_SECONDS,
    RESERVED_REQUESTS,
    ExplorationBudget,
    ExplorationEndedError,
)
from contract_watch.engine.running.preflight import run_preflight
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants.mutant import Mutation, VendorRequest
from contract_watch.mutants.mutant_mock import MutantApp
from contract_watch.mutants.mutated_vendor import MutatedVendor
from contract_watch.report.terminal import format_terminal
from tests.support.many_drifts import ComposedMutation, choose_mutants
from tests.support.protocol_sessions import make_session

JETEMAIL = Contract("jetemail")
CREATE = "createSmtpUser"


class _UndocumentedStatuses(Mutation):
    """A vendor that answers with a status of its own where unusual data meets it: probes see nothing of it."""

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        status, body = super().respond(vendor, request)
        unknown = request.arguments.keys() - request.operation.get_arguments().keys()
        text = json.dumps(request.arguments)
        ways = ((418, bool(unknown)), (409, "\\u" in text), (422, len(request.arguments) > 3), (205, status < 300))
        return next(((wrong, {"wrong": wrong}) for wrong, is_met in ways if is_met), (status, body))


@contextmanager
def _play(contract: Contract, mutation: Mutation) -> Iterator[Session]:
    with run_in_thread(MutantApp(contract, mutation)) as base:
        session = make_session(contract, base + contract.base_path, None, lag=0.0)
        try:
            yield session
        finally:
            session.close()


def _explore(session: Session, budget: ExplorationBudget | None) -> list[str]:
    """Explore all that a run explores; return the ids of the findings."""
    depth, runner = ExplorationDepth(is_repeatable=True, budget=budget), Runner(session)
    run_preflight(session, runner)
    explore_workflows(session, runner, 1, depth)
    for operation, mode in list_modes(session.contract):
        explore_requests(session, runner, operation, mode, 1, depth)
    return [finding.id for finding in session.record.findings]


def _count_searches(contract: Contract) -> int:
    return 1 + len(list_modes(contract))


def test_exploration_of_a_wrong_vendor_ends_at_a_request() -> None:
    """A vendor that is wrong in many ways costs no more requests than the budget has; what was found is reported."""
    with _play(JETEMAIL, _UndocumentedStatuses()) as session:
        budget = ExplorationBudget(session.record, _count_searches(JETEMAIL), max_requests=100)
        found = _explore(session, budget)
        record = session.record
    assert found
    assert record.requests["explore"] <= 100
    assert budget.end_reason.startswith(
        f"exploration ended early, after {record.requests['explore']} requests and 0 s, "
    )
    assert budget.end_reason.endswith(": it may take 100 requests and 60 s; MINUTES=5 explores longer")
    assert record.notes[0] == budget.end_reason
    assert f"note: {budget.end_reason}" in format_terminal(record, colour=False)
    assert [one.skip_reason for one in record.suite_checks][-1] == budget.end_reason
    assert record.reason is None, "a cut exploration leaves the verdict as it is"


def test_requests_decide_when_a_repeated_exploration_ends() -> None:
    """Under one seed, two explorations send as many requests and find the same."""
    outcomes = []
    for _ in range(2):
        with _play(JETEMAIL, _UndocumentedStatuses()) as session:
            budget = ExplorationBudget(session.record, _count_searches(JETEMAIL), max_requests=120)
            outcomes.append((_explore(session, budget), session.record.requests["explore"]))
    assert outcomes[0] == outcomes[1]


def test_a_finding_whose_shrinking_is_cut_is_reported() -> None:
    """A drift that shows first when only the reserve is left is confirmed with it, and is no flaky finding."""
    with _play(JETEMAIL, _UndocumentedStatuses()) as session:
        budget = ExplorationBudget(session.record, 1, max_requests=RESERVED_REQUESTS + 1)
        runner = Runner(session)
        explore_requests(session, runner, CREATE, "negative", 1, ExplorationDepth(is_repeatable=True, budget=budget))
        (finding,) = session.record.findings
    assert budget.end_reason
    assert not finding.flapping
    assert finding.id in runner.confirmation.evidence


def test_a_finding_that_could_not_be_confirmed_is_flaky() -> None:
    """Without requests for a second sighting the drift is reported all the same, as one that was seen once."""
    with _play(JETEMAIL, _UndocumentedStatuses()) as session:
        budget = ExplorationBudget(session.record, 1, max_requests=1)
        budget.permit_reserve(permitted=True)
        runner, depth = Runner(session), ExplorationDepth(is_repeatable=True, budget=budget)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("contract_watch.engine.running.exploration_budget.RESERVED_REQUESTS", 0)
            explore_requests(session, runner, CREATE, "negative", 1, depth)
        (finding,) = session.record.findings
    assert session.record.requests["explore"] == 1
    assert finding.flapping


def test_exploration_of_a_faithful_vendor_is_as_without_a_budget() -> None:
    """A vendor that keeps its contract gets the same requests with the budget of a run, and no note."""
    sent = []
    for is_bounded in (False, True):
        with _play(JETEMAIL, Mutation()) as session:
            budget = ExplorationBudget(session.record, _count_searches(JETEMAIL)) if is_bounded else None
            assert _explore(session, budget) == []
            assert session.record.notes == []
            sent.append(session.record.requests["explore"])
    assert sent[0] == sent[1] <= MAX_REQUESTS - RESERVED_REQUESTS


def test_each_search_still_to_come_keeps_its_share() -> None:
    """Shrinking the first finding leaves to every other search as many requests as it takes."""
    session = make_session(JETEMAIL, "http://127.0.0.1:9", None)
    budget = ExplorationBudget(session.record, 8)
    budget.begin_search(0)
    assert budget.compute_shrink_limits()[0] == (MAX_REQUESTS - RESERVED_REQUESTS) // 8
    session.record.requests["explore"] = 500
    for _ in range(7):
        budget.begin_search(0)
    assert budget.compute_shrink_limits()[0] == MAX_REQUESTS - RESERVED_REQUESTS - 500
    session.close()


def test_seconds_end_exploration_too() -> None:
    """Only seconds of exploring count; when they are over the next request is not sent, and neither are later ones."""
    now = [0.0]
    session = make_session(JETEMAIL, "http://127.0.0.1:9", None)
    budget = ExplorationBudget(session.record, 3, clock=lambda: now[0])
    budget.begin_search(0)
    with budget.measure_time():
        now[0] += 20
        budget.check_request(0)
    now[0] += 1000
    budget.check_request(0)
    with budget.measure_time():
        now[0] += MAX_SECONDS - 20
        for _ in range(2):
            with pytest.raises(ExplorationEndedError):
                budget.check_request(0)
    assert session.record.notes == [budget.end_reason]
    assert "after 0 requests and 60 s, 2 of 3 searches left out: it may take 600 requests and 60 s" in budget.end_reason
    session.close()


def test_objects_that_are_still_there_count() -> None:
    """Their removal takes a request each, which the budget has to hold."""
    session = make_session(JETEMAIL, "http://127.0.0.1:9", None)
    budget = ExplorationBudget(session.record, 1)
    budget.check_request(MAX_REQUESTS - RESERVED_REQUESTS - 1)
    with pytest.raises(ExplorationEndedError):
        budget.check_request(MAX_REQUESTS - RESERVED_REQUESTS)
    session.close()


@pytest.mark.parametrize(("minutes", "requests"), [("", MAX_REQUESTS), ("5", float("inf"))])
def test_minutes_replace_the_budget(tmp_path: Path, minutes: str, requests: float) -> None:
    """MINUTES= bounds the time alone: its minutes for the workflows of each protocol, and the usual seconds."""
    given = {"vendor": "jetemail", "out": str(tmp_path), "explore": "1", "minutes": minutes}
    suite = Suite(resolve_options(complete_settings(given), {"JETEMAIL_API_KEY": "a" * 20}))
    try:
        with suite.explore(suite.get_run("jetemail", "rest")) as depth:
            assert depth.budget is not None
            share, seconds = depth.budget.compute_shrink_limits()
            assert (share > MAX_REQUESTS) is (requests > MAX_REQUESTS)
            assert seconds <= (MAX_SECONDS + 60 * float(minutes or 0)) / 2
            assert seconds > 60 * float(minutes or 0) / 2
    finally:
        suite.finish("the test is over")


@pytest.mark.parametrize("seed", range(3))
def test_a_vendor_of_many_mutants_stays_within_the_budget(seed: int) -> None:
    """Seven mutants in one vendor, of other families and operations for each seed, cost no more than the budget."""
    with _play(JETEMAIL, ComposedMutation(choose_mutants(JETEMAIL, 7, seed))) as session:
        budget = ExplorationBudget(session.record, _count_searches(JETEMAIL), max_requests=150)
        _explore(session, budget)
    assert session.record.requests["explore"] <= 150
