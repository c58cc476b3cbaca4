"""The members of two groups against each other: which is the heir of which, which lies within which, and which overlap.

Groups may have a thousand members. So what cannot be is told from a few small sets of each member, and only the rest is
compared; where that is still too much, the answer is that nobody knows.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from contract_watch.diff.document.normalization import common, named
from contract_watch.diff.document.normalized_schema import Node, View
from contract_watch.diff.document.schema_location import Walk

_FEW = 400
"""Pairs of members that are all asked about."""
_MOST_QUESTIONS = 2000
"""Pairs of members that are asked about at most, as many for each member of the base."""
_MOST_PAIRS = 40_000
"""Pairs of members that are looked at one by one for whether they overlap."""

_LARGE = 2**1000
_OBJECT = frozenset({"object"})


class Members:
    """The members of two groups, known by their numbers. ``unsure`` are those that not all was asked about, on each side."""

    def __init__(self, walk: Walk, before: Sequence[Node], after: Sequence[Node]) -> None:
        self._walk, self._before, self._after = walk, before, after
        self.unsure: tuple[set[int], set[int]] = (set(), set())
        self._outlines: tuple[list[_Outline], list[tuple[_Outline, list[int]]]] | None = None
        self._near: dict[int, list[tuple[int, bool, bool]]] = {}

    def heir(self, old: int, among: Container[int]) -> int | None:
        """The first member of the revision ``among`` those given that lies within one of the base, or it in that."""
        for new, inner, outer in self._row(old):
            if new in among and ((inner and self._within(old, new)) or (outer and self._covers(old, new))):
                return new
        return None

    def covered(self, old: int) -> bool:
        """Whether every value of a member of the base is one of some member of the revision, as far as can be told."""
        return any(inner and self._within(old, new) for new, inner, _ in self._row(old))

    def covering(self, found: Iterable[int]) -> list[int]:
        """Those of the revision's members that lie within one of the base, as far as can be told."""
        left = dict.fromkeys(found)
        for old in range(len(self._before) if left else 0):
            for new, _, outer in self._row(old, None if old in self._near else left):
                if outer and new in left and self._covers(old, new):
                    del left[new]
        return [new for new in found if new not in left]

    def _within(self, old: int, new: int) -> bool:
        return self._walk.within(self._before[old], self._after[new])

    def _covers(self, old: int, new: int) -> bool:
        return self._walk.backwards(self._after[new], self._before[old])

    def _row(self, old: int, only: Container[int] | None = None) -> Iterable[tuple[int, bool, bool]]:
        """The members of the revision that one of the base may lie within, and those that may lie within it: the first few."""
        if len(self._before) * len(self._after) <= _FEW:
            return ((new, True, True) for new in range(len(self._after)))
        if old in self._near:
            return self._near[old]
        outlines, kinds = self._outlines = self._outlines or self._look()
        one, near = outlines[old], list[tuple[int, bool, bool]]()
        most = max(1, _MOST_QUESTIONS // len(self._before))
        for other, members in kinds:
            if one.marks is not None and other.marks is not None and one.marks.isdisjoint(other.marks):
                continue
            inner, outer = _may_lie(one, other), _may_lie(other, one)
            if not (inner or outer):
                continue
            these = members if only is None else [new for new in members if new in only]
            room = most - len(near)
            near += [(new, inner, outer) for new in these[:room]]
            rest = these[room:]
            if inner and rest:
                self.unsure[0].add(old)
            if outer:
                self.unsure[1].update(rest)
        near.sort()
        if only is None:
            self._near[old] = near
        return near

    def _look(self) -> "tuple[list[_Outline], list[tuple[_Outline, list[int]]]]":
        """What tells members apart cheaply: of each of the base; and of the revision, with those that are the same in that."""
        walk = self._walk
        views = [[walk.view(side, node) for node in nodes] for side, nodes in enumerate((self._before, self._after))]
        counted = Counter(name for side in (0, 1) for view in views[side] for name in _listing(walk, side, view))
        mark = max(counted, key=lambda name: counted[name], default=None)
        kinds: dict[_Outline, list[int]] = {}
        for new, view in enumerate(views[1]):
            kinds.setdefault(_outline(walk, 1, view, mark), []).append(new)
        return [_outline(walk, 0, view, mark) for view in views[0]], list(kinds.items())

    # -- partners

    def same(self) -> Iterator[tuple[int, int]]:
        """Pairs of members that say the same in the same words, each member in one."""
        waiting: dict[tuple[int, ...], list[int]] = {}
        for new, node in enumerate(self._after):
            waiting.setdefault(self._form(node), []).append(new)
        for old, node in enumerate(self._before):
            others = waiting.get(self._form(node), [])
            for new in others:
                other = self._after[new]
                if all(self._walk.equal(a.raw, b.raw) for a, b in zip(node, other, strict=True)):
                    others.remove(new)
                    yield old, new
                    break

    def _form(self, node: Node) -> tuple[int, ...]:
        return tuple(self._walk.form(part.raw) for part in node)

    def called_alike(self, old: Iterable[int], new: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Pairs of these members that have the same name, each member in one."""
        waiting: dict[str, list[int]] = {}
        for number in new:
            if (name := _name(self._after[number])) is not None:
                waiting.setdefault(name, []).append(number)
        for number in old:
            name = _name(self._before[number])
            if name is not None and waiting.get(name):
                yield number, waiting[name].pop(0)


def _name(node: Node) -> str | None:
    """What a member is called: the reference that it is, or its title."""
    raw = node[0].raw if node else None
    found = raw.get("$ref", raw.get("title")) if isinstance(raw, dict) else None
    return found if isinstance(found, str) else None


# -- what cannot lie within what


@dataclass(frozen=True, slots=True)
class _Outline:
    """What tells cheaply that a member does not lie within another.

    ``marks`` are the values of the property that tells most members apart; None where nothing is listed. ``open``: nothing
    can be told cheaply.
    """

    open: bool
    types: frozenset[str] | None
    listed: bool
    required: frozenset[str]
    optional: frozenset[str]
    names: frozenset[str]
    patterns: frozenset[str]
    lower: float | None
    upper: float | None
    marks: frozenset[object] | None


def _outline(walk: Walk, side: int, view: View, mark: str | None) -> _Outline:
    values = walk.view(side, view.child(mark)).values if mark in view.properties else None
    types = view.types
    if types is not None and "number" in types:
        types |= {"integer"}
    return _Outline(
        view.never or bool(view.groups),
        types,
        view.values is not None,
        frozenset(view.required),
        frozenset(view.properties) - view.required,
        frozenset(view.properties),
        frozenset(view.patterns),
        _about(view.lower),
        _about(view.upper),
        frozenset(map(named, values)) if values else None,
    )


def _about(bound: tuple[Fraction, bool] | None) -> float | None:
    """A bound, as a number that is compared soon; None where there is none, or it is too large for that."""
    return float(bound[0]) if bound is not None and abs(bound[0]) < _LARGE else None


def _listing(walk: Walk, side: int, view: View) -> Iterator[str]:
    """The properties whose values are listed one by one."""
    for name, parts in view.properties.items():
        raws = [walk.raw(side, (part,)) or {} for part in parts]
        if any("enum" in raw or "const" in raw for raw in raws):
            yield name


def _may_lie(one: _Outline, other: _Outline) -> bool:
    """Whether one member may lie within the other; no where a comparison would find values that do not."""
    if one.open or other.open:
        return True
    if other.types is not None and (one.types is None or not one.types <= other.types):
        return False
    if one.marks is not None and other.marks is not None and not one.marks <= other.marks:
        return False
    if one.listed or other.listed:
        return one.listed or not other.listed
    objects = one.types is None or "object" in one.types
    if objects and not (other.required <= one.required and one.optional <= other.names):
        return False
    if (one.types is None or "string" in one.types) and not other.patterns <= one.patterns:
        return False
    if one.types is None or "integer" in one.types:
        low = one.lower is None or other.lower is None or one.lower >= other.lower
        return low and (one.upper is None or other.upper is None or one.upper <= other.upper)
    return True


# -- whether members overlap


def apart(walk: Walk, side: int, found: Iterable[Node]) -> bool:
    """Whether no value is allowed by two of these, for all that can be told."""
    views = [view for view in (walk.view(side, node) for node in found) if not view.never]
    objects = [view for view in views if view.types == _OBJECT]
    others = [view for view in views if view.types != _OBJECT]
    if not any(view.allows("object") for view in others) and _told_apart(walk, side, objects):
        views = others
    if len(views) * (len(views) - 1) // 2 > _MOST_PAIRS:
        return False
    return all(_disjoint(walk, side, one, other) for one, other in combinations(views, 2))


def _told_apart(walk: Walk, side: int, views: Sequence[View]) -> bool:
    """Whether one property tells all of these from each other, or each requires what none of the others names."""
    shared = set.intersection(*(view.required & set(view.properties) for view in views)) if views else set()
    for name in sorted(shared):
        listed = [walk.view(side, view.child(name)).values for view in views]
        counted = Counter(value for values in listed for value in set(map(named, values or ())))
        if all(values is not None for values in listed) and all(times == 1 for times in counted.values()):
            return True
    counted = Counter(name for view in views for name in view.properties)
    return all(any(counted[name] == (name in view.properties) for name in view.required) for view in views)


def _disjoint(walk: Walk, side: int, one: View, other: View, depth: int = 0) -> bool:
    if one.never or other.never:
        return True
    if one.types is not None and other.types is not None:
        both = {kind for kind in one.types if other.allows(kind)} | {kind for kind in other.types if one.allows(kind)}
        if not both:
            return True
        if both == {"object"}:
            return _objects_disjoint(walk, side, one, other, depth)
    if one.values is not None and other.values is not None:
        return not common(one.values, other.values)
    low = [view.lower[0] for view in (one, other) if view.lower is not None]
    high = [view.upper[0] for view in (one, other) if view.upper is not None]
    numbers = all(view.types is not None and view.types <= {"integer", "number"} for view in (one, other))
    return numbers and bool(low and high) and max(low) > min(high)


def _objects_disjoint(walk: Walk, side: int, one: View, other: View, depth: int) -> bool:
    """By a property that both require and that differs; or because each requires what the other does not name."""
    for name in sorted(one.required & other.required):
        if depth < 2 and name in one.properties and name in other.properties:
            left, right = one.child(name), other.child(name)
            if _disjoint(walk, side, walk.view(side, left), walk.view(side, right), depth + 1):
                return True
    return bool(one.required - set(other.properties)) and bool(other.required - set(one.properties))
