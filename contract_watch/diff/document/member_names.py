"""Names of the members of a combinator in messages."""

from contract_watch.diff.document.normalized_schema import Combinator, Conjunction
from contract_watch.diff.document.schema_location import SchemaWalk
from contract_watch.diff.document.source import as_object, decode_token
from contract_watch.diff.document.value_text import format_value

_MAX_NAMES = 4
"""Members that a message names."""


def describe_member(walk: SchemaWalk, side: int, member: Conjunction, number: int) -> str:
    """Return the reference of a member, its title, type or tag, or else its position."""
    raw = as_object(member[0].raw)
    parts = raw.get("allOf")
    for one in (raw, *(map(as_object, parts) if isinstance(parts, list) else ())):
        reference = one.get("$ref")
        if isinstance(reference, str):
            return decode_token(reference.rpartition("/")[2])
    title = raw.get("title")
    if isinstance(title, str) and title:
        return title
    schema = walk.normalize(side, member)
    types = schema.possible_types
    if types and types != frozenset({"object"}):
        return " or ".join(sorted(types))
    for name in sorted(schema.required & schema.properties.keys()):
        values = walk.normalize(side, schema.find_property(name)).values
        if values is not None and len(values) == 1:
            return f"{name}: {format_value(values[0])}"
    path = member[0].path
    return f"member {path[-1] if path else number}"


def describe_edit(walk: SchemaWalk, side: int, groups: tuple[Combinator, Combinator], number: int) -> str:
    """Return the message for a member that was removed (``side`` 0) or added (1)."""
    group, other = groups[side], groups[1 - side]
    name = describe_member(walk, side, group.members[number], number)
    if not group.is_whole or other.is_whole:
        return f"{name} added to {group.kind}" if side else f"{name} removed from {group.kind}"
    if not group.members[number][0].path and name.startswith("member "):
        name = " or ".join(sorted(walk.normalize(side, group.members[number]).possible_types or ())) or "any value"
    names = [describe_member(walk, 1 - side, one, n) for n, one in enumerate(other.members[:_MAX_NAMES])]
    listed = ", ".join(names) + (", …" if len(other.members) > _MAX_NAMES else "")
    combined = f"{other.kind} of {listed}"
    return f"{combined} became {name}" if side else f"{name} became {combined}"
