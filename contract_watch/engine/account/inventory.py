"""The inventory: all objects of an account, read page by page through the contract's list operation."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.config import ListConfig
from contract_watch.contracts.schema import parse_foreign_json
from contract_watch.engine.account.account_session import AccountSession

_MAX_PAGES = 200
_EARLIEST, _LATEST = 1e9, 1e14
"""Range of numbers that are creation times: 2001 in seconds to the year 5138 in milliseconds."""
_MILLISECONDS = 1e11
"""Numbers above this are milliseconds since 1970, smaller ones seconds."""


@dataclass(frozen=True)
class ListedObject:
    """A listed object: its name, identity, creation time and raw row.

    ``created`` is in seconds since 1970, None if the row has none. ``account`` is the one whose key listed it.
    """

    account: str
    name: str
    identity: str
    created: float | None
    raw: Any


def list_objects(session: AccountSession, holders: Iterable[str] = ()) -> list[ListedObject] | None:
    """List all objects of the first account and of ``holders``; return None if a list is unavailable or incomplete."""
    accounts = dict.fromkeys([session.contract.credentials[0].account, *holders])
    found: list[ListedObject] = []
    for account in accounts:
        rows = _list_account(session, account) if account in session.keys else None
        if rows is None:
            return None
        found += rows
    return found


def has_safe_identity(session: AccountSession, row: ListedObject) -> bool:
    """Return True if the object's identity is no secret of this run that a server used as one."""
    return session.redactor.redact_string(row.identity) == row.identity


def _list_account(session: AccountSession, account: str) -> list[ListedObject] | None:
    config = session.contract.list_config
    if config is None:
        return None
    rows: dict[str, ListedObject] = {}
    for page in range(_MAX_PAGES):
        arguments: dict[str, Any] = {}
        if config.limit:
            _set_pointer(arguments, config.limit, config.size)
            if page:
                _set_pointer(arguments, config.offset, str(len(rows)))
        found = _read_page(session, config, account, arguments)
        if found is None:
            return None
        new = {row.identity: row for row in found if row.identity not in rows}
        rows |= new
        # A server may return fewer rows than requested: only a page with nothing new is the last.
        if not config.limit or not found or (not new and len(found) < config.size):
            return list(rows.values())
        if not new:
            return None  # the page repeats itself, so the rest is unknown
    return None


def _read_page(
    session: AccountSession, config: ListConfig, account: str, arguments: dict[str, Any]
) -> list[ListedObject] | None:
    with session.record_attempt():
        exchange = session.send_operation(config.operation, arguments, account)
    if exchange.response is None or not exchange.succeeded:
        return None
    try:
        body = parse_foreign_json(exchange.response.body)
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    raw = resolve_pointer(body, config.rows)
    if raw is None and config.limit and body:
        raw = []  # an empty list may be omitted; an empty response is no list
    if not isinstance(raw, list):
        return None
    rows = list(_parse_objects(config, account, raw))
    return rows if len(rows) == len(raw) else None


def _parse_objects(config: ListConfig, account: str, raw: list[Any]) -> Iterator[ListedObject]:
    """Parse the rows that have an identity."""
    for row in raw:
        name, identity = resolve_pointer(row, config.name), resolve_pointer(row, config.id or config.name)
        if isinstance(identity, int) and not isinstance(identity, bool):
            identity = str(identity)
        if isinstance(identity, str) and identity:
            yield ListedObject(
                account,
                name if isinstance(name, str) else "",
                identity,
                parse_time(resolve_pointer(row, config.created)),
                row,
            )


def resolve_pointer(value: Any, pointer: str) -> Any:
    """Return the value at a JSON pointer; None if there is none."""
    for part in pointer.split("/")[1:]:
        value = value.get(part) if isinstance(value, dict) else None
    return value if pointer else None


def _set_pointer(value: dict[str, Any], pointer: str, member: Any) -> None:
    *path, last = pointer.split("/")[1:]
    for part in path:
        value = value.setdefault(part, {})
    value[last] = member


def parse_time(value: Any) -> float | None:
    """Parse a vendor's time to seconds since 1970: epoch seconds or milliseconds (number or string), or RFC 3339."""
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
