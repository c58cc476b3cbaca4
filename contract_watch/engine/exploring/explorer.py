"""One process's share of a long exploration: turn after turn, each in a session of its own."""

import math
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.object_names import Names
from contract_watch.engine.exploring.example_database import Lenient
from contract_watch.engine.exploring.exploration import Depth, explore_lives, explore_requests, modes
from contract_watch.engine.exploring.pytest_case import Case
from contract_watch.engine.judging.reproduction import steps
from contract_watch.engine.protocols.targets import below
from contract_watch.engine.running.cleanup import clean_up, preflight
from contract_watch.engine.running.interruption import Interruption
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.report.finding import Finding
from contract_watch.report.record import Record

EXAMPLES, LIVES, STEPS = 25, 10, 20
"""Of each search of a turn: deeper than those of a run, and still many searches a minute."""


class Explorer:
    """Explores one contract on one target; what was found before is not told again."""

    def __init__(
        self,
        contract: Contract,
        target: str,
        keys: Mapping[str, str],
        database: Lenient,
        told: Interruption,
        *,
        repeats: bool,
    ) -> None:
        self._contract, self._keys, self._told = contract, keys, told
        self._stack = ExitStack()
        base = self._stack.enter_context(run_in_thread(build_mock([contract]))) if target == "mock" else target
        self._base = below(contract, base)
        self._database = database
        self._depth = Depth(EXAMPLES, LIVES, STEPS, database, repeats, shrinks=math.inf, heed=told.heed)
        self._searches = [*modes(contract), ("", "lives")]
        self._known: list[Finding] = []
        self._reason = ""

    def close(self) -> None:
        """Give up what was held."""
        self._stack.close()

    def turn(self, number: int, until: float, seed: int) -> dict[str, Any]:
        """Search until the time ``until``: at least one search, the ``number``-th kind first. What it found, as JSON."""
        if self._reason:
            return self._result(0, 0, [], {}, self._reason)
        self._told.heed()
        now = datetime.now(UTC)
        record = Record(self._contract.slug, self._contract.name, self._contract.digest, self._base, seed, now)
        session = Session(self._contract, self._base, self._keys, Names(now.date()), record)
        runner = Runner(session, self._known)
        try:
            preflight(session, runner)
            done = self._search(session, runner, number, until, seed)
            new = record.findings[len(self._known) :]
            cases = [case for finding in new if (case := self._case(session, runner, finding)) is not None]
            reason = session.stopped or record.reason or ""
        finally:  # an interruption too leaves nothing behind
            if session.made:
                clean_up(session, runner)
            session.close()
        self._known += new
        self._reason = session.stopped or ""
        sent = sum(record.requests.values())
        written = {case.file: case.text() for case in cases}
        text = session.redactor.redact_string
        left = [text(name) for name in record.left_behind]
        return self._result(done, sent, [finding.as_json() for finding in new], written, text(reason), left)

    def _search(self, session: Session, runner: Runner, number: int, until: float, seed: int) -> int:
        """Search after search until the time is over; how many there were."""
        depth = replace(self._depth, until=time.monotonic() + until - time.time())
        for step in count():
            if session.stopped is not None or (step and time.time() >= until):
                return step
            operation, mode = self._searches[(number + step) % len(self._searches)]
            if mode == "lives":
                explore_lives(session, runner, seed + step, depth)
            else:
                explore_requests(session, runner, operation, mode, seed + step, depth)
        raise AssertionError  # not reached: the count has no end

    def _case(self, session: Session, runner: Runner, finding: Finding) -> Case | None:
        shown = runner.shown.get(finding.id)
        if shown is None:
            return None
        found, exchange = shown
        return Case(session, finding, steps(session.mutations, exchange, found.about, self._contract.lifecycle))

    def _result(
        self,
        searches: int,
        requests: int,
        findings: list[dict[str, Any]],
        cases: dict[str, str],
        reason: str,
        left: list[str] | None = None,
    ) -> dict[str, Any]:
        return {"contract": self._contract.slug, "searches": searches, "requests": requests, "findings": findings,
                "cases": cases, "reason": reason, "left_behind": left or [], "database": self._database.failed}  # fmt: skip
