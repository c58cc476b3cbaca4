"""What a comparison of two documents gives: changes, each with the rule that judges it."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

Direction = Literal["request", "response"]
OPPOSITE_DIRECTIONS: dict[Direction, Direction] = {"request": "response", "response": "request"}
Tokens = tuple[str, ...]
"""The way to a place, from the document's root, as in a JSON pointer."""


class ChangeLevel(Enum):
    """What a change means for consumers; the worst of them last."""

    NONE = "none"
    COMPATIBLE = "compatible"
    WARNING = "warning"
    BREAKING = "breaking"

    @property
    def rank(self) -> int:
        """How bad it is: 0 to 3."""
        return list(ChangeLevel).index(self)


class Effect(Enum):
    """What a change does to the set of values that a schema allows.

    ``BOTH`` takes some away and adds others, ``UNCLEAR`` cannot be told from the documents, ``NOTHING`` leaves the set.
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
    """One difference between two schemas, whichever way their values travel.

    ``kind`` names it in `rules.toml`, ``at`` is its place (a JSON pointer), ``depth`` says how far below the root schema that is: 0 is the
    root. ``removed``: the place is in the base. ``muted`` are directions in which the values do not travel at all.
    """

    kind: str
    location: str
    effect: Effect
    message: str
    depth: int
    is_removed: bool = False
    muted_directions: frozenset[Direction] = field(default=frozenset())


@dataclass(frozen=True, slots=True)
class ApiChange:
    """One change of an API, with its level by a rule of `rules.toml`.

    Args:
        rule: the id of the rule.
        level: the level in this direction and area.
        direction: the direction of the values in question; in webhooks the vendor sends the request, so it is "response".
        area: the part of the API: "body", "property", "parameter" or "header" for schemas, else the area of the rule.
        location: a JSON pointer to the place of use, through references: in the revision, or in the base for a removal.
        message: the change in a few words, with names and values escaped.
    """

    rule: str
    level: ChangeLevel
    direction: Direction
    area: str
    location: str
    message: str


@dataclass(frozen=True)
class Comparison:
    """All changes from a base to a revision, in the order of the document."""

    changes: tuple[ApiChange, ...]

    @property
    def level(self) -> ChangeLevel:
        """The worst level of any change; `none` where there is no change."""
        return max((change.level for change in self.changes), key=lambda level: level.rank, default=ChangeLevel.NONE)
