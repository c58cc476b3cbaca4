"""The result of a comparison of two documents: changes, each with its level."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

Direction = Literal["request", "response"]
OPPOSITE_DIRECTIONS: dict[Direction, Direction] = {"request": "response", "response": "request"}
Tokens = tuple[str, ...]
"""The path from the root of the document, as in a JSON pointer."""


class ChangeLevel(Enum):
    """The meaning of a change for consumers, in ascending order of severity."""

    NONE = "none"
    COMPATIBLE = "compatible"
    WARNING = "warning"
    BREAKING = "breaking"

    @property
    def rank(self) -> int:
        """The severity: 0 to 3."""
        return list(ChangeLevel).index(self)


class Effect(Enum):
    """The effect of a change on the set of values that a schema allows.

    ``BOTH`` removes some values and adds others. ``UNCLEAR`` means that the documents do not show the effect. ``NOTHING``
    leaves the set unchanged.
    """

    NOTHING = "nothing"
    WIDENS = "widens"
    NARROWS = "narrows"
    BOTH = "both"
    UNCLEAR = "unclear"

    @property
    def inverted(self) -> "Effect":
        """The effect on the values that are *not* allowed."""
        return {Effect.WIDENS: Effect.NARROWS, Effect.NARROWS: Effect.WIDENS}.get(self, self)


@dataclass(frozen=True, slots=True)
class SchemaEdit:
    """One difference between two schemas, independent of the direction of their values.

    Args:
        kind: the id of its rule in `rules.toml`.
        location: a JSON pointer to its location.
        effect: the effect on the set of allowed values.
        message: the edit in a few words.
        depth: the number of levels below the root schema; 0 is the root.
        is_removed: True if the location is in the base.
        muted_directions: the directions in which the values never occur.
        previous_location: for a rename, the JSON pointer to the old name in the base.
    """

    kind: str
    location: str
    effect: Effect
    message: str
    depth: int
    is_removed: bool = False
    muted_directions: frozenset[Direction] = field(default=frozenset())
    previous_location: str | None = None


@dataclass(frozen=True, slots=True)
class ApiChange:
    """One change of an API, with its level by a rule of `rules.toml`.

    Args:
        rule: the id of the rule.
        level: the level in this direction and area.
        direction: the direction of the values in question; in webhooks the vendor sends the request, so it is "response".
        area: the part of the API: "body", "property", "parameter" or "header" for schemas, else the area of the rule.
        location: a JSON pointer to a use, through references: in the revision, or in the base for a removal.
        message: the change in a few words, with names and values escaped.
        previous_location: for a rename, the JSON pointer to the old name in the base; otherwise empty.
        is_removed: True if the location is in the base.
        place: where the document writes what changed, as in `PlaceFinder`; empty for one of many uses.
        operations: the operations that reach the place, in their order; empty for one of many uses.
        uses: the uses of the place that were told one by one; a shared schema that is assessed once has the first.
    """

    rule: str
    level: ChangeLevel
    direction: Direction
    area: str
    location: str
    message: str
    previous_location: str = ""
    is_removed: bool = False
    place: str = ""
    operations: tuple[str, ...] = ()
    uses: "tuple[ApiChange, ...]" = ()


@dataclass(frozen=True)
class Comparison:
    """All changes from a base to a revision, in the order of the document."""

    changes: tuple[ApiChange, ...]

    @property
    def level(self) -> ChangeLevel:
        """The highest level of all changes; `none` without any change."""
        return max((change.level for change in self.changes), key=lambda level: level.rank, default=ChangeLevel.NONE)
