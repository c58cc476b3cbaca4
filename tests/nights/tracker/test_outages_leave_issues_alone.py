"""A night that cannot tell changes no issue; three in a row are mentioned once."""

from tests.support.issues_api import Keeper
from tests.support.night_documents import add_days, build_axis, build_cause, build_night, build_vendor

DRIFT = build_vendor("drift", [build_cause()])


def _build_outage(day: int, first: int) -> dict[str, object]:
    """Return a night of an outage that began on the day ``first``, with the 90 nights before it."""
    before = [(add_days("2026-01-01", one), "inconclusive" if one >= first else "breaking") for one in range(day)][-89:]
    return build_night(build_vendor("unknown", before=before), day=day)


def test_thirty_nights_of_outage_leave_one_issue_and_one_comment(keeper: Keeper) -> None:
    """The issue's text and state are those of the last night that ended."""
    keeper.keep(build_night(DRIFT))
    before = dict(keeper.api.issues[1])
    for day in range(1, 31):
        keeper.keep(_build_outage(day, 1))
        assert len(keeper.api.comments[1]) == (day >= 3)
    assert keeper.api.issues == {1: before}
    assert keeper.api.comments[1][0]["body"].startswith("Nobody knows: 3 nights in a row")
    keeper.keep(build_night(DRIFT, day=31))
    assert keeper.api.list_open() == [1]
    assert len(keeper.api.comments[1]) == 2  # a week without news is over


def test_an_outage_opens_no_issue(keeper: Keeper) -> None:
    """Without drift before it, an outage writes nothing at all."""
    for day in range(30):
        keeper.keep(_build_outage(day, 0))
    assert keeper.list_writes() == []


def test_an_outage_beyond_the_strip_is_mentioned_once(keeper: Keeper) -> None:
    """A hundred nights are more than night.json knows."""
    keeper.keep(build_night(DRIFT))
    for day in range(1, 101, 3):
        keeper.keep(_build_outage(day, 1))
    assert len(keeper.api.comments[1]) == 1


def test_the_next_outage_is_mentioned_again(keeper: Keeper) -> None:
    """Once for each outage."""
    for day in range(12):
        is_drift = day in (0, 6)
        keeper.keep(build_night(DRIFT, day=day) if is_drift else _build_outage(day, 7 if day > 6 else 1))
    assert [one["body"][:12] for one in keeper.api.comments[1]] == ["Nobody knows", "Nobody knows"]


def test_nights_without_a_key_count_as_unknown(keeper: Keeper) -> None:
    """Nights on which only the mock was checked are nights."""
    keeper.keep(build_night(DRIFT))
    unchecked = {"live": build_axis(None), "document": build_axis(None)}
    for day in range(1, 6):
        strip = [
            {"night": add_days("2026-01-01", one), "verdict": "none", "seconds": 1, "requests": 1}
            for one in range(day + 1)
        ]
        axes = unchecked | {"mock": build_axis("none", strip=strip)}
        axes["live"] = build_axis(None, strip=[strip[0] | {"verdict": "breaking"}])
        keeper.keep(build_night(build_vendor("unknown", axes=axes), day=day))
    assert len(keeper.api.comments[1]) == 1


def test_an_outage_between_clean_nights_delays_the_end(keeper: Keeper) -> None:
    """It neither counts as clean nor starts the count anew."""
    keeper.keep(build_night(DRIFT))
    keeper.keep(build_night(build_vendor("clean"), day=1))
    keeper.keep(_build_outage(2, 2))
    assert keeper.api.list_open() == [1]
    keeper.keep(build_night(build_vendor("clean"), day=3))
    assert keeper.api.list_open() == []
