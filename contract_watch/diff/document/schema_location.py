"""Where two schemas stand, and how their comparison goes on from there."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from contract_watch.diff.document.changes import Direction, Effect, SchemaEdit, Tokens
from contract_watch.diff.document.json_pointer import format_pointer
from contract_watch.diff.document.normalized_schema import Conjunction, NormalizedSchema
from contract_watch.report.escaping import escape_text


@dataclass(frozen=True, slots=True)
class SchemaLocation:
    """Where two schemas stand: in the base and in the revision, and how far below their root.

    What is said in several places (`allOf`) stands at the first: ``tips`` lead there, and not to what is below the others.
    """

    base: Tokens
    revision: Tokens
    depth: int = 0
    suffixes: tuple[Tokens, Tokens] = ((), ())

    @property
    def full_paths(self) -> tuple[Tokens, Tokens]:
        """The places themselves."""
        return (*self.base, *self.suffixes[0]), (*self.revision, *self.suffixes[1])

    def descend(self, *tokens: str) -> "SchemaLocation":
        """A place further down, called the same on both sides."""
        base, revision = self.full_paths
        return SchemaLocation((*base, *tokens), (*revision, *tokens), self.depth + 1)

    def enter(self, base: Conjunction, revision: Conjunction, *tokens: str) -> "SchemaLocation":
        """The place of two parts; ``tokens`` where a side has none."""
        (old, old_tip), (new, new_tip) = _split_path(base, tokens), _split_path(revision, tokens)
        return SchemaLocation((*self.base, *old), (*self.revision, *new), self.depth + 1, (old_tip, new_tip))

    def enter_condition(self, base: Conjunction, revision: Conjunction, *tokens: str) -> "SchemaLocation":
        """The place of two parts, as a condition that the schema here has itself: as deep as the schema is."""
        return replace(self.enter(base, revision, *tokens), depth=self.depth)


def _split_path(node: Conjunction, tokens: Tokens) -> tuple[Tokens, Tokens]:
    if len(node) > 1:
        return (), node[0].path
    return (node[0].path if node else tokens), ()


@dataclass(frozen=True, slots=True)
class SchemaLink:
    """A place where a reference leads on, in place of the edits that it leads to: those are the same wherever it stands.

    ``muted`` as of edits; ``clouded``: what the edits do to the set of values cannot be told from here.
    """

    base: Conjunction
    revision: Conjunction
    location: SchemaLocation
    muted_directions: frozenset[Direction] = frozenset()
    is_unclear: bool = False


EditOrLink = SchemaEdit | SchemaLink


class SchemaWalk(Protocol):
    """A comparison under way."""

    def compare(self, base: Conjunction, revision: Conjunction, location: SchemaLocation) -> Iterator[EditOrLink]:
        """Every edit between two nodes and below them."""
        ...

    def compare_optional(
        self, kind: str, before: Conjunction, after: Conjunction, location: SchemaLocation, *tokens: str
    ) -> Iterator[EditOrLink]:
        """A further condition that came (fewer values) or went (more); edits of one that stayed."""
        ...

    def collect_effects(self, found: Iterable[EditOrLink]) -> set[Effect]:
        """What edits do to the set of values, those included that references lead to."""
        ...

    def collect_kinds(self, found: Iterable[EditOrLink]) -> set[str]:
        """The kinds of edits, those included that references lead to."""
        ...

    def is_equal(self, base: Any, revision: Any) -> bool:
        """Whether two raw things say the same in the same words, with all that they refer to."""
        ...

    def intern(self, raw: Any) -> int:
        """A number for what is said, the same where the words are."""
        ...

    def is_subset(self, base: Conjunction, revision: Conjunction) -> bool:
        """Whether every value of the base is one of the revision, as far as can be told."""
        ...

    def is_reverse_subset(self, revision: Conjunction, base: Conjunction) -> bool:
        """Whether every value of the revision is one of the base, as far as can be told."""
        ...

    def normalize(self, side: int, node: Conjunction) -> NormalizedSchema:
        """The conditions of a node of the base (0) or of the revision (1)."""
        ...

    def resolve(self, side: int, node: Conjunction) -> Mapping[str, Any] | None:
        """The one schema that a node is, its reference followed; None where it is several."""
        ...


def create_edit(kind: str, effect: Effect, message: str, location: SchemaLocation, *, is_removed: bool = False,
         muted_directions: frozenset[Direction] = frozenset()) -> SchemaEdit:  # fmt: skip
    """An edit at a place: in the base where something was ``removed``, else in the revision."""
    return SchemaEdit(
        kind,
        format_pointer(location.full_paths[0 if is_removed else 1]),
        effect,
        escape_text(message),
        location.depth,
        is_removed,
        muted_directions,
    )


def mute_edit(found: EditOrLink, muted_directions: frozenset[Direction]) -> EditOrLink:
    """An edit, or what leads to some, as one about values that do not travel in these directions."""
    return replace(found, muted_directions=found.muted_directions | muted_directions) if muted_directions else found


def mark_unclear(found: EditOrLink) -> EditOrLink:
    """An edit, or what leads to some, as one of which nobody can tell what it does to the set of values."""
    if isinstance(found, SchemaLink):
        return replace(found, is_unclear=True)
    return found if found.effect is Effect.NOTHING else replace(found, effect=Effect.UNCLEAR)
