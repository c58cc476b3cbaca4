"""The inventory: all objects of an account, read page by page through the contract's list operation."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.config import ListConfig
from contract_watch.contracts.resource.pages import find_next_start
from contract_watch.contracts.schema import parse_foreign_json
from contract_watch.engine.account.account_session import AccountSession
from contract_watch.engine.planning.arguments import ArgumentBuilder

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
    starts: set[str] = set()
    start: str | int = ""
    for number in range(_MAX_PAGES):
        arguments = _build_page_arguments(session, config, start)
        found, following = _read_page(session, config, account, arguments)
        if found is None:
            return None
        new = {row.identity: row for row in found if row.identity not in rows}
        rows |= new
        if config.cursor:
            if following is None:
                return list(rows.values())
            if following in starts:
                return None  # the cursor leads back, so the rest is unknown
            starts.add(following)
            start = following
            continue
        # A server may return fewer rows than requested: only a page with nothing new is the last.
        is_paged = bool(config.limit or config.page)
        if not is_paged or not found or (not new and len(found) < config.size):
            return list(rows.values())
        if not new:
            return None  # the page repeats itself, so the rest is unknown
        start = config.first_page + number + 1 if config.page else len(rows)
    return None


def _build_page_arguments(session: AccountSession, config: ListConfig, start: str | int) -> dict[str, Any]:
    """Build the arguments that ask for the page at ``start``; an empty one is the first page."""
    operation = session.contract.operations[config.operation]
    required = operation.get_required_arguments()
    baseline = ArgumentBuilder(session.contract).build_baseline(operation)
    arguments = {name: value for name, value in baseline.items() if name in required and ":" in name}
    if config.limit:
        most = operation.get_arguments().get(config.limit, {}).get("maximum", config.size)
        _set_argument(arguments, config.limit, min(config.size, most))
    pointer = config.cursor or config.offset or config.page
    if pointer and start != "":
        # A body is protojson, which writes 64-bit numbers as strings.
        _set_argument(arguments, pointer, str(start) if pointer.startswith("/") else start)
    return arguments


def _read_page(
    session: AccountSession, config: ListConfig, account: str, arguments: dict[str, Any]
) -> tuple[list[ListedObject] | None, str | None]:
    """Return the objects on a page, None if it is no list, and the cursor of the next page, None if it is the last."""
    with session.record_attempt():
        exchange = session.send_operation(config.operation, arguments, account)
    if exchange.response is None or not exchange.succeeded:
        return None, None
    try:
        body = parse_foreign_json(exchange.response.body)
    except ValueError:
        return None, None
    raw = body if config.rows == "/" else resolve_pointer(body, config.rows)
    if raw is None and config.limit and isinstance(body, dict) and body:
        raw = []  # an empty list may be omitted; an empty response is no list
    if not isinstance(raw, list):
        return None, None
    rows = list(_parse_objects(config, account, raw))
    following = find_next_start(config, arguments, body, exchange.response.headers) if raw else None
    return rows if len(rows) == len(raw) else None, following


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


def _set_argument(value: dict[str, Any], pointer: str, member: Any) -> None:
    """Set an argument by its name, or by a JSON pointer into the body."""
    if not pointer.startswith("/"):
        value[pointer] = member
        return
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
