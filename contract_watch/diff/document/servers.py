"""Servers: the addresses that an API is called at."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from contract_watch.diff.document.change_log import Journal
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.source import mapping

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_HOST = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*|//[^/?#]*", re.IGNORECASE)
_PORTS = {"http": ":80", "https": ":443"}
_OPEN = "{}"
"""What stands in an address for a value that may be any."""
_MOST = 256
"""Addresses that a server is spelled out to."""


@dataclass(frozen=True)
class Listed:
    """A list of servers as it is written, its place, and how far below the root that is: 0 is the root's own."""

    raw: Any
    at: Tokens
    level: int


class Servers:
    """Compares the servers of operations: their own, else their path's, else the document's.

    Where the list is written says nothing; what changed in the document's is told once, and there.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._roots = [
            Listed(source.raw.get("servers"), ("servers",), 0) for source in (journal.base, journal.revision)
        ]
        self._told = set[tuple[Tokens, Tokens]]()
        self._used = False

    def operation(self, said: Sequence[Sequence[tuple[Mapping[str, Any], Tokens]]]) -> None:
        """Tell what changed for an operation: on each side the path item and the operation itself, with their places."""
        found = []
        for side, levels in enumerate(said):
            own = [
                Listed(one["servers"], (*at, "servers"), level)
                for level, (one, at) in enumerate(levels, 1)
                if one.get("servers")
            ]
            found.append(own[-1] if own else self._roots[side])
        if self._journal.turned and not (found[0].level and found[1].level):
            return  # the consumer says where it is called
        self._used = self._used or not self._journal.turned
        self._lists(found[0], found[1])

    def rest(self) -> None:
        """Tell of the document's own list, where there is no operation in both that it could be told of."""
        if not self._used:
            self._lists(self._roots[0], self._roots[1])

    def _lists(self, base: Listed, revision: Listed) -> None:
        if (base.at, revision.at) not in self._told:
            self._told.add((base.at, revision.at))
            compare(self._journal, base, revision)


def compare(journal: Journal, base: Listed, revision: Listed) -> None:
    """Tell what changed between two lists of servers: in that of the two that is nearer to the operation."""
    old, new = _servers(base.raw), _servers(revision.raw)
    if not old:  # none named: the root of wherever the document is
        new.pop("/", None)
    were, are = _Addresses(old.values()), _Addresses(new.values())
    for form, server in old.items():
        goes_on = are.hold(server)
        if form in new:
            at = (*revision.at, str(new[form].number), "variables")
            _variables(journal, server, new[form], at, removed=not goes_on, added=not were.hold(new[form]))
        elif not goes_on and not (form == "/" and not new):
            at = (*base.at, str(server.number)) if base.level >= revision.level else revision.at
            journal.tell("server-removed", at, f"server {server.url} removed")
    for form, server in new.items():
        if form not in old and not were.hold(server):
            at = (*revision.at, str(server.number)) if revision.level >= base.level else base.at
            journal.tell("server-added", at, f"server {server.url} added")


@dataclass(frozen=True)
class _Server:
    """A server of a list: its number, its url as it is written, its variables in their order, and all its addresses."""

    number: int
    url: str
    variables: tuple[tuple[str, Mapping[str, Any]], ...]
    addresses: frozenset[str]


def _servers(raw: Any) -> dict[str, _Server]:
    """Servers by their address without the names of its variables."""
    found: dict[str, _Server] = {}
    for number, said in enumerate(raw if isinstance(raw, list) else ()):
        if isinstance(said, dict):
            url = str(said.get("url", ""))
            given = mapping(said.get("variables"))
            variables = tuple((name, mapping(given.get(name))) for name in _VARIABLE.findall(url))
            found[_plain(_VARIABLE.sub(_OPEN, url))] = _Server(number, url, variables, _addresses(url, variables))
    return found


def _plain(url: str) -> str:
    """An address without what makes no other: a slash at its end, a port that goes without saying, the case of its host."""
    host = _HOST.match(url)
    if host is not None:
        name = host[0].lower()
        url = name.removesuffix(_PORTS.get(name.partition(":")[0], "\n")) + url[host.end() :]
    return url.rstrip("/") or "/"


def _addresses(url: str, variables: Sequence[tuple[str, Mapping[str, Any]]]) -> frozenset[str]:
    """Every address of a server, a variable that may be anything left open; the one that is written, where there are too many."""
    values = [list(map(str, listed)) if (listed := _values(said)) else [_OPEN] for _, said in variables]
    if prod(map(len, values)) > _MOST:
        return frozenset({_plain(url) + repr(values)})
    parts = _VARIABLE.split(url)[::2]
    return frozenset(
        _plain("".join(part + value for part, value in zip(parts, (*chosen, ""), strict=True)))
        for chosen in product(*values)
    )


def _values(said: Mapping[str, Any]) -> list[Any] | None:
    """The values of a variable; None where it may have any."""
    return said["enum"] if isinstance(said.get("enum"), list) else None


class _Addresses:
    """The addresses of several servers."""

    def __init__(self, servers: Iterable[_Server]) -> None:
        self._known = {address for server in servers for address in server.addresses}
        open_ = (address for address in self._known if 0 < address.count(_OPEN) <= 3)
        self._open = [re.compile(".+".join(map(re.escape, address.split(_OPEN))), re.DOTALL) for address in open_]

    def hold(self, server: _Server) -> bool:
        """Whether all addresses of a server are among these."""
        rest = server.addresses - self._known
        return all(any(one.fullmatch(address) for one in self._open) for address in rest)


def _variables(journal: Journal, base: _Server, revision: _Server, at: Tokens, *, removed: bool, added: bool) -> None:
    for (_, before), (name, after) in zip(base.variables, revision.variables, strict=True):
        here = (*at, name)
        if before.get("default") != after.get("default"):
            words = f"{name} is {after.get('default')} by default now, not {before.get('default')}"
            journal.tell("server-variable-default-changed", here, words)
        old, new = _values(before), _values(after)
        gone = [value for value in old or () if new is not None and value not in new]
        if removed and new is not None and (gone or old is None):
            words = f"{name}: not {gone!r:.60} any more" if gone else f"{name}: not any value any more"
            journal.tell("server-variable-value-removed", here, words)
        if added and old is not None and (new is None or any(value not in old for value in new)):
            journal.tell("server-variable-value-added", here, f"{name}: further values")
