"""Issues are found by author, label and marker through the list, however many others there are."""

import dataclasses

import pytest

from contract_watch.errors import InconclusiveError
from contract_watch.nights.tracker.github_tracker import LABEL
from contract_watch.nights.tracker.marker import Marker, format_marker, parse_marker
from contract_watch.nights.tracker.vendor_night import RunStamp
from tests.support.issues_api import BOT, TOKEN, Keeper
from tests.support.loopback_server import ReceivedRequest
from tests.support.night_documents import build_cause, build_night, build_vendor

DRIFT = build_vendor("drift", [build_cause()])
MARKER = format_marker(Marker("acme", RunStamp(1, 1, ""), "2025-12-31"))


def test_the_issue_is_found_among_250_others(keeper: Keeper) -> None:
    """It is on the third page; pages are read once, and no issue costs a request of its own."""
    for number in range(250):
        keeper.api.add_issue(f"problem {number}", labels=(LABEL,), state=("open", "closed")[number % 2])
    keeper.keep(build_night(DRIFT))
    sent = len(keeper.server.requests)
    assert keeper.keep(build_night(DRIFT, day=1)) == ["Acme: updated #251"]
    paths = [one.path for one in keeper.server.requests[sent:] if one.method == "GET"]
    assert len([path for path in paths if "/issues?" in path]) == 3
    assert len(paths) == 5  # the issue is read before it is written
    assert not [one for one in keeper.server.requests if "search" in one.path]


@pytest.mark.parametrize(
    "other",
    [
        {"body": MARKER, "login": "somebody", "labels": (LABEL,)},
        {"body": MARKER, "login": BOT, "labels": ("bug",)},
        {"body": f"{MARKER}\nquoted above", "login": BOT, "labels": (LABEL,)},
        {"body": MARKER, "login": BOT, "labels": (LABEL,), "html_url": "https://github.test/owner/watch/pull/1"},
        {"body": MARKER.replace("acme", "zeta"), "login": BOT, "labels": (LABEL,)},
        {"body": MARKER, "login": BOT, "labels": (LABEL,), "user": None},
        {"body": None, "login": BOT, "labels": (LABEL,)},
    ],
    ids=["author", "label", "marker-elsewhere", "pull-request", "vendor", "ghost", "no-body"],
)
def test_look_alikes_are_left_alone(keeper: Keeper, other: dict[str, object]) -> None:
    """An issue that lacks one of the three is somebody else's: it is never written."""
    keeper.api.add_issue(**other)  # type: ignore[arg-type]
    before = dict(keeper.api.issues[1])
    keeper.keep(build_night(DRIFT))
    keeper.keep(build_night(DRIFT, day=1))
    assert keeper.api.issues[1] == before
    assert keeper.api.issues[2]["body"].startswith("**Drift")


def test_a_marker_of_a_later_version_is_not_touched(keeper: Keeper) -> None:
    """Its vendor is left alone with a line that says so; other vendors are kept."""
    keeper.api.add_issue(MARKER.replace("contract-watch-issue 1", "contract-watch-issue 2"), BOT, (LABEL,))
    with pytest.raises(InconclusiveError, match="later version of contract-watch keeps the issues of acme; update"):
        keeper.keep(build_night(DRIFT, build_vendor("drift", [build_cause()], slug="zeta")))
    assert keeper.api.list_open() == [1, 2]
    assert parse_marker(keeper.api.issues[2]["body"]).vendor == "zeta"  # type: ignore[union-attr]


def test_a_damaged_marker_is_repaired(keeper: Keeper) -> None:
    """The issue is still the vendor's: no second one is opened."""
    keeper.api.add_issue('text\n<!-- contract-watch-issue 1 acme {"run": 7} -->', BOT, (LABEL,))
    assert keeper.keep(build_night(DRIFT)) == ["Acme: updated #1"]
    marker = parse_marker(keeper.api.issues[1]["body"])
    assert marker is not None
    assert [one.title for one in marker.causes] == ["POST /users fails: status"]


def test_a_wrong_author_is_noticed_before_issues_pile_up(keeper: Keeper) -> None:
    """An issue that nobody would find again is closed at once, and the line names the login to set."""
    keeper.api.login = "my-app[bot]"
    with pytest.raises(InconclusiveError, match=r"the token writes as my-app\[bot\]; set TRACKER_AUTHOR=my-app"):
        keeper.keep(build_night(DRIFT))
    assert keeper.api.list_open() == []
    keeper.settings = dataclasses.replace(keeper.settings, author="my-app[bot]")
    keeper.keep(build_night(DRIFT, day=1))
    assert len(keeper.api.list_open()) == 1


def test_the_token_is_nowhere_but_in_its_header(keeper: Keeper) -> None:
    """Neither addresses nor bodies hold it."""
    keeper.keep(build_night(DRIFT))
    assert [one for one in keeper.server.requests if TOKEN in one.path or TOKEN.encode() in one.content] == []
    assert {one.headers["authorization"] for one in keeper.server.requests} == {f"token {TOKEN}"}
    assert TOKEN not in repr(keeper.settings)


def test_an_issue_that_a_person_takes_over_is_not_written(keeper: Keeper) -> None:
    """A label that is removed while a run is at work leaves the issue as it is."""
    keeper.keep(build_night(DRIFT))
    before = keeper.api.issues[1]["body"]

    def take_over(request: ReceivedRequest) -> None:
        if request.path.endswith("/issues/1"):
            keeper.api.issues[1]["labels"] = []

    keeper.api.before = take_over
    assert keeper.keep(build_night(DRIFT, day=1)) == ["Acme: opened #2"]
    assert keeper.api.issues[1]["body"] == before
