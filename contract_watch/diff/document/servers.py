"""Comparison of servers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from contract_watch.diff.document.change_log import ChangeLog
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.source import as_object

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_HOST = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*|//[^/?#]*", re.IGNORECASE)
_PORTS = {"http": ":80", "https": ":443"}
_ANY_VALUE = "{}"
"""The placeholder in an address for a variable with any value."""
_MAX_ADDRESSES = 256
"""The maximal number of addresses that a server is expanded to."""


@dataclass(frozen=True)
class ServerList:
    """A list of servers as written, its location, and its level: 0 is the document, higher levels are nearer to the operation."""

    raw: Any
    location: Tokens
    level: int


class ServerComparison:
    """A comparison of the servers of operations: their own, else their path's, else the document's.

    The level of a list makes no difference. A change of the document's list is reported once.
    """

    def __init__(self, change_log: ChangeLog) -> None:
        self._change_log = change_log
        self._roots = [
            ServerList(source.raw.get("servers"), ("servers",), 0) for source in (change_log.base, change_log.revision)
        ]
        self._compared = set[tuple[Tokens, Tokens]]()
        self._has_common_operation = False

    def compare_operation(self, levels_by_side: Sequence[Sequence[tuple[Mapping[str, Any], Tokens]]]) -> None:
        """Record the changes of an operation's servers.

        ``levels_by_side`` holds the path item and the operation of both sides, with their locations.
        """
        found = []
        for side, levels in enumerate(levels_by_side):
            own = [
                ServerList(one["servers"], (*at, "servers"), level)
                for level, (one, at) in enumerate(levels, 1)
                if one.get("servers")
            ]
            found.append(own[-1] if own else self._roots[side])
        if self._change_log.vendor_calls and not (found[0].level and found[1].level):
            return  # the consumer chooses the address
        self._has_common_operation = self._has_common_operation or not self._change_log.vendor_calls
        self._compare_lists(found[0], found[1])

    def compare_document_servers(self) -> None:
        """Record the changes of the document's list if no operation is in both documents."""
        if not self._has_common_operation:
            self._compare_lists(self._roots[0], self._roots[1])

    def _compare_lists(self, base: ServerList, revision: ServerList) -> None:
        if (base.location, revision.location) not in self._compared:
            self._compared.add((base.location, revision.location))
            compare(self._change_log, base, revision)


def compare(change_log: ChangeLog, base: ServerList, revision: ServerList) -> None:
    """Record the changes between two lists, at the one that is nearer to the operation."""
    old, new = _parse_servers(base.raw), _parse_servers(revision.raw)
    if not old:  # no server means the root of the document's own host
        new.pop("/", None)
    were, are = _AddressSet(old.values()), _AddressSet(new.values())
    for key, server in old.items():
        is_still_served = are.contains_all(server)
        if key in new:
            at = (*revision.location, str(new[key].number), "variables")
            _compare_variables(
                change_log, server, new[key], at, removed=not is_still_served, added=not were.contains_all(new[key])
            )
        elif not is_still_served and not (key == "/" and not new):
            at = (*base.location, str(server.number)) if base.level >= revision.level else revision.location
            change_log.record_change("server-removed", at, f"server {server.url} removed")
    for key, server in new.items():
        if key not in old and not were.contains_all(server):
            at = (*revision.location, str(server.number)) if revision.level >= base.level else base.location
            change_log.record_change("server-added", at, f"server {server.url} added")


@dataclass(frozen=True)
class _ServerEntry:
    """A server: its index, its URL as written, its variables in their order, and all its addresses."""

    number: int
    url: str
    variables: tuple[tuple[str, Mapping[str, Any]], ...]
    addresses: frozenset[str]


def _parse_servers(raw: Any) -> dict[str, _ServerEntry]:
    """Return servers by their URL without the names of variables."""
    found: dict[str, _ServerEntry] = {}
    for number, spec in enumerate(raw if isinstance(raw, list) else ()):
        if isinstance(spec, dict):
            url = str(spec.get("url", ""))
            given = as_object(spec.get("variables"))
            variables = tuple((name, as_object(given.get(name))) for name in _VARIABLE.findall(url))
            found[_normalize_url(_VARIABLE.sub(_ANY_VALUE, url))] = _ServerEntry(
                number, url, variables, _expand_addresses(url, variables)
            )
    return found


def _normalize_url(url: str) -> str:
    """Remove insignificant parts of an address: a trailing slash, a default port, and the case of the host."""
    host = _HOST.match(url)
    if host is not None:
        name = host[0].lower()
        url = name.removesuffix(_PORTS.get(name.partition(":")[0], "\n")) + url[host.end() :]
    return url.rstrip("/") or "/"


def _expand_addresses(url: str, variables: Sequence[tuple[str, Mapping[str, Any]]]) -> frozenset[str]:
    """Return all addresses of a server; a variable with any value stays a placeholder. Beyond the limit, return only the URL."""
    values = [list(map(str, listed)) if (listed := _list_values(spec)) else [_ANY_VALUE] for _, spec in variables]
    if prod(map(len, values)) > _MAX_ADDRESSES:
        return frozenset({_normalize_url(url) + repr(values)})
    parts = _VARIABLE.split(url)[::2]
    return frozenset(
        _normalize_url("".join(part + value for part, value in zip(parts, (*chosen, ""), strict=True)))
        for chosen in product(*values)
    )


def _list_values(spec: Mapping[str, Any]) -> list[Any] | None:
    """Return the values of a variable, or None if it may have any."""
    return spec["enum"] if isinstance(spec.get("enum"), list) else None


class _AddressSet:
    """A set of the addresses of several servers."""

    def __init__(self, servers: Iterable[_ServerEntry]) -> None:
        self._known = {address for server in servers for address in server.addresses}
        open_ = (address for address in self._known if 0 < address.count(_ANY_VALUE) <= 3)
        self._templates = [
            re.compile(".+".join(map(re.escape, address.split(_ANY_VALUE))), re.DOTALL) for address in open_
        ]

    def contains_all(self, server: _ServerEntry) -> bool:
        """Return True if the set contains all addresses of a server."""
        rest = server.addresses - self._known
        return all(any(one.fullmatch(address) for one in self._templates) for address in rest)


def _compare_variables(
    change_log: ChangeLog, base: _ServerEntry, revision: _ServerEntry, at: Tokens, *, removed: bool, added: bool
) -> None:
    for (_, before), (name, after) in zip(base.variables, revision.variables, strict=True):
        here = (*at, name)
        if before.get("default") != after.get("default"):
            message = f"{name}: default changed from {before.get('default')} to {after.get('default')}"
            change_log.record_change("server-variable-default-changed", here, message)
        old, new = _list_values(before), _list_values(after)
        gone = [value for value in old or () if new is not None and value not in new]
        if removed and new is not None and (gone or old is None):
            message = f"{name}: values removed: {gone!r:.60}" if gone else f"{name}: now limited to a list of values"
            change_log.record_change("server-variable-value-removed", here, message)
        if added and old is not None and (new is None or any(value not in old for value in new)):
            change_log.record_change("server-variable-value-added", here, f"{name}: values added")
