"""What two schemas say with `anyOf`, `oneOf` and `not`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from contract_watch.diff.document.changes import Effect
from contract_watch.diff.document.member_matching import Members, apart
from contract_watch.diff.document.normalized_schema import Group, Node, Part, View
from contract_watch.diff.document.schema_location import Found, Place, Walk, edit

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
    if (
        raw is None
        or group.kind not in raw
        or len(raw[group.kind]) != len(group.members)
        or "$ref" in raw
        or view.unevaluated
    ):
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
    asked = Members(walk, before.members, after.members)
    kept, old, new = _matched(walk, asked, before.members, after.members)
    inner = [
        found
        for one, other in ((before.members[i], after.members[j]) for i, j in kept)
        for found in walk.compare(one, other, place.at(one, other))
    ]
    told_apart = [apart(walk, side, group.members) for side, group in enumerate((before, after))]
    covered, covering = [one for one in old if asked.covered(one)], asked.covering(new)
    gone, added = (
        [one for one in numbers if one not in others] for numbers, others in ((old, set(covered)), (new, set(covering)))
    )
    yield from inner
    if before.kind == after.kind == "oneOf":  # what is in two members is in none
        if covered and not told_apart[0]:
            words = "a member is gone that excluded values of another"
            yield edit("one-of-overlap-removed", Effect.WIDENS, words, place)
        if covering and not told_apart[1]:
            words = "a member is new that excludes values of another"
            yield edit("one-of-overlap-added", Effect.NARROWS, words, place)
    yield from _alone(asked, before, after, (gone, added), place)
    if before.kind != after.kind and len(before.members) > 1 and not all(told_apart):
        words = f"{before.kind} became {after.kind}"
        effect = Effect.NARROWS if after.kind == "oneOf" else Effect.WIDENS
        yield edit(f"{_WORDS[before.kind]}-became-{_WORDS[after.kind]}", effect, words, place)
    # What two members of a oneOf allow is refused: so an edit of one may do the opposite where they overlap.
    elif (
        after.kind == "oneOf"
        and not all(told_apart)
        and (gone or added or any(e is not Effect.NOTHING for e in walk.effects(inner)))
    ):
        words = "what several members of oneOf allow is refused, and may be something else now"
        yield edit("one-of-overlap-changed", Effect.UNCLEAR, words, place)


def _alone(
    asked: Members, before: Group, after: Group, alone: tuple[list[int], list[int]], place: Place
) -> Iterator[Found]:
    """Members without a partner, which may have one where there are too many to compare all with all."""
    unsure = ", or within another: there are too many to tell"
    for one in alone[0]:
        sure = one not in asked.unsure[0]
        words = f"a member of {before.kind} removed{'' if sure else unsure}"
        here, effect = place.said(before.members[one], ()), Effect.NARROWS if sure else Effect.UNCLEAR
        yield edit(f"{_WORDS[before.kind]}-member-removed", effect, words, here, removed=True)
    for one in alone[1]:
        sure = one not in asked.unsure[1]
        words = f"a member of {after.kind} added{'' if sure else unsure}"
        here, effect = place.said((), after.members[one]), Effect.WIDENS if sure else Effect.UNCLEAR
        yield edit(f"{_WORDS[after.kind]}-member-added", effect, words, here)


def _same_group(walk: Walk, one: Group, other: Group) -> bool:
    if one.kind != other.kind or len(one.members) != len(other.members):
        return False
    return sum(1 for _ in Members(walk, one.members, other.members).same()) == len(one.members)


def _matched(
    walk: Walk, asked: Members, before: Sequence[Node], after: Sequence[Node]
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Numbers of members of which one is the heir of the other, and of those without a partner; not of those that are the same."""
    same = list(asked.same())
    old = dict.fromkeys(number for number in range(len(before)) if number not in {one for one, _ in same})
    new = dict.fromkeys(number for number in range(len(after)) if number not in {other for _, other in same})
    kept = list[tuple[int, int]]()

    def keep(one: int, other: int) -> None:
        del old[one], new[other]
        kept.append((one, other))

    for pair in list(asked.called_alike(old, new)):
        keep(*pair)
    for one in list(old):
        if (found := asked.heir(one, new)) is not None:
            keep(one, found)
    if len(old) == len(new) == 1:
        (one,), (other,) = old, new
        if _comparable(walk, before[one], after[other]):
            keep(one, other)
    return kept, list(old), list(new)


def _comparable(walk: Walk, one: Node, other: Node) -> bool:
    """Whether one member may be taken for a changed form of the other: some type is common to both."""
    before, after = walk.view(0, one), walk.view(1, other)
    return before.types is None or after.types is None or bool(before.types & after.types)


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
