"""A list matcher tells rows that are missing, repeated, left over or not yet named from foreign ones."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_watch.contracts.matchers import Constant, ExpectedRow, ForClause, ListMatcher, ObjectMatcher, is_match
from tests.support.json_strategies import NAMES, make_row_matcher


def _make_list_matcher(
    *known: str, unnamed: tuple[Callable[[str], bool] | None, ...] = (), absent: dict[str, str] | None = None
) -> ListMatcher:
    """Rows ``known`` by name with the value 1, others under names that the conditions take."""
    value = ("value", ForClause("set", Constant(1)))
    return ListMatcher(
        "name",
        {name: ExpectedRow(make_row_matcher(name, value), f"made/{name}") for name in known},
        [ExpectedRow(ObjectMatcher({"value": Constant(2)}), "made/new", accepts) for accepts in unnamed],
        (absent or {}).get,
    )


def _list_mismatches(matcher: ListMatcher, value: Any) -> list[tuple[Any, ...]]:
    return [(m.path, m.kind, m.clause, m.object_name) for m in matcher.find_mismatches(value, ("rows",))]


A, B = {"name": "a", "value": 1}, {"name": "b", "value": 1}
FOREIGN = {"name": "z", "value": 9}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ([A, B], []),
        ([FOREIGN, B, A, FOREIGN], []),
        ([A], [(("rows",), "row-missing", "made/b", "b")]),
        ([A, B, A], [(("rows", 2), "repeated", "made/a", "a")]),
        ([{"name": "a", "value": 2}, B], [(("rows", 0, "value"), "value", "set", "a")]),
        ([{"name": "a"}, B], [(("rows", 0, "value"), "missing", "set", "a")]),
        ([A, {"name": "gone"}, B], [(("rows", 1, "name"), "unexpected", "removed", "gone")]),
        ([A, {"name": 3}, None, B, "b"], []),
        ({"a": A}, [(("rows",), "type", None, None)]),
        (None, [(("rows",), "type", None, None)]),
    ],
)
def test_list_matcher_tells_what_is_wrong_with_which_row(value: Any, found: list[tuple[Any, ...]]) -> None:
    """Each mismatch names its row and its clause. Foreign rows, and values that are no rows, are ignored."""
    assert _list_mismatches(_make_list_matcher("a", "b", absent={"gone": "removed"}), value) == found


@given(st.sets(NAMES), st.sets(NAMES), st.randoms())
def test_list_matcher_takes_any_order_and_foreign_rows(known: set[str], foreign: set[str], random: Any) -> None:
    """No order is promised, and an account may hold foreign rows.

    If one known row is removed, only that one is missing.
    """
    listing = _make_list_matcher(*known)
    rows = [*listing.render(), *({"name": name} for name in foreign - known)]
    random.shuffle(rows)
    assert is_match(listing, rows)
    for name in known:
        rest = [response for response in rows if response["name"] != name]
        assert _list_mismatches(listing, rest) == [(("rows",), "row-missing", f"made/{name}", name)]


def test_unnamed_row_is_found_under_a_name_it_accepts() -> None:
    """The suite learns a name that the server chose: the row's condition finds it.

    The row is then matched like any other, and is missing if no name fits.
    """
    listing = _make_list_matcher("a", unnamed=(lambda name: name.startswith("n"),))
    assert listing.resolve_keys([A, FOREIGN, {"name": "new"}]) == ["new"]
    assert _list_mismatches(listing, [A, FOREIGN, {"name": "new", "value": 2}]) == []
    assert _list_mismatches(listing, [A, {"name": "new", "value": 3}]) == [(("rows", 1, "value"), "value", None, "new")]
    assert _list_mismatches(listing, [A, FOREIGN]) == [(("rows",), "row-missing", "made/new", None)]


def test_known_row_is_never_taken_for_an_unnamed_one() -> None:
    """One row stands for one object.

    If two unnamed rows compete for one free name, one of them is missing. A value that is no array resolves nothing.
    """
    listing = _make_list_matcher("a", unnamed=(None, None))
    assert listing.resolve_keys([A, {"name": "x"}]) == ["x", None]
    assert listing.resolve_keys({"name": "x"}) == [None, None]


def test_unnamed_rows_share_names_as_well_as_can_be() -> None:
    """A row is missing only if no assignment finds it: the row that accepts x or y leaves x to the other."""
    listing = _make_list_matcher(unnamed=(lambda name: name in "xy", lambda name: name == "x"))
    assert listing.resolve_keys([{"name": "x"}, {"name": "y"}]) == ["y", "x"]
