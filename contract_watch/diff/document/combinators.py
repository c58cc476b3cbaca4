"""Comparison of `anyOf`, `oneOf` and `not`."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from contract_watch.diff.document.changes import Effect
from contract_watch.diff.document.member_matching import MemberMatcher, do_overlap
from contract_watch.diff.document.member_names import describe_edit
from contract_watch.diff.document.member_splitting import split_members
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
    same = list(MemberMatcher(walk, before.members, after.members).list_identical())
    (before, after), pairs = split_members(walk, (before, after), same)
    matcher = MemberMatcher(walk, before.members, after.members)
    matched, old, new = _match_members(walk, matcher, before.members, after.members, same, pairs)
    inner = [
        found
        for one, other in ((before.members[i], after.members[j]) for i, j in matched)
        for found in walk.compare(one, other, location.enter(one, other))
    ]
    covered, covering = [one for one in old if matcher.is_covered(one)], matcher.list_covered_members(new)
    gone, added = (
        [one for one in numbers if one not in others] for numbers, others in ((old, set(covered)), (new, set(covering)))
    )
    yield from inner
    yield from _compare_unmatched(walk, matcher, (before, after), (gone, added), location)
    # A member that has all values of another may stay for several reasons, so all overlaps count then.
    counts = (
        range(len(before.members)) if covering or matcher.uncertain[0] else _leave_out(before, gone),
        range(len(after.members)) if covered or matcher.uncertain[1] else _leave_out(after, added),
    )
    is_changed = gone or added or any(e is not Effect.NOTHING for e in walk.collect_effects(inner))
    yield from _compare_overlaps(walk, (before, after), counts, (covered, covering), bool(is_changed), location)


def _leave_out(group: Combinator, numbers: Collection[int]) -> list[int]:
    """Return the indexes of all other members."""
    left_out = set(numbers)
    return [number for number in range(len(group.members)) if number not in left_out]


def _compare_overlaps(
    walk: SchemaWalk,
    groups: tuple[Combinator, Combinator],
    counts: tuple[Sequence[int], Sequence[int]],
    contained: tuple[Sequence[int], Sequence[int]],
    is_changed: bool,
    location: SchemaLocation,
) -> Iterator[EditOrLink]:
    """Yield the edits of the values that `oneOf` rejects because they match two members.

    An overlap on the old side alone can only have excluded values that are now allowed, and the other way round.

    Args:
        walk: the comparison.
        groups: the combinators of both sides.
        counts: the members on each side whose overlaps with others count, by index. Overlaps among removed or added
            members alone do not.
        contained: the removed and the added members whose values belong to a member of the other side.
        is_changed: True if any member was added, removed or changed.
        location: the location of both.
    """
    before, after = groups
    were, are = (
        group.kind == "oneOf" and do_overlap(walk, side, group.members, counts[side])
        for side, group in enumerate(groups)
    )
    if before.kind != after.kind and len(before.members) > 1 and len(after.members) > 1:
        if were or are:
            message, effect = f"{before.kind} became {after.kind}", Effect.WIDENS if were else Effect.NARROWS
            yield create_edit(f"{_KINDS[before.kind]}-became-{_KINDS[after.kind]}", effect, message, location)
        return
    is_certain = [contained[0] and were, contained[1] and are]
    if is_certain[0]:
        message = "a removed member excluded values of another"
        yield create_edit("one-of-overlap-removed", Effect.WIDENS, message, location)
    if is_certain[1]:
        message = "a new member excludes values of another"
        yield create_edit("one-of-overlap-added", Effect.NARROWS, message, location)
    # An edit of a member may have the opposite effect where members overlap before and after.
    if not is_changed:
        return
    if were and are:
        message = "oneOf rejects values that match several members, and those values may have changed"
        yield create_edit("one-of-overlap-changed", Effect.UNCLEAR, message, location)
    elif were and not is_certain[0]:
        message = "oneOf may have rejected values that matched several members, and these may be allowed now"
        yield create_edit("one-of-overlap-gone", Effect.WIDENS, message, location)
    elif are and not is_certain[1]:
        message = "oneOf may reject values that were allowed, because they match several members now"
        yield create_edit("one-of-overlap-new", Effect.NARROWS, message, location)


def _compare_unmatched(
    walk: SchemaWalk,
    matcher: MemberMatcher,
    groups: tuple[Combinator, Combinator],
    unmatched: tuple[list[int], list[int]],
    location: SchemaLocation,
) -> Iterator[EditOrLink]:
    """Yield the edits for members without a match; a match may exist if there are too many pairs to compare."""
    for side, group, word, effect in (
        (0, groups[0], "removed", Effect.NARROWS),
        (1, groups[1], "added", Effect.WIDENS),
    ):
        for number in unmatched[side]:
            member = group.members[number]
            sides = (member, ()) if side == 0 else ((), member)
            here = location.enter_condition(*sides)
            is_certain = number not in matcher.uncertain[side]
            kind, message = _describe_member(walk, side, groups, number, word)
            if not is_certain:
                message += ", or contained in another; there are too many to compare"
            yield create_edit(kind, effect if is_certain else Effect.UNCLEAR, message, here, is_removed=side == 0)


def _describe_member(
    walk: SchemaWalk, side: int, groups: tuple[Combinator, Combinator], number: int, word: str
) -> tuple[str, str]:
    """Return the kind of edit and the message for a member that was ``removed`` or ``added``."""
    group = groups[side]
    if walk.normalize(side, group.members[number]).types == frozenset({"null"}):
        return ("nullable-gained", "null is now allowed") if side else ("nullable-lost", "null is no longer allowed")
    if group.types:
        return f"type-{'widened' if side else 'narrowed'}", f"type {group.types[number]} {word}"
    return f"{_KINDS[group.kind]}-member-{word}", describe_edit(walk, side, groups, number)


def _is_same_combinator(walk: SchemaWalk, one: Combinator, other: Combinator) -> bool:
    if one.kind != other.kind or len(one.members) != len(other.members):
        return False
    return sum(1 for _ in MemberMatcher(walk, one.members, other.members).list_identical()) == len(one.members)


def _match_members(
    walk: SchemaWalk,
    matcher: MemberMatcher,
    before: Sequence[Conjunction],
    after: Sequence[Conjunction],
    same: Iterable[tuple[int, int]],
    pairs: Iterable[tuple[int, int]],
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Match the members of two combinators, of which ``same`` are identical and ``pairs`` belong to each other.

    Returns:
        The pairs of indexes of changed members, and the indexes without a match on either side. Identical members are in
        none of them.
    """
    old = dict.fromkeys(number for number in range(len(before)) if number not in {one for one, _ in same})
    new = dict.fromkeys(number for number in range(len(after)) if number not in {other for _, other in same})
    matched = list[tuple[int, int]]()

    def keep(one: int, other: int) -> None:
        del old[one], new[other]
        matched.append((one, other))

    for pair in pairs:
        keep(*pair)
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
