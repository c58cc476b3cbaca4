"""Random years: never two open issues, never an open one after two clean nights, and few comments."""

import random
from dataclasses import replace
from typing import Any

import pytest

from contract_watch.nights.tracker.decisions import IssueDecision, Step, TrackedIssue, decide
from contract_watch.nights.tracker.marker import format_marker, parse_marker
from contract_watch.nights.tracker.vendor_night import VendorNight, read_vendor_nights
from contract_watch.nights.vendor_states import list_states
from tests.support.issues_api import Keeper
from tests.support.night_documents import add_days, build_cause, build_night, build_vendor
from tests.support.sampling import effort

_VERDICTS = {"drift": "breaking", "clean": "none", "unknown": "inconclusive"}


def _draw_year(seed: int, days: int) -> list[dict[str, Any]]:
    """Return nights whose state tends to stay as it is; now and then a night is missing or comes twice."""
    draw = random.Random(seed)
    state, names = "clean", {"status"}
    past: list[tuple[str, str]] = []
    nights: list[dict[str, Any]] = []
    for day in range(days):
        if draw.random() < draw.choice((0.05, 0.3)):
            state = draw.choice(("drift", "clean", "unknown"))
        if draw.random() < 0.1:
            names = set(draw.sample(["status", "header", "body", "rule"], draw.randint(1, 3)))
        if draw.random() < 0.05:
            continue
        causes = [build_cause(name) for name in sorted(names)] if state == "drift" else []
        vendor = build_vendor(state, causes, before=past[-89:])
        nights += [build_night(vendor, day=day)] * (1 if draw.random() < 0.95 else 2)
        past.append((add_days("2026-01-01", day), _VERDICTS[state]))
    return nights


class _Tracker:
    """A tracker of one vendor in memory; it stores markers as text, as a real one does."""

    def __init__(self) -> None:
        self.issues: list[TrackedIssue] = []
        self.comments: list[tuple[str, str]] = []

    def apply(self, night: VendorNight) -> IssueDecision:
        opened = [one for one in self.issues if one.is_open]
        issue = opened[0] if opened else self.issues[-1] if self.issues else None
        decision = decide(night, issue)
        if decision.comment is not None and decision.comment.key not in [key for _, key in self.comments]:
            self.comments.append((night.night, decision.comment.key))
        marker = decision.marker and parse_marker(format_marker(decision.marker))
        assert marker == decision.marker
        if decision.step is Step.CREATE and marker:
            self.issues.append(TrackedIssue(len(self.issues) + 1, is_open=True, closed_on="", marker=marker))
        elif marker and issue:
            is_open = decision.step in (Step.UPDATE, Step.REOPEN)
            closed_on = "" if is_open else issue.closed_on or night.night
            self.issues[issue.number - 1] = replace(issue, marker=marker, is_open=is_open, closed_on=closed_on)
        return decision


@pytest.mark.parametrize("seed", range(effort(10, 500)))
def test_a_random_year_keeps_the_promises(seed: int) -> None:
    """After each night the tracker is as the last nights say."""
    tracker = _Tracker()
    conclusive: list[tuple[str, str]] = []
    for content in _draw_year(seed, 365):
        (night,) = read_vendor_nights(content)
        before = list(tracker.issues)
        tracker.apply(night)
        opened = [one for one in tracker.issues if one.is_open]
        assert len(opened) <= 1
        if night.state == "unknown":
            assert tracker.issues == before
        elif not conclusive or conclusive[-1][0] != night.night:
            conclusive.append((night.night, night.state))
        if night.state == "drift":
            assert len(opened) == 1
        if [state for _, state in conclusive[-2:]] == ["clean", "clean"]:
            assert opened == []
        assert list_states(content["vendors"][0], night.night)[-1] == (night.night, night.state)
    dates = [date for date, _ in tracker.comments]
    assert len(dates) == len(set(dates)), "two comments in one night"
    assert len(dates) <= 120
    reopened = [one for one in tracker.issues if one.marker.is_flaky]
    assert len(tracker.issues) + len(reopened) >= 1


def test_a_random_season_over_http_ends_as_in_memory(keeper: Keeper) -> None:
    """The real client and the decisions agree, with late repetitions of old runs in between."""
    tracker, draw, nights = _Tracker(), random.Random(7), _draw_year(7, effort(60, 365))
    for position, content in enumerate(nights):
        keeper.keep(content)
        tracker.apply(read_vendor_nights(content)[0])
        if keeper.api.issues and draw.random() < 0.2:
            late = draw.choice(nights[: position + 1])
            if late["vendors"][0]["state"] != "unknown":
                keeper.keep(late)
        assert len(keeper.api.list_open()) <= 1
    assert {number: one["state"] == "open" for number, one in keeper.api.issues.items()} == {
        one.number: one.is_open for one in tracker.issues
    }
    assert sum(map(len, keeper.api.comments.values())) == len(tracker.comments)
    assert tracker.issues
