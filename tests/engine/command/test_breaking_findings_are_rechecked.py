"""On a real account a breaking finding is asked for three times more, over 15 minutes, before the verdict says it."""

import datetime as dt
import random
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.engine.command.options import RECHECK_MINUTES, RunOptions, complete_settings, resolve_options
from contract_watch.engine.command.recheck import ROUNDS, RoundResult, mark_pending, recheck_findings
from contract_watch.engine.command.recheck_round import run_recheck_round
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.planning.probe import FAMILIES
from contract_watch.engine.protocols.connector import NetworkConnector
from contract_watch.report.finding import Finding, RecheckCount, Severity
from contract_watch.report.record import Record, SuiteCheck
from contract_watch.report.summary import describe_flaky
from contract_watch.report.verdict import Verdict
from tests.support.live_runs import is_run_name, make_options
from tests.support.production.activity_log import PopulatedVendor
from tests.support.production.fake import FakeProduction
from tests.support.rate_limits.limiter_processes import wait_until
from tests.support.suite_process import check_target, start_check
from tests.support.virtual_clock import VirtualClock

JETEMAIL = Contract("jetemail")
MISSING = "updateSmtpUser/200/body/message/missing"


class Drift:
    """A vendor whose updates lack their message while ``is_on``."""

    is_on = False


@pytest.fixture(name="drift")
def _drift(monkeypatch: pytest.MonkeyPatch) -> Drift:
    drift, honest = Drift(), PopulatedVendor.handle_request

    def spoilt(self: PopulatedVendor, operation: Operation, *more: Any) -> tuple[int, Any]:
        status, body = honest(self, operation, *more)
        if drift.is_on and (operation.method, status) == ("PATCH", 200):
            body = {key: value for key, value in body.items() if key != "message"}
        return status, body

    monkeypatch.setattr(PopulatedVendor, "handle_request", spoilt)
    return drift


@contextmanager
def start_production(clock: VirtualClock) -> Iterator[FakeProduction]:
    """Start a fake vendor, and check at the end that nobody was harmed and nothing is left."""
    with FakeProduction(JETEMAIL, clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
        yield production
        assert production.list_violations() == []
        assert production.list_run_objects() == []
        assert production.count_limit_hits() == 0


def run_first(options: RunOptions, clock: VirtualClock) -> tuple[Suite, Record]:
    """Run the probes about updates, as a whole run would."""
    suite = Suite(replace(options, only="updateSmtpUser/response/200"), clock=clock)
    [(slug, protocol)] = suite.plans
    run = suite.get_run(slug, protocol)
    for probe in sorted(suite.plans[slug, protocol], key=lambda probe: FAMILIES.index(probe.family)):
        run.runner.run_probe(probe)
        suite.trim_objects(slug, protocol)
    (record,) = suite.finish()
    return suite, record


def recheck(
    production: FakeProduction, directory: Path, clock: VirtualClock, drift: Drift, rounds: Sequence[bool]
) -> Record:
    """Run with the drift on, then recheck; the drift is on in the rounds that ``rounds`` says."""
    options = make_options(production, directory)
    drift.is_on = True
    suite, record = run_first(options, clock)
    assert MISSING in {one.id for one in record.findings}
    state = iter(rounds)
    drift.is_on = next(state)

    def run_round(ids: Any) -> dict[str, RoundResult]:
        return run_recheck_round(options, NetworkConnector(), clock, lambda _line: None, ids)

    def wait(seconds: float) -> None:
        clock.wait(seconds)
        drift.is_on = next(state)

    recheck_findings([record], suite.find_checks, run_round, wait, RECHECK_MINUTES, lambda _line: None)
    return record


def test_a_drift_that_stays_is_confirmed_over_15_minutes_with_new_names(tmp_path: Path, drift: Drift) -> None:
    clock = VirtualClock()
    with start_production(clock) as production:
        began = clock.now()
        record = recheck(production, tmp_path, clock, drift, [True] * 3)
        assert clock.now() - began >= 15 * 60
        names = [
            entry["body"].get("username", "") for entry in production.log if entry["method"] == "POST" and entry["body"]
        ]
    prefixes = {name.rsplit("-", 1)[0] for name in names if name.startswith("ct-")}
    assert len(prefixes) >= 1 + ROUNDS
    assert record.verdict is Verdict.BREAKING
    assert {one.rechecks for one in record.findings} == {RecheckCount(3, 3)}
    assert record.reason is None


@pytest.mark.parametrize(("rounds", "seen"), [((False,) * 3, 0), ((True, False, True), 2)])
def test_what_some_rounds_do_not_show_is_flaky(tmp_path: Path, drift: Drift, rounds: Sequence[bool], seen: int) -> None:
    clock = VirtualClock()
    with start_production(clock) as production:
        record = recheck(production, tmp_path, clock, drift, rounds)
    assert record.verdict is Verdict.NONE
    (finding,) = [one for one in record.findings if one.id == MISSING]
    assert (finding.flapping, finding.rechecks) == (True, RecheckCount(seen, 3))
    assert describe_flaky([finding]) == f"flaky: seen in {seen} of 3 rechecks"


def make_finding(name: str, severity: Severity = Severity.BREAKING) -> Finding:
    """Return a finding with an id and a severity."""
    exchange: dict[str, Any] = {"request": {}, "response": None}
    return Finding(name, severity, "GET /a", "rest", 200, name, "why", name, "promise", exchange, "curl x")


def make_record(*findings: Finding) -> Record:
    """Return a run with ``findings``."""
    record = Record("anchor", "Anchor", "sha256:0", "http://127.0.0.1", 0, dt.datetime(2026, 11, 29, tzinfo=dt.UTC))
    record.findings = list(findings)
    return record


def settle(record: Record, *rounds: RoundResult) -> list[float]:
    """Recheck ``record`` with the results ``rounds``, which are one after the other; return the waits."""
    waits: list[float] = []
    given = iter(rounds)
    recheck_findings(
        [record], lambda *_: ["p"], lambda _ids: {"anchor": next(given)}, waits.append, 15, lambda _line: None
    )
    return waits


SEEN, CLEAN, DOWN = (RoundResult(frozenset({("rest", "a")}), None), RoundResult(frozenset(), None),
                     RoundResult(frozenset(), "the target is out of reach"))  # fmt: skip


def test_a_round_that_could_not_tell_is_repeated() -> None:
    record = make_record(make_finding("a"))
    assert settle(record, SEEN, DOWN, SEEN, SEEN) == [450, 450, 450]
    assert (record.verdict, record.findings[0].rechecks) == (Verdict.BREAKING, RecheckCount(3, 3))


def test_what_a_few_checks_do_not_show_is_asked_for_with_all_that_led_to_it() -> None:
    """A finding may need what an earlier check did to an object: then its own check alone never shows it again."""
    record = make_record(make_finding("a"))
    record.suite_checks = [SuiteCheck(name, "probes", name) for name in ("first", "left out", "shows", "later")]
    record.suite_checks[1].skip_reason = "left out"
    record.suite_checks[2].finding_ids = ["a"]
    asked: list[Sequence[str]] = []

    def run_round(ids: Mapping[str, Sequence[str]]) -> dict[str, RoundResult]:
        asked.append(ids["anchor"])
        return {"anchor": SEEN if "first" in ids["anchor"] else CLEAN}

    recheck_findings([record], lambda *_: ["shows"], run_round, lambda _seconds: None, 15, lambda _line: None)
    assert asked == [["shows"], ["first", "shows"]] * ROUNDS
    assert (record.verdict, record.findings[0].rechecks) == (Verdict.BREAKING, RecheckCount(3, 3))


def test_a_wider_part_that_could_not_tell_does_not_count() -> None:
    record = make_record(make_finding("a"))
    record.suite_checks = [SuiteCheck(name, "probes", name) for name in ("first", "shows")]
    record.suite_checks[1].finding_ids = ["a"]
    results = {1: CLEAN, 2: DOWN}
    recheck_findings([record], lambda *_: ["shows"], lambda ids: {"anchor": results[len(ids["anchor"])]},
                     lambda _seconds: None, 15, lambda _line: None)  # fmt: skip
    assert (record.verdict, record.findings[0].rechecks) == (Verdict.INCONCLUSIVE, RecheckCount(0, 0))


def test_an_outage_after_a_finding_is_inconclusive() -> None:
    record = make_record(make_finding("a"))
    settle(record, SEEN, DOWN, DOWN, DOWN, DOWN)
    assert record.verdict is Verdict.INCONCLUSIVE
    assert record.reason == "1 breaking finding could not be asked for 3 times more: the target is out of reach"
    assert record.findings[0].rechecks == RecheckCount(1, 1)


def test_an_interruption_between_rounds_is_inconclusive() -> None:
    record = make_record(make_finding("a"))

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    recheck_findings([record], lambda *_: ["p"], lambda _ids: {"anchor": SEEN}, interrupt, 15, lambda _line: None)
    assert (record.verdict, "the run was interrupted" in (record.reason or "")) == (Verdict.INCONCLUSIVE, True)


def test_findings_that_break_nobody_are_not_rechecked() -> None:
    record = make_record(make_finding("a", Severity.ADDITIVE), replace(make_finding("b"), flapping=True))
    assert settle(record) == []
    assert [one.rechecks for one in record.findings] == [None, None]


def test_a_report_that_a_killed_process_leaves_claims_no_drift() -> None:
    record = make_record(make_finding("a"))
    pending = mark_pending(record, lambda *_: ["p"])
    assert pending.verdict is Verdict.INCONCLUSIVE
    assert record.verdict is Verdict.BREAKING, "the run itself is unchanged"


def test_rechecks_belong_to_vendors_servers_unless_asked_for(tmp_path: Path) -> None:
    raw = complete_settings({"vendor": "jetemail", "out": str(tmp_path)})
    keys = {"JETEMAIL_API_KEY": "api_x" * 5, "LEDGER": str(tmp_path / "ledger")}
    assert resolve_options({**raw, "target": "mock"}, keys).recheck_minutes == 0
    assert resolve_options({**raw, "target": "live"}, keys).recheck_minutes == 15
    assert resolve_options({**raw, "target": "live", "recheck_minutes": "0"}, keys).recheck_minutes == 0
    assert resolve_options({**raw, "target": "mock", "recheck_minutes": "2.5"}, keys).recheck_minutes == 2.5


def count_false_alarms(years: int, asked: int, flakiness: float, seed: int) -> float:
    """Return the false alarms of one vendor and year: 60 checks a night, each wrong by chance in one of its attempts.

    ``asked`` is 2 for a verdict after two attempts in a row, 1 + `ROUNDS` for one after the rechecks. The rechecks run
    through the real code.
    """
    dice, alarms = random.Random(seed), 0
    for _ in range(years):
        wrong = sum(dice.random() < flakiness for _ in range(60 * 365))
        for _ in range(wrong):
            if asked == 2:
                alarms += dice.random() < flakiness
                continue
            record = make_record(make_finding("a"))
            settle(record, *(SEEN if dice.random() < flakiness else CLEAN for _ in range(ROUNDS)))
            alarms += record.verdict is Verdict.BREAKING
    return alarms / years


def test_chance_gives_less_than_one_false_alarm_in_ten_years() -> None:
    """Simulate flaky vendors: two of two attempts give about 5 false alarms a year, the rechecks at most 0.07.

    The expected numbers are 60 × 365 × 0.015² = 4.9 and 60 × 365 × 0.015⁴ = 0.001.
    """
    assert 4.3 < count_false_alarms(60, 2, 0.015, seed=1) < 5.6
    assert count_false_alarms(30, 1 + ROUNDS, 0.015, seed=2) <= 0.07


def test_a_drift_that_always_shows_is_never_lost_to_rechecks() -> None:
    record = make_record(make_finding("a"))
    settle(record, SEEN, SEEN, SEEN)
    assert record.verdict is Verdict.BREAKING


def test_the_command_rechecks_and_reports_the_count(tmp_path: Path, drift: Drift) -> None:
    drift.is_on = True
    with FakeProduction(JETEMAIL, is_run_name=is_run_name, with_neighbours=False) as production:
        result = check_target(
            tmp_path, production.base, "--live", "mutate", "--only", MISSING, "--recheck-minutes", "15",
            environment={"LEDGER": str(tmp_path / "ledger")},
        )  # fmt: skip
        assert production.list_run_objects() == []
    assert result.status == 1
    assert result.findings[MISSING]["rechecks"] == {"seen": 3, "of": 3}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_process_that_ends_between_rechecks_claims_no_drift(
    tmp_path: Path, drift: Drift, number: signal.Signals
) -> None:
    drift.is_on = True
    environment = {"LEDGER": str(tmp_path / "ledger")}
    arguments = ("--live", "mutate", "--only", MISSING, "--recheck-minutes", "600")
    with FakeProduction(JETEMAIL, is_run_name=is_run_name, with_neighbours=False) as production:
        run = start_check(tmp_path, production.base, *arguments, environment=environment, skip_waits=False)
        errors = tmp_path / "stderr"
        wait_until(lambda: errors.exists() and "next recheck in 300.0 minutes" in errors.read_text(encoding="utf-8"))
        run.send_signal(number)
        result = run.wait_for_exit()
        assert production.list_run_objects() == [], "each round cleans up before the next one waits"
    assert result.report["verdict"] == "inconclusive"
    assert "could not be asked for 3 times more" in result.report["reason"]
    assert result.status == (2 if number is signal.SIGINT else -signal.SIGKILL)
