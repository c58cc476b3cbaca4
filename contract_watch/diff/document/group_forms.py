"""Common forms of two schemas with a combinator, in which its members compare with what they replace.

A schema that is wrapped into a combinator is still the same schema, with other members next to it. Keywords next to a
combinator mean the same in each of its members.
"""

from dataclasses import replace

from contract_watch.diff.document.changes import Effect
from contract_watch.diff.document.combinators import compare_members
from contract_watch.diff.document.idle_keywords import ANNOTATIONS, list_constraints
from contract_watch.diff.document.normalized_schema import Combinator, Conjunction, NormalizedSchema, SubSchema
from contract_watch.diff.document.schema_location import SchemaLocation, SchemaWalk

Schemas = tuple[NormalizedSchema, NormalizedSchema]


def align(
    walk: SchemaWalk, base: Conjunction, revision: Conjunction, before: NormalizedSchema, after: NormalizedSchema
) -> Schemas:
    """Return the conditions of two nodes in a common form, or ``before`` and ``after`` if there is no better one."""
    if max(len(before.combinators), len(after.combinators)) != 1:
        return before, after
    unfolded = walk.normalize(0, base, folded=False), walk.normalize(1, revision, folded=False)
    if max(len(schema.combinators) for schema in unfolded) != 1:
        return before, after
    is_wrapped = [not schema.combinators for schema in unfolded]
    if not any(is_wrapped):
        is_wrapped = [_is_member(walk, side, (base, revision), unfolded) for side in (0, 1)]
        if not any(is_wrapped):
            return _align_groups(walk, (before, after), unfolded)
    wrapped = 0 if is_wrapped[0] else 1
    group = _distribute_siblings(unfolded[1 - wrapped])
    if group is None:
        return before, after
    whole = _wrap((base, revision)[wrapped], unfolded[wrapped], unfolded[1 - wrapped], group)
    groups = (whole, group) if wrapped == 0 else (group, whole)
    return _keep_annotations(before, groups[0]), _keep_annotations(after, groups[1])


def _is_member(walk: SchemaWalk, side: int, nodes: tuple[Conjunction, Conjunction], schemas: Schemas) -> bool:
    """Return True if the node of a side is as a whole a member of the combinator of the other side.

    A member of both combinators is not meant: a schema may be its own member. A combinator with others inside is only
    recognized as written, since to compare each with each takes too long.
    """
    node, own = nodes[side], schemas[side].combinators[0].members

    def may_be_same(one: Conjunction, member: Conjunction) -> bool:
        if len(one) != 1:
            return False
        raws = [node[0].raw for node in ((one, member) if side == 0 else (member, one))]
        references = [raw.get("$ref") if isinstance(raw, dict) else None for raw in raws]
        return bool(references[0] and references[0] == references[1]) or walk.is_equal(*raws)

    is_flat = not any(walk.normalize(side, one).combinators for one in own)
    for member in schemas[1 - side].combinators[0].members:
        if any(may_be_same(one, member) for one in own):
            continue
        pair = (node, member) if side == 0 else (member, node)
        if may_be_same(node, member):
            return True
        if is_flat and walk.normalize(1 - side, member).combinators and walk.is_equivalent(*pair):
            return True
    return False


def _align_groups(walk: SchemaWalk, folded: Schemas, unfolded: Schemas) -> Schemas:
    """Return a common form of two schemas with one combinator each.

    If only one side has keywords next to its combinator, the other may have them in each member.
    """
    are_groups = all(schema.combinators for schema in folded)
    forms = folded if are_groups else unfolded
    if forms[0].has_only_combinators == forms[1].has_only_combinators:
        return forms
    left, right = (_distribute_siblings(schema) for schema in unfolded)
    if left is None or right is None:
        return folded
    if are_groups:
        found = compare_members(walk, left, right, SchemaLocation((), ()))
        if not walk.collect_effects(found) <= {Effect.NOTHING}:
            return folded
    return _keep_annotations(folded[0], left), _keep_annotations(folded[1], right)


def _keep_annotations(schema: NormalizedSchema, group: Combinator) -> NormalizedSchema:
    """Return a schema with nothing but a combinator and the annotations of another."""
    return NormalizedSchema(
        combinators=[group],
        default=schema.default,
        deprecated=schema.deprecated,
        extensible_values=schema.extensible_values,
    )


def _wrap(node: Conjunction, schema: NormalizedSchema, other: NormalizedSchema, like: Combinator) -> Combinator:
    """Return a schema as a combinator of the kind of ``like``: with a member for each of its types, or with one member."""
    member = node
    if len(node) == 1:
        raw = node[0].raw
        shared = {"default"} if other.default is not None else set()
        shared |= {"deprecated"} if other.deprecated else set()
        if isinstance(raw, dict) and shared & raw.keys():  # they are compared for the whole schema
            raw = {key: value for key, value in raw.items() if key not in shared}
        member = (replace(node[0], raw=raw, path=()),)
    types = sorted(schema.types or ()) if len(like.members) > 1 and not schema.combinators else []
    if len(types) < 2:
        return Combinator(like.kind, (member,), is_whole=True)
    return Combinator(like.kind, tuple((*member, SubSchema({"type": one})) for one in types), tuple(types))


def _distribute_siblings(schema: NormalizedSchema) -> Combinator | None:
    """Return the combinator of an unfolded schema with all other keywords in each member, or None if that is impossible."""
    (group,) = schema.combinators
    if schema.has_only_combinators:
        return group
    holders = [part for part in schema.parts if _holds(part, group)]
    if len(holders) != 1 or schema.unevaluated:
        return None
    rest = list[SubSchema]()
    for part in schema.parts:
        left_out = ANNOTATIONS | {"$ref", "allOf", "discriminator", group.kind if part is holders[0] else ""}
        raw = {key: value for key, value in part.raw.items() if key not in left_out}
        rest += [replace(part, raw=raw)] if list_constraints(raw) else []
    return replace(group, members=tuple((*member, *rest) for member in group.members))


def _holds(part: SubSchema, group: Combinator) -> bool:
    path = (*part.path, group.kind)
    return group.kind in part.raw and group.members[0][0].path[: len(path)] == path
