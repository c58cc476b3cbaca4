"""Places of a document: where a change is, whatever uses it, in names that survive another order.

A change of a shared schema shows at each reference to it. Its place is the schema itself, with the items of lists by what
they are: `/paths/~1users/get/parameters/query:state`, `/components/schemas/Pet/oneOf/Cat`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_watch.diff.document.changes import ApiChange
from contract_watch.diff.document.json_pointer import format_pointer, parse_pointer
from contract_watch.diff.document.source import OPERATION_KEYS, SourceDocument

_MAX_REFERENCES = 2000
_SHARED = frozenset({"parameters", "headers", "responses", "requestBody"})
"""Keywords of objects that a document may write as references to components."""
_MEMBERS = frozenset({"oneOf", "anyOf", "allOf"})


@dataclass
class _Group:
    """The uses of a change at one place: the worst, all that were told, and the operations that reach the place."""

    worst: ApiChange
    place: str
    operations: dict[str, None] = field(default_factory=dict)
    uses: list[ApiChange] = field(default_factory=list)


class PlaceFinder:
    """Finds the places of the changes between two documents."""

    def __init__(self, base: Mapping[str, Any], revision: Mapping[str, Any]) -> None:
        self._sources = SourceDocument(base), SourceDocument(revision)
        self._known: dict[tuple[str, str], str] = {}

    def find_place(self, change: ApiChange) -> str:
        """Return the place of a change, in the revision, or in the base for a removal."""
        is_removal = "removed" in change.rule
        key = change.rule, change.location
        if key not in self._known:
            tokens = parse_pointer(change.location)
            first, second = self._sources[:: -1 if not is_removal else 1]
            source = first if first.find_value(tokens) is not None else second
            is_whole = is_removal or change.rule.endswith("added")
            self._known[key] = _find_place(source, tokens, follows_last=not is_whole)
        return self._known[key]

    def group(self, uses: Iterable[ApiChange]) -> tuple[ApiChange, ...]:
        """Return one change for each rule, direction, place and message, in the order of the first use."""
        groups = PlaceGroups(self)
        for change in uses:
            groups.add(change, [name_operation(change.location)])
        return groups.changes


class PlaceGroups:
    """Changes by rule, direction, place and message."""

    def __init__(self, places: PlaceFinder) -> None:
        self._places = places
        self._found: dict[tuple[str, str, str, str], _Group] = {}

    def add(self, change: ApiChange, operations: Iterable[str]) -> None:
        """Add a use of a change, and the operations that it is a use of; empty names are none."""
        place = self._places.find_place(change)
        key = change.rule, change.direction, place, change.message
        group = self._found.setdefault(key, _Group(change, place))
        if change.level.rank > group.worst.level.rank:
            group.worst = change
        group.uses.append(change)
        group.operations.update(dict.fromkeys(name for name in operations if name))

    @property
    def changes(self) -> tuple[ApiChange, ...]:
        """The worst use of each group, with all that is known of the place, in the order of the first use."""
        return tuple(
            replace(one.worst, place=one.place, operations=tuple(one.operations), uses=tuple(one.uses))
            for one in self._found.values()
        )


def name_operation(location: str) -> str:
    """Return the operation of a location as ``METHOD path``; empty outside of one."""
    parts = parse_pointer(location)
    if parts[:1] != ("paths",) or len(parts) < 3:
        return ""
    if parts[2] == "additionalOperations" and len(parts) > 3:
        return f"{parts[3]} {parts[1]}"
    return f"{parts[2].upper()} {parts[1]}" if parts[2] in OPERATION_KEYS else ""


def _find_place(source: SourceDocument, tokens: tuple[str, ...], *, follows_last: bool) -> str:
    """Return the place of a location; ``follows_last`` if a parameter, a header or a body at its end is what it refers to."""
    waiting, path = list(tokens), list[str]()
    value, keyword = source.raw, ""
    for _ in range(_MAX_REFERENCES + len(tokens)):
        reference: Any = value.get("$ref") if isinstance(value, dict) else None
        if not waiting and not (follows_last and _SHARED & {*path[-2:-1], keyword}):
            break
        is_link = isinstance(reference, str) and reference[:2] == "#/"
        if is_link and not (waiting and waiting[0] in value):
            waiting = [*parse_pointer(reference[1:]), *waiting]
            path, value, keyword = [], source.raw, ""
            continue
        if not waiting:
            break
        token = waiting.pop(0)
        path.append(_name_item(source, value, keyword, token) if isinstance(value, list) else token)
        value, keyword = _step(value, token), token
    return format_pointer([*path, *waiting])


def _step(value: Any, token: str) -> Any:
    if isinstance(value, dict):
        return value.get(token)
    if isinstance(value, list) and token.isascii() and token.isdigit() and int(token) < len(value):
        return value[int(token)]
    return None


def _name_item(source: SourceDocument, items: list[Any], keyword: str, token: str) -> str:
    """Return the name of an item of a list, if no other item has it; else its position."""
    item = _step(items, token)
    name = _describe_item(source, keyword, item)
    if not name or Counter(_describe_item(source, keyword, one) for one in items)[name] > 1:
        return token
    return name


def _describe_item(source: SourceDocument, keyword: str, item: Any) -> str:
    if keyword == "parameters":
        spec = source.follow(item)
        return f"{spec['in']}:{spec['name']}" if "in" in spec and "name" in spec else ""
    if keyword == "servers":
        return str(source.follow(item).get("url", ""))
    if keyword in _MEMBERS and isinstance(item, dict):
        reference, title = item.get("$ref"), item.get("title")
        return parse_pointer(reference)[-1] if isinstance(reference, str) and "/" in reference else str(title or "")
    return ""
