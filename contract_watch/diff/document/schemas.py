"""Comparison of two schemas: all edits, each with its effect on the set of values.

Edits have no direction. The rules decide if more or fewer values break consumers.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from contract_watch.diff.document import (
    annotations,
    arrays,
    combinators,
    conditions,
    discriminators,
    group_forms,
    nullability,
    objects,
    unevaluated,
)
from contract_watch.diff.document.changes import Effect, SchemaEdit, Tokens
from contract_watch.diff.document.equality import EqualityCheck
from contract_watch.diff.document.lazy_references import ReferenceTarget, ResolvedLink, follow_links
from contract_watch.diff.document.normalized_schema import Conjunction, NormalizedSchema, SubSchema
from contract_watch.diff.document.scalars import compare_scalars
from contract_watch.diff.document.schema_location import (
    EditOrLink,
    SchemaLink,
    SchemaLocation,
    create_edit,
    has_reference,
)
from contract_watch.diff.document.schema_reader import SchemaReader
from contract_watch.diff.document.source import SourceDocument

_MAX_DEPTH = 100
"""The maximal depth of compared schemas; any difference below it is one edit."""

_TOO_DEEP = "the schemas differ below the depth that is compared"
_STRING_LEVELS = 2
"""Levels of a parameter's schema that are sent as strings: its own, and its items or properties."""

_MAX_SUBSET_NESTING = 16
"""The maximal nesting of subset checks."""

Key = tuple[tuple[int, ...], tuple[int, ...]]


class SchemaComparison:
    """A comparison of the schemas of two documents.

    The targets of a pair of references are compared once, and the edits reported at each location. So the run time is
    linear in the size of the documents and of the output.
    """

    def __init__(self, base: SourceDocument, revision: SourceDocument) -> None:
        self._readers = (SchemaReader(base), SchemaReader(revision))
        self._sources = (base, revision)
        self.equality = EqualityCheck(base, revision)
        self._subsets: dict[tuple[Effect, Key], bool | None] = {}
        self._same: dict[Key, bool] = {}
        self._distant_keys: dict[tuple[str, ...], set[tuple[object, ...]]] = {}
        self._nesting = 0
        self._open_checks, self._used_assumption = 0, False
        self._provisional: list[tuple[Effect, Key] | ReferenceTarget] = []
        """Results since the outermost subset check began, in order."""
        self._targets: dict[tuple[int | None, ...], ReferenceTarget] = {}
        self._pinned: list[Any] = []

    def find_edits(self, base: Any, revision: Any, locations: tuple[Tokens, Tokens], kind: tuple[str, ...] = (), *,
              as_string: bool = False) -> Iterator[SchemaEdit]:  # fmt: skip
        """Yield the edits from one raw schema to the other.

        Args:
            base: the schema in the base.
            revision: the schema in the revision.
            locations: the locations of both.
            kind: the kind of root; roots of one kind share the limit on distant references.
            as_string: True if the values are sent as strings, as parameters are.
        """
        found = self._find_root_edits(base, revision, locations, as_string=as_string)
        try:
            yield from follow_links(found, self._distant_keys.setdefault(kind, set()))
        except RecursionError:
            yield self.end_too_deep(locations)

    def find_own_edits(
        self, base: Any, revision: Any, locations: tuple[Tokens, Tokens], *, as_string: bool = False
    ) -> list[SchemaEdit | ResolvedLink]:
        """Return the edits of two schemas themselves, and links to the schemas that they refer to."""
        try:
            return list(self._find_root_edits(base, revision, locations, as_string=as_string))
        except RecursionError:
            return [self.end_too_deep(locations)]

    def _find_root_edits(
        self, base: Any, revision: Any, locations: tuple[Tokens, Tokens], *, as_string: bool
    ) -> Iterator[SchemaEdit | ResolvedLink]:
        levels, nodes = _STRING_LEVELS if as_string else 0, ((SubSchema(base),), (SubSchema(revision),))
        walk = _RootWalk(self, as_string=levels)
        return self._resolve_links(walk.compare(*nodes, SchemaLocation(*locations)), as_string=levels)

    def end_too_deep(self, locations: tuple[Tokens, Tokens]) -> SchemaEdit:
        """Return the edit that stands for what is too deep to compare."""
        self._discard_open_checks()
        return create_edit("too-deep", Effect.UNCLEAR, _TOO_DEEP, SchemaLocation(*locations, depth=1))

    def _discard_open_checks(self) -> None:
        """Forget subset checks that did not finish."""
        self._subsets = {key: result for key, result in self._subsets.items() if result is not None}
        self._open_checks, self._used_assumption = 0, False
        self._provisional.clear()

    def _resolve_links(
        self, found: Iterable[EditOrLink], *, as_string: int = 0
    ) -> Iterator["SchemaEdit | ResolvedLink"]:
        """Yield edits unchanged and links with their targets; ``as_string`` counts levels that are sent as strings."""
        for one in found:
            if isinstance(one, SchemaEdit):
                yield one
            else:
                site = (*map(_get_id, one.base), None, *map(_get_id, one.revision))
                yield ResolvedLink(site, one, self._find_target(one, as_string=max(0, as_string - one.location.depth)))

    def _find_target(self, link: SchemaLink, *, as_string: int) -> "ReferenceTarget":
        """Return the target of a pair of references; links to the same schemas share one."""
        ends = self._follow_references(0, link.base), self._follow_references(1, link.revision)
        key = (*map(_get_id, ends[0]), None, *map(_get_id, ends[1]), as_string)
        known = self._targets.get(key)
        if known is None:
            self._pinned += [link, ends]  # keeps their ids unique
            known = self._targets[key] = ReferenceTarget(lambda: self._compare_target(known, link, as_string=as_string))
        return known

    def _compare_target(
        self, behind: ReferenceTarget | None, link: SchemaLink, *, as_string: int
    ) -> Iterator[SchemaEdit | ResolvedLink]:
        if behind is not None and self._open_checks:
            self._provisional.append(behind)
        walk, at = _RootWalk(self, as_string=as_string), SchemaLocation((), (), suffixes=link.location.suffixes)
        return self._resolve_links(walk.compare_resolved(link.base, link.revision, at), as_string=as_string)

    def _follow_references(self, side: int, node: Conjunction) -> Conjunction:
        """Return the target of a node that is nothing but a reference, else the node."""
        if len(node) != 1:
            return node
        source, raw = self._sources[side], node[0].raw
        for _ in range(_MAX_DEPTH):
            if not (isinstance(raw, dict) and len(raw) == 1 and isinstance(raw.get("$ref"), str)):
                break
            raw = source.resolve(raw["$ref"])
        return (replace(node[0], raw=raw, path=()),)

    def collect_effects(self, found: Iterable[EditOrLink]) -> set[Effect]:
        """Return the effects of edits, including those behind references; unclear if the nesting is too deep."""
        edits = self._collect_edits(found)
        return {Effect.UNCLEAR} if edits is None else {edit.effect for edit in edits}

    def collect_kinds(self, found: Iterable[EditOrLink]) -> set[str]:
        """Return the kinds of edits, including those behind references; "" if the nesting is too deep."""
        edits = self._collect_edits(found)
        return {""} if edits is None else {edit.kind for edit in edits}

    def _collect_edits(self, found: Iterable[EditOrLink]) -> list[SchemaEdit] | None:
        if self._nesting >= _MAX_SUBSET_NESTING:
            return None
        self._nesting += 1
        try:
            return list(follow_links(self._resolve_links(found)))
        finally:
            self._nesting -= 1

    def normalize(self, side: int, node: Conjunction, *, folded: bool = True) -> NormalizedSchema:
        """Return the conditions of a node of the base (0) or the revision (1)."""
        return self._readers[side].read(node, folded=folded)

    def is_same(self, base: Conjunction, revision: Conjunction) -> bool:
        """Return True if two nodes have no edit between them or below them.

        An open check counts as False: a schema in a cycle that contains the two may differ.
        """
        key = _make_key(base, revision)
        if key not in self._same:
            self._pinned += [base, revision]  # keeps their ids unique
            self._same[key] = False
            self._same[key] = not self.collect_kinds(_RootWalk(self).compare(base, revision, _NOWHERE))
        return self._same[key]

    def is_subset(self, base: Conjunction, revision: Conjunction) -> bool:
        """Return True if every value of the base belongs to the revision, as far as is known."""
        return self._check_subset(base, revision, Effect.WIDENS)

    def is_reverse_subset(self, revision: Conjunction, base: Conjunction) -> bool:
        """Return True if every value of the revision belongs to the base, as far as is known."""
        return self._check_subset(base, revision, Effect.NARROWS)

    def _check_subset(self, base: Conjunction, revision: Conjunction, allowed: Effect) -> bool:
        key = (allowed, _make_key(base, revision))
        if key not in self._subsets:
            self._pinned += [base, revision]  # keeps their ids unique
            return self._compute_subset(key, base, revision)
        known = self._subsets[key]
        self._used_assumption = self._used_assumption or known is None
        return known is not False  # an open check counts as True, because cycles would never end

    def _compute_subset(self, key: tuple[Effect, Key], base: Conjunction, revision: Conjunction) -> bool:
        self._subsets[key] = None
        self._open_checks += 1
        start = len(self._provisional)
        effects = self.collect_effects(_RootWalk(self).compare(base, revision, SchemaLocation((), ())))
        result = self._subsets[key] = effects <= {Effect.NOTHING, key[0]}
        self._open_checks -= 1
        if not result and self._used_assumption:
            self._discard_since(start)
        self._provisional.append(key)
        if not self._open_checks:
            self._used_assumption = False
            self._provisional.clear()
        return result

    def _discard_since(self, start: int) -> None:
        """Discard the results that relied on an open check which turned out to be False."""
        for one in self._provisional[start:]:
            if isinstance(one, ReferenceTarget):
                one.reset()
            elif self._subsets.get(one):
                del self._subsets[one]
        del self._provisional[start:]

    def resolve(self, side: int, node: Conjunction) -> Mapping[str, Any] | None:
        """Return the schema of a node after its reference, or None if the node has several schemas."""
        return self._sources[side].follow(node[0].raw) if len(node) == 1 else None

    def resolve_raw(self, side: int, raw: Any) -> Mapping[str, Any]:
        """Return a schema of the base (0) or the revision (1) after its reference."""
        return self._sources[side].follow(raw)

    def list_children(self, side: int, parent: Mapping[str, Any]) -> dict[str, Conjunction]:
        """Return the own parts of the children of a schema with a discriminator, by reference."""
        found = self._sources[side].list_children(parent)
        return {name: tuple(SubSchema(raw, path) for raw, path in parts) for name, parts in found.items()}


_NOWHERE = SchemaLocation((), ())


class _RootWalk:
    """A comparison from one root up to its references; see `SchemaWalk` for the methods."""

    def __init__(self, schemas: SchemaComparison, *, as_string: int = 0) -> None:
        self._schemas, self._string_levels = schemas, as_string

    def collect_effects(self, found: Iterable[EditOrLink]) -> set[Effect]:
        """Delegate to the comparison of the documents."""
        return self._schemas.collect_effects(found)

    def collect_kinds(self, found: Iterable[EditOrLink]) -> set[str]:
        """Delegate to the comparison of the documents."""
        return self._schemas.collect_kinds(found)

    def is_equal(self, base: Any, revision: Any) -> bool:
        """Delegate to the comparison of the documents."""
        return self._schemas.equality.is_equal(base, revision)

    def is_same(self, base: Conjunction, revision: Conjunction) -> bool:
        """Delegate to the comparison of the documents."""
        return self._schemas.is_same(base, revision)

    def intern(self, raw: Any) -> int:
        """Delegate to the comparison of the documents."""
        return self._schemas.equality.intern(raw)

    def is_subset(self, base: Conjunction, revision: Conjunction) -> bool:
        """Delegate to the comparison of the documents."""
        return self._schemas.is_subset(base, revision)

    def is_reverse_subset(self, revision: Conjunction, base: Conjunction) -> bool:
        """Return True if every value of the revision belongs to the base, as far as is known."""
        return self._schemas.is_reverse_subset(revision, base)

    def is_equivalent(self, base: Conjunction, revision: Conjunction) -> bool:
        """Return True if two nodes have the same values, as far as is known."""
        return self._schemas.is_subset(base, revision) and self._schemas.is_reverse_subset(revision, base)

    def normalize(self, side: int, node: Conjunction, *, folded: bool = True) -> NormalizedSchema:
        """Delegate to the comparison of the documents."""
        return self._schemas.normalize(side, node, folded=folded)

    def resolve(self, side: int, node: Conjunction) -> Mapping[str, Any] | None:
        """Delegate to the comparison of the documents."""
        return self._schemas.resolve(side, node)

    def resolve_raw(self, side: int, raw: Any) -> Mapping[str, Any]:
        """Delegate to the comparison of the documents."""
        return self._schemas.resolve_raw(side, raw)

    def list_children(self, side: int, parent: Mapping[str, Any]) -> dict[str, Conjunction]:
        """Delegate to the comparison of the documents."""
        return self._schemas.list_children(side, parent)

    def compare(self, base: Conjunction, revision: Conjunction, location: SchemaLocation) -> Iterator[EditOrLink]:
        """Yield the edits between two nodes and below them."""
        if not (base or revision):
            return
        if len(base) == len(revision) == 1 and self._schemas.equality.is_equal(base[0].raw, revision[0].raw):
            return
        if location.depth > _MAX_DEPTH:
            yield create_edit("too-deep", Effect.UNCLEAR, _TOO_DEEP, location)
            return
        if any(has_reference(part.raw) for part in (*base, *revision)):
            yield SchemaLink(base, revision, location)
        else:
            yield from self.compare_resolved(base, revision, location)

    def compare_resolved(
        self, base: Conjunction, revision: Conjunction, location: SchemaLocation
    ) -> Iterator[EditOrLink]:
        """Yield the edits between two nodes and below them after following their references."""
        before, after = self.normalize(0, base), self.normalize(1, revision)
        if before.open_null or after.open_null:
            yield from nullability.compare(self, before, after, location)
            base, revision = map(nullability.leave_out_null, (base, revision))
            before, after = self.normalize(0, base), self.normalize(1, revision)
        yield from discriminators.compare(self, (base, revision), (before, after), location)
        if before.combinators or after.combinators:
            before, after = group_forms.align(self, base, revision, before, after)
        found = self._compare_constraints(before, after, location)
        if before.unevaluated.keys() & after.unevaluated.keys():
            found = unevaluated.compare(self, found, location)
        yield from found

    def _compare_constraints(
        self, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation
    ) -> Iterator[EditOrLink]:
        if before.rejects_all != after.rejects_all:
            if after.rejects_all:
                yield create_edit("refused-entirely", Effect.NARROWS, "no value is allowed now", location)
            else:
                yield create_edit("no-longer-refused", Effect.WIDENS, "values are now allowed; none were", location)
        if before.rejects_all or after.rejects_all:
            return
        for kind, effect, message in compare_scalars(before, after, as_string=location.depth < self._string_levels):
            yield create_edit(kind, effect, message, location)
        if before.allows_type("object") and after.allows_type("object"):
            yield from objects.compare(self, before, after, location)
        if before.allows_type("array") and after.allows_type("array"):
            yield from arrays.compare(self, before, after, location)
        yield from combinators.compare(self, before, after, location)
        yield from conditions.compare(self, before, after, location)
        yield from annotations.compare(before, after, location)

    def compare_optional(
        self, kind: str, before: Conjunction, after: Conjunction, location: SchemaLocation, *tokens: str
    ) -> Iterator[EditOrLink]:
        """Yield the edit for a condition that was added or removed, or the edits of one that is on both sides."""
        here = location.enter_condition(before, after, *tokens)
        if before and after:
            yield from self.compare(before, after, location.enter(before, after, *tokens))
        elif after:
            yield create_edit(f"{kind}-added", Effect.NARROWS, f"{tokens[0]} added", here)
        elif before:
            yield create_edit(f"{kind}-removed", Effect.WIDENS, f"{tokens[0]} removed", here, is_removed=True)


def _get_id(part: SubSchema) -> int:
    return -id(part.raw) if part.without_null else id(part.raw)


def _make_key(base: Conjunction, revision: Conjunction) -> Key:
    return tuple(map(_get_id, base)), tuple(map(_get_id, revision))
