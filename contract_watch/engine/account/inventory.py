"""All that an account holds, seen through the contract's list operation, page by page."""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.config import ListConfig
from contract_watch.engine.running.session import Session

_MAX_PAGES = 200
_EARLIEST, _LATEST = 1e9, 1e14
"""Numbers outside of these tell no time at which an object was made: 2001 in seconds, the year 5138 in milliseconds."""
_MILLISECONDS = 1e11
"""A number of this size tells milliseconds since 1970, a smaller one seconds."""


@dataclass(frozen=True)
class ListedObject:
    """One object of an account: its run's name, if it has one, what identifies it, when it was made, and the row itself.

    ``created`` is in seconds since 1970, None where the row does not tell. ``account`` is whose key has seen it.
    """

    account: str
    name: str
    identity: str
    created: float | None
    raw: Any


def list_objects(session: Session, holders: Iterable[str] = ()) -> list[ListedObject] | None:
    """Every object of the first account, and of those called ``holders``; None where one cannot be seen, or not all of it."""
    accounts = dict.fromkeys([session.contract.credentials[0].account, *holders])
    found: list[ListedObject] = []
    for account in accounts:
        rows = _list_account(session, account) if account in session.keys else None
        if rows is None:
            return None
        found += rows
    return found


def has_safe_identity(session: Session, row: ListedObject) -> bool:
    """Whether what identifies an object is no secret of this run's, which a server may have called it by."""
    return session.redactor.redact_string(row.identity) == row.identity


def _list_account(session: Session, account: str) -> list[ListedObject] | None:
    listing = session.contract.list_config
    if listing is None:
        return None
    rows: dict[str, ListedObject] = {}
    for page in range(_MAX_PAGES):
        asked: dict[str, Any] = {}
        if listing.limit:
            _set_pointer(asked, listing.limit, listing.size)
            if page:
                _set_pointer(asked, listing.offset, str(len(rows)))
        found = _read_page(session, listing, account, asked)
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


def _read_page(session: Session, listing: ListConfig, account: str, asked: dict[str, Any]) -> list[ListedObject] | None:
    with session.record_attempt():
        exchange = session.send_operation(listing.operation, asked, account)
    if exchange.response is None or not exchange.succeeded:
        return None
    try:
        shown = json.loads(exchange.response.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(shown, dict):
        return None
    raw = resolve_pointer(shown, listing.rows)
    if raw is None and listing.limit and shown:
        raw = []  # an empty list may be left out; an answer that says nothing at all is none
    if not isinstance(raw, list):
        return None
    rows = list(_parse_objects(listing, account, raw))
    return rows if len(rows) == len(raw) else None


def _parse_objects(listing: ListConfig, account: str, raw: list[Any]) -> Iterator[ListedObject]:
    """The rows that can be read: each has something that identifies it."""
    for row in raw:
        name, identity = resolve_pointer(row, listing.name), resolve_pointer(row, listing.id or listing.name)
        if isinstance(identity, str) and identity:
            yield ListedObject(
                account,
                name if isinstance(name, str) else "",
                identity,
                parse_time(resolve_pointer(row, listing.created)),
                row,
            )


def resolve_pointer(value: Any, pointer: str) -> Any:
    """What a JSON pointer points at; None where there is nothing."""
    for part in pointer.split("/")[1:]:
        value = value.get(part) if isinstance(value, dict) else None
    return value if pointer else None


def _set_pointer(value: dict[str, Any], pointer: str, member: Any) -> None:
    *path, last = pointer.split("/")[1:]
    for part in path:
        value = value.setdefault(part, {})
    value[last] = member


def parse_time(value: Any) -> float | None:
    """Seconds since 1970 of a time as vendors tell it: epoch seconds or milliseconds, as a number or text, or RFC 3339."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        value = int(value)
    if isinstance(value, str) and len(value) <= 40:
        try:
            found = dt.datetime.fromisoformat(value)
        except ValueError:
            return None
        value = found.timestamp() if found.tzinfo is not None else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not _EARLIEST <= value < _LATEST:
        return None
    return value / 1000 if value > _MILLISECONDS else float(value)
