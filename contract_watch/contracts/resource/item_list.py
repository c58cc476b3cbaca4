"""The objects of a large state: an immutable sequence in order of creation, with indexes.

A state with few objects has them in a tuple, which is faster to copy and to search. `ItemList` costs O(log n) for each
change and look-up, so that a mock can have a hundred thousand objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from rpds import HashTrieMap

from contract_watch.contracts.resource.names import fold_name
from contract_watch.contracts.resource.persistent import PersistentVector

if TYPE_CHECKING:
    from contract_watch.contracts.resource.state import Item

LEAST = 64
"""The number of objects from which a state has an `ItemList`."""
NAME = "name"
"""The index of names; its key is None for an object whose name is unknown."""
FOLDED = "folded"
"""The index of names without case and outer white space."""
REQUESTED = "requested"
"""The index of the names or marks that requests gave."""
VALUE = "value:"
"""The beginning of the index of a property's values, which are strings; the property follows."""
_ABSENT = object()
_MIN_HOLES = 1024

_Positions: TypeAlias = "HashTrieMap[Any, int | tuple[int, ...]]"


class ItemList(Sequence["Item"]):
    """The objects of a state, in order of creation.

    A position stays the same until many objects have been removed; then all move up. An index is built when it is used
    for the first time, and copies of the list keep it from then on.
    """

    __slots__ = ("_count", "_indexes", "vector")

    def __init__(self, vector: PersistentVector, count: int, indexes: dict[str, _Positions]) -> None:
        self.vector, self._count, self._indexes = vector, count, indexes

    @classmethod
    def build(cls, items: Sequence[Item]) -> ItemList:
        """Build a list of ``items``."""
        return cls(PersistentVector.build(list(items)), len(items), {})

    # -- the sequence

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Item]:
        return (item for item in self.vector if item is not None)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Item, ...]: ...
    def __getitem__(self, index: int | slice) -> Item | tuple[Item, ...]:
        if isinstance(index, int) and self._count == self.vector.length and 0 <= index < self._count:
            item: Item = self.vector.get(index)
            return item
        return tuple(self)[index]

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, tuple | ItemList):
            return NotImplemented
        return len(self) == len(other) and all(map(_are_same, self, other))

    __hash__ = None  # type: ignore[assignment]  # as of the states that have it

    def __repr__(self) -> str:
        return f"ItemList({self._count} objects)"

    # -- look-ups

    def find(self, index: str, key: object) -> list[Item]:
        """Return the objects whose key in ``index`` is ``key``, in order."""
        if index not in self._indexes:
            self._indexes[index] = self._build_index(index)
        found = self._indexes[index].get(key, ())
        return [self.vector.get(position) for position in ((found,) if isinstance(found, int) else found)]

    def _build_index(self, index: str) -> _Positions:
        positions: dict[Any, int | tuple[int, ...]] = {}
        for position, item in enumerate(self.vector):
            key = _get_key(index, item) if item is not None else _ABSENT
            if key is not _ABSENT:
                positions[key] = _add(positions.get(key), position)
        return HashTrieMap(positions)

    def _find_position(self, item: Item) -> int | None:
        self.find(NAME, item.name)
        found = self._indexes[NAME].get(item.name, ())
        return next(
            (one for one in ((found,) if isinstance(found, int) else found) if self.vector.get(one) is item), None
        )

    # -- changed copies

    def append(self, item: Item) -> ItemList:
        """Return a copy with ``item`` at the end."""
        return self._put(self.vector.length, None, item)

    def replace(self, old: Item, new: Item) -> ItemList:
        """Return a copy with ``new`` in place of the object ``old``; the same list if it is not there."""
        position = self._find_position(old)
        return self if position is None else self._put(position, old, new)

    def remove(self, item: Item) -> ItemList:
        """Return a copy without the object ``item``; the same list if it is not there."""
        position = self._find_position(item)
        if position is None:
            return self
        rest = self._put(position, item, None)
        holes = rest.vector.length - len(rest)
        return ItemList.build(tuple(rest)) if holes > max(len(rest), _MIN_HOLES) else rest

    def _put(self, position: int, old: Item | None, new: Item | None) -> ItemList:
        count = self._count + (new is not None) - (old is not None)
        indexes = {name: _move(name, index, position, old, new) for name, index in self._indexes.items()}
        return ItemList(self.vector.set(position, new), count, indexes)

    def find_changes(self, old: Sequence[Item]) -> Iterator[tuple[int, Item | None]]:
        """Yield position and object (None: removed) where this list has another object than ``old``."""
        before = old.vector if isinstance(old, ItemList) else PersistentVector.build(list(old))
        yield from self.vector.find_changes(before)


def find_changes(old: Sequence[Item], new: Sequence[Item]) -> Iterator[tuple[int, Item | None]]:
    """Yield position and object (None: removed) where ``new`` has another object than ``old``."""
    if not isinstance(new, ItemList):
        new = ItemList.build(new)
    yield from new.find_changes(old)


def _get_key(index: str, item: Item) -> Any:
    """Return the key of ``item`` in ``index``, `_ABSENT` if it has none there."""
    if index == NAME:
        return item.name
    if index == REQUESTED:
        return item.requested_name
    if index == FOLDED:
        return fold_name(item.name or "")
    value = item.values.get(index.removeprefix(VALUE))
    return value if isinstance(value, str) else _ABSENT


def _move(name: str, index: _Positions, position: int, old: Item | None, new: Item | None) -> _Positions:
    before = _get_key(name, old) if old is not None else _ABSENT
    after = _get_key(name, new) if new is not None else _ABSENT
    if before is not _ABSENT and after is not _ABSENT and before == after:
        return index
    if before is not _ABSENT:
        found = index.get(before, ())
        rest = tuple(one for one in ((found,) if isinstance(found, int) else found) if one != position)
        index = index.insert(before, rest[0] if len(rest) == 1 else rest) if rest else index.discard(before)
    return index if after is _ABSENT else index.insert(after, _add(index.get(after), position))


def _add(positions: int | tuple[int, ...] | None, position: int) -> int | tuple[int, ...]:
    if positions is None:
        return position
    return tuple(sorted((*((positions,) if isinstance(positions, int) else positions), position)))


def _are_same(left: Item, right: Item) -> bool:
    return left is right or left == right
