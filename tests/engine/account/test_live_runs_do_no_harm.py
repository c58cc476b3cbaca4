"""Live runs do no harm to a strict fake vendor with foreign objects."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.exploring import exploration
from contract_watch.engine.exploring.depth import ExplorationDepth
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.report.record import Record
from tests.support.live_runs import is_run_name, make_options, run_suite
from tests.support.production.fake import FakeProduction
from tests.support.virtual_clock import VirtualClock

VENDORS = {slug: Contract(slug) for slug in ("jetemail", "smtp2go", "zitadel")}
EVERY = pytest.mark.parametrize("slug", VENDORS)


@EVERY
def test_a_run_touches_nobody_and_leaves_nothing(slug: str, tmp_path: Path) -> None:
    """Probes, client and exploration of a mutating run leave foreign objects alone.

    The account is full of them, some with names like the run's, and has its rate limit. The verdict is `none`, no
    object remains, and the limit is never exceeded.
    """
    clock = VirtualClock()
    with FakeProduction(VENDORS[slug], clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
        record = run_suite(
            make_options(production, tmp_path, exploration="1"), clock, ExplorationDepth(examples=15, workflows=4)
        )
        assert production.list_violations() == []
        assert production.list_run_objects() == []
        assert record.left_behind == []
        assert production.count_limit_hits() == 0
        assert (record.verdict.label, record.reason, record.findings) == ("none", None, [])
        assert all(entry["path"].startswith("/__") is False for entry in production.log)
        assert not list((tmp_path / "ledger").glob("ct*"))
        why = set(record.not_exercised.values())
        assert any("not the run's own" in words for words in why)


def test_what_sends_the_instance_s_mails_is_restored(tmp_path: Path) -> None:
    """With consent a run activates its own configurations and restores the one that was active before.

    On ZITADEL a foreign configuration is active. Only its active state ever changes, and the run exercises more clauses
    than without consent.
    """
    clock, consent = VirtualClock(), {"ZITADEL_LIVE_ACTIVATE": "1"}
    with FakeProduction(VENDORS["zitadel"], clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
        record = run_suite(make_options(production, tmp_path, environment=consent), clock)
        assert production.read_active_object()["now"] == production.read_active_object()["start"] is not None
        assert {touch["why"] for touch in production.list_violations()} <= {"changed", "foreign", "not-made"}
        named = [touch for touch in production.list_violations() if touch["why"] != "changed"]
        assert {(touch["operation"], touch["name"]) for touch in named} <= {
            ("activateSmtpConfig", production.read_active_object()["start"])
        }
        assert record.left_behind == []
        assert (record.verdict.label, record.findings) == ("none", [])
    with FakeProduction(VENDORS["zitadel"], clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
        without = run_suite(make_options(production, tmp_path), clock)
        assert production.list_violations() == []
    assert len(record.not_exercised) < len(without.not_exercised)
    assert any("ZITADEL_LIVE_ACTIVATE=1" in why for why in without.not_exercised.values())


@EVERY
def test_read_only_run_changes_nothing_at_all(slug: str, tmp_path: Path) -> None:
    """LIVE=read leaves an account unchanged.

    No mutating request carries a valid key, and the report gives a reason for each omission.
    """
    clock = VirtualClock()
    contract = VENDORS[slug]
    with FakeProduction(contract, clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
        record = run_suite(
            make_options(production, tmp_path, live="read", exploration="1"),
            clock,
            ExplorationDepth(examples=5, workflows=2),
        )
        changing = [e for e in production.log if e["operation"] is None or not contract.is_read_only(e["operation"])]
        assert all(entry["status"] not in range(200, 300) for entry in changing if entry["surface"] == "rest")
        assert production.list_violations() == []
        assert production.list_run_objects() == []
        assert (record.verdict.label, record.findings) == ("none", [])
        assert any("LIVE=mutate was not given" in why for why in record.not_exercised.values())


def test_neighbours_of_the_run_s_objects_are_let_alone(tmp_path: Path) -> None:
    """A name that differs from the run's by case, a character or white space belongs to somebody else.

    Somebody creates such neighbours of every object of the run; none of them is touched.
    """
    for slug in ("jetemail", "smtp2go"):
        clock = VirtualClock()
        with FakeProduction(VENDORS[slug], clock=clock, is_run_name=is_run_name, with_neighbours=True) as production:
            run_suite(make_options(production, tmp_path / slug), clock)
            assert production.list_violations() == []
            assert production.list_run_objects() == []


@contextmanager
def _run_into_limit(slug: str, seconds: int, directory: Path) -> Iterator[tuple[FakeProduction, Record, int]]:
    """Run the suite on an account that answers 429 in the middle, once; give the place of the 429 in the log.

    Nothing is sent before its ``seconds`` are over, on a virtual clock.
    """
    clock = VirtualClock()
    with FakeProduction(VENDORS[slug], clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
        production.inject_fault("delay", seconds=0, times=40)
        production.inject_fault("limited", retry_after=str(seconds))
        record = run_suite(make_options(production, directory), clock)
        log = production.log
        at = next(number for number, entry in enumerate(log) if entry["cut"] == "limited")
        assert log[at + 1]["time"] - log[at]["time"] >= seconds
        yield production, record, at


@pytest.mark.parametrize("slug", ["jetemail", "zitadel"])
def test_429_ends_the_run_and_cleaning_up_waits(slug: str, tmp_path: Path) -> None:
    """A run that gets a 429 stops at once and cleans up after Retry-After.

    The 429 comes in the middle, with 300 seconds on a virtual clock. The run is inconclusive, preserves its results,
    sends nothing meanwhile and leaves nothing.
    """
    with _run_into_limit(slug, 300, tmp_path) as (production, record, _):
        assert record.verdict.label == "inconclusive"
        assert "429" in str(record.reason)
        assert production.list_run_objects() == []
        assert record.left_behind == []
        assert len(record.not_exercised) < len(record.documented)


def test_a_short_429_is_waited_out_once_for_the_account(tmp_path: Path) -> None:
    """A 429 that asks for 20 seconds: nothing is sent meanwhile, the request is sent again, and the run is complete."""
    with _run_into_limit("jetemail", 20, tmp_path) as (production, record, at):
        log = production.log
        assert (log[at + 1]["operation"], log[at + 1]["status"]) != (log[at]["operation"], 429)
        assert (record.verdict.label, record.reason, record.left_behind) == ("none", None, [])
        assert [note for note in record.notes if "answered 429 and asked to wait" in note]
        assert production.list_run_objects() == []


@pytest.mark.parametrize("value", ["-5", "9999999999", "Fri, 31 Dec 12000 23:59:59 GMT", "soon", ""])
def test_no_retry_after_makes_a_run_wait_long(value: str, tmp_path: Path) -> None:
    """A run waits a quarter of an hour at most, whatever Retry-After asks for, and cleans up all the same."""
    clock = VirtualClock()
    with FakeProduction(VENDORS["jetemail"], clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
        production.inject_fault("limited", retry_after=value, probability=0.2, seed=3)
        began = clock.now()
        record = run_suite(make_options(production, tmp_path), clock)
        assert clock.now() - began <= 15 * 60 + 120
        assert record.verdict.label == ("none" if value == "-5" else "inconclusive"), "a time in the past is no wait"
        assert production.list_run_objects() == []


CUTS = ("closed", "reset", "cut", "bad-gateway", "unavailable", "portal", "lost")


@pytest.mark.parametrize("kind", CUTS)
def test_a_line_that_is_cut_for_good_is_no_drift(kind: str, tmp_path: Path) -> None:
    """An outage never counts as drift.

    From some moment every response is broken in one way. The run is inconclusive with a reason; the ledger has possible
    leftovers, and the next run deletes them.
    """
    clock = VirtualClock()
    for seed in (1,):
        with FakeProduction(
            VENDORS["jetemail"], clock=clock, is_run_name=is_run_name, with_neighbours=False, enforce_limit=False
        ) as production:
            production.inject_fault("delay", seconds=0, times=20 * seed + 7)
            production.inject_fault(kind, times=None, seconds=30)
            record = run_suite(make_options(production, tmp_path / f"{kind}{seed}"), clock)
            assert record.verdict.label == "inconclusive", record.findings
            assert record.reason
            assert record.findings == []
            production.clear_faults()
            again = run_suite(make_options(production, tmp_path / f"{kind}{seed}"), clock)
            assert production.list_run_objects() == [], again.notes
            assert again.verdict.label == "none", again.reason


@pytest.mark.parametrize("slug", ["jetemail", "zitadel"])
def test_a_line_that_is_cut_now_and_then_is_no_drift(slug: str, tmp_path: Path) -> None:
    """About every thirtieth response is broken, in all ways by turns; some requests have an effect but no response.

    The verdict is never breaking, and the next run leaves nothing.
    """
    clock = VirtualClock()
    with FakeProduction(
        VENDORS[slug], clock=clock, is_run_name=is_run_name, with_neighbours=False, enforce_limit=False
    ) as production:
        for seed, kind in enumerate(("reset", "lost", "bad-gateway", "unavailable", "portal", "cut")):
            production.inject_fault(kind, times=None, probability=0.006, seed=seed)
        record = run_suite(make_options(production, tmp_path), clock)
        assert record.verdict.label != "breaking", [finding.id for finding in record.findings]
        production.clear_faults()
        clock.wait(20 * 60)
        again = run_suite(make_options(production, tmp_path), clock)
        assert production.list_run_objects() == [], again.notes
        assert production.list_violations() == []


def test_a_name_drawn_deep_inside_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search may generate any value; requests that name a foreign object are skipped silently.

    Every generated creation has a foreign name in an undocumented property. None is sent, and no defect of the suite is
    reported.
    """
    owned, foreign = exploration._replace_all_names, "smtp-user1"  # noqa: SLF001 (where drawn data gets its names)

    def deep(session: Session, runner: Runner, operation: str, made: dict[str, Any]) -> dict[str, Any]:
        own = owned(session, runner, operation, made)
        creates = operation == session.contract.lifecycle.create
        return {**own, "tags": [{"username": foreign}]} if creates else own

    monkeypatch.setattr(exploration, "_replace_all_names", deep)
    clock = VirtualClock()
    with FakeProduction(VENDORS["jetemail"], clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
        record = run_suite(
            make_options(production, tmp_path, exploration="1"),
            clock,
            ExplorationDepth(examples=5, workflows=2),
            with_probes=False,
        )
        assert (record.reason, record.verdict.label) == (None, "none")
        assert record.requests["explore"]
        assert all("tags" not in str(entry["body"]) for entry in production.log)
