"""The locations of one document in another: names stay, items of arrays move, objects get new names."""

import json
import re
from collections import defaultdict, deque
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import Any, Final

from contract_watch.contracts.matchers import are_equal
from contract_watch.contracts.overlay import NodePath
from contract_watch.diff.document.equality import JsonInterner
from contract_watch.diff.document.source import decode_token

JSON = Any
_MAX_REFERENCES = 20
"""References that are followed on the path to one location."""
_MAX_NEW_NAMES = 50
"""New names that are considered for a lost one."""
_MAX_NAME_LENGTH = 60
_MIN_SIMILARITY = 0.6
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Absent:
    """The value of a location that does not exist."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = Absent()


def get_child(node: JSON, part: str | int) -> JSON:
    """Return the child of ``node`` under a name or an index, or `ABSENT`."""
    if isinstance(node, dict):
        return node.get(part, ABSENT)
    if isinstance(node, list) and isinstance(part, int) and 0 <= part < len(node):
        return node[part]
    return ABSENT


def get_value(document: JSON, location: NodePath) -> JSON:
    """Return the value at ``location``, or `ABSENT`."""
    for part in location:
        document = get_child(document, part)
    return document


def get_reference(node: JSON) -> str | None:
    """Return the target of ``node`` if it is a reference, otherwise None."""
    found = node.get("$ref") if isinstance(node, dict) else None
    return found if isinstance(found, str) else None


class DocumentAlignment:
    """The mapping of locations of ``base`` to locations of ``other``; a change of either document invalidates it."""

    def __init__(self, base: JSON, other: JSON) -> None:
        self._base = base
        self._other = other
        self._interner = JsonInterner()
        self._pairings: dict[tuple[int, int], dict[int, int]] = {}
        self._names: dict[tuple[int, int, str], str | None] = {}

    def translate(self, location: NodePath) -> NodePath:
        """Return the location of the base in the other document, as far as it exists there."""
        before, after = self._base, self._other
        path: list[str | int] = []
        for part in location:
            step = self.translate_part(before, after, part)
            if step is None:
                break
            path.append(step)
            before, after = get_child(before, part), get_child(after, step)
        return tuple(path)

    def translate_part(self, before: JSON, after: JSON, part: str | int) -> str | int | None:
        """Return the name or index in ``after`` of the child ``part`` of ``before``; None if it has no counterpart."""
        if isinstance(before, dict) and isinstance(after, dict):
            return part if part in after else None
        if isinstance(before, list) and isinstance(after, list) and isinstance(part, int):
            key = (id(before), id(after))
            if key not in self._pairings:
                self._pairings[key] = self._pair_items(before, after)
            return self._pairings[key].get(part)
        return None

    def find_new_name(self, before: JSON, after: JSON, name: str | int) -> str | None:
        """Return the most likely new name in ``after`` of the child ``name`` of ``before``; None without a likely one."""
        if not isinstance(before, dict) or not isinstance(after, dict) or not isinstance(name, str):
            return None
        key = (id(before), id(after), name)
        if key not in self._names:
            candidates = islice((one for one in after if one not in before), _MAX_NEW_NAMES)
            best = max(
                ((_score_similarity(before[name], after[one], name, one), one) for one in candidates), default=(0.0, "")
            )
            self._names[key] = best[1] if best[0] >= _MIN_SIMILARITY else None
        return self._names[key]

    def _pair_items(self, before: list[JSON], after: list[JSON]) -> dict[int, int]:
        """Return the index of each item in ``after``: by name, otherwise by content, otherwise by index."""
        places: dict[object, deque[int]] = defaultdict(deque)
        for index, item in enumerate(after):
            places[self._identify(item)].append(index)
        paired = {}
        for index, item in enumerate(before):
            if same := places[self._identify(item)]:
                paired[index] = same.popleft()
        taken = set(paired.values())
        left = [index for index in range(len(before)) if index not in paired]
        free = [index for index in range(len(after)) if index not in taken]
        paired |= {index: index for index in set(left) & set(free)}
        if len(left) == len(free) == 1:
            paired[left[0]] = free[0]
        return paired

    def _identify(self, item: JSON) -> object:
        if isinstance(item, dict):
            if isinstance(name := item.get("name"), str):
                return "name", name, str(item.get("in", ""))[:_MAX_NAME_LENGTH]
            if isinstance(link := item.get("$ref"), str):
                return "$ref", link
        return "form", self._interner.intern(item)


@dataclass(frozen=True)
class NearestLocation:
    """The nearest location to one that a document no longer has.

    Attributes:
        location: the nearest location.
        is_complete: it corresponds to the whole lost location, not to a part of the path.
        lost: the lost location of the base, or the first part of its path that the document lacks.
        moved_to: the last reference that was followed.
        renaming: the last changed name, old and new.
    """

    location: NodePath
    is_complete: bool
    lost: NodePath
    moved_to: str = ""
    renaming: tuple[str, str] | None = None


def find_nearest(alignment: DocumentAlignment, base: JSON, other: JSON, location: NodePath) -> NearestLocation:
    """Follow ``location`` of ``base`` in ``other``, also through references and likely new names."""
    before, after = base, other
    path: list[str | int] = []
    moved_to, renaming, lost, steps = "", None, location, 0
    for index, part in enumerate(location):
        step = alignment.translate_part(before, after, part)
        while step is None and (link := get_reference(after)) is not None and steps < _MAX_REFERENCES:
            steps += 1
            if (found := _resolve_reference(other, link)) is None:
                break
            lost = location[: index + 1] if lost == location else lost
            path, after, moved_to = list(found), get_value(other, found), link
            step = alignment.translate_part(before, after, part)
        if step is None and (name := alignment.find_new_name(before, after, part)) is not None:
            lost = location[: index + 1] if lost == location else lost
            step, renaming = name, (str(part), name)
        if step is None:
            lost = location[: index + 1] if lost == location else lost
            return NearestLocation(tuple(path), False, lost, moved_to, renaming)
        path.append(step)
        before, after = get_child(before, part), get_child(after, step)
    return NearestLocation(tuple(path), True, lost, moved_to, renaming)


def _resolve_reference(document: JSON, link: str) -> NodePath | None:
    """Return the location that a local reference leads to; None if ``document`` lacks it."""
    if not link.startswith("#/"):
        return None
    path: list[str | int] = []
    for token in link[2:].split("/"):
        name = decode_token(token)
        part = int(name) if isinstance(document, list) and name.isdecimal() and len(name) < 9 else name
        document = get_child(document, part)
        if document is ABSENT:
            return None
        path.append(part)
    return tuple(path)


def _score_similarity(was: JSON, now: JSON, old: str, new: str) -> float:
    """Score two children: 2 or more for equal content, otherwise the similarity of the names, 0 for other types."""
    if type(was) is not type(now):
        return 0.0
    alike = SequenceMatcher(None, old[-_MAX_NAME_LENGTH:], new[-_MAX_NAME_LENGTH:], autojunk=False).ratio()
    same = isinstance(was, dict | list) and bool(was) and are_equal(was, now)
    return alike + 2 if same else alike


def format_jsonpath(location: NodePath) -> str:
    """Return the JSONPath that matches only ``location``."""
    return "$" + "".join(map(_format_selector, location))


def _format_selector(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    if _WORD.fullmatch(part):
        return f".{part}"
    quoted = json.dumps(part, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"['{quoted}']"
