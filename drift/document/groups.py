"""What two schemas say with `anyOf`, `oneOf` and `not`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from drift.document.changes import Effect
from drift.document.folding import common
from drift.document.place import Found, Place, Walk, edit
from drift.document.view import Group, Node, Part, View

_WORDS = {"anyOf": "any-of", "oneOf": "one-of"}


def spread(walk: Walk, base: Node, revision: Node, before: View, after: View) -> tuple[Group, Group] | None:
    """Both sides as groups, where only one is written as one: the other is a group of one. None: compare them as they are.

    A schema wrapped into a group that keeps it is the same schema with others beside it.
    """
    if len(before.groups) + len(after.groups) != 1:
        return None
    if after.groups:
        found = _spread(walk, 1, revision, after)
        return None if found is None else (Group(found.kind, (_whole(base),)), found)
    found = _spread(walk, 0, base, before)
    return None if found is None else (found, Group(found.kind, (_whole(revision),)))


def _whole(node: Node) -> Node:
    """A schema as a member of a group that stands where it stands itself."""
    return tuple(Part(part.raw) for part in node) if len(node) == 1 else node


def _spread(walk: Walk, side: int, node: Node, view: View) -> Group | None:
    """The group of a schema, with all else that the schema says in each member; None where that cannot be told apart."""
    (group,) = view.groups
    if view.null_too:
        return None
    if view.trivial:
        return group
    raw = walk.raw(side, node)
    if raw is None or group.kind not in raw or len(raw[group.kind]) != len(group.members) or "$ref" in raw:
        return None
    rest = Part({key: value for key, value in raw.items() if key != group.kind})
    return Group(group.kind, tuple((*member, rest) for member in group.members))


def compare(walk: Walk, before: View, after: View, place: Place) -> Iterator[Found]:
    """Every edit of groups and of what is excluded."""
    old, new = list(before.groups), list(after.groups)
    for one in list(old):
        if (other := next((g for g in new if _same_group(walk, one, g)), None)) is not None:
            old.remove(one)
            new.remove(other)
    for one, other in zip(old, new, strict=False):
        yield from members(walk, one, other, place)
    for group in new[len(old) :]:
        here = replace(place.below(group.kind), depth=place.depth)
        yield edit(f"{_WORDS[group.kind]}-introduced", Effect.NARROWS, f"{group.kind} added", here)
    for group in old[len(new) :]:
        here = replace(place.below(group.kind), depth=place.depth)
        yield edit(f"{_WORDS[group.kind]}-dropped", Effect.WIDENS, f"{group.kind} removed", here, removed=True)
    yield from _nots(walk, before, after, place)


def members(walk: Walk, before: Group, after: Group, place: Place) -> Iterator[Found]:
    """Every edit from one group to another: members that came, went, and changed."""
    kept, gone, new = _matched(walk, before.members, after.members)
    inner = [found for one, other in kept for found in walk.compare(one, other, place.at(one, other))]
    word = _WORDS[after.kind]
    apart = _apart(walk, 1, after.members) and _apart(walk, 0, before.members)
    covered = [one for one in gone if any(walk.within(one, other) for other in after.members)]
    covering = [one for one in new if any(walk.backwards(one, other) for other in before.members)]
    gone = [one for one in gone if one not in covered]
    new = [one for one in new if one not in covering]
    yield from inner
    if before.kind == after.kind == "oneOf":  # what is in two members is in none
        if covered and not _apart(walk, 0, before.members):
            words = "a member is gone that excluded values of another"
            yield edit("one-of-overlap-removed", Effect.WIDENS, words, place)
        if covering and not _apart(walk, 1, after.members):
            words = "a member is new that excludes values of another"
            yield edit("one-of-overlap-added", Effect.NARROWS, words, place)
    for member in gone:
        words = f"a member of {before.kind} removed"
        here = place.said(member, ())
        yield edit(f"{_WORDS[before.kind]}-member-removed", Effect.NARROWS, words, here, removed=True)
    for member in new:
        yield edit(f"{word}-member-added", Effect.WIDENS, f"a member of {after.kind} added", place.said((), member))
    if before.kind != after.kind and len(before.members) > 1 and not apart:
        words = f"{before.kind} became {after.kind}"
        effect = Effect.NARROWS if after.kind == "oneOf" else Effect.WIDENS
        yield edit(f"{_WORDS[before.kind]}-became-{word}", effect, words, place)
    # What two members of a oneOf allow is refused: so an edit of one may do the opposite where they overlap.
    elif (
        after.kind == "oneOf"
        and not apart
        and (gone or new or any(e is not Effect.NOTHING for e in walk.effects(inner)))
    ):
        words = "what several members of oneOf allow is refused, and may be something else now"
        yield edit("one-of-overlap-changed", Effect.UNCLEAR, words, place)


def _same_group(walk: Walk, one: Group, other: Group) -> bool:
    return (
        one.kind == other.kind
        and [member for sides in _matched(walk, one.members, other.members, alike=False)[1:] for member in sides] == []
    )


def _matched(
    walk: Walk, before: Sequence[Node], after: Sequence[Node], *, alike: bool = True
) -> tuple[list[tuple[Node, Node]], list[Node], list[Node]]:
    """Members that are the same, or (``alike``) one the heir of the other; and those without a partner."""
    old, new, kept = list(before), list(after), list[tuple[Node, Node]]()

    def pair(fits: Callable[[Node, Node], bool]) -> None:
        for one in list(old):
            other = next((other for other in new if fits(one, other)), None)
            if other is not None:
                old.remove(one)
                new.remove(other)
                kept.append((one, other))

    def same(one: Node, other: Node) -> bool:
        return len(one) == len(other) and all(walk.equal(a.raw, b.raw) for a, b in zip(one, other, strict=True))

    pair(same)
    if not alike:
        return [], old, new
    kept.clear()  # nothing to tell of those
    pair(lambda one, other: (name := _name(one)) is not None and name == _name(other))
    pair(lambda one, other: walk.within(one, other) or walk.backwards(other, one))
    if len(old) == len(new) == 1 and _comparable(walk, old[0], new[0]):
        pair(lambda _one, _other: True)
    return kept, old, new


def _name(node: Node) -> str | None:
    """What a member is called: the reference that it is, or its title."""
    raw = node[0].raw if node else None
    found = raw.get("$ref", raw.get("title")) if isinstance(raw, dict) else None
    return found if isinstance(found, str) else None


def _comparable(walk: Walk, one: Node, other: Node) -> bool:
    """Whether one member may be taken for a changed form of the other: some type is common to both."""
    before, after = walk.view(0, one), walk.view(1, other)
    return before.types is None or after.types is None or bool(before.types & after.types)


# -- whether members overlap


def _apart(walk: Walk, side: int, found: Iterable[Node]) -> bool:
    """Whether no value is allowed by two of these, for all that can be told."""
    views = [walk.view(side, node) for node in found]
    return all(_disjoint(walk, side, one, other) for one, other in combinations(views, 2))


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


# -- not


def _nots(walk: Walk, before: View, after: View, place: Place) -> Iterator[Found]:
    old, new = list(before.nots), list(after.nots)
    for one in list(old):
        if (other := next((part for part in new if walk.equal(one.raw, part.raw)), None)) is not None:
            old.remove(one)
            new.remove(other)
    for one, other in zip(old, new, strict=False):
        here = place.said((one,), (other,))
        effect = combined(walk.effects(walk.compare((one,), (other,), place.at((one,), (other,))))).turned
        word = {Effect.NARROWS: "tightened", Effect.WIDENS: "loosened", Effect.UNCLEAR: "unclear"}.get(
            effect, "changed"
        )
        if effect is not Effect.NOTHING:
            yield edit(f"not-{word}", effect, "what is excluded changed", here)
    for part in new[len(old) :]:
        yield edit("not-added", Effect.NARROWS, "values are excluded", place.said((), (part,)))
    for part in old[len(new) :]:
        yield edit(
            "not-removed", Effect.WIDENS, "values are not excluded any more", place.said((part,), ()), removed=True
        )


def combined(effects: Iterable[Effect]) -> Effect:
    """What several effects come to, one after another."""
    found = set(effects) - {Effect.NOTHING}
    if len(found) > 1:
        return Effect.BOTH
    return found.pop() if found else Effect.NOTHING
