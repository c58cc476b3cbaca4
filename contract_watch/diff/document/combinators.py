"""Comparison of `anyOf`, `oneOf` and `not`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from contract_watch.diff.document.changes import Effect
from contract_watch.diff.document.member_matching import MemberMatcher, are_disjoint
from contract_watch.diff.document.normalized_schema import Combinator, Conjunction, NormalizedSchema
from contract_watch.diff.document.possible_types import intersect_types
from contract_watch.diff.document.schema_location import EditOrLink, SchemaLocation, SchemaWalk, create_edit

_KINDS = {"anyOf": "any-of", "oneOf": "one-of"}


def compare(
    walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation
) -> Iterator[EditOrLink]:
    """Yield the edits of combinators and of `not`."""
    old, new = list(before.combinators), list(after.combinators)
    for one in list(old):
        if (other := next((g for g in new if _is_same_combinator(walk, one, g)), None)) is not None:
            old.remove(one)
            new.remove(other)
    for one, other in zip(old, new, strict=False):
        yield from compare_members(walk, one, other, location)
    for group in new[len(old) :]:
        here = replace(location.descend(group.kind), depth=location.depth)
        yield create_edit(f"{_KINDS[group.kind]}-introduced", Effect.NARROWS, f"{group.kind} added", here)
    for group in old[len(new) :]:
        here = replace(location.descend(group.kind), depth=location.depth)
        yield create_edit(
            f"{_KINDS[group.kind]}-dropped", Effect.WIDENS, f"{group.kind} removed", here, is_removed=True
        )
    yield from _compare_nots(walk, before, after, location)


def compare_members(
    walk: SchemaWalk, before: Combinator, after: Combinator, location: SchemaLocation
) -> Iterator[EditOrLink]:
    """Yield the edits from one combinator to another: members that were added, removed or changed."""
    matcher = MemberMatcher(walk, before.members, after.members)
    matched, old, new = _match_members(walk, matcher, before.members, after.members)
    inner = [
        found
        for one, other in ((before.members[i], after.members[j]) for i, j in matched)
        for found in walk.compare(one, other, location.enter(one, other))
    ]
    disjoint = [are_disjoint(walk, side, group.members) for side, group in enumerate((before, after))]
    covered, covering = [one for one in old if matcher.is_covered(one)], matcher.list_covered_members(new)
    gone, added = (
        [one for one in numbers if one not in others] for numbers, others in ((old, set(covered)), (new, set(covering)))
    )
    yield from inner
    if before.kind == after.kind == "oneOf":  # `oneOf` rejects values of two members
        if covered and not disjoint[0]:
            message = "a removed member excluded values of another"
            yield create_edit("one-of-overlap-removed", Effect.WIDENS, message, location)
        if covering and not disjoint[1]:
            message = "a new member excludes values of another"
            yield create_edit("one-of-overlap-added", Effect.NARROWS, message, location)
    yield from _compare_unmatched(walk, matcher, before, after, (gone, added), location)
    if before.kind != after.kind and len(before.members) > 1 and not all(disjoint):
        message = f"{before.kind} became {after.kind}"
        effect = Effect.NARROWS if after.kind == "oneOf" else Effect.WIDENS
        yield create_edit(f"{_KINDS[before.kind]}-became-{_KINDS[after.kind]}", effect, message, location)
    # `oneOf` rejects values of two members, so an edit of one may have the opposite effect where members overlap.
    elif (
        after.kind == "oneOf"
        and not all(disjoint)
        and (gone or added or any(e is not Effect.NOTHING for e in walk.collect_effects(inner)))
    ):
        message = "oneOf rejects values that match several members, and those values may have changed"
        yield create_edit("one-of-overlap-changed", Effect.UNCLEAR, message, location)


def _compare_unmatched(
    walk: SchemaWalk,
    matcher: MemberMatcher,
    before: Combinator,
    after: Combinator,
    unmatched: tuple[list[int], list[int]],
    location: SchemaLocation,
) -> Iterator[EditOrLink]:
    """Yield the edits for members without a match; a match may exist if there are too many pairs to compare."""
    for side, group, word, effect in (
        (0, before, "removed", Effect.NARROWS),
        (1, after, "added", Effect.WIDENS),
    ):
        for number in unmatched[side]:
            member = group.members[number]
            sides = (member, ()) if side == 0 else ((), member)
            here = location.enter_condition(*sides)
            is_certain = number not in matcher.uncertain[side]
            kind, message = _describe_member(walk, side, group, number, word)
            if not is_certain:
                message += ", or contained in another; there are too many to compare"
            yield create_edit(kind, effect if is_certain else Effect.UNCLEAR, message, here, is_removed=side == 0)


def _describe_member(walk: SchemaWalk, side: int, group: Combinator, number: int, word: str) -> tuple[str, str]:
    """Return the kind of edit and the message for a member that was ``removed`` or ``added``."""
    if walk.normalize(side, group.members[number]).types == frozenset({"null"}):
        return ("nullable-gained", "null is now allowed") if side else ("nullable-lost", "null is no longer allowed")
    if group.types:
        return f"type-{'widened' if side else 'narrowed'}", f"type {group.types[number]} {word}"
    return f"{_KINDS[group.kind]}-member-{word}", f"a member of {group.kind} {word}"


def _is_same_combinator(walk: SchemaWalk, one: Combinator, other: Combinator) -> bool:
    if one.kind != other.kind or len(one.members) != len(other.members):
        return False
    return sum(1 for _ in MemberMatcher(walk, one.members, other.members).list_identical()) == len(one.members)


def _match_members(
    walk: SchemaWalk, matcher: MemberMatcher, before: Sequence[Conjunction], after: Sequence[Conjunction]
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Match the members of two combinators.

    Returns:
        The pairs of indexes of changed members, and the indexes without a match on either side. Identical members are in
        none of them.
    """
    same = list(matcher.list_identical())
    old = dict.fromkeys(number for number in range(len(before)) if number not in {one for one, _ in same})
    new = dict.fromkeys(number for number in range(len(after)) if number not in {other for _, other in same})
    matched = list[tuple[int, int]]()

    def keep(one: int, other: int) -> None:
        del old[one], new[other]
        matched.append((one, other))

    for pair in list(matcher.list_same_name(old, new)):
        keep(*pair)
    for one in list(old):
        if (found := matcher.find_match(one, new)) is not None:
            keep(one, found)
    if len(old) == len(new) == 1:
        (one,), (other,) = old, new
        if _is_comparable(walk, before[one], after[other]):
            keep(one, other)
    return matched, list(old), list(new)


def _is_comparable(walk: SchemaWalk, one: Conjunction, other: Conjunction) -> bool:
    """Return True if one member may be a changed version of the other: they have a type in common."""
    both = intersect_types(walk.normalize(0, one).possible_types, walk.normalize(1, other).possible_types)
    return both is None or bool(both)


# -- not


def _compare_nots(
    walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation
) -> Iterator[EditOrLink]:
    old, new = list(before.nots), list(after.nots)
    for one in list(old):
        if (other := next((part for part in new if walk.is_equivalent((one,), (part,))), None)) is not None:
            old.remove(one)
            new.remove(other)
    for one, other in zip(old, new, strict=False):
        here = location.enter_condition((one,), (other,))
        effect = combine_effects(
            walk.collect_effects(walk.compare((one,), (other,), location.enter((one,), (other,))))
        ).inverted
        word = {Effect.NARROWS: "tightened", Effect.WIDENS: "loosened", Effect.UNCLEAR: "unclear"}.get(
            effect, "changed"
        )
        if effect is not Effect.NOTHING:
            yield create_edit(f"not-{word}", effect, "the excluded values changed", here)
    for part in new[len(old) :]:
        yield create_edit("not-added", Effect.NARROWS, "values are now excluded", location.enter_condition((), (part,)))
    for part in old[len(new) :]:
        yield create_edit(
            "not-removed",
            Effect.WIDENS,
            "values are no longer excluded",
            location.enter_condition((part,), ()),
            is_removed=True,
        )


def combine_effects(effects: Iterable[Effect]) -> Effect:
    """Return the effect of several effects in a row."""
    found = set(effects) - {Effect.NOTHING}
    if len(found) > 1:
        return Effect.BOTH
    return found.pop() if found else Effect.NOTHING
