"""Where two schemas stand, and how their comparison goes on from there."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from contract_watch.diff.document.changes import Direction, Edit, Effect, Tokens
from contract_watch.diff.document.json_pointer import pointer
from contract_watch.diff.document.normalized_schema import Node, View
from contract_watch.report.escaping import plain


@dataclass(frozen=True, slots=True)
class Place:
    """Where two schemas stand: in the base and in the revision, and how far below their root.

    What is said in several places (`allOf`) stands at the first: ``tips`` lead there, and not to what is below the others.
    """

    base: Tokens
    revision: Tokens
    depth: int = 0
    tips: tuple[Tokens, Tokens] = ((), ())

    @property
    def whole(self) -> tuple[Tokens, Tokens]:
        """The places themselves."""
        return (*self.base, *self.tips[0]), (*self.revision, *self.tips[1])

    def below(self, *tokens: str) -> "Place":
        """A place further down, called the same on both sides."""
        base, revision = self.whole
        return Place((*base, *tokens), (*revision, *tokens), self.depth + 1)

    def at(self, base: Node, revision: Node, *tokens: str) -> "Place":
        """The place of two parts; ``tokens`` where a side has none."""
        (old, old_tip), (new, new_tip) = _way(base, tokens), _way(revision, tokens)
        return Place((*self.base, *old), (*self.revision, *new), self.depth + 1, (old_tip, new_tip))

    def said(self, base: Node, revision: Node, *tokens: str) -> "Place":
        """The place of two parts, as a condition that the schema here has itself: as deep as the schema is."""
        return replace(self.at(base, revision, *tokens), depth=self.depth)


def _way(node: Node, tokens: Tokens) -> tuple[Tokens, Tokens]:
    if len(node) > 1:
        return (), node[0].at
    return (node[0].at if node else tokens), ()


@dataclass(frozen=True, slots=True)
class Link:
    """A place where a reference leads on, in place of the edits that it leads to: those are the same wherever it stands.

    ``muted`` as of edits; ``clouded``: what the edits do to the set of values cannot be told from here.
    """

    base: Node
    revision: Node
    place: Place
    muted: frozenset[Direction] = frozenset()
    clouded: bool = False


Found = Edit | Link


class Walk(Protocol):
    """A comparison under way."""

    def compare(self, base: Node, revision: Node, place: Place) -> Iterator[Found]:
        """Every edit between two nodes and below them."""
        ...

    def added_or_removed(self, kind: str, before: Node, after: Node, place: Place, *tokens: str) -> Iterator[Found]:
        """A further condition that came (fewer values) or went (more); edits of one that stayed."""
        ...

    def effects(self, found: Iterable[Found]) -> set[Effect]:
        """What edits do to the set of values, those included that references lead to."""
        ...

    def kinds(self, found: Iterable[Found]) -> set[str]:
        """The kinds of edits, those included that references lead to."""
        ...

    def equal(self, base: Any, revision: Any) -> bool:
        """Whether two raw things say the same in the same words, with all that they refer to."""
        ...

    def form(self, raw: Any) -> int:
        """A number for what is said, the same where the words are."""
        ...

    def within(self, base: Node, revision: Node) -> bool:
        """Whether every value of the base is one of the revision, as far as can be told."""
        ...

    def backwards(self, revision: Node, base: Node) -> bool:
        """Whether every value of the revision is one of the base, as far as can be told."""
        ...

    def view(self, side: int, node: Node) -> View:
        """The conditions of a node of the base (0) or of the revision (1)."""
        ...

    def raw(self, side: int, node: Node) -> Mapping[str, Any] | None:
        """The one schema that a node is, its reference followed; None where it is several."""
        ...


def edit(kind: str, effect: Effect, message: str, place: Place, *, removed: bool = False,
         muted: frozenset[Direction] = frozenset()) -> Edit:  # fmt: skip
    """An edit at a place: in the base where something was ``removed``, else in the revision."""
    return Edit(kind, pointer(place.whole[0 if removed else 1]), effect, plain(message), place.depth, removed, muted)


def muting(found: Found, muted: frozenset[Direction]) -> Found:
    """An edit, or what leads to some, as one about values that do not travel in these directions."""
    return replace(found, muted=found.muted | muted) if muted else found


def clouding(found: Found) -> Found:
    """An edit, or what leads to some, as one of which nobody can tell what it does to the set of values."""
    if isinstance(found, Link):
        return replace(found, clouded=True)
    return found if found.effect is Effect.NOTHING else replace(found, effect=Effect.UNCLEAR)
