"""Pages of a list: what a request asks for, and what its response then shows.

No order is promised: if an account has more objects than a page, any of them can be on another page. So an own object
may be missing from a page, unless the response or the request says that there is no other. Pages that follow each other
show no object twice.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from contract_watch.contracts.config import LINK, ListConfig
from contract_watch.contracts.matchers import JSON, ListMatcher, Matcher, Mismatch, ObjectMatcher, Satisfies, ValuePath
from contract_watch.contracts.resource.layout import EVERY
from contract_watch.contracts.resource.row_stream import RowStream, collect_rows
from contract_watch.contracts.resource.state import Item

_MAX_LINK = 8192
"""Characters of a Link header that are read."""


@dataclass(frozen=True)
class Page:
    """The page that a request asks for.

    ``limit`` is the number of rows that it has at most, None if the request and the contract do not say. ``is_asked``
    is True if the request gave the limit, ``is_certain`` if a page that is not the last has as many rows. ``start``
    identifies the first row: a number of rows to skip, or a cursor; empty for the first page. ``selection`` stands for
    all other arguments: pages follow each other only if those agree.
    """

    limit: int | None
    start: str = ""
    is_asked: bool = False
    is_certain: bool = True
    selection: str = ""

    @property
    def is_first(self) -> bool:
        """True for the first page."""
        return self.start in ("", "0")

    @property
    def full(self) -> int | None:
        """The number of rows of a page that is not the last; None if it is not known."""
        return self.limit if self.is_certain else None

    @property
    def skipped(self) -> int | None:
        """The number of rows before the page; None if it is not known."""
        start = self.start or "0"
        return int(start) if start.isdigit() else None


def read_argument(arguments: Mapping[str, Any], pointer: str) -> Any:
    """Return the argument that ``pointer`` names: `query:x`, or a JSON pointer into the body; None if it was not sent."""
    if not pointer.startswith("/"):
        return arguments.get(pointer)
    value: Any = arguments
    for part in pointer.split("/")[1:]:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def read_pointer(body: Any, pointer: str) -> Any:
    """Return the value at a JSON pointer in a response's body; None if there is none."""
    for part in pointer.split("/")[1:]:
        body = body.get(part) if isinstance(body, dict) else None
    return body


class Paging:
    """The paging of one vendor's list, as ``contract.toml`` describes it."""

    def __init__(self, config: ListConfig) -> None:
        self._config = config

    @property
    def is_paged(self) -> bool:
        """True if requests choose a page."""
        config = self._config
        return bool(config.limit or config.offset or config.page or config.cursor)

    def list_arguments(self) -> tuple[str, ...]:
        """Return the arguments that choose a page; of one inside a body's property, that property."""
        config = self._config
        names = (config.limit, config.offset, config.page, config.cursor)
        return tuple(name.lstrip("/").partition("/")[0] for name in names if name)

    @property
    def limit_argument(self) -> str:
        """The argument with the number of rows on a page; empty if there is none."""
        return self._config.limit

    @property
    def start_argument(self) -> str:
        """The argument that says where a page starts; empty if there is none."""
        return self._config.cursor or self._config.offset or self._config.page

    @property
    def has_cursor(self) -> bool:
        """True if a response tells where the next page starts."""
        return bool(self._config.cursor)

    @property
    def second_start(self) -> int | None:
        """The start of the second page if a page has two rows; None if only a response tells it."""
        if self._config.cursor:
            return None
        return self._config.first_page + 1 if self._config.page else 2

    def read_page(self, arguments: Mapping[str, Any]) -> Page:
        """Return the page that a valid request asks for."""
        config = self._config
        asked = _parse_count(read_argument(arguments, config.limit)) if config.limit else None
        limit = asked or config.default or None
        is_certain = not config.longest or (limit or 0) <= config.longest
        others = {name: value for name, value in arguments.items() if name not in self.list_arguments()}
        selection = json.dumps(others, sort_keys=True, default=str)
        return Page(limit, self._read_start(arguments, limit), bool(asked), is_certain, selection)

    def _read_start(self, arguments: Mapping[str, Any], limit: int | None) -> str:
        config = self._config
        if config.cursor:
            start = read_argument(arguments, config.cursor)
            return "" if start is None else str(start)
        if config.page:
            number = _parse_count(read_argument(arguments, config.page))
            number = config.first_page if number is None else number
            skipped = (number - config.first_page) * (limit or 0)
            return str(max(skipped, 0)) if limit else ("" if number <= config.first_page else "?")
        skipped = _parse_count(read_argument(arguments, config.offset)) or 0 if config.offset else 0
        return str(skipped) if skipped else ""

    def select_items(self, items: Sequence[Item], page: Page) -> list[Item]:
        """Return the objects on ``page``, in the mock."""
        first = 0
        if self._config.cursor and page.start:
            names = [item.name for item in items]
            first = names.index(page.start) + 1 if page.start in names else len(items)
        elif page.start.isdigit():
            first = int(page.start)
        return list(items[first : first + page.limit if page.limit else None])

    def build_envelope(self, items: Sequence[Item], shown: Sequence[Item]) -> dict[str, Matcher]:
        """Build the matchers of the properties beside the rows: the next page, and the number of objects."""
        config = self._config
        is_last = not shown or (items and shown[-1] is items[-1])
        beside: dict[str, Matcher] = {}
        if config.more:
            beside[config.more] = Satisfies(not is_last, lambda value: isinstance(value, bool), "true or false")
        if config.next.startswith("/"):
            cursor = None if is_last or not shown else shown[-1].name
            beside[config.next] = Satisfies(
                cursor, lambda value: value is None or isinstance(value, str | int), "a cursor"
            )
        if config.total:
            beside[config.total] = Satisfies(len(items), _is_count, "a number of objects")
        return beside

    def find_next(
        self, body: JSON, rows: Sequence[Any], page: Page, key: str, headers: Mapping[str, str] = {}
    ) -> str | None:
        """Return the start of the page after this response; None if it is the last one, or if that is unknown.

        It is a cursor, or a number of rows to skip, also where requests count pages. ``headers`` of the response have
        lower-case names.
        """
        config = self._config
        if config.more and read_pointer(body, config.more) is False:
            return None
        if not config.cursor:
            is_full = page.limit is not None and len(rows) == page.limit
            return str(page.skipped + len(rows)) if is_full and page.skipped is not None else None
        if config.next == LINK:
            return find_linked_start(headers.get("link", ""), config.cursor.removeprefix("query:"))
        if config.next:
            value = read_pointer(body, config.next)
            return str(value) if isinstance(value, str | int) and value != "" else None
        return str(rows[-1][key]) if rows and isinstance(rows[-1], dict) and key in rows[-1] else None

    def is_last_page(self, body: JSON, rows: Sequence[Any], page: Page) -> bool:
        """Return True if the response says that no page follows, or if nothing limits the page."""
        config = self._config
        if config.more:
            return read_pointer(body, config.more) is False
        if config.next.startswith("/"):
            return read_pointer(body, config.next) in (None, "")
        total = self.read_total(body)
        if total is not None and (page.start or "0").isdigit():
            return int(page.start or 0) + len(rows) >= total
        if page.full is not None:
            return len(rows) < page.full
        return not self.is_paged

    @property
    def marks_end(self) -> bool:
        """True if a response says if there is a next page."""
        return bool(self._config.more or self._config.next)

    @property
    def counts_skipped(self) -> bool:
        """True if a request says how many rows to skip, and the response how many there are."""
        return bool(self._config.offset and self._config.total)

    @property
    def total_path(self) -> tuple[str, ...]:
        """The path of the number of all objects in a response; empty if there is none."""
        return tuple(self._config.total.split("/")[1:])

    def read_total(self, body: JSON) -> int | None:
        """Return the number of all objects that a response gives; None if it gives none."""
        return _parse_count(read_pointer(body, self._config.total)) if self._config.total else None


def find_linked_start(link: str, name: str) -> str | None:
    """Return the query parameter ``name`` of the link with the relation `next`; None if there is no such link."""
    if len(link) > _MAX_LINK:
        return None
    for part in link.split(","):
        target, *parameters = (one.strip() for one in part.split(";"))
        relations = [one.partition("=")[2].strip('"').split() for one in parameters if one.lower().startswith("rel=")]
        if target.startswith("<") and target.endswith(">") and any("next" in one for one in relations):
            found = parse_qs(urlsplit(target[1:-1]).query).get(name)
            return found[0] if found else None
    return None


def find_next_start(
    config: ListConfig, arguments: Mapping[str, Any], body: JSON, headers: Mapping[str, str]
) -> str | None:
    """Return the start of the page after a list's response; None if there is none, or if the list has no pages."""
    paging = Paging(config)
    if not paging.is_paged:
        return None
    rows = read_pointer(body, config.rows) if config.rows.strip("/") else body
    key = (config.id or config.name).rpartition("/")[2]
    page = paging.read_page(arguments)
    return paging.find_next(body, rows if isinstance(rows, list) else [], page, key, headers)


def _parse_count(value: Any) -> int | None:
    """Return a count of rows; protojson writes some as strings."""
    if isinstance(value, bool) or value is None:
        return None
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None


def _is_count(value: Any) -> bool:
    return _parse_count(value) is not None


@dataclass(frozen=True, kw_only=True)
class PageMatcher(ObjectMatcher):
    """The matcher of one page: an `ObjectMatcher` of the body, whose array at ``path`` is a page of ``rows``.

    The mock shows ``rendered_rows``. ``seen`` are the names on the pages before, None if they are unknown. ``clauses`` maps `limit`, `offset`, `next` and
    `complete` to the clauses that those promise. If ``is_omitted``, the body has no array where a page has no rows.
    """

    rows: ListMatcher
    rendered_rows: RowStream
    path: tuple[str, ...]
    page: Page
    paging: Paging
    seen: frozenset[str] | None
    clauses: Mapping[str, str]
    is_omitted: bool = False

    def list_inner(self) -> Iterator[Matcher]:
        """See `ObjectMatcher.list_inner`; only a page that must have every known row satisfies the clauses of rows."""
        yield from super().list_inner()
        full = self.page.full
        if self.page.is_first and full is not None and len(self.rows.known_rows) < full:
            yield self.rows

    def render(self) -> JSON:
        rows = collect_rows(self.rendered_rows)
        if not self.path:
            return rows
        body = super().render()
        node = body
        for part in self.path[:-1]:
            node = node[part]
        node[self.path[-1]] = rows
        if self.is_omitted and not self.rendered_rows:
            del node[self.path[-1]]
        return body

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if self.is_omitted and isinstance(value, dict):
            value = {self.path[0]: [], **value}
        if self.path:
            yield from super().find_mismatches(value, path)
        rows = value
        for part in self.path:
            rows = rows.get(part) if isinstance(rows, dict) else None
        if isinstance(rows, list):
            total, known = self.paging.read_total(value), len(self.rows.known_rows)
            least = max(known, len(rows))
            if total is not None and total < least and self.page.is_first:
                yield Mismatch((*path, *self.paging.total_path), "value", f"a number not below {least}")
            yield from self._check_length(len(rows), total, (*path, *self.path))
            yield from self._check_rows(rows, value, total, (*path, *self.path))

    def _check_length(self, count: int, total: int | None, path: ValuePath) -> Iterator[Mismatch]:
        """Check the number of rows against the limit, and what was skipped against the number of objects."""
        limit, skipped = self.page.limit, self.page.skipped
        if limit is not None and count > limit:
            yield Mismatch(path, "too-many", f"at most {limit} rows", self.clauses["limit"])
        if total is not None and skipped and self.paging.counts_skipped and count > max(total - skipped, 0):
            expected = f"at most {max(total - skipped, 0)} rows, because it skips {skipped} of {total}"
            yield Mismatch(path, "too-many", expected, self.clauses["offset"])

    def _check_rows(self, rows: list[Any], body: JSON, total: int | None, path: ValuePath) -> Iterator[Mismatch]:
        names = [str(row.get(self.rows.key)) for row in rows if isinstance(row, dict)]
        if self.seen is not None:
            repeated = [name for name in names if name in self.seen]
            for name in repeated[:1]:
                yield Mismatch(
                    (*path, names.index(name)), "repeated", "no row of an earlier page", self.clauses["next"], name
                )
        mismatches = list(self.rows.find_mismatches(rows, path))
        yield from (one for one in mismatches if one.kind != "row-missing")
        missing = [one for one in mismatches if one.kind == "row-missing"]
        if self._is_whole(rows, body):
            missing = [one for one in missing if self.seen is None or one.object_name not in self.seen]
            if missing and self.page.full == len(rows):  # a full page that says that it is the last one
                if total is None or total >= len(self.rows.known_rows):  # a total too low is told as such
                    yield Mismatch(path, "cut", "another page with the other objects", self.clauses["complete"])
                missing = []
        elif len(missing) <= self._count_elsewhere(len(rows), total):
            missing = []
        yield from missing
        known = max(len(self.rows.known_rows), total or 0)
        least = min(known - (self.page.skipped or 0), self.page.full or 1)
        if not missing and self.page.skipped is not None and len(rows) < least:
            yield Mismatch(path, "too-few", f"at least {least} rows", self.clauses["complete"])

    def _count_elsewhere(self, count: int, total: int | None) -> float:
        """Return the greatest number of objects that other pages can have."""
        most = math.inf if total is None else total - count
        full, skipped = self.page.full, self.page.skipped
        is_short = full is not None and skipped is not None and count < full and not self.paging.marks_end
        return min(most, skipped or 0) if is_short else most

    def _is_whole(self, rows: list[Any], body: JSON) -> bool:
        """Return True if no other page than this one and the ones before can hold an object."""
        is_start_known = self.page.is_first or self.seen is not None
        return is_start_known and self.paging.is_last_page(body, rows, self.page)


def get_row_path(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the path of the array of rows, from the path of a row."""
    return path[: path.index(EVERY)] if EVERY in path else path
