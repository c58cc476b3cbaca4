"""Comparison of paths and their operations, webhooks and callbacks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract_watch.diff.document import deprecation, media_types, parameters, responses
from contract_watch.diff.document.change_log import ChangeLog
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.moved_operations import OperationKey, SuccessorFinder
from contract_watch.diff.document.security import SecurityComparison
from contract_watch.diff.document.servers import ServerComparison
from contract_watch.diff.document.source import SourceDocument, as_object, iterate_operations
from contract_watch.diff.document.value_text import describe_change


@dataclass(frozen=True)
class PathItem:
    """A path item: its path as written, its object, and its location."""

    path: str
    spec: Mapping[str, Any]
    location: Tokens


@dataclass(frozen=True)
class PathOperation:
    """An operation of a path item: its method in capitals, its object, and its location."""

    item: PathItem
    method: str
    spec: Mapping[str, Any]
    location: Tokens

    @property
    def name(self) -> str:
        """Method and path."""
        return f"{self.method} {self.item.path}"

    @property
    def key(self) -> OperationKey:
        """The method, path and id that tell if it moved."""
        name = self.spec.get("operationId")
        shape = parameters.normalize_path(self.item.path)
        return OperationKey(self.method, shape, self.name, name if isinstance(name, str) else "")

    @property
    def levels(self) -> tuple[tuple[Mapping[str, Any], Tokens], ...]:
        """The path item and the operation, each with its location: what the second says counts more."""
        return (self.item.spec, self.item.location), (self.spec, self.location)


OperationMatch = tuple[list[tuple[PathOperation, PathOperation]], list[PathOperation], list[PathOperation]]
"""The operations of one shape: the pairs, and those that only the base and only the revision has."""


@dataclass(frozen=True)
class DocumentContext:
    """The comparisons that cover the whole document."""

    security: SecurityComparison
    servers: ServerComparison


def compare(change_log: ChangeLog, *, with_servers: bool) -> None:
    """Record the changes of all paths and webhooks."""
    whole = DocumentContext(SecurityComparison(change_log), ServerComparison(change_log, is_active=with_servers))
    whole.security.compare_schemes()
    base, revision = change_log.base.raw, change_log.revision.raw
    old, new = (
        _collect_items(source, source.raw.get("paths"), ("paths",)) for source in (change_log.base, change_log.revision)
    )
    if any(whole.servers.prefix):
        shifted = [
            _drop_prefix(items, prefix) for items, prefix in zip((old, new), whole.servers.prefix[::-1], strict=True)
        ]
        if len(shifted[0].keys() & shifted[1].keys()) > len(old.keys() & new.keys()):
            old, new = shifted
            whole.servers.accept_prefix()
    matches = {
        shape: _pair_operations(list(_list_operations(old.get(shape, ()))), list(_list_operations(new.get(shape, ()))))
        for shape in dict.fromkeys((*old, *new))
    }
    kept = (
        [pair[1] for match in matches.values() for pair in match[0]] if any(one[1] for one in matches.values()) else []
    )
    finder = SuccessorFinder((one.key for match in matches.values() for one in match[2]), (one.key for one in kept))
    for shape, match in matches.items():
        if shape in old:
            _compare_operations_of_shape(change_log, whole, match, finder, "operation" if shape in new else "path")
    for shape, items in new.items():
        if shape not in old:
            for item in items:
                change_log.record_change("path-added", item.location, f"path {item.path} added")
            for one in matches[shape][2]:
                whole.servers.note_added_operation(one.levels)
    whole.servers.compare_document_servers()
    _compare_vendor_calls(
        change_log, whole, "webhook", base.get("webhooks"), revision.get("webhooks"), (("webhooks",), ("webhooks",))
    )


def _collect_items(source: SourceDocument, raw: Any, at: Tokens) -> dict[str, list[PathItem]]:
    """Return the path items by the shape of their paths: `/c/{id}` and `/c/{email}` have one shape."""
    found: dict[str, list[PathItem]] = {}
    for path, spec in as_object(raw).items():
        if isinstance(path, str) and not path.startswith("x-"):
            item = PathItem(path, source.follow(spec), (*at, path))
            found.setdefault(parameters.normalize_path(path), []).append(item)
    return found


def _drop_prefix(items: Mapping[str, list[PathItem]], prefix: str) -> dict[str, list[PathItem]]:
    """Return path items by shape without ``prefix``, which stands in the servers of the other side.

    A path that does not begin with it, or has servers of its own, has no counterpart there.
    """
    begin = parameters.normalize_path(prefix)
    found = dict[str, list[PathItem]]()
    for shape, some in items.items():
        is_alone = any(level.get("servers") for one in _list_operations(some) for level, _ in one.levels)
        if not prefix:
            found[shape] = some
        elif is_alone or not (shape + "/").startswith(begin + "/"):
            found[f"?{shape}"] = some
        else:
            found[shape.removeprefix(begin) or "/"] = some
    return found


def _list_operations(items: Iterable[PathItem]) -> Iterator[PathOperation]:
    for item in items:
        for method, tokens, spec in iterate_operations(item.spec):
            yield PathOperation(item, method, spec, (*item.location, *tokens))


def _compare_operations_of_shape(
    change_log: ChangeLog, context: DocumentContext, match: OperationMatch, finder: SuccessorFinder, kind: str
) -> None:
    """Record the changes of all operations of one shape; ``kind`` is ``path`` if nothing of that shape is left."""
    pairs, gone, added = match
    for before, after in pairs:
        _compare_operations(change_log, context, before, after)
    for one in gone:
        word = deprecation.classify_removal(one.spec, change_log.today)
        message = f"{one.name} removed{', with its path' if kind == 'path' else ''}"
        if successors := finder.find_successors(one.key):
            message += f"; it may be {' or '.join(successors)} now"
        elif twin := finder.find_twin(one.key):
            message += f"; {twin} exists too"
        change_log.record_change(f"{kind}-{word}", one.location, message)
    for one in added:
        change_log.record_change("operation-added", one.location, f"{one.name} added")
        context.servers.note_added_operation(one.levels)


def _pair_operations(old: Sequence[PathOperation], new: Sequence[PathOperation]) -> OperationMatch:
    """Pair operations of one shape by method, those with one path first; return the pairs and the others of both sides."""
    paths = {(one.method, one.item.path): one for one in new}
    chosen = {(one.method, one.item.path): paths.get((one.method, one.item.path)) for one in old}
    taken = {id(one) for one in chosen.values()}
    pairs, gone = list[tuple[PathOperation, PathOperation]](), list[PathOperation]()
    for one in old:
        other = chosen[one.method, one.item.path]
        if other is None:
            other = next((each for each in new if each.method == one.method and id(each) not in taken), None)
        if other is None:
            gone.append(one)
        else:
            taken.add(id(other))
            pairs.append((one, other))
    return pairs, gone, [one for one in new if id(one) not in taken]


def _compare_operations(
    change_log: ChangeLog, context: DocumentContext, old: PathOperation, new: PathOperation
) -> None:
    base, revision = old.spec, new.spec
    if deprecation.is_unstable(base) and deprecation.is_unstable(revision):
        return  # drafts carry no promise
    at = (old.location, new.location)
    deprecation.compare_deprecation(change_log, base, revision, at[1])
    _compare_names(change_log, base, revision, at)
    found = [
        parameters.collect_parameters(
            source, one.item.path, [(spec.get("parameters"), (*here, "parameters")) for spec, here in one.levels]
        )
        for source, one in ((change_log.base, old), (change_log.revision, new))
    ]
    parameters.compare(change_log, found[0], found[1])
    _compare_bodies(change_log, base.get("requestBody"), revision.get("requestBody"), at)
    responses.compare(
        change_log, base.get("responses"), revision.get("responses"), ((*at[0], "responses"), (*at[1], "responses"))
    )
    context.security.compare_requirements(base, revision, (*at[1], "security") if "security" in revision else at[1])
    context.servers.compare_operation((old.levels, new.levels))
    locations = ((*at[0], "callbacks"), (*at[1], "callbacks"))
    _compare_callbacks(change_log, context, base.get("callbacks"), revision.get("callbacks"), locations)


def _compare_names(
    change_log: ChangeLog, base: Mapping[str, Any], revision: Mapping[str, Any], at: tuple[Tokens, Tokens]
) -> None:
    old, new = base.get("operationId"), revision.get("operationId")
    if old != new:
        word = "added" if old is None else "removed" if new is None else "changed"
        location = at[0] if new is None else at[1]
        change_log.record_change(
            f"operation-id-{word}",
            (*location, "operationId"),
            describe_change("operationId", old, new),
        )
    before, after = (_collect_tags(spec) for spec in (base, revision))
    for tag in sorted(after - before):
        change_log.record_change("operation-tag-added", (*at[1], "tags"), f"tag {tag} added")
    for tag in sorted(before - after):
        change_log.record_change("operation-tag-removed", (*at[0], "tags"), f"tag {tag} removed")


def _collect_tags(spec: Mapping[str, Any]) -> set[str]:
    tags = spec.get("tags")
    return {tag for tag in tags if isinstance(tag, str)} if isinstance(tags, list) else set()


def _compare_bodies(change_log: ChangeLog, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    old, new = change_log.base.follow(base), change_log.revision.follow(revision)
    locations = ((*at[0], "requestBody"), (*at[1], "requestBody"))
    if not old and not new:
        return
    if not new:
        change_log.record_change("request-body-removed", locations[0], "request body removed")
        return
    needed = new.get("required") is True
    if not old:
        word = "required-added" if needed else "added"
        change_log.record_change(
            f"request-body-{word}", locations[1], f"{'required ' if needed else ''}request body added"
        )
        return
    if (old.get("required") is True) != needed:
        word = "required" if needed else "optional"
        change_log.record_change(f"request-body-became-{word}", locations[1], f"request body became {word}")
    content = ((*locations[0], "content"), (*locations[1], "content"))
    media_types.compare(change_log, "request-body", old.get("content"), new.get("content"), content)


# -- requests that the vendor sends


def _compare_vendor_calls(
    change_log: ChangeLog, context: DocumentContext, kind: str, base: Any, revision: Any, at: tuple[Tokens, Tokens]
) -> None:
    """Record the changes of webhooks, by name, or of a callback, by expression."""
    old, new = (as_object(spec) for spec in (base, revision))
    for name in old:
        if name not in new:
            change_log.record_change(f"{kind}-removed", (*at[0], name), f"{kind} {name} removed")
            continue
        before = PathItem("", change_log.base.follow(old[name]), (*at[0], name))
        after = PathItem("", change_log.revision.follow(new[name]), (*at[1], name))
        change_log.vendor_calls = True
        try:
            match = _pair_operations(list(_list_operations([before])), list(_list_operations([after])))
            _compare_operations_of_shape(change_log, context, match, SuccessorFinder(()), "operation")
        finally:
            change_log.vendor_calls = False
    for name in new:
        if name not in old:
            change_log.record_change(f"{kind}-added", (*at[1], name), f"{kind} {name} added")


def _compare_callbacks(
    change_log: ChangeLog, context: DocumentContext, base: Any, revision: Any, at: tuple[Tokens, Tokens]
) -> None:
    if change_log.vendor_calls:
        return  # callbacks of callbacks do not occur
    old, new = (as_object(spec) for spec in (base, revision))
    for name in old:
        if name not in new:
            change_log.record_change("callback-removed", (*at[0], name), f"callback {name} removed")
        else:
            before, after = change_log.base.follow(old[name]), change_log.revision.follow(new[name])
            _compare_vendor_calls(change_log, context, "callback", before, after, ((*at[0], name), (*at[1], name)))
    for name in new:
        if name not in old:
            change_log.record_change("callback-added", (*at[1], name), f"callback {name} added")
