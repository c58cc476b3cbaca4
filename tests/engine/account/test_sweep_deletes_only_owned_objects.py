"""The sweep deletes only objects that meet every condition: with any one broken, it leaves the object."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_watch.engine.account.inventory import ListedObject, parse_time
from contract_watch.engine.account.ledger import LedgerEntry, LedgerState
from contract_watch.engine.account.object_names import (
    NameGenerator,
    build_name_variants,
    compute_check_character,
    parse_name,
)
from contract_watch.engine.account.sweep import KnownRuns, find_candidates

DAY = dt.date(2026, 11, 20)
NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC).timestamp()
HOUR = 3600.0
RIPE = 12 * HOUR
# Names of our choice: the collected tests are the same in every process.
DEAD, LOST, ALIVE = (
    NameGenerator(DAY, head + compute_check_character(f"{DAY:%y%m%d}{head}")) for head in ("deadr", "lostr", "alive")
)
LEFT, OTHER, OLD, BESIDE = DEAD.create_name(), DEAD.create_name(), LOST.create_name(), ALIVE.create_name()
KNOWN = KnownRuns(
    {DEAD.run_id: [LedgerEntry(DEAD.run_id, LEFT, "", "paid", LedgerState.CREATED, NOW)]}, frozenset({ALIVE.run_id})
)


def make_row(name: str, *, hours: float | None = 0.1, identity: str = "") -> ListedObject:
    """Create a listed object of some hours of age."""
    return ListedObject("paid", name, identity or name, None if hours is None else NOW - hours * HOUR, {})


def would_delete(one: ListedObject, known: KnownRuns = KNOWN, first: Mapping[str, float] = {}) -> bool:
    """Return True if a sweep would delete the object."""
    return [found.listed for found in find_candidates([one], known, first, NOW, RIPE)] == [one]


def test_what_a_dead_run_s_ledger_names_is_due() -> None:
    """The object is deleted at any age."""
    assert would_delete(make_row(LEFT))
    assert would_delete(make_row(LEFT, hours=None))


def test_what_is_of_the_full_form_and_old_enough_is_due() -> None:
    """The run's ledger is lost, so its object is deleted only after twice the longest duration of a run."""
    assert would_delete(make_row(OLD, hours=12.1))
    assert not would_delete(make_row(OLD, hours=11.9))


def test_where_a_vendor_tells_no_age_it_counts_since_we_first_saw_it() -> None:
    """An object that is seen for the first time is not deleted."""
    assert not would_delete(make_row(OLD, hours=None))
    assert not would_delete(make_row(OLD, hours=None), first={OLD: NOW - 11.9 * HOUR})
    assert would_delete(make_row(OLD, hours=None), first={OLD: NOW - 12.1 * HOUR})


@pytest.mark.parametrize("name", [
    OLD.upper(), OLD.capitalize(), f" {OLD}", f"{OLD} ", f"{OLD}\n", f"x{OLD}", OLD[:-1], OLD[:-2], OLD.replace("-n", "-m"),
    OLD.replace(f"-{LOST.run_id}-", f"{LOST.run_id}-"), OLD.replace("ct-", "ct_"), OLD.replace("ct-26", "ct-36", 1),
    f"ct-261120-{LOST.run_id[:-1]}{'a' if LOST.run_id[-1] != 'a' else 'b'}-1-n", "ct-991399-000000-1-n", "smtp-user1",
    "existing-user", "", OLD.replace("ct-", "сt-"), f"{OLD}_1", *[s for k, s in build_name_variants(OLD).items() if k != "more"],
], ids=ascii)  # fmt: skip
def test_a_look_alike_is_somebody_else_s(name: str) -> None:
    """A name that differs from the form by case, a character or white space is foreign at any age."""
    assert not would_delete(make_row(name, hours=1000))


def test_every_sign_of_the_day_and_of_the_run_counts() -> None:
    """One changed character of the date or run id, or two swapped ones, invalidate the check character."""
    stamp = len("ct-261120-")
    for place in [*range(3, 9), *range(stamp, stamp + 6)]:
        for sign in "0123456789abcdefghijklmnopqrstuvwxyz":
            if sign != OLD[place]:
                assert not would_delete(make_row(OLD[:place] + sign + OLD[place + 1 :], hours=1000))
        swapped = [*OLD]
        if place + 1 not in (9, stamp + 6):
            swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
            assert "".join(swapped) == OLD or not would_delete(make_row("".join(swapped), hours=1000))


def test_a_dead_run_s_form_alone_is_not_its_ledger() -> None:
    """A killed run's ledger exists and lacks the name, so the run did not create the object. It stays at any age."""
    for name in (OTHER, f"{LEFT}-more", LEFT.upper(), f"{LEFT} "):
        assert not would_delete(make_row(name))
        assert not would_delete(make_row(name, hours=1000))


def test_a_run_that_goes_on_beside_is_left_alone() -> None:
    """Objects of a run that is still active stay at any age."""
    assert not would_delete(make_row(BESIDE))
    assert not would_delete(make_row(BESIDE, hours=1000))


def test_what_was_made_on_a_day_to_come_is_not_ours() -> None:
    """The name has tomorrow's date, and the object claims to be old."""
    assert not would_delete(make_row(NameGenerator(dt.date(2026, 11, 22)).create_name(), hours=1000))


def test_what_a_vendor_makes_of_a_name_is_known_again() -> None:
    """A vendor may sanitize a respelled name from a killed run's ledger into a plain one.

    Both spellings are deleted; a plain name in the ledger matches only itself.
    """
    for spelled in build_name_variants(LEFT).values():
        known = KnownRuns(
            {DEAD.run_id: [LedgerEntry(DEAD.run_id, spelled, "", "paid", LedgerState.UNKNOWN, NOW)]}, frozenset()
        )
        assert would_delete(make_row(spelled), known)
        if not spelled.endswith("-more"):
            assert would_delete(make_row(LEFT), known)
    assert not would_delete(make_row(LEFT.upper()))


def test_the_mark_tells_and_a_changed_one_does_not() -> None:
    """If the server assigns ids, the ledger has a name and an id.

    An object with that name is the run's, whatever its id. One with that id and another name has become somebody
    else's.
    """
    entry = LedgerEntry(DEAD.run_id, LEFT, "7", "admin", LedgerState.CREATED, NOW)
    known = KnownRuns({DEAD.run_id: [entry]}, frozenset())
    assert would_delete(make_row(LEFT, identity="7"), known)
    assert would_delete(make_row(LEFT, identity="8"), known)
    assert not would_delete(make_row("the main one", identity="7"), known)
    assert not would_delete(make_row(OTHER, identity="7"), known)


def test_nothing_is_older_than_its_name() -> None:
    """A vendor reports the year 1 or 1970 for an object whose name has today's date. The object stays."""
    today = NameGenerator(dt.date(2026, 11, 21), "todayr"[:5] + compute_check_character("261121today")).create_name()
    assert not would_delete(make_row(today, hours=10**6))
    assert parse_time("0001-01-01T00:00:00Z") is None
    assert parse_time(5) is None


@given(name=st.text(max_size=40) | st.from_regex(r"[cC][tT][-_ ][0-9]{6}-[a-z0-9]{6}-[a-z0-9]+-n", fullmatch=True))
@settings(deadline=None)
def test_no_text_at_all_breaks_the_parser(name: str) -> None:
    """Any string gives a stamp whose prefix starts the name in lower case, or None."""
    stamp = parse_name(name)
    assert stamp is None or name.lower().startswith(stamp.prefix)


@pytest.mark.parametrize(("value", "seconds"), [
    ("1767225600000", 1767225600.0), (1767225600, 1767225600.0), (1767225600.5, 1767225600.5), ("1767225600", 1767225600.0),
    ("2026-01-01T00:00:00Z", 1767225600.0), ("2026-01-01T01:00:00+01:00", 1767225600.0), ("2026-01-01T00:00:00", None),
    ("", None), (None, None), (True, None), (-5, None), (float("nan"), None), (float("inf"), None), ("1" * 400, None), (10**400, None),
    ("١٢", None), ({}, None), ("soon", None),
])  # fmt: skip
def test_times_are_read_as_vendors_tell_them(value: Any, seconds: float | None) -> None:
    """Seconds, milliseconds and RFC 3339 are parsed; nothing else counts as an age."""
    assert parse_time(value) == seconds
