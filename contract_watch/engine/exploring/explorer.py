"""One process's share of a long exploration: rounds, each in a session of its own."""

import math
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from contract_watch.cli import Interruption
from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.exploring.depth import ExplorationDepth, list_modes
from contract_watch.engine.exploring.example_database import FailSafeDatabase
from contract_watch.engine.exploring.exploration import explore_requests, explore_workflows
from contract_watch.engine.exploring.pytest_case import PytestCase
from contract_watch.engine.protocols.targets import join_base_path
from contract_watch.engine.running.cleanup import clean_up
from contract_watch.engine.running.findings import select_steps
from contract_watch.engine.running.preflight import run_preflight
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.report.finding import Finding
from contract_watch.report.record import Record

EXAMPLES, WORKFLOWS, STEPS = 25, 10, 20
"""Of each search of a turn: deeper than those of a run, and still many searches a minute."""


class Explorer:
    """An explorer of one contract on one target. It reports each finding once."""

    def __init__(
        self,
        contract: Contract,
        target: str,
        keys: Mapping[str, str],
        database: FailSafeDatabase,
        interruption: Interruption,
        *,
        repeats: bool,
    ) -> None:
        self._contract, self._keys, self._interruption = contract, keys, interruption
        self._stack = ExitStack()
        base = self._stack.enter_context(run_in_thread(build_mock([contract]))) if target == "mock" else target
        self._base = join_base_path(contract, base)
        self._database = database
        self._depth = ExplorationDepth(
            EXAMPLES,
            WORKFLOWS,
            STEPS,
            database,
            repeats,
            max_shrink_requests=math.inf,
            raise_if_interrupted=interruption.raise_if_requested,
        )
        self._searches = [*list_modes(contract), ("", "lives")]
        self._known_findings: list[Finding] = []
        self._stop_reason = ""

    def close(self) -> None:
        """Close connections."""
        self._stack.close()

    def run_round(self, number: int, deadline: float, seed: int) -> dict[str, Any]:
        """Search until the time ``until``: at least one search, the ``number``-th kind first. What it found, as JSON."""
        if self._stop_reason:
            return self._format_result(0, 0, [], {}, self._stop_reason)
        self._interruption.raise_if_requested()
        now = datetime.now(UTC)
        record = Record(self._contract.slug, self._contract.name, self._contract.digest, self._base, seed, now)
        session = Session(
            self._contract, self._base, self._keys, NameGenerator(now.date(), suffix=self._contract.name_suffix), record
        )
        runner = Runner(session, self._known_findings)
        try:
            run_preflight(session, runner)
            done = self._run_searches(session, runner, number, deadline, seed)
            new = record.findings[len(self._known_findings) :]
            cases = [case for finding in new if (case := self._create_case(session, runner, finding)) is not None]
            reason = session.stop_reason or record.reason or ""
        finally:  # an interruption too leaves nothing behind
            if session.target.created_objects:
                clean_up(session, runner)
            session.close()
        self._known_findings += new
        self._stop_reason = session.stop_reason or ""
        sent = sum(record.requests.values())
        written = {case.file_name: case.render() for case in cases}
        text = session.redactor.redact_string
        left = [text(name) for name in record.left_behind]
        return self._format_result(done, sent, [finding.to_json() for finding in new], written, text(reason), left)

    def _run_searches(self, session: Session, runner: Runner, number: int, deadline: float, seed: int) -> int:
        """Search until the time is over or there is a finding, which is then reported at once. Return how many searches ran."""
        depth = replace(self._depth, until=time.monotonic() + deadline - time.time())
        for step in count():
            found = len(session.record.findings) > len(self._known_findings)
            if session.stop_reason is not None or found or (step and time.time() >= deadline):
                return step
            operation, mode = self._searches[(number + step) % len(self._searches)]
            if mode == "lives":
                explore_workflows(session, runner, seed + step, depth)
            else:
                explore_requests(session, runner, operation, mode, seed + step, depth)
        raise AssertionError  # not reached: the count has no end

    def _create_case(self, session: Session, runner: Runner, finding: Finding) -> PytestCase | None:
        shown = runner.confirmation.evidence.get(finding.id)
        if shown is None:
            return None
        found, exchange = shown
        return PytestCase(
            session,
            finding,
            select_steps(session, found, exchange),
        )

    def _format_result(
        self,
        searches: int,
        requests: int,
        findings: list[dict[str, Any]],
        cases: dict[str, str],
        reason: str,
        left_behind: list[str] | None = None,
    ) -> dict[str, Any]:
        return {"contract": self._contract.slug, "searches": searches, "requests": requests, "findings": findings,
                "cases": cases, "reason": reason, "left_behind": left_behind or [], "database": self._database.failure}  # fmt: skip
