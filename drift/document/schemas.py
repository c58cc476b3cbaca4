"""Two schemas against each other: every edit, with what it does to the set of values.

Edits know no direction: whether more or fewer values are good or bad, the rules say.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from contracts.pattern import equal
from drift.document import groups, objects
from drift.document.changes import Direction, Edit, Effect, Tokens
from drift.document.place import Found, Link, Place, clouding, edit
from drift.document.scalars import scalars
from drift.document.source import Source, unchanged
from drift.document.view import Condition, Node, Part, View
from drift.document.views import Views

_DEEPEST = 60
"""How far nested schemas are compared; what is deeper is taken for unchanged, as no reader gets there."""


Key = tuple[tuple[int, ...], tuple[int, ...], bool]


class Schemas:
    """Compares the schemas of two documents.

    What a pair of references leads to is compared once, and told wherever one of them stands: so the time goes with the
    size of the documents and of what is told.
    """

    def __init__(self, base: Source, revision: Source) -> None:
        self._views = (Views(base), Views(revision))
        self._sources = (base, revision)
        self._same = unchanged(base, revision)
        self._alike = base.old == revision.old
        self._equal: dict[tuple[int, int], bool] = {}
        self._within: dict[tuple[Effect, Key], bool] = {}
        self._behind: dict[Key, list[Found]] = {}
        self._kept: list[Any] = []

    def edits(self, base: Any, revision: Any, at: tuple[Tokens, Tokens], *, textual: bool = False) -> Iterator[Edit]:
        """Every edit from one raw schema to the other; ``at`` are their places. ``textual``: a parameter's, sent as a text."""
        nodes = (Part(base),), (Part(revision),)
        yield from self._followed(_Walk(self, textual=textual).compare(*nodes, Place(*at)), textual=textual)

    def _followed(self, found: Iterable[Found], *, textual: bool = False) -> Iterator[Edit]:
        """Edits, and those that links lead to: each reference is followed at each of its places once."""
        seen: set[Key] = set()
        waiting: list[tuple[Iterator[Found], _Frame | None]] = [(iter(found), None)]
        while waiting:
            rest, frame = waiting[-1]
            one = next(rest, None)
            if one is None:
                waiting.pop()
            elif isinstance(one, Edit):
                yield one if frame is None else frame.moved(one)
            else:
                key = _key(one.base, one.revision, textual=textual and frame is None and one.place.depth == 0)
                if key not in seen:
                    seen.add(key)
                    waiting.append((iter(self._what_is_behind(key, one)), _Frame(frame, one)))

    def _what_is_behind(self, key: Key, link: Link) -> list[Found]:
        if key not in self._behind:
            self._kept += [link.base, link.revision]  # so that their ids stay their own
            walk = _Walk(self, textual=key[2])
            self._behind[key] = list(walk.inside(link.base, link.revision, Place((), ())))
        return self._behind[key]

    def effects(self, found: Iterable[Found]) -> Iterator[Effect]:
        """What edits do to the set of values, those included that references lead to."""
        return (edit.effect for edit in self._followed(found))

    def view(self, side: int, node: Node) -> View:
        """The conditions of a node of the base (0) or of the revision (1)."""
        return self._views[side].of(node)

    def equal(self, base: Any, revision: Any) -> bool:
        """Whether two raw things say the same to the letter, with all that they refer to."""
        if not self._alike:
            return False
        key = (id(base), id(revision))
        known = self._equal.get(key)
        if known is None:
            self._kept += [base, revision]
            known = repr(base) == repr(revision) and self._sources[0].references(base) <= self._same
            self._equal[key] = known
        return known

    def within(self, base: Node, revision: Node) -> bool:
        """Whether every value of the base is one of the revision, as far as can be told."""
        return self._one_way(base, revision, Effect.WIDENS)

    def backwards(self, revision: Node, base: Node) -> bool:
        """Whether every value of the revision is one of the base, as far as can be told."""
        return self._one_way(base, revision, Effect.NARROWS)

    def _one_way(self, base: Node, revision: Node, way: Effect) -> bool:
        key = (way, _key(base, revision))
        if key not in self._within:
            self._kept += [base, revision]  # so that their ids stay their own
            self._within[key] = True  # as long as it is being asked
            effects = self.effects(_Walk(self).compare(base, revision, Place((), ())))
            self._within[key] = all(effect in (Effect.NOTHING, way) for effect in effects)
        return self._within[key]

    def raw(self, side: int, node: Node) -> Mapping[str, Any] | None:
        """The one schema that a node is, its reference followed; None where it is several."""
        return self._sources[side].followed(node[0].raw) if len(node) == 1 else None


class _Frame:
    """A link that is being followed, at the end of those that led to it. Places are only put together where they are told."""

    def __init__(self, outer: "_Frame | None", link: Link) -> None:
        self._outer, self._link = outer, link
        self.depth: int = link.place.depth + (outer.depth if outer is not None else 0)
        self.muted: frozenset[Direction] = link.muted | (outer.muted if outer is not None else frozenset())
        self.clouded: bool = link.clouded or (outer is not None and outer.clouded)
        self._whole: tuple[Tokens, Tokens] | None = None

    @property
    def whole(self) -> tuple[Tokens, Tokens]:
        """Its places, in the base and in the revision."""
        if self._whole is None:
            base, revision = self._link.place.whole
            before, after = self._outer.whole if self._outer is not None else ((), ())
            self._whole = (*before, *base), (*after, *revision)
        return self._whole

    def moved(self, found: Edit) -> Edit:
        """An edit that is behind the link, as it is at the link's place."""
        at = (*self.whole[0 if found.removed else 1], *found.at)
        depth, muted = self.depth + found.depth, found.muted | self.muted
        one = Edit(found.kind, at, found.effect, found.message, depth, found.removed, muted)
        return one if not self.clouded or one.effect is Effect.NOTHING else replace(one, effect=Effect.UNCLEAR)


class _Walk:
    """One walk from a root, up to the references."""

    def __init__(self, schemas: Schemas, *, textual: bool = False) -> None:
        self._schemas, self._textual = schemas, textual

    def effects(self, found: Iterable[Found]) -> Iterator[Effect]:
        """See Schemas."""
        return self._schemas.effects(found)

    def equal(self, base: Any, revision: Any) -> bool:
        """See Schemas."""
        return self._schemas.equal(base, revision)

    def within(self, base: Node, revision: Node) -> bool:
        """See Schemas."""
        return self._schemas.within(base, revision)

    def backwards(self, revision: Node, base: Node) -> bool:
        """Whether every value of the revision is one of the base, as far as can be told."""
        return self._schemas.backwards(revision, base)

    def view(self, side: int, node: Node) -> View:
        """See Schemas."""
        return self._schemas.view(side, node)

    def raw(self, side: int, node: Node) -> Mapping[str, Any] | None:
        """See Schemas."""
        return self._schemas.raw(side, node)

    def compare(self, base: Node, revision: Node, place: Place) -> Iterator[Found]:
        """Every edit between two nodes and below them."""
        if place.depth > _DEEPEST or not (base or revision):
            return
        if len(base) == len(revision) == 1 and self._schemas.equal(base[0].raw, revision[0].raw):
            return
        if any(_refers(part) for part in (*base, *revision)):
            yield Link(base, revision, place)
        else:
            yield from self.inside(base, revision, place)

    def inside(self, base: Node, revision: Node, place: Place) -> Iterator[Found]:
        """Every edit between two nodes and below them, their own references followed."""
        before, after = self.view(0, base), self.view(1, revision)
        if (wrapped := groups.spread(self, base, revision, before, after)) is not None:
            yield from groups.members(self, *wrapped, place)
            yield from _annotations(before, after, place)
            return
        yield from self._conditions(before, after, place)

    def _conditions(self, before: View, after: View, place: Place) -> Iterator[Found]:
        if before.never != after.never:
            if after.never:
                yield edit("refused-entirely", Effect.NARROWS, "no value is allowed any more", place)
            else:
                yield edit("no-longer-refused", Effect.WIDENS, "values are allowed now; none was", place)
        if before.never or after.never:
            return
        for kind, effect, words in scalars(before, after, textual=self._textual and place.depth == 0):
            yield edit(kind, effect, words, place)
        if before.allows("object") and after.allows("object"):
            yield from objects.compare(self, before, after, place)
        if before.allows("array") and after.allows("array"):
            yield from self._arrays(before, after, place)
        yield from groups.compare(self, before, after, place)
        yield from self._ifs(before, after, place)
        yield from self._contents(before, after, place)
        yield from _annotations(before, after, place)

    def added_or_removed(self, kind: str, before: Node, after: Node, place: Place, *tokens: str) -> Iterator[Found]:
        """A further condition that came (fewer values) or went (more); edits of one that stayed."""
        here = place.said(before, after, *tokens)
        if before and after:
            yield from self.compare(before, after, place.at(before, after, *tokens))
        elif after:
            yield edit(f"{kind}-added", Effect.NARROWS, f"{tokens[0]} added", here)
        elif before:
            yield edit(f"{kind}-removed", Effect.WIDENS, f"{tokens[0]} removed", here, removed=True)

    def _arrays(self, before: View, after: View, place: Place) -> Iterator[Found]:
        listed = max(before.listed, after.listed)
        inner: list[Found] = []
        for index in range(min(listed, 1000)):
            here = place.at(before.item(index), after.item(index), "prefixItems", str(index))
            inner += self.compare(before.item(index), after.item(index), here)
        yield from inner
        if inner and before.listed != after.listed:
            word = "added" if after.listed > before.listed else "removed"
            yield edit(f"prefix-items-{word}", Effect.NOTHING, f"{listed} items with schemas of their own", place)
        end = 10**9
        yield from self.compare(before.item(end), after.item(end), place.at(before.item(end), after.item(end), "items"))
        yield from self._contained(before, after, place)
        key = "unevaluatedItems"
        old, new = (tuple(view.unevaluated.get(key, ())) for view in (before, after))
        yield from self.added_or_removed("unevaluated-items", old, new, place, key)

    def _contained(self, before: View, after: View, place: Place) -> Iterator[Found]:
        for number in range(max(len(before.contains), len(after.contains))):
            old = before.contains[number] if number < len(before.contains) else None
            new = after.contains[number] if number < len(after.contains) else None
            if old is None or new is None:
                yield from self.added_or_removed(
                    "contains", (old[0],) if old else (), (new[0],) if new else (), place, "contains"
                )
                continue
            inner = list(self.compare((old[0],), (new[0],), place.at((old[0],), (new[0],))))
            # With a maximum, fewer that fit may be more that are allowed.
            yield from (inner if old[2] is None and new[2] is None else map(clouding, inner))
            yield from _count("min-contains", old[1], new[1], place, narrows_up=True)
            yield from _count("max-contains", old[2], new[2], place, narrows_up=False)

    def _ifs(self, before: View, after: View, place: Place) -> Iterator[Found]:
        old, new = list(before.conditions), list(after.conditions)
        for one in list(old):
            if (other := next((c for c in new if self._schemas.equal(one.asked.raw, c.asked.raw)), None)) is None:
                continue
            old.remove(one)
            new.remove(other)
            for word, left, right in (("then", one.then, other.then), ("else", one.otherwise, other.otherwise)):
                yield from self.added_or_removed("condition", left, right, place, word)
        for one, other in zip(old, new, strict=False):
            words = "if changed, and with it what then and else are about"
            yield edit("condition-changed", Effect.UNCLEAR, words, place.said((one.asked,), (other.asked,)))
        longer: list[Condition] = old if len(old) > len(new) else new
        for one in longer[min(len(old), len(new)) :]:
            sides: tuple[Node, Node] = ((one.asked,), ()) if longer is old else ((), (one.asked,))
            yield from self.added_or_removed("condition", *sides, place, "if")

    def _contents(self, before: View, after: View, place: Place) -> Iterator[Found]:
        if not (before.allows("string") and after.allows("string")):
            return
        for key, kind in (("contentMediaType", "content-media-type"), ("contentEncoding", "content-encoding")):
            old, new = before.content.get(key), after.content.get(key)
            if old != new:
                yield edit(f"{kind}-changed", Effect.BOTH, f"{key} changed from {old} to {new}", place)
        old_node, new_node = tuple(before.content_schema), tuple(after.content_schema)
        yield from self.added_or_removed("content-schema", old_node, new_node, place, "contentSchema")


def _key(base: Node, revision: Node, *, textual: bool = False) -> Key:
    return tuple(id(part.raw) for part in base), tuple(id(part.raw) for part in revision), textual


def _count(kind: str, before: int | None, after: int | None, place: Place, *, narrows_up: bool) -> Iterator[Found]:
    if before == after:
        return
    # No most is the largest most.
    up = before is not None and (after is None or after > before)
    words = f"{kind} changed from {before} to {after}"
    yield edit(
        f"{kind}-{'raised' if up else 'lowered'}", Effect.NARROWS if up is narrows_up else Effect.WIDENS, words, place
    )


def _annotations(before: View, after: View, place: Place) -> Iterator[Found]:
    if before.default is not None or after.default is not None:
        if before.default is None or after.default is None:
            word = "removed" if after.default is None else "added"
            yield edit(f"default-{word}", Effect.NOTHING, f"default {word}", place)
        elif not equal(before.default[0], after.default[0]):
            words = f"default changed from {before.default[0]!r:.40} to {after.default[0]!r:.40}"
            yield edit("default-changed", Effect.NOTHING, words, place)
    if before.deprecated != after.deprecated:
        word = "deprecated" if after.deprecated else "reactivated"
        yield edit(f"schema-{word}", Effect.NOTHING, word, place)
    yield from _discriminators(before, after, place)
    gone = [v for v in before.extensible or () if after.extensible is not None and v not in after.extensible]
    new = [v for v in after.extensible or () if before.extensible is not None and v not in before.extensible]
    if gone:
        yield edit("extensible-enum-value-removed", Effect.NARROWS, f"no longer among the values: {gone!r:.60}", place)
    if new:
        yield edit("extensible-enum-value-added", Effect.NOTHING, f"new among the values: {new!r:.60}", place)


def _discriminators(before: View, after: View, place: Place) -> Iterator[Found]:
    old, new = before.discriminator, after.discriminator
    if old is None and new is None:
        return
    if old is None or new is None:
        word = "added" if old is None else "removed"
        yield edit(f"discriminator-{word}", Effect.NOTHING, f"discriminator {word}", place)
    elif old.get("propertyName") != new.get("propertyName") or (old.get("mapping") or {}) != (new.get("mapping") or {}):
        yield edit("discriminator-changed", Effect.NOTHING, "discriminator changed", place)


def _refers(part: Part) -> bool:
    return isinstance(part.raw, dict) and isinstance(part.raw.get("$ref"), str)
