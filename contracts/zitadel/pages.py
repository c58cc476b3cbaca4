"""A page of the list: the run's own configurations, among unknown ones of others."""

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
    """The matcher of a page of the list: an `ObjectMatcher` whose rows are the page of ``rows`` that ``query`` selects.

    No order is promised: if the instance has more configurations than the page, any of them can be on another page.
    ``active_id`` is the id of the configuration known to be active, if any; ``is_stray`` returns True for an unknown id
    and description that must not exist.
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
            return  # a violation of the schema
        rows_path = (*path, _ROWS)
        total = responses.parse_integer(responses.get_value(value, "details", "totalResult"))
        least = max(len(self.rows.known_rows), len(rows))
        if total is not None and total < least and not self.query.offset:
            yield Mismatch((*path, "details", "totalResult"), "value", f"a number not below {least}")
        mismatches = [*self._check_rows(rows, total, rows_path), *self._check_active(rows, rows_path)]
        yield from mismatches
        is_row_missing = any(one.kind == "row-missing" for one in mismatches)
        for mismatch in self._check_length(len(rows), total, rows_path):
            if mismatch.kind == "too-many" or not is_row_missing:
                yield mismatch

    def _check_length(self, rows: int, total: int | None, path: ValuePath) -> Iterator[Mismatch]:
        """Check the number of rows against limit, offset and the number of configurations."""
        limit, skipped = self.query.limit, self.query.offset
        if limit and rows > limit:
            yield Mismatch(path, "too-many", f"at most {limit} configurations", f"{LIST}/effect/limit")
        if total is not None and skipped and rows > max(total - skipped, 0):
            most = f"at most {max(total - skipped, 0)} configurations, because it skips {skipped} of {total}"
            yield Mismatch(path, "too-many", most, f"{LIST}/effect/offset")
        existing = max(len(self.rows.known_rows), total or 0)
        least = min(existing - skipped, self.query.definite_limit or 1)
        if rows < least:
            yield Mismatch(path, "too-few", f"at least {least} configurations", _COMPLETE)

    def _check_rows(self, rows: list[Any], total: int | None, path: ValuePath) -> Iterator[Mismatch]:
        """Check the run's own configurations; as many can be missing as other pages can contain."""
        mismatches = list(self.rows.find_mismatches(rows, path))
        missing = [one for one in mismatches if one.kind == "row-missing"]
        yield from (one for one in mismatches if one.kind != "row-missing")
        yield from missing if len(missing) > self._count_elsewhere(len(rows), total) else ()
        for index, row in enumerate(rows):
            name, mark = responses.get_value(row, "id"), responses.get_value(row, "description")
            unknown = (
                isinstance(name, str)
                and name not in self.rows.known_rows
                and self.rows.get_absence_clause(name) is None
            )
            if unknown and isinstance(mark, str) and self.is_stray(name, mark):
                expected = "no configuration with a description of this run, which added none with this id"
                yield Mismatch((*path, index, "description"), "unexpected", expected, f"{ADD}/effect/once", name)

    def _count_elsewhere(self, rows: int, total: int | None) -> float:
        """Return the greatest number of configurations that other pages can contain."""
        most = math.inf if total is None else total - rows
        return (
            min(most, self.query.offset)
            if self.query.definite_limit is not None and rows < self.query.definite_limit
            else most
        )

    def _check_active(self, rows: list[Any], path: ValuePath) -> Iterator[Mismatch]:
        """Check that at most one configuration of the instance is active."""
        active = {self.active_id} if self.active_id is not None else set[Any]()
        for index, row in enumerate(rows):
            if responses.get_active(row) and not active <= {responses.get_value(row, "id")}:
                expected = "SMTP_CONFIG_INACTIVE, because another configuration is active"
                yield Mismatch((*path, index, "state"), "value", expected, f"{ACTIVATE}/effect/others", self.active_id)
            active |= {responses.get_value(row, "id")} if responses.get_active(row) else set()


def get_rows_by_id(body: Any) -> Mapping[str, Any]:
    """Return the rows of a page by id."""
    rows = responses.get_value(body, _ROWS)
    named = ((responses.get_value(row, "id"), row) for row in rows) if isinstance(rows, list) else ()
    return {name: row for name, row in named if isinstance(name, str)}


def match_page(state: ZitadelState, query: ListQuery, at: float) -> PageMatcher:
    """Build the matcher of the page that ``query`` selects at a time."""
    configs = state.get_visible_configs(at)
    known = {config.id: _build_expected_row(state, config, at) for config in configs}
    listing = ListMatcher("id", known, get_absence_clause=_make_absence_check(state))
    whole = not query.offset and query.definite_limit is not None and len(known) < query.definite_limit
    return PageMatcher(
        {"details": _match_details(state, len(configs), at)},
        {_ROWS: listing} if whole else {},  # a partial page satisfies no clause of a row
        rows=listing,
        query=query,
        active_id=next((config.id for config in configs if config.is_active), None),
        is_stray=state.is_stray,
    )


def _make_absence_check(state: ZitadelState) -> Callable[[str], str | None]:
    return lambda name: f"{REMOVE}/effect/removed" if name in state.removed_ids and not state.is_complete else None


def _build_expected_row(state: ZitadelState, config: SmtpConfig, at: float) -> ExpectedRow:
    """Build the expected row of a configuration; if it is missing, the last operation is suspected once a list worked."""
    clause = f"{config.last_operation}/effect/untouched" if config.last_operation and state.has_listed else _COMPLETE
    if not config.was_read:  # until a read succeeds, the read itself can be broken
        clause = f"{ADD}/effect/created" if state.has_read else f"{LIST}/response/200"
    return ExpectedRow(
        responses.match_config(state.interpretations, config, at, LIST), clause, suspected_clause=_COMPLETE
    )


def _match_details(state: ZitadelState, count: int, at: float) -> ObjectMatcher:
    """Build the matcher of the list's details; only the total is promised, which `PageMatcher` checks."""
    details: dict[str, Matcher] = {"viewTimestamp": Satisfies(responses.format_time(at), lambda _value: True, "a time")}
    if count:
        details["totalResult"] = Satisfies(str(count), lambda _value: True, "a number")
        details["processedSequence"] = Satisfies(str(state.sequence or 1), lambda _value: True, "a number")
    return ObjectMatcher({}, details, rendered_optional=frozenset(details))
