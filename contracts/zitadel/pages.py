"""A page of the list: the run's own configurations as they were set, among others of which nothing is known."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.matchers import (
    JSON,
    ExpectedRow,
    ListMatcher,
    Matcher,
    Mismatch,
    ObjectMatcher,
    Satisfies,
    ValuePath,
)
from contracts.zitadel import responses
from contracts.zitadel.configs import SmtpConfig, ZitadelState
from contracts.zitadel.queries import ListQuery
from contracts.zitadel.rules import ACTIVATE, ADD, LIST, REMOVE

_ROWS = "result"
_COMPLETE = f"{LIST}/effect/complete"


@dataclass(frozen=True, kw_only=True)
class PageMatcher(ObjectMatcher):
    """A list's answer: as `ObjectMatcher`, and its rows are a page of ``listing``, as ``query`` asks for it.

    No order is promised: where more configurations are there than rows, any of them may be on another page. ``active`` is
    the id of the one that is known to be active, if one is; ``stray`` tells whether an unknown id and its description
    cannot be there.
    """

    rows: ListMatcher
    query: ListQuery
    active_id: str | None
    is_stray: Callable[[str, str], bool]

    def render(self) -> JSON:
        first, limit = self.query.offset, self.query.limit
        rows = self.rows.render()[first : first + limit if limit else None]
        return {**super().render(), _ROWS: rows} if rows else super().render()

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        yield from ObjectMatcher(self.required).find_mismatches(value, path)
        rows = value.get(_ROWS, []) if isinstance(value, dict) else None
        if not isinstance(rows, list):
            return  # the schema tells
        place, total = (*path, _ROWS), responses.parse_integer(responses.get_value(value, "details", "totalResult"))
        least = max(len(self.rows.known_rows), len(rows))
        if total is not None and total < least and not self.query.offset:
            yield Mismatch((*path, "details", "totalResult"), "value", f"a number not below {least}")
        found = [*self._check_rows(rows, total, place), *self._check_active(rows, place)]
        yield from found
        lacking = any(one.kind == "row-missing" for one in found)
        yield from (one for one in self._check_length(len(rows), total, place) if one.kind == "too-many" or not lacking)

    def _check_length(self, rows: int, total: int | None, place: ValuePath) -> Iterator[Mismatch]:
        """Whether the page is as long as its limit, its offset and what is there make it."""
        limit, skipped = self.query.limit, self.query.offset
        if limit and rows > limit:
            yield Mismatch(place, "too-many", f"{limit} configurations at most", f"{LIST}/effect/limit")
        if total is not None and skipped and rows > max(total - skipped, 0):
            most = f"{max(total - skipped, 0)} configurations at most, since it leaves out {skipped} of {total}"
            yield Mismatch(place, "too-many", most, f"{LIST}/effect/offset")
        there = max(len(self.rows.known_rows), total or 0)
        least = min(there - skipped, self.query.definite_limit or 1)
        if rows < least:
            yield Mismatch(place, "too-few", f"{least} configurations at least", _COMPLETE)

    def _check_rows(self, rows: list[Any], total: int | None, place: ValuePath) -> Iterator[Mismatch]:
        """Whether the run's own configurations are among the rows, but for as many as may be on other pages."""
        found = list(self.rows.find_mismatches(rows, place))
        missing = [one for one in found if one.kind == "row-missing"]
        yield from (one for one in found if one.kind != "row-missing")
        yield from missing if len(missing) > self._count_elsewhere(len(rows), total) else ()
        for index, row in enumerate(rows):
            name, mark = responses.get_value(row, "id"), responses.get_value(row, "description")
            unknown = (
                isinstance(name, str)
                and name not in self.rows.known_rows
                and self.rows.get_absence_clause(name) is None
            )
            if unknown and isinstance(mark, str) and self.is_stray(name, mark):
                what = "no configuration with a description of this run, which added none of that id"
                yield Mismatch((*place, index, "description"), "unexpected", what, f"{ADD}/effect/once", name)

    def _count_elsewhere(self, rows: int, total: int | None) -> float:
        """How many configurations may be on other pages."""
        most = math.inf if total is None else total - rows
        return (
            min(most, self.query.offset)
            if self.query.definite_limit is not None and rows < self.query.definite_limit
            else most
        )

    def _check_active(self, rows: list[Any], place: ValuePath) -> Iterator[Mismatch]:
        """At most one configuration is active, whoever's it is."""
        active = {self.active_id} if self.active_id is not None else set[Any]()
        for index, row in enumerate(rows):
            if responses.get_active(row) and not active <= {responses.get_value(row, "id")}:
                what = "SMTP_CONFIG_INACTIVE, since another configuration is active"
                yield Mismatch((*place, index, "state"), "value", what, f"{ACTIVATE}/effect/others", self.active_id)
            active |= {responses.get_value(row, "id")} if responses.get_active(row) else set()


def get_rows_by_id(body: Any) -> Mapping[str, Any]:
    """The rows of a page by their ids."""
    rows = responses.get_value(body, _ROWS)
    named = ((responses.get_value(row, "id"), row) for row in rows) if isinstance(rows, list) else ()
    return {name: row for name, row in named if isinstance(name, str)}


def match_page(state: ZitadelState, query: ListQuery, at: float) -> PageMatcher:
    """The page of the list that ``query`` asks for at a time."""
    configs = state.get_visible_configs(at)
    known = {config.id: _build_expected_row(state, config, at) for config in configs}
    listing = ListMatcher("id", known, get_absence_clause=_make_absence_check(state))
    whole = not query.offset and query.definite_limit is not None and len(known) < query.definite_limit
    return PageMatcher(
        {"details": _match_details(state, len(configs), at)},
        {_ROWS: listing} if whole else {},  # what no page has to show it does not show to be kept
        rows=listing,
        query=query,
        active_id=next((config.id for config in configs if config.is_active), None),
        is_stray=state.is_stray,
    )


def _make_absence_check(state: ZitadelState) -> Callable[[str], str | None]:
    return lambda name: f"{REMOVE}/effect/removed" if name in state.removed_ids and not state.is_complete else None


def _build_expected_row(state: ZitadelState, config: SmtpConfig, at: float) -> ExpectedRow:
    """The row of a configuration; where it lacks, what was done since it was read is suspected if the list ever had one."""
    clause = f"{config.last_operation}/effect/untouched" if config.last_operation and state.has_listed else _COMPLETE
    if not config.was_read:  # reading may be what fails, until it has shown something
        clause = f"{ADD}/effect/created" if state.has_read else f"{LIST}/response/200"
    return ExpectedRow(
        responses.match_config(state.interpretations, config, at, LIST), clause, suspected_clause=_COMPLETE
    )


def _match_details(state: ZitadelState, count: int, at: float) -> ObjectMatcher:
    """What is said of the list: the schema knows its form, and no more of it is promised than how many there are."""
    said: dict[str, Matcher] = {"viewTimestamp": Satisfies(responses.format_time(at), lambda _value: True, "a time")}
    if count:
        said["totalResult"] = Satisfies(str(count), lambda _value: True, "a number")
        said["processedSequence"] = Satisfies(str(state.sequence or 1), lambda _value: True, "a number")
    return ObjectMatcher({}, said, rendered_optional=frozenset(said))
