"""A schema as the set of conditions that a value has to meet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.source import JSON


@dataclass(frozen=True)
class SubSchema:
    """A schema, and its place below the schema that it was found in."""

    raw: JSON
    path: Tokens = ()


Conjunction = tuple[SubSchema, ...]
"""What a value has to meet, all of it; none: anything is allowed."""


@dataclass(frozen=True)
class Combinator:
    """``anyOf`` or ``oneOf``."""

    kind: str
    members: tuple[Conjunction, ...]


@dataclass(frozen=True)
class Condition:
    """``if``, ``then`` and ``else``."""

    if_schema: SubSchema
    then_schema: Conjunction
    else_schema: Conjunction


@dataclass
class AdditionalProperties:
    """One object schema's own properties, and what it says of all others."""

    names: frozenset[str]
    patterns: tuple[str, ...]
    schema: SubSchema


@dataclass
class NormalizedSchema:
    """All conditions of a schema. ``types`` None: any; ``values`` None: not listed one by one.

    ``null_too``: null is allowed beside what groups say.
    """

    rejects_all: bool = False
    types: frozenset[str] | None = None
    values: list[JSON] | None = None
    is_const: bool = False
    lower: tuple[Fraction, bool] | None = None
    upper: tuple[Fraction, bool] | None = None
    sizes: dict[str, int] = field(default_factory=dict)
    multiples: set[Fraction] = field(default_factory=set)
    patterns: set[str] = field(default_factory=set)
    formats: set[str] = field(default_factory=set)
    has_unique_items: bool = False
    properties: dict[str, list[SubSchema]] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    closed_objects: list[AdditionalProperties] = field(default_factory=list)
    pattern_properties: dict[str, list[SubSchema]] = field(default_factory=dict)
    item_lists: list[tuple[tuple[SubSchema, ...], SubSchema | None]] = field(default_factory=list)
    contains: list[tuple[SubSchema, int, int | None]] = field(default_factory=list)
    combinators: list[Combinator] = field(default_factory=list)
    nots: list[SubSchema] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    dependent_required: dict[str, set[str]] = field(default_factory=dict)
    dependent_schemas: dict[str, list[SubSchema]] = field(default_factory=dict)
    property_names: list[SubSchema] = field(default_factory=list)
    unevaluated: dict[str, list[SubSchema]] = field(default_factory=dict)
    content: dict[str, JSON] = field(default_factory=dict)
    content_schema: list[SubSchema] = field(default_factory=list)
    discriminator: Mapping[str, Any] | None = None
    default: tuple[JSON] | None = None
    read_only: bool = False
    write_only: bool = False
    deprecated: bool = False
    extensible_values: list[JSON] | None = None
    also_null: bool = False

    def allows_type(self, kind: str) -> bool:
        """Whether values of a JSON type may be allowed; an integer is a number."""
        return self.types is None or kind in self.types or (kind == "integer" and "number" in self.types)

    @property
    def has_only_combinators(self) -> bool:
        """Whether there is no condition at all beside groups."""
        bare = NormalizedSchema(combinators=self.combinators, discriminator=self.discriminator, default=self.default, read_only=self.read_only,
                    write_only=self.write_only, deprecated=self.deprecated)  # fmt: skip
        return self == bare

    def find_property(self, name: str) -> Conjunction:
        """What a property's value has to meet, its own schema and whatever else applies to that name."""
        found = [
            part
            for expression, parts in self.pattern_properties.items()
            if _matches_literally(expression, name)
            for part in parts
        ]
        found += [
            closer.schema
            for closer in self.closed_objects
            if name not in closer.names and not any(_may_match(p, name) for p in closer.patterns)
        ]
        return (*self.properties.get(name, ()), *found)

    @property
    def additional_properties(self) -> Conjunction:
        """What the value of a property that nothing names has to meet."""
        return tuple(closer.schema for closer in self.closed_objects)

    @property
    def is_closed(self) -> bool:
        """Whether a property that nothing names is refused."""
        return any(closer.schema.raw is False for closer in self.closed_objects)

    def find_item(self, index: int) -> Conjunction:
        """What the item at an index has to meet; behind all that are listed one by one, with a large one."""
        return tuple(
            part
            for prefix, rest in self.item_lists
            if (part := prefix[index] if index < len(prefix) else rest) is not None
        )

    @property
    def max_items(self) -> int | None:
        """How many items there may be; None where nothing is said. A list ends where nothing may follow."""
        ends = [len(prefix) for prefix, rest in self.item_lists if rest is not None and rest.raw is False]
        return min([*ends, self.sizes["maxItems"]] if "maxItems" in self.sizes else ends, default=None)

    @property
    def prefix_length(self) -> int:
        """How many items have a schema of their own."""
        return max((len(prefix) for prefix, _ in self.item_lists), default=0)


def _may_match(expression: str, name: str) -> bool:
    """Whether a name of ``patternProperties`` may mean a property; one that is not a plain text may mean any."""
    plain = expression.removeprefix("^").removesuffix("$")
    return _matches_literally(expression, name) or not plain.replace("_", "").replace("-", "").isalnum()


def _matches_literally(expression: str, name: str) -> bool:
    """Whether a name of ``patternProperties`` means a property for certain: it is a plain text that stands there."""
    plain = expression.removeprefix("^").removesuffix("$")
    if not plain.replace("_", "").replace("-", "").isalnum():
        return False
    begins, ends = expression.startswith("^"), expression.endswith("$")
    if begins and ends:
        return name == plain
    return name.startswith(plain) if begins else name.endswith(plain) if ends else plain in name
