"""Persistent collections: a changed copy shares all but a few nodes with the original, which stays as it was."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from rpds import HashTrieMap

_BITS = 5
_WIDTH = 1 << _BITS
_MASK = _WIDTH - 1
_SMALL = 32
"""The number of entries up to which copying a dict is faster than a trie."""

Node = tuple[Any, ...]
"""A leaf of at most `_WIDTH` values, or a node of at most as many nodes."""


class PersistentVector:
    """Values by position, in a tree of tuples: reading, replacing and appending one value takes O(log n)."""

    __slots__ = ("length", "root", "shift")

    def __init__(self, root: Node = (), shift: int = 0, length: int = 0) -> None:
        self.root, self.shift, self.length = root, shift, length

    @classmethod
    def build(cls, values: list[Any]) -> "PersistentVector":
        """Build a vector of ``values``."""
        level: list[Any] = [tuple(values[start : start + _WIDTH]) for start in range(0, len(values), _WIDTH)] or [()]
        shift = 0
        while len(level) > 1:
            level = [tuple(level[start : start + _WIDTH]) for start in range(0, len(level), _WIDTH)]
            shift += _BITS
        return cls(level[0], shift, len(values))

    def get(self, position: int) -> Any:
        """Return the value at ``position``, which must be below ``length``."""
        node, shift = self.root, self.shift
        while shift:
            node = node[(position >> shift) & _MASK]
            shift -= _BITS
        return node[position & _MASK]

    def set(self, position: int, value: Any) -> "PersistentVector":
        """Return a copy with ``value`` at ``position``, which is at most ``length``."""
        root, shift = self.root, self.shift
        if position >> (shift + _BITS):
            root, shift = (root,), shift + _BITS
        return PersistentVector(_set(root, shift, position, value), shift, max(self.length, position + 1))

    def __iter__(self) -> Iterator[Any]:
        return _iterate(self.root, self.shift)

    def find_changes(self, old: "PersistentVector") -> Iterator[tuple[int, Any]]:
        """Yield position and value (None: beyond the end) where this vector has another object than ``old``.

        It skips what both share, so the time depends on the number of changes.
        """
        shift = max(self.shift, old.shift)
        yield from _find_changes(_raise(old.root, old.shift, shift), _raise(self.root, self.shift, shift), shift, 0)


def _set(node: Node, shift: int, position: int, value: Any) -> Node:
    at = (position >> shift) & _MASK
    if shift:
        value = _set(node[at] if at < len(node) else (), shift - _BITS, position, value)
    return (*node[:at], value, *node[at + 1 :])


def _iterate(node: Node, shift: int) -> Iterator[Any]:
    if not shift:
        yield from node
        return
    for inner in node:
        yield from _iterate(inner, shift - _BITS)


def _raise(node: Node, shift: int, wanted: int) -> Node:
    """Return the root of a tree as high as ``wanted`` whose first node is ``node``."""
    while shift < wanted:
        node, shift = (node,), shift + _BITS
    return node


def _find_changes(old: Node, new: Node, shift: int, start: int) -> Iterator[tuple[int, Any]]:
    empty: Any = () if shift else None
    for at, (before, after) in enumerate(zip_longest(old, new, fillvalue=empty)):
        position = start + (at << shift)
        if before is after:
            continue
        if shift:
            yield from _find_changes(before, after, shift - _BITS, position)
        else:
            yield position, after


def insert_entry(mapping: Mapping[Any, Any], key: Any, value: Any) -> Mapping[Any, Any]:
    """Return a copy of ``mapping`` with one more entry; a large one is a trie, which shares its nodes with the copy."""
    if isinstance(mapping, HashTrieMap):
        return mapping.insert(key, value)
    if len(mapping) < _SMALL:
        return {**mapping, key: value}
    return HashTrieMap(mapping).insert(key, value)


def discard_entry(mapping: Mapping[Any, Any], key: Any) -> Mapping[Any, Any]:
    """Return a copy of ``mapping`` without ``key``; the same object if it has no such key."""
    if key not in mapping:
        return mapping
    if isinstance(mapping, HashTrieMap):
        return mapping.discard(key)
    return {one: value for one, value in mapping.items() if one != key}
