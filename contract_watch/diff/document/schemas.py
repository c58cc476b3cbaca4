"""Two schemas against each other: every edit, with what it does to the set of values.

Edits know no direction: whether more or fewer values are good or bad, the rules say.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from contract_watch.contracts.matchers import are_equal
from contract_watch.diff.document import arrays, combinators, objects, unevaluated
from contract_watch.diff.document.changes import Edit, Effect, Tokens
from contract_watch.diff.document.lazy_references import Behind, Linked, followed
from contract_watch.diff.document.normalized_schema import Condition, Node, Part, View
from contract_watch.diff.document.scalars import scalars
from contract_watch.diff.document.schema_location import Found, Link, Place, edit
from contract_watch.diff.document.schema_reader import Views
from contract_watch.diff.document.source import Forms, Source, unchanged

_DEEPEST = 100
"""How far nested schemas are compared; where what is deeper differs, that is all that is said."""

_TOO_DEEP = "what is nested deeper here is something else, and is not compared"

_TEXTUAL = 2
"""Levels of a parameter's schema that are sent as texts: its own and that of its items or properties."""

_MOST_WITHIN = 16
"""How many questions whether one schema lies within another may stand within one another."""

Key = tuple[tuple[int, ...], tuple[int, ...]]


class Schemas:
    """Compares the schemas of two documents.

    What a pair of references leads to is compared once, and told wherever one of them stands: so the time goes with the
    size of the documents and of what is told.
    """

    def __init__(self, base: Source, revision: Source) -> None:
        self._views = (Views(base), Views(revision))
        self._sources = (base, revision)
        self._forms = Forms()
        self._same = unchanged(base, revision, self._forms)
        self._alike = base.old == revision.old
        self._equal: dict[tuple[int, int], bool] = {}
        self._within: dict[tuple[Effect, Key], bool | None] = {}
        self._told: dict[tuple[str, ...], set[tuple[object, ...]]] = {}
        self._within_one_another = 0
        self._asking, self._leant = 0, False
        self._made: list[tuple[Effect, Key] | Behind] = []
        """What was found since the outermost question was asked, in this order."""
        self._behind: dict[tuple[int | None, ...], Behind] = {}
        self._kept: list[Any] = []

    def edits(self, base: Any, revision: Any, at: tuple[Tokens, Tokens], kind: tuple[str, ...] = (), *,
              textual: bool = False) -> Iterator[Edit]:  # fmt: skip
        """Every edit from one raw schema to the other; ``at`` are their places.

        ``kind`` says what kind of root this is, all of which are judged alike. ``textual``: a parameter's, sent as a text.
        """
        nodes = (Part(base),), (Part(revision),)
        levels = _TEXTUAL if textual else 0
        found = self._linked(_Walk(self, textual=levels).compare(*nodes, Place(*at)), textual=levels)
        try:
            yield from followed(found, self._told.setdefault(kind, set()))
        except RecursionError:
            self._give_up()
            yield edit("too-deep", Effect.UNCLEAR, _TOO_DEEP, Place(*at, depth=1))

    def _give_up(self) -> None:
        """Forget the questions that were not answered."""
        self._within = {key: answer for key, answer in self._within.items() if answer is not None}
        self._asking, self._leant = 0, False
        self._made.clear()

    def _linked(self, found: Iterable[Found], *, textual: int = 0) -> Iterator["Edit | Linked"]:
        """Edits as they are, and links with what is behind them; so many levels of ``textual`` schemas."""
        for one in found:
            if isinstance(one, Edit):
                yield one
            else:
                site = (*map(_id, one.base), None, *map(_id, one.revision))
                yield Linked(site, one, self._behind_of(one, textual=max(0, textual - one.place.depth)))

    def _behind_of(self, link: Link, *, textual: int) -> "Behind":
        """What a pair of references leads to, the same object for all that lead to the same."""
        ends = self._end(0, link.base), self._end(1, link.revision)
        key = (*map(_id, ends[0]), None, *map(_id, ends[1]), textual)
        known = self._behind.get(key)
        if known is None:
            self._kept += [link, ends]  # so that their ids stay their own
            known = self._behind[key] = Behind(lambda: self._inside(known, link, textual=textual))
        return known

    def _inside(self, behind: Behind | None, link: Link, *, textual: int) -> Iterator[Edit | Linked]:
        if behind is not None and self._asking:
            self._made.append(behind)
        walk = _Walk(self, textual=textual)
        return self._linked(walk.inside(link.base, link.revision, _NOWHERE), textual=textual)

    def _end(self, side: int, node: Node) -> Node:
        """Where a node leads that is a reference and nothing else; itself where it says more."""
        if len(node) != 1:
            return node
        source, raw = self._sources[side], node[0].raw
        for _ in range(_DEEPEST):
            if not (isinstance(raw, dict) and len(raw) == 1 and isinstance(raw.get("$ref"), str)):
                break
            raw = source.target(raw["$ref"])
        return (Part(raw),)

    def effects(self, found: Iterable[Found]) -> set[Effect]:
        """What edits do to the set of values, those included that references lead to; unclear where that is too deep."""
        if self._within_one_another >= _MOST_WITHIN:
            return {Effect.UNCLEAR}
        self._within_one_another += 1
        try:
            return {edit.effect for edit in followed(self._linked(found))}
        finally:
            self._within_one_another -= 1

    def kinds(self, found: Iterable[Found]) -> set[str]:
        """The kinds of edits, those included that references lead to; none but a strange one where that is too deep."""
        if self._within_one_another >= _MOST_WITHIN:
            return {""}
        self._within_one_another += 1
        try:
            return {edit.kind for edit in followed(self._linked(found))}
        finally:
            self._within_one_another -= 1

    def view(self, side: int, node: Node) -> View:
        """The conditions of a node of the base (0) or of the revision (1)."""
        return self._views[side].of(node)

    def equal(self, base: Any, revision: Any) -> bool:
        """Whether two raw things say the same in the same words, with all that they refer to."""
        if not self._alike:
            return False
        key = (id(base), id(revision))
        known = self._equal.get(key)
        if known is None:
            self._kept += [base, revision]
            known = self._forms.of(base) == self._forms.of(revision) and self._sources[0].references(base) <= self._same
            self._equal[key] = known
        return known

    def form(self, raw: Any) -> int:
        """A number for what is said, the same where the words are."""
        return self._forms.of(raw)

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
            return self._ask(key, base, revision)
        known = self._within[key]
        self._leant = self._leant or known is None
        return known is not False  # yes, as long as it is being asked: circles would never end

    def _ask(self, key: tuple[Effect, Key], base: Node, revision: Node) -> bool:
        self._within[key] = None
        self._asking += 1
        begun = len(self._made)
        effects = self.effects(_Walk(self).compare(base, revision, Place((), ())))
        answer = self._within[key] = effects <= {Effect.NOTHING, key[0]}
        self._asking -= 1
        if not answer and self._leant:
            self._forget(begun)
        self._made.append(key)
        if not self._asking:
            self._leant = False
            self._made.clear()
        return answer

    def _forget(self, begun: int) -> None:
        """Drop what was found while a question was taken for answered with yes, now that the answer is no."""
        for one in self._made[begun:]:
            if isinstance(one, Behind):
                one.forget()
            elif self._within.get(one):
                del self._within[one]
        del self._made[begun:]

    def raw(self, side: int, node: Node) -> Mapping[str, Any] | None:
        """The one schema that a node is, its reference followed; None where it is several."""
        return self._sources[side].followed(node[0].raw) if len(node) == 1 else None


_NOWHERE = Place((), ())


class _Walk:
    """One walk from a root, up to the references."""

    def __init__(self, schemas: Schemas, *, textual: int = 0) -> None:
        self._schemas, self._textual = schemas, textual

    def effects(self, found: Iterable[Found]) -> set[Effect]:
        """See Schemas."""
        return self._schemas.effects(found)

    def kinds(self, found: Iterable[Found]) -> set[str]:
        """See Schemas."""
        return self._schemas.kinds(found)

    def equal(self, base: Any, revision: Any) -> bool:
        """See Schemas."""
        return self._schemas.equal(base, revision)

    def form(self, raw: Any) -> int:
        """See Schemas."""
        return self._schemas.form(raw)

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
        if not (base or revision):
            return
        if len(base) == len(revision) == 1 and self._schemas.equal(base[0].raw, revision[0].raw):
            return
        if place.depth > _DEEPEST:
            yield edit("too-deep", Effect.UNCLEAR, _TOO_DEEP, place)
            return
        if any(_refers(part.raw) for part in (*base, *revision)):
            yield Link(base, revision, place)
        else:
            yield from self.inside(base, revision, place)

    def inside(self, base: Node, revision: Node, place: Place) -> Iterator[Found]:
        """Every edit between two nodes and below them, their own references followed."""
        before, after = self.view(0, base), self.view(1, revision)
        if (wrapped := combinators.spread(self, base, revision, before, after)) is not None:
            yield from combinators.members(self, *wrapped, place)
            yield from _annotations(before, after, place)
            return
        found = self._conditions(before, after, place)
        if before.unevaluated.keys() & after.unevaluated.keys():
            found = unevaluated.compare(self, found, place)
        yield from found

    def _conditions(self, before: View, after: View, place: Place) -> Iterator[Found]:
        if before.never != after.never:
            if after.never:
                yield edit("refused-entirely", Effect.NARROWS, "no value is allowed any more", place)
            else:
                yield edit("no-longer-refused", Effect.WIDENS, "values are allowed now; none was", place)
        if before.never or after.never:
            return
        for kind, effect, words in scalars(before, after, textual=place.depth < self._textual):
            yield edit(kind, effect, words, place)
        if before.allows("object") and after.allows("object"):
            yield from objects.compare(self, before, after, place)
        if before.allows("array") and after.allows("array"):
            yield from arrays.compare(self, before, after, place)
        yield from combinators.compare(self, before, after, place)
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


def _id(part: Part) -> int:
    return id(part.raw)


def _key(base: Node, revision: Node) -> Key:
    return tuple(map(_id, base)), tuple(map(_id, revision))


def _annotations(before: View, after: View, place: Place) -> Iterator[Found]:
    if before.default is not None or after.default is not None:
        if before.default is None or after.default is None:
            word = "removed" if after.default is None else "added"
            yield edit(f"default-{word}", Effect.NOTHING, f"default {word}", place)
        elif not are_equal(before.default[0], after.default[0]):
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


def _refers(raw: Any) -> bool:
    """Whether what a schema says itself stands behind a reference: its own, or one in what is read together with it."""
    if not isinstance(raw, dict):
        return False
    if isinstance(raw.get("$ref"), str):
        return True
    together = (raw.get(key) for key in ("allOf", "anyOf", "oneOf"))
    return any(_refers(member) for members in together if isinstance(members, list) for member in members)
