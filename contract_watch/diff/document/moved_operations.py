"""Guesses about where an operation that was removed may be now."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

_MAX_OPERATIONS = 5
"""The operations that a line names."""
_MAX_GUESSES = 3
"""The operations that a guess names."""
_MIN_LIKENESS = 0.7
"""The part of the words of two paths that both have, from which on one may have become the other."""
_PREFIX = re.compile(r"v\d+(\.\d+)*|api")


@dataclass(frozen=True)
class OperationKey:
    """An operation: its method, its path without the names of placeholders, its name for people, and its id."""

    method: str
    shape: str
    name: str
    id: str = ""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the path, in the singular, without a prefix for versions."""
        found = [one for one in self.shape.split("/") if one and "{" not in one]
        return tuple(one.lower().removesuffix("s") for one in found if not _PREFIX.fullmatch(one.lower()))

    @cached_property
    def end(self) -> tuple[str, int]:
        """The last word of the path, and the placeholders behind it: a list and its items differ."""
        segments = [one for one in self.shape.split("/") if one]
        behind = next((number for number, one in enumerate(reversed(segments)) if "{" not in one), len(segments))
        return "".join(self.words[-1:]), behind


class SuccessorFinder:
    """A finder of the operations that may stand for one that was removed, among those of the newer document.

    ``added`` are those that only the newer document has, ``kept`` those that both have.
    """

    def __init__(self, added: Iterable[OperationKey], kept: Iterable[OperationKey] = ()) -> None:
        self._added, self._kept = list(added), list(kept)
        ends = {one.shape: one.end[0] for one in (*self._added, *self._kept)}
        self._ends = Counter(ends.values())

    def find_successors(self, removed: OperationKey) -> list[str]:
        """Return the names of up to three added operations that may have replaced ``removed``, the likeliest first.

        An operation with its id is one; so are another method on its path, and its method on a path of mostly the same
        words, or with the same last word if no other path ends with it.
        """
        ranked = [(self._rank(removed, one), one.name) for one in self._added]
        ranked.sort(key=lambda one: -one[0])
        return list(dict.fromkeys(name for rank, name in ranked if rank))[:_MAX_GUESSES]

    def _rank(self, removed: OperationKey, other: OperationKey) -> float:
        if removed.id and other.id == removed.id:
            return 3
        if other.shape == removed.shape:
            return 2
        if other.method != removed.method or other.end != removed.end:
            return 0
        likeness, shared = _compare_words(removed.words, other.words)
        is_rare = self._ends[other.end[0]] == 1
        return likeness if is_rare or (shared > 1 and likeness >= _MIN_LIKENESS) else 0

    def find_twin(self, removed: OperationKey) -> str:
        """Return the name of an operation that both documents have, with the same method and words; "" if there is none."""
        if len(removed.words) < 2:
            return ""
        twins = [
            one
            for one in self._kept
            if (one.method, one.end, one.words) == (removed.method, removed.end, removed.words)
        ]
        return twins[0].name if len(twins) == 1 else ""


def format_names(names: Sequence[str]) -> str:
    """Return the first of ``names``, and how many more there are."""
    more = f" and {len(names) - _MAX_OPERATIONS} more" if len(names) > _MAX_OPERATIONS else ""
    return ", ".join(names[:_MAX_OPERATIONS]) + more


def _compare_words(one: Sequence[str], other: Sequence[str]) -> tuple[float, int]:
    """Return the part of the words that both paths have, and how many there are."""
    shared = (Counter(one) & Counter(other)).total()
    return 2 * shared / max(1, len(one) + len(other)), shared
