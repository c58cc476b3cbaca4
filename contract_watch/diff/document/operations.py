"""Paths and their operations, webhooks and callbacks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.openapi import METHODS
from contract_watch.diff.document import deprecation, media_types, parameters, responses
from contract_watch.diff.document.change_log import Journal
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.security import Security
from contract_watch.diff.document.servers import Servers
from contract_watch.diff.document.source import Source, mapping


@dataclass(frozen=True)
class Item:
    """A path item: its path as it is written, what is said of it, and its place."""

    path: str
    said: Mapping[str, Any]
    at: Tokens


@dataclass(frozen=True)
class Whole:
    """What is said of operations for the whole document."""

    security: Security
    servers: Servers


def compare(journal: Journal) -> None:
    """Tell what changed in all paths and webhooks."""
    whole = Whole(Security(journal), Servers(journal))
    whole.security.schemes()
    base, revision = journal.base.raw, journal.revision.raw
    old, new = (_items(source, source.raw.get("paths"), ("paths",)) for source in (journal.base, journal.revision))
    for key, item in old.items():
        if key in new:
            _item(journal, whole, item, new[key])
        else:
            for method, said in _operations(item):
                word = deprecation.removal(said, journal.today)
                journal.tell(f"path-{word}", (*item.at, method), f"{method.upper()} {item.path} removed, with its path")
    for key, item in new.items():
        if key not in old:
            journal.tell("path-added", item.at, f"path {item.path} added")
    whole.servers.rest()
    _calls(journal, whole, "webhook", base.get("webhooks"), revision.get("webhooks"), (("webhooks",), ("webhooks",)))


def _items(source: Source, raw: Any, at: Tokens) -> dict[str, Item]:
    found = {}
    for path, said in mapping(raw).items():
        if isinstance(path, str) and not path.startswith("x-"):
            found[parameters.form(path)] = Item(path, source.followed(said), (*at, path))
    return found


def _operations(item: Item) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for method in METHODS:
        said = item.said.get(method)
        if isinstance(said, dict):
            yield method, said


def _item(journal: Journal, whole: Whole, old: Item, new: Item) -> None:
    before, after = dict(_operations(old)), dict(_operations(new))
    for method, said in before.items():
        name = f"{method.upper()} {old.path}"
        if method in after:
            _operation(journal, whole, (old, new), (said, after[method]), method)
        else:
            journal.tell(f"operation-{deprecation.removal(said, journal.today)}", (*old.at, method), f"{name} removed")
    for method in after:
        if method not in before:
            journal.tell("operation-added", (*new.at, method), f"{method.upper()} {new.path} added")


def _operation(
    journal: Journal,
    whole: Whole,
    items: tuple[Item, Item],
    said: tuple[Mapping[str, Any], Mapping[str, Any]],
    method: str,
) -> None:
    base, revision = said
    if deprecation.unstable(base) and deprecation.unstable(revision):
        return  # nobody is to rely on it
    at = ((*items[0].at, method), (*items[1].at, method))
    deprecation.operation(journal, base, revision, at[1])
    _names(journal, base, revision, at)
    found = [
        parameters.parameters(
            source,
            item.path,
            ((item.said.get("parameters"), (*item.at, "parameters")), (one.get("parameters"), (*place, "parameters"))),
        )
        for source, item, one, place in zip((journal.base, journal.revision), items, said, at, strict=True)
    ]
    parameters.compare(journal, found[0], found[1])
    _body(journal, base.get("requestBody"), revision.get("requestBody"), at)
    responses.compare(
        journal, base.get("responses"), revision.get("responses"), ((*at[0], "responses"), (*at[1], "responses"))
    )
    whole.security.requirements(base, revision, (*at[1], "security") if "security" in revision else at[1])
    levels = (((item.said, item.at), (one, place)) for item, one, place in zip(items, said, at, strict=True))
    whole.servers.operation(tuple(levels))
    places = ((*at[0], "callbacks"), (*at[1], "callbacks"))
    _callbacks(journal, whole, base.get("callbacks"), revision.get("callbacks"), places)


def _names(journal: Journal, base: Mapping[str, Any], revision: Mapping[str, Any], at: tuple[Tokens, Tokens]) -> None:
    old, new = base.get("operationId"), revision.get("operationId")
    if old != new:
        word = "added" if old is None else "removed" if new is None else "changed"
        place = at[0] if new is None else at[1]
        journal.tell(
            f"operation-id-{word}",
            (*place, "operationId"),
            f"operationId changed from {old or 'none'} to {new or 'none'}",
        )
    before, after = (_tags(said) for said in (base, revision))
    for tag in sorted(after - before):
        journal.tell("operation-tag-added", (*at[1], "tags"), f"tag {tag} added")
    for tag in sorted(before - after):
        journal.tell("operation-tag-removed", (*at[0], "tags"), f"tag {tag} removed")


def _tags(said: Mapping[str, Any]) -> set[str]:
    tags = said.get("tags")
    return {tag for tag in tags if isinstance(tag, str)} if isinstance(tags, list) else set()


def _body(journal: Journal, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    old, new = journal.base.followed(base), journal.revision.followed(revision)
    places = ((*at[0], "requestBody"), (*at[1], "requestBody"))
    if not old and not new:
        return
    if not new:
        journal.tell("request-body-removed", places[0], "request body removed")
        return
    needed = new.get("required") is True
    if not old:
        word = "required-added" if needed else "added"
        journal.tell(f"request-body-{word}", places[1], f"{'required ' if needed else ''}request body added")
        return
    if (old.get("required") is True) != needed:
        word = "required" if needed else "optional"
        journal.tell(f"request-body-became-{word}", places[1], f"request body became {word}")
    content = ((*places[0], "content"), (*places[1], "content"))
    media_types.compare(journal, "request-body", old.get("content"), new.get("content"), content)


# -- where the vendor is who calls


def _calls(journal: Journal, whole: Whole, kind: str, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    """Webhooks by name, callbacks by expression."""
    old, new = (mapping(said) for said in (base, revision))
    for name in old:
        if name not in new:
            journal.tell(f"{kind}-removed", (*at[0], name), f"{kind} {name} removed")
            continue
        before = Item("", journal.base.followed(old[name]), (*at[0], name))
        after = Item("", journal.revision.followed(new[name]), (*at[1], name))
        journal.turned = True
        try:
            _item(journal, whole, before, after)
        finally:
            journal.turned = False
    for name in new:
        if name not in old:
            journal.tell(f"{kind}-added", (*at[1], name), f"{kind} {name} added")


def _callbacks(journal: Journal, whole: Whole, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    if journal.turned:
        return  # a call within a call: no document has one
    old, new = (mapping(said) for said in (base, revision))
    for name in old:
        if name not in new:
            journal.tell("callback-removed", (*at[0], name), f"callback {name} removed")
        else:
            before, after = journal.base.followed(old[name]), journal.revision.followed(new[name])
            _calls(journal, whole, "callback", before, after, ((*at[0], name), (*at[1], name)))
    for name in new:
        if name not in old:
            journal.tell("callback-added", (*at[1], name), f"callback {name} added")
