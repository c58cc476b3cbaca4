"""A vendor that drifts has one open issue, one that does not has none: over HTTP, night by night."""

import pytest

from contract_watch.nights.tracker.github_tracker import LABEL
from tests.support.issues_api import Keeper
from tests.support.night_documents import add_days, build_axis, build_cause, build_night, build_vendor

DRIFT, CLEAN = build_vendor("drift", [build_cause()]), build_vendor("clean")


def test_drift_opens_one_issue_and_keeps_it(keeper: Keeper) -> None:
    """The first night opens it, later ones write the same one, quietly while nothing changes."""
    assert keeper.keep(build_night(DRIFT)) == ["Acme: opened #1"]
    issue = keeper.api.issues[1]
    assert (issue["title"], issue["labels"]) == ("Acme: drift since 2026-01-01", [{"name": LABEL}])
    assert issue["body"].startswith("**Drift: 1 breaking.**")
    assert "POST /users fails: status" in issue["body"]
    assert keeper.keep(build_night(DRIFT, day=1)) == ["Acme: updated #1"]
    assert (keeper.api.list_open(), keeper.api.comments[1]) == ([1], [])


def test_a_clean_vendor_needs_no_issue(keeper: Keeper) -> None:
    """Nothing is written."""
    assert keeper.keep(build_night(CLEAN)) == ["Acme: nothing to do (clean)"]
    assert keeper.list_writes() == []


def test_the_same_night_twice_writes_once(keeper: Keeper) -> None:
    """A repetition of the command sends no write."""
    keeper.keep(build_night(DRIFT))
    sent = len(keeper.server.requests)
    assert keeper.keep(build_night(DRIFT)) == ["Acme: #1: this run is there already (drift)"]
    assert keeper.list_writes(sent) == []


def test_new_and_gone_causes_are_commented(keeper: Keeper) -> None:
    """A comment names the cause that is new and the one that is gone."""
    keeper.keep(build_night(DRIFT))
    keeper.keep(build_night(build_vendor("drift", [build_cause("header")]), day=1))
    (comment,) = keeper.api.comments[1]
    new, gone = comment["body"].split("Gone")
    assert "POST /users fails: header" in new
    assert "POST /users fails: status" in gone


def test_a_cause_that_flaps_is_commented_once(keeper: Keeper) -> None:
    """Its first return is silent, and so is all that follows within ten days."""
    both = build_vendor("drift", [build_cause(), build_cause("header")])
    for day in range(8):
        keeper.keep(build_night(DRIFT if day % 2 else both, day=day))
    assert len(keeper.api.comments[1]) == 1


def test_seven_days_without_a_comment_end_with_one(keeper: Keeper) -> None:
    """The issue says once a week that it is still open."""
    for day in range(15):
        keeper.keep(build_night(DRIFT, day=day))
    assert [one["body"].split(":")[0] for one in keeper.api.comments[1]] == ["Still open", "Still open"]


def test_two_clean_nights_close_the_issue(keeper: Keeper) -> None:
    """One is not enough, nor are two runs of one night."""
    keeper.keep(build_night(DRIFT))
    keeper.keep(build_night(CLEAN, day=1))
    assert "A second clean night closes this issue" in keeper.api.issues[1]["body"]
    keeper.keep(build_night(CLEAN, day=1, number=2, attempt=2))
    assert keeper.api.list_open() == [1]
    assert keeper.keep(build_night(CLEAN, day=2)) == ["Acme: closed #1"]
    assert (keeper.api.issues[1]["state"], keeper.api.issues[1]["state_reason"]) == ("closed", "completed")
    (comment,) = keeper.api.comments[1]
    assert comment["body"].startswith("Closed: two nights in a row found no drift.")


@pytest.mark.parametrize(("days", "is_same"), [(10, True), (11, False)])
def test_drift_within_ten_days_reopens_and_is_flaky(keeper: Keeper, days: int, is_same: bool) -> None:
    """Later drift opens another issue, which links the old one."""
    for day, vendor in enumerate((DRIFT, CLEAN, CLEAN)):
        keeper.keep(build_night(vendor, day=day))
    keeper.keep(build_night(DRIFT, day=2 + days))
    if is_same:
        assert keeper.api.list_open() == [1]
        assert keeper.api.issues[1]["title"].endswith(", flaky")
        assert keeper.api.comments[1][-1]["body"].startswith("Flaky: ")
    else:
        assert keeper.api.list_open() == [2]
        assert "Earlier drift of this vendor: #1." in keeper.api.issues[2]["body"]


def test_an_issue_closed_by_hand_is_reopened_while_the_drift_goes_on(keeper: Keeper) -> None:
    """It is not called flaky: the vendor never mended it."""
    keeper.keep(build_night(DRIFT))
    keeper.api.issues[1] |= {"state": "closed", "closed_at": "2026-01-01T09:00:00Z"}
    assert keeper.keep(build_night(DRIFT, day=1)) == ["Acme: reopened #1"]
    assert "flaky" not in keeper.api.issues[1]["title"]
    assert "waive it" in keeper.api.comments[1][-1]["body"]


def test_an_axis_that_was_not_checked_closes_nothing(keeper: Keeper) -> None:
    """Without a key the live drift may go on: a clean document is no clean night, and no cause is gone."""
    keeper.keep(build_night(DRIFT))
    for day in (1, 2, 3):
        keeper.keep(build_night(build_vendor("clean", axes={"live": build_axis(None)}), day=day))
    assert keeper.api.list_open() == [1]
    change = build_axis("breaking", [build_cause("property-removed")])
    keeper.keep(build_night(build_vendor("drift", axes={"live": build_axis(None), "document": change}), day=4))
    assert "Not checked this night, and open before" in keeper.api.issues[1]["body"]
    assert "Gone" not in keeper.api.comments[1][-1]["body"]


def test_each_vendor_has_its_own_issue(keeper: Keeper) -> None:
    """One night opens two issues, and the next one closes neither by the other's state."""
    other = build_vendor("drift", [build_cause()], slug="zeta")
    assert keeper.keep(build_night(DRIFT, other)) == ["Acme: opened #1", "Zeta: opened #2"]
    for day in (1, 2):
        keeper.keep(build_night(CLEAN, other, day=day))
    assert keeper.api.list_open() == [2]


def test_a_renamed_workflow_counts_anew(keeper: Keeper) -> None:
    """A month later a lower number is no late run."""
    keeper.keep(build_night(DRIFT, number=500))
    assert keeper.keep(build_night(DRIFT, day=2, number=1))[0].startswith("Acme: #1: run 1, attempt 1 is older")
    assert keeper.keep(build_night(DRIFT, day=31, number=2)) == ["Acme: updated #1"]
    assert add_days("2026-01-01", 31) in keeper.api.issues[1]["body"]
