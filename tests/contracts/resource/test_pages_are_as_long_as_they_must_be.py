"""Pages of a list with a total: lengths, rows on other pages, and empty pages."""

from typing import Any

import pytest

from contract_watch.contracts.config import ListConfig
from contract_watch.contracts.matchers import Constant, ExpectedRow, ListMatcher, ObjectMatcher, collect_clauses
from contract_watch.contracts.resource.pages import PageMatcher, Paging
from contract_watch.contracts.resource.row_stream import RowStream

CONFIG = ListConfig(
    "list", "/rows", "/name", offset="/query/offset", limit="/query/limit", total="/count/all", longest=50
)
CLAUSES = {name: name for name in ("limit", "offset", "next", "complete")}


def _match(query: dict[str, Any], names: str = "abc", *, is_omitted: bool = False) -> PageMatcher:
    rows = {name: ExpectedRow(ObjectMatcher({"name": Constant(name)}), f"row/{name}") for name in names}
    paging = Paging(CONFIG)
    page = paging.read_page({"query": query})
    return PageMatcher(
        {"rows": Constant([])} if not is_omitted else {}, rows=ListMatcher("name", rows), rendered_rows=RowStream([], vars), path=("rows",),
        page=page, paging=paging, seen=None, clauses=CLAUSES, is_omitted=is_omitted,
    )  # fmt: skip


# The query, the shown rows, the total; the kind and clause of each mismatch.
CASES: list[tuple[dict[str, Any], str, str | None, list[tuple[str, str | None]]]] = [
    ({"limit": 10}, "abc", None, []),
    ({"limit": 10}, "ab", None, [("row-missing", "row/c")]),
    ({"limit": 10}, "ab", "4", [("row-missing", "row/c")]),
    ({"limit": 10}, "abc", "4", [("too-few", "complete")]),
    ({"limit": 2}, "ab", None, []),
    ({"limit": 1}, "ab", None, [("too-many", "limit")]),
    ({"limit": 60}, "ab", None, []),
    ({}, "", None, [("too-few", "complete")]),
    ({}, "a", "3", []),
    ({"offset": "1", "limit": 10}, "bc", "3", []),
    ({"offset": "1", "limit": 10}, "abc", "3", [("too-many", "offset")]),
    ({"offset": "1", "limit": 10}, "c", "2", [("row-missing", "row/a"), ("row-missing", "row/b")]),
    ({"offset": "1"}, "b", "2", [("row-missing", "row/a"), ("row-missing", "row/c")]),
    ({"offset": "18446744073709551615"}, "", "3", []),
]


@pytest.mark.parametrize(("query", "shown", "total", "expected"), CASES)
def test_length_of_a_page(query: dict[str, Any], shown: str, total: str | None, expected: list[Any]) -> None:
    """A length is a mismatch only if no order and no foreign rows explain it; a limit above `longest` may be cut."""
    body = {"rows": [{"name": name} for name in shown], "count": {"all": total} if total else {}}
    matcher = _match(query)
    found = list(PageMatcher(**{**vars(matcher), "required": {}}).find_mismatches(body))
    assert [(one.kind, one.clause) for one in found] == expected


def test_total_counts_every_object() -> None:
    """A total below the objects that exist is wrong, whatever the page shows."""
    body = {"rows": [{"name": "a"}, {"name": "b"}], "count": {"all": "2"}}
    found = list(PageMatcher(**{**vars(_match({"limit": 2})), "required": {}}).find_mismatches(body))
    assert found[0].path == ("count", "all")


def test_empty_page_may_have_no_array() -> None:
    """An absent array is an empty page if the schema has no empty one, and the mock omits it."""
    matcher = _match({"offset": "9"}, is_omitted=True)
    assert matcher.render() == {}
    assert list(matcher.find_mismatches({"count": {}})) == []
    assert [one.kind for one in _match({}, is_omitted=True).find_mismatches({})] == ["too-few"]


@pytest.mark.parametrize(
    ("query", "kept"), [({"limit": 50}, True), ({"limit": 3}, False), ({}, False), ({"limit": 51}, False)]
)
def test_only_a_whole_page_satisfies_clauses_of_rows(query: dict[str, Any], kept: bool) -> None:
    """A page that may lack rows shows no promise kept."""
    assert ("row/a" in set(collect_clauses(_match(query)))) is kept
