"""A page of the list: the run's own configurations as they were set, among others of which nothing is known."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.matchers import JSON, Expected, Fields, Listing, Mismatch, Path, Pattern, Where
from contracts.zitadel import responses
from contracts.zitadel.configs import Config, State
from contracts.zitadel.queries import Query
from contracts.zitadel.rules import ACTIVATE, ADD, LIST, REMOVE

_ROWS = "result"
_COMPLETE = f"{LIST}/effect/complete"


@dataclass(frozen=True, kw_only=True)
class Page(Fields):
    """A list's answer: as `Fields`, and its rows are a page of ``listing``, as ``query`` asks for it.

    No order is promised: where more configurations are there than rows, any of them may be on another page. ``active`` is
    the id of the one that is known to be active, if one is; ``stray`` tells whether an unknown id and its description
    cannot be there.
    """

    listing: Listing
    query: Query
    active: str | None
    stray: Callable[[str, str], bool]

    def render(self) -> JSON:
        first, limit = self.query.offset, self.query.limit
        rows = self.listing.render()[first : first + limit if limit else None]
        return {**super().render(), _ROWS: rows} if rows else super().render()

    def mismatches(self, value: JSON, path: Path = ()) -> Iterator[Mismatch]:
        yield from Fields(self.required).mismatches(value, path)
        rows = value.get(_ROWS, []) if isinstance(value, dict) else None
        if not isinstance(rows, list):
            return  # the schema tells
        place, total = (*path, _ROWS), responses.number(responses.value_in(value, "details", "totalResult"))
        least = max(len(self.listing.known), len(rows))
        if total is not None and total < least and not self.query.offset:
            yield Mismatch((*path, "details", "totalResult"), "value", f"a number not below {least}")
        found = [*self._members(rows, total, place), *self._activity(rows, place)]
        yield from found
        lacking = any(one.kind == "row-missing" for one in found)
        yield from (one for one in self._length(len(rows), total, place) if one.kind == "too-many" or not lacking)

    def _length(self, rows: int, total: int | None, place: Path) -> Iterator[Mismatch]:
        """Whether the page is as long as its limit, its offset and what is there make it."""
        limit, skipped = self.query.limit, self.query.offset
        if limit and rows > limit:
            yield Mismatch(place, "too-many", f"{limit} configurations at most", f"{LIST}/effect/limit")
        if total is not None and skipped and rows > max(total - skipped, 0):
            most = f"{max(total - skipped, 0)} configurations at most, since it leaves out {skipped} of {total}"
            yield Mismatch(place, "too-many", most, f"{LIST}/effect/offset")
        there = max(len(self.listing.known), total or 0)
        least = min(there - skipped, self.query.bound or 1)
        if rows < least:
            yield Mismatch(place, "too-few", f"{least} configurations at least", _COMPLETE)

    def _members(self, rows: list[Any], total: int | None, place: Path) -> Iterator[Mismatch]:
        """Whether the run's own configurations are among the rows, but for as many as may be on other pages."""
        found = list(self.listing.mismatches(rows, place))
        missing = [one for one in found if one.kind == "row-missing"]
        yield from (one for one in found if one.kind != "row-missing")
        yield from missing if len(missing) > self._elsewhere(len(rows), total) else ()
        for index, row in enumerate(rows):
            name, mark = responses.value_in(row, "id"), responses.value_in(row, "description")
            unknown = isinstance(name, str) and name not in self.listing.known and self.listing.absent(name) is None
            if unknown and isinstance(mark, str) and self.stray(name, mark):
                what = "no configuration with a description of this run, which added none of that id"
                yield Mismatch((*place, index, "description"), "unexpected", what, f"{ADD}/effect/once", name)

    def _elsewhere(self, rows: int, total: int | None) -> float:
        """How many configurations may be on other pages."""
        most = math.inf if total is None else total - rows
        return min(most, self.query.offset) if self.query.bound is not None and rows < self.query.bound else most

    def _activity(self, rows: list[Any], place: Path) -> Iterator[Mismatch]:
        """At most one configuration is active, whoever's it is."""
        active = {self.active} if self.active is not None else set[Any]()
        for index, row in enumerate(rows):
            if responses.active_in(row) and not active <= {responses.value_in(row, "id")}:
                what = "SMTP_CONFIG_INACTIVE, since another configuration is active"
                yield Mismatch((*place, index, "state"), "value", what, f"{ACTIVATE}/effect/others", self.active)
            active |= {responses.value_in(row, "id")} if responses.active_in(row) else set()


def rows_of(shown: Any) -> Mapping[str, Any]:
    """The rows of a page by their ids."""
    rows = responses.value_in(shown, _ROWS)
    named = ((responses.value_in(row, "id"), row) for row in rows) if isinstance(rows, list) else ()
    return {name: row for name, row in named if isinstance(name, str)}


def page(state: State, query: Query, at: float) -> Page:
    """The page of the list that ``query`` asks for at a time."""
    configs = state.visible(at)
    known = {config.id: _expected(state, config, at) for config in configs}
    listing = Listing("id", known, absent=_absent(state))
    whole = not query.offset and query.bound is not None and len(known) < query.bound
    return Page(
        {"details": _details(state, len(configs), at)},
        {_ROWS: listing} if whole else {},  # what no page has to show it does not show to be kept
        listing=listing,
        query=query,
        active=next((config.id for config in configs if config.active), None),
        stray=state.stray,
    )


def _absent(state: State) -> Callable[[str], str | None]:
    return lambda name: f"{REMOVE}/effect/removed" if name in state.gone and not state.knows_all else None


def _expected(state: State, config: Config, at: float) -> Expected:
    """The row of a configuration; where it lacks, what was done since it was read is suspected if the list ever had one."""
    clause = f"{config.since}/effect/untouched" if config.since and state.lists else _COMPLETE
    if not config.seen:  # reading may be what fails, until it has shown something
        clause = f"{ADD}/effect/created" if state.reads else f"{LIST}/response/200"
    return Expected(responses.row(state.readings, config, at, LIST), clause, otherwise=_COMPLETE)


def _details(state: State, count: int, at: float) -> Fields:
    """What is said of the list: the schema knows its form, and no more of it is promised than how many there are."""
    said: dict[str, Pattern] = {"viewTimestamp": Where(responses.time(at), lambda _value: True, "a time")}
    if count:
        said["totalResult"] = Where(str(count), lambda _value: True, "a number")
        said["processedSequence"] = Where(str(state.sequence or 1), lambda _value: True, "a number")
    return Fields({}, said, said=frozenset(said))
