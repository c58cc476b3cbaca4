"""Renames: one name that only the base has and one that only the revision has, for the same schema in one place.

Both names must be the only ones for that schema. Where several fit, nobody knows which one replaces which, so they stay
removals and additions.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from contract_watch.diff.document.normalized_schema import NormalizedSchema
from contract_watch.diff.document.schema_location import SchemaWalk
from contract_watch.escaping import format_code_span

Name = TypeVar("Name", bound=Hashable)
_MAX_PAIRS = 144
"""The number of pairs of a removed and an added name that are compared; an object with more was rewritten."""


def pair_names(
    removed: Sequence[Name], added: Sequence[Name], is_same: Callable[[Name, Name], bool]
) -> dict[Name, Name]:
    """Return the new name of each removed name; a name that several others could replace has none."""
    if not removed or not added or len(removed) * len(added) > _MAX_PAIRS:
        return {}
    fits = {old: [new for new in added if is_same(old, new)] for old in removed}
    claims = [new for found in fits.values() for new in found]
    return {old: found[0] for old, found in fits.items() if len(found) == 1 and claims.count(found[0]) == 1}


def describe_rename(old: object, new: object) -> str:
    """Return the message of a rename."""
    return f"{format_code_span(str(old))} was renamed to {format_code_span(str(new))}"


def find_renamed_properties(walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema) -> dict[str, str]:
    """Return the new name of each property that was renamed.

    A name that is required on the side that does not declare it was there before, or stays.
    """
    removed = [name for name in before.properties if name not in after.properties and name not in after.required]
    added = [name for name in after.properties if name not in before.properties and name not in before.required]

    def is_same(old: str, new: str) -> bool:
        sides = before.find_property(old), after.find_property(new)
        was, is_ = walk.normalize(0, sides[0]), walk.normalize(1, sides[1])
        if was.rejects_all or is_.rejects_all:
            return False
        traits = [(one.types, one.read_only, one.write_only, one.properties.keys()) for one in (was, is_)]
        return traits[0] == traits[1] and walk.is_same(*sides)

    return pair_names(removed, added, is_same)
