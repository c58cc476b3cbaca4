"""Locations of schemas, links between them, and the interface of their comparison."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from contract_watch.diff.document.changes import Direction, Effect, SchemaEdit, Tokens
from contract_watch.diff.document.json_pointer import format_pointer
from contract_watch.diff.document.normalized_schema import Conjunction, NormalizedSchema
from contract_watch.escaping import escape_text

_GROUPS = frozenset({"allOf", "anyOf", "oneOf"})


@dataclass(frozen=True, slots=True)
class SchemaLocation:
    """The locations of two schemas in the base and in the revision, and the depth below their roots.

    Schemas with several locations (`allOf`) have the first: ``suffixes`` lead there, but not to what is below the others.
    """

    base: Tokens
    revision: Tokens
    depth: int = 0
    suffixes: tuple[Tokens, Tokens] = ((), ())

    @property
    def full_paths(self) -> tuple[Tokens, Tokens]:
        """The complete locations."""
        return (*self.base, *self.suffixes[0]), (*self.revision, *self.suffixes[1])

    def descend(self, *tokens: str) -> "SchemaLocation":
        """Return the location of a subschema with the same path on both sides."""
        base, revision = self.full_paths
        return SchemaLocation((*base, *tokens), (*revision, *tokens), self.depth + 1)

    def enter(self, base: Conjunction, revision: Conjunction, *tokens: str) -> "SchemaLocation":
        """Return the location of two subschemas; ``tokens`` is the path on a side without one."""
        (old, old_tip), (new, new_tip) = _split_path(base, tokens), _split_path(revision, tokens)
        return SchemaLocation((*self.base, *old), (*self.revision, *new), self.depth + 1, (old_tip, new_tip))

    def enter_condition(self, base: Conjunction, revision: Conjunction, *tokens: str) -> "SchemaLocation":
        """Return the location of two subschemas that are conditions of this schema, at the depth of the schema."""
        (old, old_tip), (new, new_tip) = _split_path(base, tokens), _split_path(revision, tokens)
        return SchemaLocation((*self.base, *old), (*self.revision, *new), self.depth, (old_tip, new_tip))


def _split_path(node: Conjunction, tokens: Tokens) -> tuple[Tokens, Tokens]:
    if len(node) > 1:
        return (), node[0].path
    return (node[0].path if node else tokens), ()


@dataclass(frozen=True, slots=True)
class SchemaLink:
    """A reference that stands for the edits between its targets, which are the same at each of its locations.

    ``muted_directions`` is as for edits. ``is_unclear`` means that the effect of the edits is unknown at this location.
    ``is_absolute`` means that the location is one of the document, not one below the link before it.
    """

    base: Conjunction
    revision: Conjunction
    location: SchemaLocation
    muted_directions: frozenset[Direction] = frozenset()
    is_unclear: bool = False
    is_absolute: bool = False


EditOrLink = SchemaEdit | SchemaLink


class SchemaWalk(Protocol):
    """A running comparison."""

    def compare(self, base: Conjunction, revision: Conjunction, location: SchemaLocation) -> Iterator[EditOrLink]:
        """Yield the edits between two nodes and below them."""
        ...

    def compare_optional(
        self, kind: str, before: Conjunction, after: Conjunction, location: SchemaLocation, *tokens: str
    ) -> Iterator[EditOrLink]:
        """Yield the edit for a condition that was added or removed, or the edits of one that is on both sides."""
        ...

    def collect_effects(self, found: Iterable[EditOrLink]) -> set[Effect]:
        """Return the effects of edits, including those behind references."""
        ...

    def collect_kinds(self, found: Iterable[EditOrLink]) -> set[str]:
        """Return the kinds of edits, including those behind references."""
        ...

    def is_equal(self, base: Any, revision: Any) -> bool:
        """Return True if two values are equal, with everything that they refer to."""
        ...

    def is_same(self, base: Conjunction, revision: Conjunction) -> bool:
        """Return True if two nodes have no edit between them or below them, as far as is known."""
        ...

    def intern(self, raw: Any) -> int:
        """Return a number that equal values share."""
        ...

    def is_subset(self, base: Conjunction, revision: Conjunction) -> bool:
        """Return True if every value of the base belongs to the revision, as far as is known."""
        ...

    def is_reverse_subset(self, revision: Conjunction, base: Conjunction) -> bool:
        """Return True if every value of the revision belongs to the base, as far as is known."""
        ...

    def is_equivalent(self, base: Conjunction, revision: Conjunction) -> bool:
        """Return True if two nodes have the same values, as far as is known."""
        ...

    def normalize(self, side: int, node: Conjunction, *, folded: bool = True) -> NormalizedSchema:
        """Return the conditions of a node of the base (0) or the revision (1)."""
        ...

    def resolve(self, side: int, node: Conjunction) -> Mapping[str, Any] | None:
        """Return the schema of a node after its reference, or None if the node has several schemas."""
        ...

    def resolve_raw(self, side: int, raw: Any) -> Mapping[str, Any]:
        """Return a schema of the base (0) or the revision (1) after its reference."""
        ...

    def list_children(self, side: int, parent: Mapping[str, Any]) -> dict[str, Conjunction]:
        """Return the own parts of the children of a schema with a discriminator, by reference."""
        ...


def create_edit(kind: str, effect: Effect, message: str, location: SchemaLocation, *, is_removed: bool = False,
         is_renamed: bool = False, muted_directions: frozenset[Direction] = frozenset()) -> SchemaEdit:  # fmt: skip
    """Return an edit at its location in the revision, or in the base if ``is_removed``; at both if ``is_renamed``."""
    return SchemaEdit(
        kind,
        format_pointer(location.full_paths[0 if is_removed else 1]),
        effect,
        escape_text(message),
        location.depth,
        is_removed,
        muted_directions,
        format_pointer(location.full_paths[0]) if is_renamed else None,
    )


def mute_edit(found: EditOrLink, muted_directions: frozenset[Direction]) -> EditOrLink:
    """Return an edit or a link for values that do not occur in these directions."""
    return replace(found, muted_directions=found.muted_directions | muted_directions) if muted_directions else found


def mark_unclear(found: EditOrLink) -> EditOrLink:
    """Return an edit or a link with an unknown effect on the set of values."""
    if isinstance(found, SchemaLink):
        return replace(found, is_unclear=True)
    return found if found.effect is Effect.NOTHING else replace(found, effect=Effect.UNCLEAR)


def has_reference(raw: Any) -> bool:
    """Return True if a schema or a member of its combinators is a reference."""
    if not isinstance(raw, dict):
        return False
    if isinstance(raw.get("$ref"), str):
        return True
    if _GROUPS.isdisjoint(raw):
        return False
    together = (raw.get(key) for key in _GROUPS)
    return any(has_reference(member) for members in together if isinstance(members, list) for member in members)
