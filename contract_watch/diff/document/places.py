"""Places of a document: where a change is, whatever uses it, in names that survive another order.

A change of a shared schema shows at each reference to it. Its place is the schema itself, with the items of lists by what
they are: `/paths/~1users/get/parameters/query:state`, `/components/schemas/Pet/oneOf/Cat`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from contract_watch.diff.document.changes import ApiChange, Tokens
from contract_watch.diff.document.json_pointer import format_pointer, parse_pointer
from contract_watch.diff.document.source import OPERATION_KEYS, SourceDocument, decode_token
from contract_watch.escaping import escape_text

_MAX_REFERENCES = 2000
_PROSE = frozenset({"description", "summary", "title", "example", "examples"})
_OF_OWNER = ("property-became-", "property-renamed")
"""The rules of properties by what the schema around them says, whatever the property refers to."""
_MEMBERS = frozenset({"oneOf", "anyOf", "allOf"})


@dataclass
class _Group:
    """The uses of a change at one place: the worst, all that were told, and the operations that reach the place."""

    worst: ApiChange
    place: str
    exchanged: str
    operations: dict[str, None] = field(default_factory=dict)
    uses: list[ApiChange] = field(default_factory=list)


class PlaceFinder:
    """Finds the places of the changes between two documents."""

    def __init__(self, base: Mapping[str, Any], revision: Mapping[str, Any]) -> None:
        self._sources = SourceDocument(base), SourceDocument(revision)
        self._known: dict[tuple[str, bool, bool], tuple[str, str]] = {}

    def find_place(self, change: ApiChange) -> tuple[str, str]:
        """Return the place of a change, and the references that were exchanged on the way there, in words."""
        is_of_owner = change.rule.startswith(_OF_OWNER)
        key = change.location, change.is_removed, is_of_owner
        if key not in self._known:
            side = 0 if change.is_removed else 1
            self._known[key] = self._find_place(parse_pointer(change.location), side, is_of_owner=is_of_owner)
        return self._known[key]

    def _find_place(self, tokens: Tokens, side: int, *, is_of_owner: bool) -> tuple[str, str]:
        """Follow a location in both documents at once, from ``side``: 0 for the base, 1 for the revision.

        If the change ``is_of_owner``, the location itself is no reference to follow.

        Where both refer to the same component, the place begins there anew. Where they refer to different ones, the reference
        itself was edited, and the place goes on from it.
        """
        waiting, path, exchanged = list(reversed(tokens)), list[str](), ""
        values: list[Any] = [source.raw for source in self._sources]
        keyword = ""
        for _ in range(_MAX_REFERENCES + len(tokens)):
            value, twin = values[side], values[1 - side]
            if waiting and _is_plain(value, waiting[-1]) and _is_plain(twin, waiting[-1]):
                keyword = waiting.pop()
                values[side], values[1 - side] = value[keyword], twin[keyword]
                path.append(keyword)
                continue
            references = _pair_references(values, side)
            if references[side] and not (waiting and waiting[-1] in value):
                if not waiting and (is_of_owner or _differ_beside(values)):
                    break
                is_shared = self.is_shared((references[0], references[1]), has_twin=twin is not None)
                if not is_shared:
                    exchanged = _describe_exchange(references[0], references[1])
                if not waiting and (exchanged or not _get_reference(twin)):
                    break  # what was added, removed or exchanged is the reference itself
                if is_shared:
                    path, keyword = _split_reference(references[1] or references[0]), ""
                values = [
                    source.resolve(reference) if reference else value
                    for source, reference, value in zip(self._sources, references, values, strict=True)
                ]
                continue
            if not waiting:
                break
            token = waiting.pop()
            name = _name_item(self._sources[side], value, keyword, token) if isinstance(value, list) else token
            values[1 - side] = self._find_twin(1 - side, twin, keyword, token, name)
            values[side] = _step(value, token)
            path.append(name)
            keyword = token
        return format_pointer([*path, *reversed(waiting)]), exchanged

    def is_shared(self, references: tuple[str, str], *, has_twin: bool = True) -> bool:
        """Return True if the references of both sides lead to one component: the same, or one that was renamed."""
        old, new = references
        if not has_twin or old == new:
            return True
        if not (old and new):
            return False
        return self._sources[0].resolve(new) is None and self._sources[1].resolve(old) is None

    def _find_twin(self, side: int, value: Any, keyword: str, token: str, name: str) -> Any:
        """Return the value at a token on the other side; an item of a list is found by its name, if it has one."""
        source = self._sources[side]
        if isinstance(value, dict) and token not in value:
            value = source.follow(value)
        if isinstance(value, list) and name != token:
            return next((one for one in value if _describe_item(source, keyword, one) == name), None)
        return _step(value, token)

    def group(self, uses: Iterable[ApiChange]) -> tuple[ApiChange, ...]:
        """Return one change for each rule, direction, place and message, in the order of the first use."""
        groups = PlaceGroups(self)
        for change in uses:
            groups.add(change, list_operation(change))
        return groups.changes


class PlaceGroups:
    """Changes by rule, direction, place and message."""

    def __init__(self, places: PlaceFinder) -> None:
        self._places = places
        self._found: dict[tuple[str, str, str, str], _Group] = {}

    def add(self, change: ApiChange, operations: Iterable[str]) -> None:
        """Add a use of a change, and the operations that it is a use of."""
        place, exchanged = self._places.find_place(change)
        key = change.rule, change.direction, place, change.message
        group = self._found.setdefault(key, _Group(change, place, exchanged))
        if change.level.rank > group.worst.level.rank:
            group.worst = change
        group.uses.append(change)
        group.operations.update(dict.fromkeys(operations))

    @property
    def changes(self) -> tuple[ApiChange, ...]:
        """The worst use of each group, with all that is known of the place, in the order of the first use."""
        return tuple(
            replace(
                one.worst,
                message=f"{one.worst.message} ({one.exchanged})" if one.exchanged else one.worst.message,
                place=one.place,
                operations=tuple(one.operations),
                uses=tuple(one.uses),
            )
            for one in self._found.values()
        )


def list_operation(change: ApiChange) -> list[str]:
    """Return the operation of a use as ``METHOD path``, if there is one."""
    name = name_operation(change.location)
    return [name] if name else []


def name_operation(location: str) -> str:
    """Return the operation of a location as ``METHOD path``; empty outside of one."""
    parts = parse_pointer(location)
    if parts[:1] != ("paths",) or len(parts) < 3:
        return ""
    if parts[2] == "additionalOperations" and len(parts) > 3:
        return f"{parts[3]} {parts[1]}"
    return f"{parts[2].upper()} {parts[1]}" if parts[2] in OPERATION_KEYS else ""


def _is_plain(value: Any, token: str) -> bool:
    """Return True if a token leads on from an object that is no reference."""
    return type(value) is dict and token in value and "$ref" not in value


def _get_reference(value: Any) -> str:
    """Return the local reference of an object; empty if it has none."""
    reference = value.get("$ref") if isinstance(value, dict) else None
    return reference if isinstance(reference, str) and reference[:2] == "#/" else ""


def _differ_beside(values: Sequence[Any]) -> bool:
    """Return True if two objects with references differ in other keywords than prose."""
    old, new = (
        {key: value[key] for key in value.keys() - _PROSE} if _get_reference(value) else None for value in values
    )
    return old is not None and new is not None and old != new and old["$ref"] == new["$ref"]


def _pair_references(values: Sequence[Any], side: int) -> list[str]:
    """Return the references of both sides; a combinator with the reference of ``side`` as a member counts as one to it."""
    found = [_get_reference(value) for value in values]
    if found[side] and not found[1 - side] and _wraps(values[1 - side], found[side]):
        found[1 - side] = found[side]
    return found


def _wraps(value: Any, reference: str) -> bool:
    """Return True if a reference is a member of a combinator: `oneOf: [{type: null}, {$ref: …}]` has the same target."""
    groups = [value[keyword] for keyword in _MEMBERS & value.keys()] if isinstance(value, dict) else []
    return any(_get_reference(one) == reference for group in groups if isinstance(group, list) for one in group)


def _split_reference(reference: str) -> list[str]:
    return [decode_token(token) for token in reference[2:].split("/")]


def _describe_exchange(old: str, new: str) -> str:
    names = [escape_text(_split_reference(one)[-1]) if one else "an inline schema" for one in (old, new)]
    return f"{names[0]} became {names[1]} here"


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
