"""The sequential test finds a field that became rarer within nights, and gives a false alarm once a year at most."""

import random

import pytest

from contract_watch.shapes.cusum import BOUND, Presence, follow_presence

FIELDS, YEARS, NIGHTS = 50, 400, 365


@pytest.mark.parametrize(("behind", "needed"), [(10, 6), (20, 5), (30, 4), (40, 4), (60, 3), (300, 2)])
def test_an_always_present_field_is_told_after_few_absent_nights(behind: int, needed: int) -> None:
    assert not follow_presence(behind, 0, [False] * (needed - 1)).is_alarm
    assert follow_presence(behind, 0, [False] * needed).is_alarm


def test_the_nights_of_an_excursion_do_not_change_what_is_usual() -> None:
    presence = follow_presence(30, 0, [False] * 3)
    assert (presence.nights, presence.absent, presence.excursion, presence.missed) == (30, 0, 3, 3)
    recovered = follow_presence(30, 0, [False, *[True] * 10])
    assert (recovered.nights, recovered.absent, recovered.total) == (41, 1, 0.0)


@pytest.mark.parametrize("absent", [15, 20, 30])
def test_a_field_that_was_absent_in_half_of_its_nights_never_gives_an_alarm(absent: int) -> None:
    assert follow_presence(30, absent, [False] * 1000).total == 0.0


def count_alarms(absence: float, behind: int, dice: random.Random) -> float:
    """Return the false alarms a year over 50 fields, each absent with a probability that does not change."""
    alarms = 0
    for _ in range(YEARS):
        presence = Presence(behind, round(behind * absence))
        for _ in range(NIGHTS):
            presence.add_night(present=dice.random() >= absence)
            if presence.is_alarm:
                alarms += 1
                presence = Presence(behind, round(behind * absence))
    return alarms / YEARS * FIELDS


@pytest.mark.parametrize("behind", [30, 60])
def test_400_simulated_years_give_at_most_one_false_alarm_a_year(behind: int) -> None:
    """Fields of seven kinds, 400 years each; an average of one alarm a year over 50 fields is 8 alarms of one kind."""
    assert pytest.approx(9.81, abs=0.01) == BOUND
    rates = [
        count_alarms(absence, behind, random.Random(f"{absence}")) for absence in (0, 0.005, 0.03, 0.1, 0.3, 0.45, 0.6)
    ]
    assert sum(rates) / len(rates) <= 1.0
    assert max(rates) <= 3.0, "the most of one kind: fields that are absent in 45 % of the nights"


def test_a_field_that_became_half_as_frequent_is_found_within_two_months() -> None:
    dice = random.Random(1)
    waits = []
    for _ in range(200):
        presence, nights = Presence(60, 2), 0
        while not presence.is_alarm and nights < 400:
            presence.add_night(present=dice.random() >= 0.5)
            nights += 1
        waits.append(nights)
    assert sorted(waits)[180] <= 60
