"""The timeline tells since when each cause is there, when it was last absent, and what is gone."""

import datetime as dt
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_watch.history.entry import FLAKY, STEADY, WAIVED, CauseEntry, RunEntry
from contract_watch.history.timeline import STRIP_NIGHTS, select_until, trace_runs
from contract_watch.report.past import CauseAge, Past

FIRST = dt.date(2026, 11, 1)


def make_cause(name: str, kind: str = STEADY, *, severity: str = "breaking", findings: str = "") -> CauseEntry:
    """Return a cause with one clause and the findings ``findings``, separated by spaces; its own name by default."""
    return CauseEntry(name, severity, f"title of {name}", kind, tuple(findings.split() or [name]), (f"clause-{name}",))


def make_run(number: int, *causes: CauseEntry, is_conclusive: bool = True, left_out: tuple[str, ...] = ()) -> RunEntry:
    """Return the run of the night ``number`` (counted from 1 November) with ``causes``."""
    night = (FIRST + dt.timedelta(days=number - 1)).isoformat()
    verdict = "inconclusive" if not is_conclusive else "breaking" if causes else "none"
    return RunEntry(
        f"key-{number}",
        "anchor",
        "live",
        "",
        night,
        f"{night}T02:17:00Z",
        1.0,
        verdict,
        is_conclusive,
        "",
        9,
        causes,
        left_out,
    )


def trace(*runs: RunEntry) -> Past:
    """Return the past of the last of ``runs``."""
    return trace_runs(runs)


def test_the_first_run_has_nothing_to_compare_with() -> None:
    past = trace(make_run(1, make_cause("a")))
    assert past.summary == "first run on record: nothing to compare with"
    assert past.ages["a"] == CauseAge("new", "2026-11-01", "2026-11-01", None, 1)


def test_the_summary_counts_new_open_and_gone_causes() -> None:
    old, older, gone = make_cause("b"), make_cause("c"), make_cause("d")
    past = trace(make_run(1, older, gone), make_run(2, older, old, gone), make_run(3, older, old, make_cause("a")))
    assert past.summary == "new since 2026-11-02: 1 breaking; open since 2026-11-01: 2; gone: 1"
    assert [one.id for one in past.gone] == ["d"]
    assert past.ages["b"] == CauseAge("open", "2026-11-02", "2026-11-03", "2026-11-01", 2)


def test_a_night_without_change_says_so() -> None:
    assert trace(make_run(1), make_run(2)).summary == "nothing new since 2026-11-01"
    assert trace(make_run(1, make_cause("a")), make_run(2, make_cause("a"))).summary == "open since 2026-11-01: 1"


def test_severities_are_counted_apart_the_worst_first() -> None:
    past = trace(
        make_run(1),
        make_run(2, make_cause("a", severity="additive"), make_cause("b"), make_cause("c", severity="warning")),
    )
    assert past.summary == "new since 2026-11-01: 1 breaking, 1 warning, 1 additive"


def test_an_outage_closes_nothing() -> None:
    past = trace(make_run(1, make_cause("a")), make_run(2, is_conclusive=False))
    assert past.gone == ()
    assert past.summary == "not checked again: 1, open since 2026-11-01; last complete run: 2026-11-01"
    after = trace(make_run(1, make_cause("a")), make_run(2, is_conclusive=False), make_run(3, make_cause("a")))
    assert after.ages["a"] == CauseAge("open", "2026-11-01", "2026-11-03", None, 2)


def test_a_run_that_left_the_clause_out_closes_nothing() -> None:
    past = trace(make_run(1, make_cause("a")), make_run(2, left_out=("clause-a",)), make_run(3))
    assert [one.id for one in past.gone] == ["a"]
    assert trace(make_run(1, make_cause("a")), make_run(2, left_out=("clause-a",))).gone == ()


def test_last_clean_is_the_last_night_that_checked_the_cause() -> None:
    runs = [
        make_run(1),
        make_run(2, left_out=("clause-a",)),
        make_run(3, is_conclusive=False),
        make_run(4, make_cause("a")),
    ]
    assert trace(*runs).ages["a"].last_clean == "2026-11-01"


def test_a_cause_that_comes_back_is_told_from_a_new_one() -> None:
    past = trace(make_run(1, make_cause("a")), make_run(2), make_run(3, make_cause("a")))
    assert past.ages["a"] == CauseAge("again", "2026-11-03", "2026-11-03", "2026-11-02", 1)
    assert past.summary == "new since 2026-11-02: 1 breaking"


def test_a_cause_is_recognised_by_a_finding_that_both_nights_have() -> None:
    past = trace(make_run(1, make_cause("wide", findings="f1 f2 f3")), make_run(2, make_cause("f2", findings="f2")))
    assert past.ages["f2"].first_seen == "2026-11-01"
    assert past.gone == ()


def test_both_halves_of_a_cause_that_splits_keep_its_age() -> None:
    past = trace(
        make_run(1),
        make_run(2, make_cause("wide", findings="f1 f2")),
        make_run(3, make_cause("f1", findings="f1"), make_cause("f2", findings="f2")),
    )
    assert {name: (age.state, age.first_seen) for name, age in past.ages.items()} == {
        "f1": ("open", "2026-11-02"), "f2": ("open", "2026-11-02"),
    }  # fmt: skip


def test_causes_that_become_one_keep_the_older_age() -> None:
    past = trace(
        make_run(1, make_cause("f1")),
        make_run(2, make_cause("f1"), make_cause("f2")),
        make_run(3, make_cause("wide", findings="f1 f2")),
    )
    assert (past.ages["wide"].first_seen, past.gone) == ("2026-11-01", ())


def test_a_flaky_finding_opens_and_closes_nothing() -> None:
    past = trace(make_run(1), make_run(2, make_cause("a", FLAKY)))
    assert (past.ages, past.summary) == ({}, "flaky: 1")
    assert trace(make_run(1, make_cause("a")), make_run(2, make_cause("a", FLAKY))).gone == ()


def test_a_waived_cause_is_not_gone() -> None:
    assert trace(make_run(1, make_cause("a")), make_run(2, make_cause("a", WAIVED))).gone == ()


def test_the_strip_holds_the_last_run_of_each_of_the_last_nights() -> None:
    past = trace(*(make_run(number) for number in range(1, 200)), make_run(199, make_cause("a")))
    assert len(past.strip) == STRIP_NIGHTS
    assert (past.strip[0].night, past.strip[-1].verdict) == ("2027-02-18", "breaking")


def test_the_trend_compares_with_the_median_of_the_nights_before() -> None:
    flaky = make_run(2, make_cause("a", FLAKY))
    past = trace(make_run(1), flaky, make_run(3, is_conclusive=False), make_run(4))
    assert past.trend == "9 requests in 1.0 s; median of 2 nights before: 9 in 1.0 s; 1 of them had flaky findings"
    assert trace(make_run(1)).trend == ""


_NIGHTS = st.lists(
    st.tuples(st.booleans(), st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd"))),
    min_size=1,
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(_NIGHTS)
def test_every_cause_of_the_last_night_has_an_age_that_the_nights_support(
    nights: list[tuple[bool, set[str], set[str]]],
) -> None:
    runs = [
        make_run(
            number, *map(make_cause, sorted(found)), is_conclusive=told, left_out=tuple(f"clause-{one}" for one in left)
        )
        for number, (told, found, left) in enumerate(nights, 1)
    ]
    past = trace(*runs)
    assert set(past.ages) == nights[-1][1]
    for name, age in past.ages.items():
        since = [run for run in runs if run.night >= age.first_seen]
        assert any(cause.id == name for cause in since[0].causes)
        assert age.nights == sum(any(cause.id == name for cause in run.causes) for run in since)
        for run in since:
            is_clean = run.is_conclusive and f"clause-{name}" not in run.not_exercised
            assert not is_clean or any(cause.id == name for cause in run.causes), (
                "a clean night in between would have closed it"
            )


def narrow(run: RunEntry, **details: object) -> RunEntry:
    """Return a run that was asked for less, as ``details`` say."""
    return replace(run, details=details)


READ, MUTATE = {"live": {"mode": "read"}}, {"live": {"mode": "mutate"}}


@pytest.mark.parametrize(
    ("wide", "less"),
    [
        pytest.param({}, {"partial": True}, id="ONLY= or SHARD="),
        pytest.param(MUTATE, READ, id="LIVE=read"),
        pytest.param({"surface": ["rest", "grpc"]}, {"surface": ["rest"]}, id="SURFACE="),
    ],
)
def test_a_run_that_was_asked_for_less_closes_nothing(wide: dict[str, object], less: dict[str, object]) -> None:
    seen, passed = narrow(make_run(1, make_cause("a")), **wide), narrow(make_run(2), **less)
    past = trace(seen, passed)
    assert (past.gone, past.summary) == ((), "not checked again: 1, open since 2026-11-01")
    again = trace(seen, passed, narrow(make_run(3, make_cause("a")), **wide))
    assert again.ages["a"] == CauseAge("open", "2026-11-01", "2026-11-03", None, 2)
    assert [one.id for one in trace(seen, passed, narrow(make_run(3), **wide)).gone] == ["a"]


def test_a_run_that_was_asked_for_less_is_no_clean_night() -> None:
    runs = [narrow(make_run(1), **MUTATE), narrow(make_run(2), **READ), narrow(make_run(3), partial=True)]
    past = trace(*runs, narrow(make_run(4, make_cause("a")), **MUTATE))
    assert past.ages["a"].last_clean == "2026-11-01"
    assert past.summary == "new since 2026-11-02: 1 breaking"
    assert trace(*runs, narrow(make_run(4, make_cause("a")), **READ)).ages["a"].last_clean == "2026-11-02"


def test_a_part_of_a_run_does_not_stand_for_its_night() -> None:
    whole, part = make_run(1, make_cause("a")), narrow(make_run(1), partial=True)
    assert [one.verdict for one in trace(whole, part).strip] == ["breaking"]
    assert [one.verdict for one in trace(part, whole).strip] == ["breaking"]
    assert [one.verdict for one in trace(part).strip] == ["none"]
    assert trace(make_run(1), narrow(make_run(2), partial=True)).trend == ""


def test_a_waiver_that_expires_leaves_the_age_of_its_cause() -> None:
    waived = make_cause("a", WAIVED)
    past = trace(make_run(1, make_cause("a")), make_run(2, waived), make_run(3, waived), make_run(4, make_cause("a")))
    assert past.ages["a"] == CauseAge("open", "2026-11-01", "2026-11-04", None, 2)
    assert trace(make_run(1, make_cause("a")), make_run(2, waived)).summary == "nothing new since 2026-11-01"


def test_a_run_of_a_wrong_clock_is_not_taken_for_the_last() -> None:
    future, now = make_run(300), make_run(2, make_cause("a"))
    stream = [make_run(1), now, future]
    assert select_until(stream, now) == stream[:2]
    assert select_until([make_run(1)], now) == stream[:2]


def test_time_is_linear_in_causes() -> None:
    """A document with thousands of changes stays so for a year of nights: comparing each with each took hours."""
    causes = [make_cause(f"c{number}") for number in range(3000)]
    began = time.process_time()
    past = trace(*(make_run(number, *causes) for number in range(1, 11)))
    assert past.summary == "open since 2026-11-01: 3000"
    assert time.process_time() - began < 20, "it takes about half a second"
