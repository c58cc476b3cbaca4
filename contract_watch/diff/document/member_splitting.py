"""Splitting of a member of a combinator by its tag, where several members of the other side replace it.

An object whose property `kind` is one of two values has the same values as two objects with one value each.
"""

from collections.abc import Collection, Iterator

from contract_watch.diff.document.normalization import make_value_key
from contract_watch.diff.document.normalized_schema import Combinator, Conjunction, SubSchema
from contract_watch.diff.document.schema_location import SchemaWalk
from contract_watch.diff.document.source import JSON

_MAX_MEMBERS = 100
"""The number of members of a combinator up to which they are split."""

Groups = tuple[Combinator, Combinator]


def split_members(
    walk: SchemaWalk, groups: Groups, same: Collection[tuple[int, int]]
) -> tuple[Groups, list[tuple[int, int]]]:
    """Split members that several members of the other side replace.

    Args:
        walk: the comparison.
        groups: the combinators of both sides.
        same: the indexes of identical members.

    Returns:
        The combinators with the parts as members, the first of them in place of the whole, and the indexes of each
        part and of the member that replaces it.
    """
    pairs = list[tuple[int, int]]()
    if max(len(group.members) for group in groups) > _MAX_MEMBERS:
        return groups, pairs
    left = [[n for n in range(len(groups[side].members)) if n not in {pair[side] for pair in same}] for side in (0, 1)]
    members = [list(group.members) for group in groups]
    for side in (0, 1):
        here, others = ([n for n in left[one] if n not in {pair[one] for pair in pairs}] for one in (side, 1 - side))
        for number in here if len(others) > 1 else ():
            parts = _split_member(walk, side, members[side][number], {n: members[1 - side][n] for n in others})
            for index, (other, part) in enumerate(parts):
                place = number if not index else len(members[side])
                members[side][place : place + 1] = [part]
                pairs.append((place, other) if side == 0 else (other, place))
                others.remove(other)
    if not pairs:
        return groups, pairs
    first, second = (
        Combinator(group.kind, tuple(members[side]), group.types, group.is_whole) for side, group in enumerate(groups)
    )
    return (first, second), pairs


def _split_member(
    walk: SchemaWalk, side: int, member: Conjunction, others: dict[int, Conjunction]
) -> list[tuple[int, Conjunction]]:
    """Return the parts of a member, each with the index of the other member that has its tags; nothing if it is whole."""
    schema = walk.normalize(side, member)
    if schema.possible_types != frozenset({"object"}) or schema.unevaluated:
        return []
    for name in sorted(schema.required & schema.properties.keys()):
        values = walk.normalize(side, schema.find_property(name)).values
        if values is None or len(values) < 2:
            continue
        tags = {number: set(_list_tags(walk, 1 - side, other, name)) for number, other in others.items()}
        shares = dict[int, list[JSON]]()
        rest = list[JSON]()
        for value in values:
            key = make_value_key(value)
            found = next((number for number, known in tags.items() if key in known), None)
            (rest if found is None else shares.setdefault(found, [])).append(value)
        if len(shares) > 1 and not any(known.issuperset(map(make_value_key, values)) for known in tags.values()):
            shares[next(iter(shares))] += rest
            return [
                (number, (*member, SubSchema({"properties": {name: {"enum": part}}})))
                for number, part in shares.items()
            ]
    return []


def _list_tags(walk: SchemaWalk, side: int, member: Conjunction, name: str) -> Iterator[object]:
    """Yield the values of a required property of a member, if it lists them."""
    schema = walk.normalize(side, member)
    if name in schema.required and name in schema.properties:
        yield from map(make_value_key, walk.normalize(side, schema.find_property(name)).values or ())
