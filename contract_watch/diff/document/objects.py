"""What two schemas say of objects: which properties there are, which have to be there, and what else may be."""

from collections.abc import Iterator

from contract_watch.diff.document.changes import Direction, Effect
from contract_watch.diff.document.normalized_schema import Node, View
from contract_watch.diff.document.schema_location import Found, Place, Walk, edit, muting

_REQUEST: frozenset[Direction] = frozenset({"request"})
_RESPONSE: frozenset[Direction] = frozenset({"response"})
_NOBODY: frozenset[Direction] = frozenset()


def compare(walk: Walk, before: View, after: View, place: Place) -> Iterator[Found]:
    """Every edit of what objects may be."""
    for name in before.properties:
        if name in after.properties:
            yield from _kept(walk, before, after, place, name)
        else:
            yield from _removed(walk, before, after, place, name)
    for name in after.properties:
        if name not in before.properties:
            yield from _added(walk, before, after, place, name)
    declared = {*before.properties, *after.properties}
    for name in sorted((before.required ^ after.required) - declared):
        word, effect = ("required", Effect.NARROWS) if name in after.required else ("optional", Effect.WIDENS)
        yield edit(f"property-became-{word}", effect, f"{name} became {word}", place.below("required"))
    yield from _others(walk, before, after, place)
    yield from _by_pattern(walk, before, after, place)
    yield from _dependent(walk, before, after, place)
    yield from walk.added_or_removed("property-names", tuple(before.names), tuple(after.names), place, "propertyNames")
    key = "unevaluatedProperties"
    old, new = (tuple(view.unevaluated.get(key, ())) for view in (before, after))
    yield from walk.added_or_removed("unevaluated-properties", old, new, place, key)


def _kept(walk: Walk, before: View, after: View, place: Place, name: str) -> Iterator[Found]:
    """A property that both have."""
    old, new = before.child(name), after.child(name)
    was_required, is_required = name in before.required, name in after.required
    if was_required == is_required and len(old) == len(new) == 1 and walk.equal(old[0].raw, new[0].raw):
        return
    here = place.at(old, new, "properties", name)
    was, is_ = walk.view(0, old), walk.view(1, new)
    sent = _REQUEST if was.read_only or is_.read_only else _NOBODY
    shown = _RESPONSE if was.write_only or is_.write_only else _NOBODY
    for one in walk.compare(old, new, here):
        yield muting(one, sent | shown)
    if is_required and not was_required:
        muted = _REQUEST if is_.read_only else _NOBODY
        yield edit("property-became-required", Effect.NARROWS, f"{name} became required", here, muted=muted)
    elif was_required and not is_required:
        muted = _RESPONSE if was.write_only else _NOBODY
        yield edit("property-became-optional", Effect.WIDENS, f"{name} became optional", here, muted=muted)
    if was.read_only != is_.read_only:
        word = "set" if is_.read_only else "cleared"
        yield edit(f"read-only-{word}", Effect.NOTHING, f"readOnly {word}", here)
    if was.write_only != is_.write_only:
        word = "set" if is_.write_only else "cleared"
        needed = "required-property-" if was_required else ""
        yield edit(f"{needed}write-only-{word}", Effect.NOTHING, f"writeOnly {word}", here)


def _removed(walk: Walk, before: View, after: View, place: Place, name: str) -> Iterator[Found]:
    """A property that the revision does not name any more."""
    old, other = before.child(name), after.child(name)
    was, is_ = walk.view(0, old), walk.view(1, other)
    here = place.at(old, (), "properties", name)
    if was.never:
        if not is_.never:
            words = f"property {name} may be there now"
            yield edit("property-added-where-refused", Effect.WIDENS, words, here, removed=True)
        return
    muted = (_REQUEST if was.read_only else _NOBODY) | (_RESPONSE if was.write_only else _NOBODY)
    needed = "required-" if name in before.required else ""
    words = f"{'required ' if needed else ''}property {name} removed"
    if is_.never:
        effect = Effect.BOTH if needed else Effect.NARROWS
        yield edit(f"{needed}property-removed-and-refused", effect, words, here, removed=True, muted=muted)
        return
    effect = Effect.WIDENS if needed else Effect.UNCLEAR
    yield edit(f"{needed}property-removed", effect, words, here, removed=True, muted=muted)
    if other:
        for one in walk.compare(old, other, place.at(old, other)):
            yield muting(one, muted)


def _added(walk: Walk, before: View, after: View, place: Place, name: str) -> Iterator[Found]:
    """A property that the base does not name."""
    other, new = before.child(name), after.child(name)
    was, is_ = walk.view(0, other), walk.view(1, new)
    here = place.at((), new, "properties", name)
    muted = (_REQUEST if is_.read_only else _NOBODY) | (_RESPONSE if is_.write_only else _NOBODY)
    if name in after.required and name not in before.required:
        words = f"required property {name} added"
        yield edit("required-property-added", Effect.NARROWS, words, here, muted=muted)
    if name in before.required and name not in after.required:  # required, and not declared
        yield edit("property-became-optional", Effect.WIDENS, f"{name} became optional", here, muted=muted & _RESPONSE)
    if was.never:
        if not is_.never:
            words = f"property {name} added, where others were refused"
            yield edit("property-added-where-refused", Effect.WIDENS, words, here, muted=muted)
        return
    if is_.never:
        yield edit("property-removed-and-refused", Effect.NARROWS, f"property {name} is refused now", here)
        return
    if name not in after.required:
        yield edit("property-added", Effect.NOTHING, f"optional property {name} added", here)
    if other:
        for one in walk.compare(other, new, place.at(other, new)):
            yield muting(one, muted)


def _others(walk: Walk, before: View, after: View, place: Place) -> Iterator[Found]:
    """What is said of properties that nothing names."""
    old, new = before.others, after.others
    here = place.said(old, new, "additionalProperties")
    if before.closed != after.closed:
        if after.closed:
            yield edit("additional-properties-refused", Effect.NARROWS, "further properties are refused now", here)
        else:
            yield edit(
                "additional-properties-allowed",
                Effect.WIDENS,
                "further properties are allowed now",
                here,
                removed=not new,
            )
    elif before.closed:
        return
    elif not old and new:
        yield edit("additional-properties-constrained", Effect.NARROWS, "further properties have a schema now", here)
    elif old and not new:
        words = "further properties may be anything now"
        yield edit("additional-properties-unconstrained", Effect.WIDENS, words, here, removed=True)
    else:
        yield from walk.compare(old, new, place.at(old, new, "additionalProperties"))


def _by_pattern(walk: Walk, before: View, after: View, place: Place) -> Iterator[Found]:
    for expression in sorted({*before.by_pattern, *after.by_pattern}):
        old: Node = tuple(before.by_pattern.get(expression, ()))
        new: Node = tuple(after.by_pattern.get(expression, ()))
        here = place.said(old, new, "patternProperties", expression)
        if old and new:
            yield from walk.compare(old, new, place.at(old, new, "patternProperties", expression))
        elif _silent(walk, old, new, before, after):
            continue
        elif new and before.others and not before.closed:
            yield from walk.compare(before.others, new, place.at(before.others, new))
        elif new and before.closed:
            yield edit("pattern-properties-allowed", Effect.WIDENS, f"names like {expression} are allowed now", here)
        elif new:
            yield edit("pattern-properties-added", Effect.NARROWS, f"names like {expression} have a schema now", here)
        elif after.others and not after.closed:
            yield from walk.compare(old, after.others, place.at(old, after.others))
        elif after.closed:
            words = f"names like {expression} are refused now"
            yield edit("pattern-properties-refused", Effect.NARROWS, words, here, removed=True)
        else:
            words = f"names like {expression} may hold anything now"
            yield edit("pattern-properties-removed", Effect.WIDENS, words, here, removed=True)


def _silent(walk: Walk, old: Node, new: Node, before: View, after: View) -> bool:
    """Whether names that came or went had nothing to meet, and would have nothing to meet without a mention."""
    without = before if new else after
    if without.others or before.unevaluated or after.unevaluated:
        return False
    return not any(walk.compare(old, new, Place((), ())))


def _dependent(walk: Walk, before: View, after: View, place: Place) -> Iterator[Found]:
    for name in sorted({*before.dependent, *after.dependent}):
        old, new = set(before.dependent.get(name, ())), set(after.dependent.get(name, ()))
        # Either keyword says it, so the place is the schema.
        new -= after.required & before.required  # they have to be there anyway
        old -= after.required
        if new - old:
            words = f"where {name} is, {', '.join(sorted(new - old))} has to be"
            yield edit("dependent-required-added", Effect.NARROWS, words, place)
        if old - new:
            words = f"where {name} is, {', '.join(sorted(old - new))} need not be any more"
            yield edit("dependent-required-removed", Effect.WIDENS, words, place)
    for name in sorted({*before.dependent_schemas, *after.dependent_schemas}):
        was, is_ = (tuple(view.dependent_schemas.get(name, ())) for view in (before, after))
        yield from walk.added_or_removed("dependent-schema", was, is_, place, "dependentSchemas", name)
