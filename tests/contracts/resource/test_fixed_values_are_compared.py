"""Values that never move are compared as exactly as they are written, and changes must show only where they surely do."""

import pytest

from contract_watch.contracts.matchers import is_match
from contract_watch.contracts.resource.fixed_values import has_moved, is_fixed_name, match_change, match_fixed, remember
from contract_watch.contracts.resource.matchers import match_anything
from contract_watch.contracts.resource.state import Item

FIXED = frozenset({"created_at", "owner"})
ANYTHING = match_anything(None)


@pytest.mark.parametrize(
    "name", ["created_date", "creationDate", "createdAt", "createdBy", "resourceOwner", "owner", "creator"]
)
def test_names_of_creation_and_owner_are_fixed(name: str) -> None:
    """The name says that the value stays."""
    assert is_fixed_name(name)


@pytest.mark.parametrize(
    "name", ["last_modified", "changeDate", "usage", "owner_note", "is_created", "status", "id", ""]
)
def test_other_names_promise_nothing(name: str) -> None:
    """No document says that such a value stays."""
    assert not is_fixed_name(name)


@pytest.mark.parametrize(("old", "new", "form", "moved"), [
    ("1763712000001", "1763712000004", "milliseconds", True),
    ("1763712000001", "1763712000001", "milliseconds", False),
    (1763712000, 1763712002, "seconds", True),
    ("2026-11-30T17:00:00.123Z", "2026-11-30T17:00:00.126Z", "", True),
    ("2026-11-30T17:00:00.123456Z", "2026-11-30T17:00:00.123Z", "", False),
    ("2026-11-30T17:00:00.7Z", "2026-11-30T17:00:01Z", "", False),
    ("2026-11-30T17:00:00Z", "2026-11-30T18:00:00+01:00", "", False),
    ("317512345678900001", "317512345678900002", None, True),
    (5, 6, None, True),
    ("yesterday", "today", "", True),
])  # fmt: skip
def test_times_differ_by_more_than_their_unit(old: object, new: object, form: str | None, moved: bool) -> None:
    """A vendor may round a time when it stores it, and write it in another zone; other values are compared as they are."""
    assert has_moved(old, new, form) is moved


def test_first_response_promises_nothing() -> None:
    """A value that no response has shown may be anything; one that was shown has to come again."""
    item = Item("paid", "a", "a", {})
    assert is_match(match_fixed(item, "owner", None, (), ANYTHING), "one")
    seen = remember(item, {"owner": "one", "usage": 1}, FIXED, "", 5.0)
    matcher = match_fixed(seen, "owner", None, ("update", "activate"), ANYTHING)
    assert is_match(matcher, "one")
    [mismatch] = matcher.find_mismatches("two", ("owner",))
    assert mismatch.candidates == ("update/effect/untouched", "activate/effect/untouched")
    assert is_match(match_fixed(seen, "usage", None, (), ANYTHING), 2)


@pytest.mark.parametrize(("effect", "shown", "fine"), [
    (("update", 110.0), 1763712000, False),
    (("update", 110.0), 1763712001, True),
    (("update", 102.5), 1763712000, True),
    (None, 1763712000, True),
])  # fmt: skip
def test_last_change_moves_only_after_its_unit(effect: tuple[str, float] | None, shown: int, fine: bool) -> None:
    """A change within the second in which the time was first shown, or within a slow request, need not show."""
    item = remember(Item("paid", "a", "a", {}, last_effect=effect), {"changed": 1763712000}, FIXED, "changed", 100.0)
    assert is_match(match_change(item, "changed", "seconds", ANYTHING), shown) is fine


def test_time_counts_from_its_first_response() -> None:
    """A time that stays the same was set before the first response with it, whatever came after."""
    item = remember(Item("paid", "a", "a", {}), {"changed": 5}, FIXED, "changed", 100.0)
    again = remember(item, {"changed": 5}, FIXED, "changed", 200.0)
    assert [one.at for one in again.seen] == [100.0]
    assert [one.at for one in remember(item, {"changed": 6}, FIXED, "changed", 200.0).seen] == [200.0]
