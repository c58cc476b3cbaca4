"""Runs that come late or at once agree on one issue and on the newest state."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from contract_watch.nights.tracker.marker import parse_marker
from tests.support.issues_api import Keeper
from tests.support.loopback_server import ReceivedRequest
from tests.support.night_documents import build_cause, build_night, build_vendor
from tests.support.patience import PATIENCE

DRIFT = build_vendor("drift", [build_cause()])
OTHER = build_vendor("drift", [build_cause("header")])


@pytest.mark.parametrize(("number", "attempt"), [(4, 9), (5, 1)])
def test_a_late_run_overwrites_nothing(keeper: Keeper, number: int, attempt: int) -> None:
    """Run 5, attempt 2, was there: neither a lower number nor a lower attempt changes anything."""
    keeper.keep(build_night(DRIFT, number=5, attempt=2))
    sent = len(keeper.server.requests)
    (line,) = keeper.keep(build_night(OTHER, number=number, attempt=attempt))
    assert line.startswith(f"Acme: #1: run {number}, attempt {attempt} is older than run 5, attempt 2")
    assert keeper.list_writes(sent) == []


def test_a_late_run_does_not_reopen_a_closed_issue(keeper: Keeper) -> None:
    """The clean nights after the end are recorded too."""
    for day, vendor in enumerate((DRIFT, *[build_vendor("clean")] * 3)):
        keeper.keep(build_night(vendor, day=day, number=day * 2))
    keeper.keep(build_night(DRIFT, day=3, number=5))
    assert keeper.api.list_open() == []


def test_nights_outside_of_ci_are_ordered_by_their_end(keeper: Keeper) -> None:
    """Without a run's number the later night wins."""
    keeper.keep(build_night(DRIFT, day=1, number=0, attempt=0))
    keeper.keep(build_night(OTHER, day=0, number=0, attempt=0))
    assert "POST /users fails: status" in keeper.api.issues[1]["body"]
    assert keeper.keep(build_night(OTHER, day=2, number=0, attempt=0)) == ["Acme: updated #1"]


class _Meeting:
    """Holds each run's first request of a kind until the other run has sent its own."""

    def __init__(self, method: str) -> None:
        self._method = method
        self._barrier = threading.Barrier(2)
        self._left = 2
        self._lock = threading.Lock()

    def __call__(self, request: ReceivedRequest) -> None:
        is_meant = request.method == self._method and request.path.partition("?")[0].endswith("/issues")
        with self._lock:
            waits = is_meant and self._left > 0
            self._left -= waits
        if waits:
            self._barrier.wait(PATIENCE)


@pytest.mark.parametrize("numbers", [(1, 2), (2, 1), (3, 3)])
def test_two_runs_at_once_open_one_issue(keeper: Keeper, numbers: tuple[int, int]) -> None:
    """Both see no issue and both create one: the lowest stays, with the state of the newer run."""
    keeper.api.before = _Meeting("POST")
    nights = [build_night(vendor, number=number) for vendor, number in zip((DRIFT, OTHER), numbers, strict=True)]
    if numbers[0] == numbers[1]:
        nights[1] = nights[0]
    with ThreadPoolExecutor(2) as pool:
        lines = [line for found in pool.map(keeper.keep, nights) for line in found]
    assert keeper.api.list_open() == [1], lines
    assert len(keeper.api.issues) == 2  # they did meet
    assert keeper.api.issues[2]["body"].startswith("Duplicate of #1.")
    assert "#1 stays" in keeper.api.comments[2][0]["body"]
    marker = parse_marker(keeper.api.issues[1]["body"])
    assert marker is not None
    assert marker.run.number == max(numbers)
    keeper.api.before = lambda _: None
    for day, vendor in enumerate((DRIFT, build_vendor("clean"), build_vendor("clean"), DRIFT), 1):
        keeper.keep(build_night(vendor, day=day, number=9 + day))
        assert keeper.api.list_open() == ([] if day == 3 else [1])


def test_a_duplicate_that_a_killed_run_left_is_closed(keeper: Keeper) -> None:
    """Two open issues never survive the next night."""
    keeper.keep(build_night(DRIFT))
    keeper.api.add_issue(keeper.api.issues[1]["body"], keeper.api.login, ("contract-drift",))
    keeper.keep(build_night(DRIFT, day=1))
    assert keeper.api.list_open() == [1]


def test_a_newer_run_that_writes_meanwhile_wins(keeper: Keeper) -> None:
    """The issue is read again right before it is written."""
    keeper.keep(build_night(DRIFT, number=1))
    newest = keeper.api.issues[1]["body"].replace('"run":[1,', '"run":[9,')

    def overtake(request: ReceivedRequest) -> None:
        if request.method == "POST":  # this run's comment, right before it writes
            keeper.api.issues[1]["body"] = newest

    keeper.api.before = overtake
    (line,) = keeper.keep(build_night(OTHER, number=2))
    assert "is older than run 9" in line
    assert keeper.api.issues[1]["body"] == newest
