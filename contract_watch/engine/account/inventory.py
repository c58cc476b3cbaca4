"""All that an account holds, seen through the contract's list operation, page by page."""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.config import ListConfig
from contract_watch.engine.running.session import Session

_MOST_PAGES = 200
_EARLIEST, _LATEST = 1e9, 1e14
"""Numbers outside of these tell no time at which an object was made: 2001 in seconds, the year 5138 in milliseconds."""
_MILLISECONDS = 1e11
"""A number of this size tells milliseconds since 1970, a smaller one seconds."""


@dataclass(frozen=True)
class Row:
    """One object of an account: its run's name, if it has one, what identifies it, when it was made, and the row itself.

    ``created`` is in seconds since 1970, None where the row does not tell. ``account`` is whose key has seen it.
    """

    account: str
    name: str
    identity: str
    created: float | None
    shown: Any


def everything(session: Session, holders: Iterable[str] = ()) -> list[Row] | None:
    """Every object of the first account, and of those called ``holders``; None where one cannot be seen, or not all of it."""
    accounts = dict.fromkeys([session.contract.credentials[0].account, *holders])
    found: list[Row] = []
    for account in accounts:
        rows = _listed(session, account) if account in session.keys else None
        if rows is None:
            return None
        found += rows
    return found


def may_be_written(session: Session, row: Row) -> bool:
    """Whether what identifies an object is no secret of this run's, which a server may have called it by."""
    return session.redactor.redact_string(row.identity) == row.identity


def _listed(session: Session, account: str) -> list[Row] | None:
    listing = session.contract.list_config
    if listing is None:
        return None
    rows: dict[str, Row] = {}
    for page in range(_MOST_PAGES):
        asked: dict[str, Any] = {}
        if listing.limit:
            _put(asked, listing.limit, listing.size)
            if page:
                _put(asked, listing.offset, str(len(rows)))
        found = _page(session, listing, account, asked)
        if found is None:
            return None
        new = {row.identity: row for row in found if row.identity not in rows}
        rows |= new
        # A server may give fewer rows than were asked for: only a page with nothing new is the end.
        if not listing.limit or not found or (not new and len(found) < listing.size):
            return list(rows.values())
        if not new:
            return None  # a page that repeats itself: nobody knows what comes after it
    return None


def _page(session: Session, listing: ListConfig, account: str, asked: dict[str, Any]) -> list[Row] | None:
    with session.attempting():
        exchange = session.send(listing.operation, asked, account)
    if exchange.reply is None or not exchange.succeeded:
        return None
    try:
        shown = json.loads(exchange.reply.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(shown, dict):
        return None
    raw = at(shown, listing.rows)
    if raw is None and listing.limit and shown:
        raw = []  # an empty list may be left out; an answer that says nothing at all is none
    if not isinstance(raw, list):
        return None
    rows = list(_rows(listing, account, raw))
    return rows if len(rows) == len(raw) else None


def _rows(listing: ListConfig, account: str, raw: list[Any]) -> Iterator[Row]:
    """The rows that can be read: each has something that identifies it."""
    for row in raw:
        name, identity = at(row, listing.name), at(row, listing.id or listing.name)
        if isinstance(identity, str) and identity:
            yield Row(account, name if isinstance(name, str) else "", identity, moment(at(row, listing.created)), row)


def at(value: Any, pointer: str) -> Any:
    """What a JSON pointer points at; None where there is nothing."""
    for part in pointer.split("/")[1:]:
        value = value.get(part) if isinstance(value, dict) else None
    return value if pointer else None


def _put(value: dict[str, Any], pointer: str, what: Any) -> None:
    *path, last = pointer.split("/")[1:]
    for part in path:
        value = value.setdefault(part, {})
    value[last] = what


def moment(told: Any) -> float | None:
    """Seconds since 1970 of a time as vendors tell it: epoch seconds or milliseconds, as a number or text, or RFC 3339."""
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) <= 15:
        told = int(told)
    if isinstance(told, str) and len(told) <= 40:
        try:
            found = dt.datetime.fromisoformat(told)
        except ValueError:
            return None
        told = found.timestamp() if found.tzinfo is not None else None
    if isinstance(told, bool) or not isinstance(told, int | float) or not _EARLIEST <= told < _LATEST:
        return None
    return told / 1000 if told > _MILLISECONDS else float(told)
