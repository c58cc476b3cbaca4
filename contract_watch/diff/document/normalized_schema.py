"""A schema as the set of conditions that a value has to meet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.source import JSON


@dataclass(frozen=True)
class Part:
    """A schema, and its place below the schema that it was found in."""

    raw: JSON
    at: Tokens = ()


Node = tuple[Part, ...]
"""What a value has to meet, all of it; none: anything is allowed."""


@dataclass(frozen=True)
class Group:
    """``anyOf`` or ``oneOf``."""

    kind: str
    members: tuple[Node, ...]


@dataclass(frozen=True)
class Condition:
    """``if``, ``then`` and ``else``."""

    asked: Part
    then: Node
    otherwise: Node


@dataclass
class Closer:
    """One object schema's own properties, and what it says of all others."""

    names: frozenset[str]
    patterns: tuple[str, ...]
    others: Part


@dataclass
class View:
    """All conditions of a schema. ``types`` None: any; ``values`` None: not listed one by one.

    ``null_too``: null is allowed beside what groups say.
    """

    never: bool = False
    types: frozenset[str] | None = None
    values: list[JSON] | None = None
    constant: bool = False
    lower: tuple[Fraction, bool] | None = None
    upper: tuple[Fraction, bool] | None = None
    sizes: dict[str, int] = field(default_factory=dict)
    multiples: set[Fraction] = field(default_factory=set)
    patterns: set[str] = field(default_factory=set)
    formats: set[str] = field(default_factory=set)
    unique: bool = False
    properties: dict[str, list[Part]] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    closers: list[Closer] = field(default_factory=list)
    by_pattern: dict[str, list[Part]] = field(default_factory=dict)
    arrays: list[tuple[tuple[Part, ...], Part | None]] = field(default_factory=list)
    contains: list[tuple[Part, int, int | None]] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    nots: list[Part] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    dependent: dict[str, set[str]] = field(default_factory=dict)
    dependent_schemas: dict[str, list[Part]] = field(default_factory=dict)
    names: list[Part] = field(default_factory=list)
    unevaluated: dict[str, list[Part]] = field(default_factory=dict)
    content: dict[str, JSON] = field(default_factory=dict)
    content_schema: list[Part] = field(default_factory=list)
    discriminator: Mapping[str, Any] | None = None
    default: tuple[JSON] | None = None
    read_only: bool = False
    write_only: bool = False
    deprecated: bool = False
    extensible: list[JSON] | None = None
    null_too: bool = False

    def allows(self, kind: str) -> bool:
        """Whether values of a JSON type may be allowed; an integer is a number."""
        return self.types is None or kind in self.types or (kind == "integer" and "number" in self.types)

    @property
    def trivial(self) -> bool:
        """Whether there is no condition at all beside groups."""
        bare = View(groups=self.groups, discriminator=self.discriminator, default=self.default, read_only=self.read_only,
                    write_only=self.write_only, deprecated=self.deprecated)  # fmt: skip
        return self == bare

    def child(self, name: str) -> Node:
        """What a property's value has to meet, its own schema and whatever else applies to that name."""
        found = [part for expression, parts in self.by_pattern.items() if _means(expression, name) for part in parts]
        found += [
            closer.others
            for closer in self.closers
            if name not in closer.names and not any(_may_mean(p, name) for p in closer.patterns)
        ]
        return (*self.properties.get(name, ()), *found)

    @property
    def others(self) -> Node:
        """What the value of a property that nothing names has to meet."""
        return tuple(closer.others for closer in self.closers)

    @property
    def closed(self) -> bool:
        """Whether a property that nothing names is refused."""
        return any(closer.others.raw is False for closer in self.closers)

    def item(self, index: int) -> Node:
        """What the item at an index has to meet; behind all that are listed one by one, with a large one."""
        return tuple(
            part for prefix, rest in self.arrays if (part := prefix[index] if index < len(prefix) else rest) is not None
        )

    @property
    def most(self) -> int | None:
        """How many items there may be; None where nothing is said. A list ends where nothing may follow."""
        ends = [len(prefix) for prefix, rest in self.arrays if rest is not None and rest.raw is False]
        return min([*ends, self.sizes["maxItems"]] if "maxItems" in self.sizes else ends, default=None)

    @property
    def listed(self) -> int:
        """How many items have a schema of their own."""
        return max((len(prefix) for prefix, _ in self.arrays), default=0)


def _may_mean(expression: str, name: str) -> bool:
    """Whether a name of ``patternProperties`` may mean a property; one that is not a plain text may mean any."""
    plain = expression.removeprefix("^").removesuffix("$")
    return _means(expression, name) or not plain.replace("_", "").replace("-", "").isalnum()


def _means(expression: str, name: str) -> bool:
    """Whether a name of ``patternProperties`` means a property for certain: it is a plain text that stands there."""
    plain = expression.removeprefix("^").removesuffix("$")
    if not plain.replace("_", "").replace("-", "").isalnum():
        return False
    begins, ends = expression.startswith("^"), expression.endswith("$")
    if begins and ends:
        return name == plain
    return name.startswith(plain) if begins else name.endswith(plain) if ends else plain in name
