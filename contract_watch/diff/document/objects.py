"""Comparison of object constraints: properties, required properties, and all other names."""

from collections.abc import Iterator

from contract_watch.diff.document.changes import Direction, Effect
from contract_watch.diff.document.normalized_schema import Conjunction, NormalizedSchema
from contract_watch.diff.document.renames import describe_rename, find_renamed_properties
from contract_watch.diff.document.schema_location import EditOrLink, SchemaLocation, SchemaWalk, create_edit, mute_edit
from contract_watch.diff.document.value_text import describe_default, describe_need

_REQUEST: frozenset[Direction] = frozenset({"request"})
_RESPONSE: frozenset[Direction] = frozenset({"response"})
_NO_DIRECTIONS: frozenset[Direction] = frozenset()


def compare(
    walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation
) -> Iterator[EditOrLink]:
    """Yield the edits of object constraints."""
    renamed = find_renamed_properties(walk, before, after)
    for name in before.properties:
        if name in after.properties:
            yield from _compare_common(walk, before, after, location, name)
        elif name in renamed:
            yield from _compare_renamed(walk, before, after, location, (name, renamed[name]))
        else:
            yield from _compare_removed(walk, before, after, location, name)
    for name in after.properties:
        if name not in before.properties and name not in renamed.values():
            yield from _compare_added(walk, before, after, location, name)
    declared = {*before.properties, *after.properties}
    for name in sorted((before.required ^ after.required) - declared):
        word, effect = ("required", Effect.NARROWS) if name in after.required else ("optional", Effect.WIDENS)
        message = describe_need(name, None, None, is_required=name in after.required)
        yield create_edit(f"property-became-{word}", effect, message, location.descend("required"))
    yield from _compare_additional(walk, before, after, location)
    yield from _compare_pattern_properties(walk, before, after, location)
    yield from _compare_dependencies(walk, before, after, location)
    yield from walk.compare_optional(
        "property-names", tuple(before.property_names), tuple(after.property_names), location, "propertyNames"
    )
    key = "unevaluatedProperties"
    old, new = (tuple(schema.unevaluated.get(key, ())) for schema in (before, after))
    yield from walk.compare_optional("unevaluated-properties", old, new, location, key)


def _compare_common(
    walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation, name: str
) -> Iterator[EditOrLink]:
    """Yield the edits of a property that both sides name."""
    old, new = before.find_property(name), after.find_property(name)
    was_required, is_required = name in before.required, name in after.required
    if was_required == is_required and len(old) == len(new) == 1 and walk.is_equal(old[0].raw, new[0].raw):
        return
    here = location.enter(old, new, "properties", name)
    was, is_ = walk.normalize(0, old), walk.normalize(1, new)
    muted_requests = _REQUEST if was.read_only or is_.read_only else _NO_DIRECTIONS
    muted_responses = _RESPONSE if was.write_only or is_.write_only else _NO_DIRECTIONS
    for one in walk.compare(old, new, here):
        yield mute_edit(one, muted_requests | muted_responses)
    message = describe_need(name, was.default, is_.default, is_required=is_required)
    if is_required and not was_required:
        muted = _REQUEST if is_.read_only else _NO_DIRECTIONS
        yield create_edit("property-became-required", Effect.NARROWS, message, here, muted_directions=muted)
    elif was_required and not is_required:
        muted = _RESPONSE if was.write_only else _NO_DIRECTIONS
        yield create_edit("property-became-optional", Effect.WIDENS, message, here, muted_directions=muted)
    if was.read_only != is_.read_only:
        word = "set" if is_.read_only else "cleared"
        yield create_edit(f"read-only-{word}", Effect.NOTHING, f"readOnly {word}", here)
    if was.write_only != is_.write_only:
        word = "set" if is_.write_only else "cleared"
        needed = "required-property-" if was_required else ""
        yield create_edit(f"{needed}write-only-{word}", Effect.NOTHING, f"writeOnly {word}", here)


def _compare_renamed(
    walk: SchemaWalk,
    before: NormalizedSchema,
    after: NormalizedSchema,
    location: SchemaLocation,
    names: tuple[str, str],
) -> Iterator[EditOrLink]:
    """Yield the edits of a property with another name: one for the name, and those for everything else.

    In an object that rejects other names on both sides, the old and the new name exclude each other.
    """
    name, other = names
    old, new = before.find_property(name), after.find_property(other)
    here = location.enter(old, new, "properties", other)
    spec = walk.normalize(1, new)
    muted = (_REQUEST if spec.read_only else _NO_DIRECTIONS) | (_RESPONSE if spec.write_only else _NO_DIRECTIONS)
    was_required, is_required = name in before.required, other in after.required
    without = after.find_property(name), before.find_property(other)  # the schemas of a name where it is not declared
    refused = walk.normalize(1, without[0]).rejects_all, walk.normalize(0, without[1]).rejects_all
    kind, effect = "property-renamed", Effect.UNCLEAR
    if was_required and is_required:
        kind, effect = "required-property-renamed", Effect.BOTH
    elif all(refused):
        kind, effect = "property-renamed-and-refused", Effect.BOTH
    yield create_edit(kind, effect, describe_rename(name, other), here, is_renamed=True, muted_directions=muted)
    if was_required != is_required:
        word, effect = ("required", Effect.NARROWS) if is_required else ("optional", Effect.WIDENS)
        message = describe_need(other, walk.normalize(0, old).default, spec.default, is_required=is_required)
        yield create_edit(f"property-became-{word}", effect, message, here, muted_directions=muted)
    if without[0] and not refused[0]:
        for one in walk.compare(old, without[0], location.enter(old, without[0])):
            yield mute_edit(one, muted)
    if without[1] and not refused[1]:
        for one in walk.compare(without[1], new, location.enter(without[1], new)):
            yield mute_edit(one, muted)


def _compare_removed(
    walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation, name: str
) -> Iterator[EditOrLink]:
    """Yield the edits for a property that only the base names."""
    old, other = before.find_property(name), after.find_property(name)
    was, is_ = walk.normalize(0, old), walk.normalize(1, other)
    here = location.enter(old, (), "properties", name)
    if was.rejects_all:
        if not is_.rejects_all:
            message = f"property {name} is now allowed"
            yield create_edit("property-added-where-refused", Effect.WIDENS, message, here, is_removed=True)
        return
    muted = (_REQUEST if was.read_only else _NO_DIRECTIONS) | (_RESPONSE if was.write_only else _NO_DIRECTIONS)
    needed = "required-" if name in before.required else ""
    message = f"{'required ' if needed else ''}property {name} removed"
    if is_.rejects_all:
        effect = Effect.BOTH if needed else Effect.NARROWS
        yield create_edit(
            f"{needed}property-removed-and-refused", effect, message, here, is_removed=True, muted_directions=muted
        )
        return
    effect = Effect.WIDENS if needed else Effect.UNCLEAR
    yield create_edit(f"{needed}property-removed", effect, message, here, is_removed=True, muted_directions=muted)
    if other:
        for one in walk.compare(old, other, location.enter(old, other)):
            yield mute_edit(one, muted)


def _compare_added(
    walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation, name: str
) -> Iterator[EditOrLink]:
    """Yield the edits for a property that only the revision names."""
    other, new = before.find_property(name), after.find_property(name)
    was, is_ = walk.normalize(0, other), walk.normalize(1, new)
    here = location.enter((), new, "properties", name)
    muted = (_REQUEST if is_.read_only else _NO_DIRECTIONS) | (_RESPONSE if is_.write_only else _NO_DIRECTIONS)
    if name in after.required and name not in before.required:
        message = f"required property {name} added{describe_default(is_.default)}"
        yield create_edit("required-property-added", Effect.NARROWS, message, here, muted_directions=muted)
    if name in before.required and name not in after.required:  # it was required without a schema
        yield create_edit(
            "property-became-optional",
            Effect.WIDENS,
            describe_need(name, was.default, is_.default, is_required=False),
            here,
            muted_directions=muted & _RESPONSE,
        )
    if was.rejects_all:
        if not is_.rejects_all:
            message = f"property {name} added, which was rejected before"
            yield create_edit("property-added-where-refused", Effect.WIDENS, message, here, muted_directions=muted)
        return
    if is_.rejects_all:
        yield create_edit("property-removed-and-refused", Effect.NARROWS, f"property {name} is now rejected", here)
        return
    if name not in after.required:
        yield create_edit(
            "property-added", Effect.NOTHING, f"optional property {name} added{describe_default(is_.default)}", here
        )
    if other:
        for one in walk.compare(other, new, location.enter(other, new)):
            yield mute_edit(one, muted)


def _compare_additional(
    walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation
) -> Iterator[EditOrLink]:
    """Yield the edits of the schema for properties that no other keyword names."""
    old, new = before.additional_properties, after.additional_properties
    here = location.enter_condition(old, new, "additionalProperties")
    if before.is_closed != after.is_closed:
        if after.is_closed:
            yield create_edit(
                "additional-properties-refused", Effect.NARROWS, "additional properties are now rejected", here
            )
        else:
            yield create_edit(
                "additional-properties-allowed",
                Effect.WIDENS,
                "additional properties are now allowed",
                here,
                is_removed=not new,
            )
    elif before.is_closed:
        return
    elif not old and new:
        yield create_edit(
            "additional-properties-constrained",
            Effect.NARROWS,
            "additional properties have to match a schema now",
            here,
        )
    elif old and not new:
        message = "additional properties no longer have to match a schema"
        yield create_edit("additional-properties-unconstrained", Effect.WIDENS, message, here, is_removed=True)
    else:
        yield from walk.compare(old, new, location.enter(old, new, "additionalProperties"))


def _compare_pattern_properties(
    walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation
) -> Iterator[EditOrLink]:
    for expression in sorted({*before.pattern_properties, *after.pattern_properties}):
        old: Conjunction = tuple(before.pattern_properties.get(expression, ()))
        new: Conjunction = tuple(after.pattern_properties.get(expression, ()))
        here = location.enter_condition(old, new, "patternProperties", expression)
        if old and new:
            yield from walk.compare(old, new, location.enter(old, new, "patternProperties", expression))
        elif _is_unconstrained(walk, old, new, before, after):
            continue
        elif new and before.additional_properties and not before.is_closed:
            yield from walk.compare(
                before.additional_properties, new, location.enter(before.additional_properties, new)
            )
        elif new and before.is_closed:
            yield create_edit(
                "pattern-properties-allowed", Effect.WIDENS, f"names that match {expression} are now allowed", here
            )
        elif new:
            yield create_edit(
                "pattern-properties-added",
                Effect.NARROWS,
                f"names that match {expression} have to match a schema now",
                here,
            )
        elif after.additional_properties and not after.is_closed:
            yield from walk.compare(old, after.additional_properties, location.enter(old, after.additional_properties))
        elif after.is_closed:
            message = f"names that match {expression} are now rejected"
            yield create_edit("pattern-properties-refused", Effect.NARROWS, message, here, is_removed=True)
        else:
            message = f"names that match {expression} no longer have to match a schema"
            yield create_edit("pattern-properties-removed", Effect.WIDENS, message, here, is_removed=True)


def _is_unconstrained(
    walk: SchemaWalk, old: Conjunction, new: Conjunction, before: NormalizedSchema, after: NormalizedSchema
) -> bool:
    """Return True if names that were added or removed have no constraints on either side."""
    without = before if new else after
    if without.additional_properties or before.unevaluated or after.unevaluated:
        return False
    return not walk.collect_kinds(walk.compare(old, new, SchemaLocation((), ())))


def _compare_dependencies(
    walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation
) -> Iterator[EditOrLink]:
    for name in sorted({*before.dependent_required, *after.dependent_required}):
        old, new = set(before.dependent_required.get(name, ())), set(after.dependent_required.get(name, ()))
        # Two keywords have this meaning, so the location is that of the schema.
        new -= after.required & before.required  # these are required anyway
        old -= after.required
        if new - old:
            message = f"{name} now requires {', '.join(sorted(new - old))}"
            yield create_edit("dependent-required-added", Effect.NARROWS, message, location)
        if old - new:
            message = f"{name} no longer requires {', '.join(sorted(old - new))}"
            yield create_edit("dependent-required-removed", Effect.WIDENS, message, location)
    for name in sorted({*before.dependent_schemas, *after.dependent_schemas}):
        was, is_ = (tuple(schema.dependent_schemas.get(name, ())) for schema in (before, after))
        yield from walk.compare_optional("dependent-schema", was, is_, location, "dependentSchemas", name)
