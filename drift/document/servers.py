"""Servers: the addresses that an API is called at."""

from collections.abc import Mapping
from typing import Any

from drift.document.changes import Tokens
from drift.document.journal import Journal
from drift.document.source import mapping


def compare(journal: Journal, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    """Tell what changed between two lists of servers."""
    old, new = _servers(base), _servers(revision)
    if not old:  # none named: the root of wherever the document is
        new.pop("/", None)
    for url, (number, said) in old.items():
        if url not in new and not (url == "/" and not new):
            journal.tell("server-removed", (*at[0], str(number)), f"server {url} removed")
        elif url in new:
            _variables(journal, said, new[url][1], (*at[1], str(new[url][0]), "variables"))
    for url, (number, _) in new.items():
        if url not in old:
            journal.tell("server-added", (*at[1], str(number)), f"server {url} added")


def _servers(raw: Any) -> dict[str, tuple[int, Mapping[str, Any]]]:
    found: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for number, said in enumerate(raw if isinstance(raw, list) else ()):
        if isinstance(said, dict):
            found[str(said.get("url", "")).rstrip("/") or "/"] = (number, said)
    return found


def _variables(journal: Journal, base: Mapping[str, Any], revision: Mapping[str, Any], at: Tokens) -> None:
    old, new = (mapping(said.get("variables")) for said in (base, revision))
    for name in sorted({*old, *new}):
        before, after = (mapping(said.get(name)) for said in (old, new))
        here = (*at, name)
        if before.get("default") != after.get("default"):
            words = f"{name} is {after.get('default')} by default now, not {before.get('default')}"
            journal.tell("server-variable-default-changed", here, words)
        values = [said.get("enum") if isinstance(said.get("enum"), list) else None for said in (before, after)]
        if values[1] is not None and (gone := [v for v in values[0] or () if v not in values[1]] or values[0] is None):
            words = f"{name}: not any value any more" if gone is True else f"{name}: not {gone!r:.60} any more"
            journal.tell("server-variable-value-removed", here, words)
        if values[0] is not None and (values[1] is None or any(value not in values[0] for value in values[1])):
            journal.tell("server-variable-value-added", here, f"{name}: further values")
