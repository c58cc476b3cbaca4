"""Pages of a list: limit, next page and end, whatever else the account holds."""

from typing import Any

import pytest

from contract_watch.contracts.config import LINK, ListConfig
from contract_watch.contracts.matchers import Constant, ExpectedRow, ListMatcher, ObjectMatcher
from contract_watch.contracts.resource.pages import PageMatcher, Paging, find_linked_start, find_next_start
from contract_watch.contracts.resource.row_stream import RowStream
from contract_watch.errors import UsageError

_CLAUSES = {name: f"listThings/effect/{name}" for name in ("limit", "next", "complete")}


def _match(
    config: dict[str, Any], arguments: dict[str, Any], own: list[str], body: Any, seen: frozenset[str] | None = None
) -> list[str]:
    """Return the kinds of the mismatches of ``body`` on an account with the objects ``own``."""
    paging = Paging(ListConfig("listThings", "/rows", "/id", id="/id", limit="query:limit", **config))
    rows = ListMatcher("id", {name: ExpectedRow(ObjectMatcher({"id": Constant(name)}), "made") for name in own})
    matcher = PageMatcher(
        {},
        rows=rows,
        rendered_rows=RowStream([], vars),
        path=("rows",),
        page=paging.read_page(arguments),
        paging=paging,
        seen=seen,
        clauses=_CLAUSES,
    )
    return [found.kind for found in matcher.find_mismatches(body)]


def _rows(*names: str, **more: Any) -> dict[str, Any]:
    return {"rows": [{"id": name} for name in names], **more}


_CURSOR = {"cursor": "query:after", "next": "/next"}


@pytest.mark.parametrize(
    ("arguments", "own", "body", "kinds"),
    [
        ({"query:limit": 2}, ["a", "b", "c"], _rows("a", "x", next="x"), []),  # others may come first
        ({"query:limit": 2}, ["a"], _rows("x", "y", "z", next="z"), ["too-many"]),
        ({"query:limit": 9}, ["a", "b", "c"], _rows("a", "b", next="b"), ["too-few"]),
        ({"query:limit": 9}, ["a", "b"], _rows("a", next=None), ["row-missing"]),
        ({}, ["a", "b"], _rows("a", next="a"), []),  # nobody says how long a page without limit is
        ({}, ["a", "b"], _rows("a", next=None), ["row-missing"]),
    ],
)
def test_first_page_is_judged(arguments: dict[str, Any], own: list[str], body: Any, kinds: list[str]) -> None:
    """A page has at most its limit, is no shorter while there is more, and the only page holds everything."""
    assert _match(_CURSOR, arguments, own, body) == kinds


@pytest.mark.parametrize(
    ("seen", "body", "kinds"),
    [
        (frozenset("ab"), _rows("c", next=None), []),
        (frozenset("ab"), _rows("b", "c", next=None), ["repeated"]),
        (frozenset("ax"), _rows("c", next=None), ["row-missing"]),
        (None, _rows("c", next=None), []),  # a cursor from elsewhere
    ],
)
def test_next_page_follows_the_one_before(seen: frozenset[str] | None, body: Any, kinds: list[str]) -> None:
    """No row comes twice, and the last page ends with everything shown."""
    assert _match(_CURSOR, {"query:limit": 2, "query:after": "b"}, ["a", "b", "c"], body, seen) == kinds


def test_documented_default_limits_a_page() -> None:
    """A request without limit gets the documented number of rows."""
    assert _match({**_CURSOR, "default": 2}, {}, ["a", "b", "c"], _rows("a", "b", next="b")) == []
    assert _match({**_CURSOR, "default": 2}, {}, [], _rows("a", "b", "c", next="c")) == ["too-many"]


@pytest.mark.parametrize(
    ("config", "arguments", "body", "headers", "start"),
    [
        (_CURSOR, {}, _rows("a", next="t1"), {}, "t1"),
        (_CURSOR, {}, _rows("a", next=None), {}, None),
        ({"cursor": "query:after", "more": "/more"}, {}, _rows("a", "b", more=True), {}, "b"),
        ({"cursor": "query:after", "more": "/more"}, {}, _rows("a", "b", more=False), {}, None),
        ({"offset": "query:skip"}, {"query:limit": 2}, _rows("a", "b"), {}, "2"),
        ({"offset": "query:skip"}, {"query:limit": 2, "query:skip": 2}, _rows("a"), {}, None),
        (
            {"cursor": "query:after", "next": LINK},
            {},
            _rows("a"),
            {"link": '<https://x.example/t?after=q%2F1>; rel="next"'},
            "q/1",
        ),
        ({"cursor": "query:after", "next": LINK}, {}, _rows("a"), {}, None),
    ],
)
def test_start_of_the_next_page_is_found(
    config: dict[str, Any], arguments: dict[str, Any], body: Any, headers: dict[str, str], start: str | None
) -> None:
    """By a cursor in the body, the last row, the number of rows, or a Link header."""
    listed = ListConfig("listThings", "/rows", "/id", id="/id", limit="query:limit", **config)
    assert find_next_start(listed, arguments, body, headers) == start


@pytest.mark.parametrize(
    ("link", "start"),
    [
        ('<https://x.example/t?page=1>; rel="prev", <https://x.example/t?page=3>; rel="next"', "3"),
        ("<https://x.example/t?page=3>; rel=next", "3"),
        ('<https://x.example/t?page=3>; rel="last"', None),
        ('<https://x.example/t>; rel="next"', None),
        ("nonsense", None),
        ("<" * 9000, None),
    ],
)
def test_link_header_is_read(link: str, start: str | None) -> None:
    """Only the link with the relation `next` counts; a very long header is not read."""
    assert find_linked_start(link, "page") == start


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"offset": "query:a", "cursor": "query:b", "limit": "query:l"}, "one of `offset`, `page` and `cursor`"),
        ({"offset": "query:a"}, "`limit` beside `offset`"),
        ({"limit": "limit"}, "as query:limit"),
        ({"next": "next"}, "JSON pointers"),
        ({"size": 0}, "`size` above 0"),
    ],
)
def test_contradicting_table_is_refused(config: dict[str, Any], problem: str) -> None:
    """Each mistake in `[listing]` is one line."""
    with pytest.raises(UsageError, match=problem):
        ListConfig("listThings", "/rows", "/id", **config).check("contract.toml")
