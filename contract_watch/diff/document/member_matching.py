"""Matching of the members of two combinators: which replaces which, which is a subset of which, and which overlap.

Combinators may have a thousand members. Cheap outlines rule out most pairs, and only the rest is compared. Beyond a
limit the result is "unknown".
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from contract_watch.diff.document.normalization import intersect_values, make_value_key
from contract_watch.diff.document.normalized_schema import Conjunction, NormalizedSchema
from contract_watch.diff.document.possible_types import intersect_types
from contract_watch.diff.document.schema_location import SchemaWalk

_MAX_EXHAUSTIVE_PAIRS = 400
"""The number of pairs of members up to which all are compared."""
_MAX_SUBSET_CHECKS = 2000
"""The maximal number of compared pairs, divided evenly among the members of the base."""
_MAX_OVERLAP_PAIRS = 40_000
"""The maximal number of pairs that are checked for overlaps."""

_LARGE_NUMBER = 2**1000
_OBJECT = frozenset({"object"})


class MemberMatcher:
    """A matcher of the members of two combinators, by index.

    ``uncertain`` holds the members on each side that were not compared with all others.
    """

    def __init__(self, walk: SchemaWalk, before: Sequence[Conjunction], after: Sequence[Conjunction]) -> None:
        self._walk, self._before, self._after = walk, before, after
        self.uncertain: tuple[set[int], set[int]] = (set(), set())
        self._outlines: tuple[list[_Outline], list[tuple[_Outline, list[int]]]] | None = None
        self._candidates: dict[int, list[tuple[int, bool, bool]]] = {}

    def find_match(self, old: int, among: Container[int]) -> int | None:
        """Return the first member of the revision in ``among`` that is a subset or a superset of one of the base, or None."""
        for new, inner, outer in self._list_candidates(old):
            if new in among and ((inner and self._is_subset(old, new)) or (outer and self._is_superset(old, new))):
                return new
        return None

    def is_covered(self, old: int) -> bool:
        """Return True if every value of a member of the base belongs to some member of the revision, as far as is known."""
        return any(inner and self._is_subset(old, new) for new, inner, _ in self._list_candidates(old))

    def list_covered_members(self, found: Iterable[int]) -> list[int]:
        """Return the members of the revision that are subsets of one of the base, as far as is known."""
        left = dict.fromkeys(found)
        for old in range(len(self._before) if left else 0):
            for new, _, outer in self._list_candidates(old, None if old in self._candidates else left):
                if outer and new in left and self._is_superset(old, new):
                    del left[new]
        return [new for new in found if new not in left]

    def _is_subset(self, old: int, new: int) -> bool:
        return self._walk.is_subset(self._before[old], self._after[new])

    def _is_superset(self, old: int, new: int) -> bool:
        return self._walk.is_reverse_subset(self._after[new], self._before[old])

    def _list_candidates(self, old: int, only: Container[int] | None = None) -> Iterable[tuple[int, bool, bool]]:
        """Return the first members of the revision that may be supersets or subsets of one of the base."""
        if len(self._before) * len(self._after) <= _MAX_EXHAUSTIVE_PAIRS:
            return ((new, True, True) for new in range(len(self._after)))
        if old in self._candidates:
            return self._candidates[old]
        outlines, kinds = self._outlines = self._outlines or self._build_outlines()
        one, near = outlines[old], list[tuple[int, bool, bool]]()
        maximum = max(1, _MAX_SUBSET_CHECKS // len(self._before))
        for other, members in kinds:
            if one.tags is not None and other.tags is not None and one.tags.isdisjoint(other.tags):
                continue
            inner, outer = _may_be_subset(one, other), _may_be_subset(other, one)
            if not (inner or outer):
                continue
            these = members if only is None else [new for new in members if new in only]
            room = maximum - len(near)
            near += [(new, inner, outer) for new in these[:room]]
            rest = these[room:]
            if inner and rest:
                self.uncertain[0].add(old)
            if outer:
                self.uncertain[1].update(rest)
        near.sort()
        if only is None:
            self._candidates[old] = near
        return near

    def _build_outlines(self) -> "tuple[list[_Outline], list[tuple[_Outline, list[int]]]]":
        """Return the outlines of the base's members, and those of the revision's with the members that share each."""
        walk = self._walk
        schemas = [
            [walk.normalize(side, node) for node in nodes] for side, nodes in enumerate((self._before, self._after))
        ]
        counted = Counter(
            name for side in (0, 1) for schema in schemas[side] for name in _list_enum_properties(walk, side, schema)
        )
        tag_property = max(counted, key=lambda name: counted[name], default=None)
        kinds: dict[_Outline, list[int]] = {}
        for new, schema in enumerate(schemas[1]):
            kinds.setdefault(_build_outline(walk, 1, schema, tag_property), []).append(new)
        return [_build_outline(walk, 0, schema, tag_property) for schema in schemas[0]], list(kinds.items())

    # -- matches

    def list_identical(self) -> Iterator[tuple[int, int]]:
        """Yield pairs of identical members; each member occurs in at most one."""
        waiting: dict[tuple[int, ...], list[int]] = {}
        for new, node in enumerate(self._after):
            waiting.setdefault(self._intern_node(node), []).append(new)
        for old, node in enumerate(self._before):
            others = waiting.get(self._intern_node(node), [])
            for new in others:
                other = self._after[new]
                if all(self._walk.is_equal(a.raw, b.raw) for a, b in zip(node, other, strict=True)):
                    others.remove(new)
                    yield old, new
                    break

    def _intern_node(self, node: Conjunction) -> tuple[int, ...]:
        return tuple(self._walk.intern(part.raw) for part in node)

    def list_same_name(self, old: Iterable[int], new: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Yield pairs of members with the same name; each member occurs in at most one."""
        waiting: dict[str, list[int]] = {}
        for number in new:
            if (name := _find_name(self._after[number])) is not None:
                waiting.setdefault(name, []).append(number)
        for number in old:
            name = _find_name(self._before[number])
            if name is not None and waiting.get(name):
                yield number, waiting[name].pop(0)


def _find_name(node: Conjunction) -> str | None:
    """Return the name of a member: its reference or its title."""
    raw = node[0].raw if node else None
    found = raw.get("$ref", raw.get("title")) if isinstance(raw, dict) else None
    return found if isinstance(found, str) else None


# -- pairs that cannot be subsets


@dataclass(frozen=True, slots=True)
class _Outline:
    """An outline of a member, which shows cheaply that it is not a subset of another.

    ``is_open`` means that the outline shows nothing. ``tags`` are the values of the property that distinguishes most
    members, or None if they are not listed.
    """

    is_open: bool
    types: frozenset[str] | None
    has_values: bool
    required: frozenset[str]
    optional: frozenset[str]
    names: frozenset[str]
    patterns: frozenset[str]
    lower: float | None
    upper: float | None
    tags: frozenset[object] | None


def _build_outline(walk: SchemaWalk, side: int, schema: NormalizedSchema, tag_property: str | None) -> _Outline:
    values = (
        walk.normalize(side, schema.find_property(tag_property)).values if tag_property in schema.properties else None
    )
    types = schema.possible_types
    if types is not None and "number" in types:
        types |= {"integer"}
    return _Outline(
        schema.rejects_all or bool(schema.combinators),
        types,
        schema.values is not None,
        frozenset(schema.required),
        frozenset(schema.properties) - schema.required,
        frozenset(schema.properties),
        frozenset(schema.patterns),
        _approximate_bound(schema.lower),
        _approximate_bound(schema.upper),
        frozenset(map(make_value_key, values)) if values else None,
    )


def _approximate_bound(bound: tuple[Fraction, bool] | None) -> float | None:
    """Return a bound as a float, which compares quickly; None if there is none, or it is too large."""
    return float(bound[0]) if bound is not None and abs(bound[0]) < _LARGE_NUMBER else None


def _list_enum_properties(walk: SchemaWalk, side: int, schema: NormalizedSchema) -> Iterator[str]:
    """Yield the names of properties with an enum or a constant."""
    for name, parts in schema.properties.items():
        raws = [walk.resolve(side, (part,)) or {} for part in parts]
        if any("enum" in raw or "const" in raw for raw in raws):
            yield name


def _may_be_subset(one: _Outline, other: _Outline) -> bool:
    """Return False if a comparison would find values of one member that the other rejects."""
    if one.is_open or other.is_open:
        return True
    if other.types is not None and (one.types is None or not one.types <= other.types):
        return False
    if one.tags is not None and other.tags is not None and not one.tags <= other.tags:
        return False
    if one.has_values or other.has_values:
        return one.has_values or not other.has_values
    objects = one.types is None or "object" in one.types
    if objects and not (other.required <= one.required and one.optional <= other.names):
        return False
    if (one.types is None or "string" in one.types) and not other.patterns <= one.patterns:
        return False
    if one.types is None or "integer" in one.types:
        low = one.lower is None or other.lower is None or one.lower >= other.lower
        return low and (one.upper is None or other.upper is None or one.upper <= other.upper)
    return True


# -- overlaps


def do_overlap(walk: SchemaWalk, side: int, found: Sequence[Conjunction], among: Sequence[int]) -> bool:
    """Return True if a value may match two of these schemas, one of which is ``among`` them."""
    if len(found) < 2 or not among:
        return False
    schemas = [(number, walk.normalize(side, node)) for number, node in enumerate(found)]
    schemas = [(number, schema) for number, schema in schemas if not schema.rejects_all]
    objects = [schema for _, schema in schemas if schema.possible_types == _OBJECT]
    others = [(number, schema) for number, schema in schemas if schema.possible_types != _OBJECT]
    if not any(schema.allows_type("object") for _, schema in others) and _have_distinct_tags(walk, side, objects):
        schemas = others
    if len(schemas) * (len(schemas) - 1) // 2 > _MAX_OVERLAP_PAIRS:
        return True
    counted = set(among)
    return any(
        (first in counted or second in counted) and not _are_schemas_disjoint(walk, side, one, other)
        for (first, one), (second, other) in combinations(schemas, 2)
    )


def _have_distinct_tags(walk: SchemaWalk, side: int, schemas: Sequence[NormalizedSchema]) -> bool:
    """Return True if one property distinguishes all schemas, or each requires a property that no other names."""
    shared = set.intersection(*(schema.required & set(schema.properties) for schema in schemas)) if schemas else set()
    for name in sorted(shared):
        listed = [walk.normalize(side, schema.find_property(name)).values for schema in schemas]
        counted = Counter(value for values in listed for value in set(map(make_value_key, values or ())))
        if all(values is not None for values in listed) and all(times == 1 for times in counted.values()):
            return True
    counted = Counter(name for schema in schemas for name in {*schema.properties, *schema.required})
    return all(any(counted[name] == 1 for name in schema.required) for schema in schemas)


def _are_schemas_disjoint(
    walk: SchemaWalk, side: int, one: NormalizedSchema, other: NormalizedSchema, depth: int = 0
) -> bool:
    if one.rejects_all or other.rejects_all:
        return True
    both = intersect_types(one.possible_types, other.possible_types)
    if both is not None:
        if not both:
            return True
        if both == {"object"}:
            return _are_objects_disjoint(walk, side, one, other, depth)
    if one.values is not None and other.values is not None:
        return not intersect_values(one.values, other.values)
    low = [schema.lower[0] for schema in (one, other) if schema.lower is not None]
    high = [schema.upper[0] for schema in (one, other) if schema.upper is not None]
    numbers = all(schema.types is not None and schema.types <= {"integer", "number"} for schema in (one, other))
    return numbers and bool(low and high) and max(low) > min(high)


def _are_objects_disjoint(
    walk: SchemaWalk, side: int, one: NormalizedSchema, other: NormalizedSchema, depth: int
) -> bool:
    """Check properties that one of them requires, then properties that only one of them names and requires."""
    for name in sorted(one.required | other.required):
        left, right = one.find_property(name), other.find_property(name)
        before, after = walk.normalize(side, left), walk.normalize(side, right)
        if name not in one.required & other.required and (_is_one_way(before) or _is_one_way(after)):
            continue
        if before.rejects_all or after.rejects_all:  # as a closed object rejects names
            return True
        if depth < 2 and left and right and _are_schemas_disjoint(walk, side, before, after, depth + 1):
            return True
    own, others = one.required - other.required, other.required - one.required
    return bool(own - set(other.properties)) and bool(others - set(one.properties))


def _is_one_way(schema: NormalizedSchema) -> bool:
    """Return True if a property is required in one direction alone."""
    return schema.read_only or schema.write_only
