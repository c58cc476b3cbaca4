"""Comparison of servers."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

from contract_watch.diff.document.change_log import ChangeLog
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.source import SourceDocument, as_object
from contract_watch.diff.document.value_text import describe_change, format_values

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_HOST = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*|//[^/?#]*", re.IGNORECASE)
_PORTS = {"http": ":80", "https": ":443"}
_ANY_VALUE = "{}"
"""The placeholder in an address for a variable with any value."""
_ROOT = "/"
"""The address of a server at the root of the document's own host."""
_MAX_ADDRESSES = 256
"""The maximal number of addresses that a server is expanded to."""


@dataclass(frozen=True)
class ServerList:
    """A list of servers as written, its location, and its level: 0 is the document, higher levels are nearer to the operation."""

    raw: Any
    location: Tokens
    level: int

    @cached_property
    def entries(self) -> "list[_ServerEntry]":
        """The servers of the list; anything else in it is passed over."""
        raw = self.raw if isinstance(self.raw, list) else ()
        return [_parse_server(spec, (*self.location, str(n))) for n, spec in enumerate(raw) if isinstance(spec, dict)]


class ServerComparison:
    """A comparison of the servers of operations: their own, else their path's, else the document's.

    The level of a list makes no difference. A change of the document's list is reported once. A server that no operation
    uses is reported only if it is new: tools may choose it, and send a key there. If it is not active, it records nothing.
    """

    def __init__(self, change_log: ChangeLog, *, is_active: bool) -> None:
        self._change_log, self._is_active = change_log, is_active
        self._roots = [
            ServerList(source.raw.get("servers"), ("servers",), 0) for source in (change_log.base, change_log.revision)
        ]
        self.prefix = _find_prefix(*(servers.entries for servers in self._roots))
        """The path that stands in the servers of one side and may stand in the paths of the other."""
        self._compared = set[tuple[Tokens, Tokens]]()
        self._has_common_operation = False
        self._base_addresses: set[str] = set()
        self._unused: dict[Tokens, _ServerEntry] = {}
        self._base_addresses |= set() if self._roots[0].entries else {_ROOT}
        self._note_base(self._roots[0])
        self._note_revision(self._roots[1])

    def compare_operation(self, levels_by_side: Sequence[Sequence[tuple[Mapping[str, Any], Tokens]]]) -> None:
        """Record the changes of an operation's servers.

        ``levels_by_side`` holds the path item and the operation of both sides, with their locations.
        """
        if not self._is_active:
            return
        found = []
        for side, levels in enumerate(levels_by_side):
            own = _list_levels(levels)
            found.append(own[-1] if own else self._roots[side])
            for one in () if self._change_log.vendor_calls else own:
                self._note_revision(one) if side else self._note_base(one)
        if self._change_log.vendor_calls and not (found[0].level and found[1].level):
            return  # the consumer chooses the address
        if not self._change_log.vendor_calls:
            self._has_common_operation = True
            for link in _list_links(self._change_log.base, *levels_by_side[0][-1]):
                self._base_addresses |= link.addresses
            self._unused |= {
                link.location: link for link in _list_links(self._change_log.revision, *levels_by_side[1][-1])
            }
        self._compare_lists(found[0], found[1])

    def accept_prefix(self) -> None:
        """Record that the prefix moved: the document's servers differ by it alone, and call the same addresses."""
        if not self._is_active:
            return
        for entry in self._roots[1].entries:
            self._base_addresses |= entry.addresses
        self._compared.add((self._roots[0].location, self._roots[1].location))
        where = "from the servers to the paths" if self.prefix[0] else "from the paths to the servers"
        message = f"{self.prefix[0] or self.prefix[1]} moved {where}"
        self._change_log.record_change("server-prefix-moved", self._roots[1].location, message)

    def note_added_operation(self, levels: Sequence[tuple[Mapping[str, Any], Tokens]]) -> None:
        """Note the servers of an operation that only the revision has: its path item and itself, with their locations."""
        if not self._change_log.vendor_calls:
            for one in _list_levels(levels):
                self._note_revision(one)

    def compare_document_servers(self) -> None:
        """Record the changes of the document's list that no operation shows, and new servers that no operation uses."""
        base, revision = self._roots
        if not self._is_active:
            return
        if not self._has_common_operation:
            self._compare_lists(base, revision)
        elif base.raw and revision.raw and (base.location, revision.location) not in self._compared:
            _compare_order(self._change_log, base.entries, revision.entries, revision.location)
        for server in self._unused.values():
            if server.addresses - self._base_addresses:
                self._change_log.record_change("server-added", server.location, f"server {server.url} added")

    def _note_base(self, servers: ServerList) -> None:
        for entry in servers.entries:
            self._base_addresses |= entry.addresses

    def _note_revision(self, servers: ServerList) -> None:
        if not any(servers.location == revision for _, revision in self._compared):
            self._unused |= {entry.location: entry for entry in servers.entries}

    def _compare_lists(self, base: ServerList, revision: ServerList) -> None:
        for entry in revision.entries:
            self._unused.pop(entry.location, None)
        if (base.location, revision.location) not in self._compared:
            self._compared.add((base.location, revision.location))
            compare(self._change_log, base, revision)


def compare(change_log: ChangeLog, base: ServerList, revision: ServerList) -> None:
    """Record the changes between two lists, at the one that is nearer to the operation."""
    old, new = base.entries, revision.entries
    if not old:  # no server means the root of the document's own host
        new = [server for server in new if server.key != _ROOT]
    were, are = _AddressSet(old), _AddressSet(new)
    pairs, gone, fresh = _pair_servers(old, new)
    for before, after in pairs:
        removed, added = not are.contains_all(before), not were.contains_all(after)
        _compare_variables(change_log, before, after, (*after.location, "variables"), removed=removed, added=added)
    for server in gone:
        if not are.contains_all(server) and not (server.key == _ROOT and not new):
            at = server.location if base.level >= revision.level else revision.location
            change_log.record_change("server-removed", at, f"server {server.url} removed")
    for server in fresh:
        if not were.lists_all(server):
            at = server.location if revision.level >= base.level else base.location
            change_log.record_change("server-added", at, f"server {server.url} added")
    _compare_order(change_log, old, new, revision.location if revision.level >= base.level else base.location)


def _find_prefix(old: Sequence["_ServerEntry"], new: Sequence["_ServerEntry"]) -> tuple[str, str]:
    """Return the path by which the addresses of one side are longer than those of the other; empty: not this side."""
    before, after = (
        {address.rstrip("/") for server in side for address in server.addresses} or {""} for side in (old, new)
    )
    longer, shorter = (before, after) if sum(map(len, before)) > sum(map(len, after)) else (after, before)
    if len(longer) != len(shorter):
        return "", ""
    one = min(shorter, key=len)
    for address in longer:
        prefix = address.removeprefix(one)
        if prefix.startswith("/") and {known + prefix for known in shorter} == longer:
            found = (prefix, "") if longer is before else ("", prefix)
            # Tools use the first server, so another order is no mere spelling.
            first, second = ([one.default_address.rstrip("/") for one in side] for side in (old, new))
            if [one + found[1] for one in first] == [one + found[0] for one in second]:
                return found
    return "", ""


@dataclass(frozen=True)
class _ServerEntry:
    """A server of a document.

    ``key`` is its URL without the names of variables, ``variables`` are in their order, ``addresses`` are all that it
    stands for. ``default_address`` is the one that tools use who choose no value.
    """

    location: Tokens
    url: str
    key: str
    variables: tuple[tuple[str, Mapping[str, Any]], ...]
    addresses: frozenset[str]
    default_address: str


def _list_levels(levels: Sequence[tuple[Mapping[str, Any], Tokens]]) -> list[ServerList]:
    """Return the lists of a path item and of its operation, as far as they have one."""
    return [
        ServerList(one["servers"], (*at, "servers"), level)
        for level, (one, at) in enumerate(levels, 1)
        if one.get("servers")
    ]


def _list_links(source: SourceDocument, operation: Mapping[str, Any], at: Tokens) -> Iterator[_ServerEntry]:
    """Yield the servers that the links of an operation's responses name for the next request."""
    for status, response in as_object(operation.get("responses")).items():
        for name, link in as_object(source.follow(response).get("links")).items():
            server = source.follow(link).get("server")
            if isinstance(server, dict):
                yield _parse_server(server, (*at, "responses", str(status), "links", str(name), "server"))


def _parse_server(spec: Mapping[str, Any], location: Tokens) -> _ServerEntry:
    url = str(spec.get("url", ""))
    given = as_object(spec.get("variables"))
    variables = tuple((name, as_object(given.get(name))) for name in _VARIABLE.findall(url))
    defaults = [str(values.get("default", _ANY_VALUE)) for _, values in variables]
    return _ServerEntry(
        location,
        url,
        _normalize_url(_VARIABLE.sub(_ANY_VALUE, url)),
        variables,
        _expand_addresses(url, variables),
        _insert_values(url, defaults),
    )


def _pair_servers(
    old: Sequence[_ServerEntry], new: Sequence[_ServerEntry]
) -> tuple[list[tuple[_ServerEntry, _ServerEntry]], list[_ServerEntry], list[_ServerEntry]]:
    """Pair servers with one URL, those with the same addresses first; return the pairs and the others of both sides."""
    pairs: list[tuple[_ServerEntry, _ServerEntry]] = []
    gone, fresh = list(old), list(new)
    for exact in (True, False):
        for server in list(gone):
            alike = (one for one in fresh if one.key == server.key and (not exact or one.addresses == server.addresses))
            if (found := next(alike, None)) is not None:
                pairs.append((server, found))
                gone.remove(server)
                fresh.remove(found)
    return pairs, gone, fresh


def _compare_order(
    change_log: ChangeLog, old: Sequence[_ServerEntry], new: Sequence[_ServerEntry], location: Tokens
) -> None:
    """Record another order of the servers that both lists have, or of what tools use that choose the first."""
    before, after = (list(dict.fromkeys(one.default_address for one in servers)) for servers in (old, new))
    is_reordered = [one for one in before if one in after] != [one for one in after if one in before]
    moves_first = bool(before and after) and before[0] != after[0] and before[0] in after
    known = {address for server in old for address in server.addresses}
    if is_reordered or (moves_first and after[0] in known):
        message = (
            f"{after[0]} is the first server now, {before[0]} was"
            if before[0] != after[0]
            else "order of servers changed"
        )
        change_log.record_change("server-order-changed", location, message)


def _normalize_url(url: str) -> str:
    """Remove insignificant parts of an address: a trailing slash, a default port, and the case of the host."""
    host = _HOST.match(url)
    if host is not None:
        name = host[0].lower()
        url = name.removesuffix(_PORTS.get(name.partition(":")[0], "\n")) + url[host.end() :]
    return url.rstrip("/") or "/"


def _expand_addresses(url: str, variables: Sequence[tuple[str, Mapping[str, Any]]]) -> frozenset[str]:
    """Return all addresses of a server; a variable with any value stays a placeholder. Beyond the limit, return only the URL."""
    values = [_list_strings(spec) or [_ANY_VALUE] for _, spec in variables]
    if prod(map(len, values)) > _MAX_ADDRESSES:
        return frozenset({_normalize_url(url) + repr(values)})
    return frozenset(_insert_values(url, chosen) for chosen in product(*values))


def _insert_values(url: str, values: Sequence[str]) -> str:
    """Return the address of a server with ``values`` for its variables, in their order."""
    parts = _VARIABLE.split(url)[::2]
    return _normalize_url("".join(part + value for part, value in zip(parts, (*values, ""), strict=True)))


def _list_strings(spec: Mapping[str, Any]) -> list[str]:
    """Return all values of a variable; none if it may have any. A default that is not listed counts: tools use it."""
    listed = _list_values(spec)
    if not listed:
        return []
    return list(dict.fromkeys(map(str, [*listed, *([spec["default"]] if "default" in spec else [])])))


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

    def lists_all(self, server: _ServerEntry) -> bool:
        """Return True if the set lists all addresses of a server; a variable with any value lists none but its own."""
        return server.addresses <= self._known

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
            message = f"{name}: {describe_change('default', before.get('default'), after.get('default'))}"
            change_log.record_change("server-variable-default-changed", here, message)
        old, new = _list_values(before), _list_values(after)
        gone = [value for value in old or () if new is not None and value not in new]
        if removed and new is not None and (gone or old is None):
            limits = f"now limited to these values: {format_values(new)}"
            message = f"{name}: {f'values removed: {format_values(gone)}' if gone else limits}"
            change_log.record_change("server-variable-value-removed", here, message)
        if added and old is not None and (new is None or any(value not in old for value in new)):
            more = [value for value in new or () if value not in old]
            words = (
                f"values added: {format_values(more)}"
                if more
                else f"no longer limited to these values: {format_values(old)}"
            )
            change_log.record_change("server-variable-value-added", here, f"{name}: {words}")
