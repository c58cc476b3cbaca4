"""Schemas in normal form: the set of conditions that a value has to meet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.source import JSON


@dataclass(frozen=True)
class SubSchema:
    """A schema, and its path below the schema that contains it. ``without_null`` leaves null out of its values."""

    raw: JSON
    path: Tokens = ()
    without_null: bool = False


Conjunction = tuple[SubSchema, ...]
"""Schemas that a value has to match, all of them; none allows any value."""


@dataclass(frozen=True)
class Combinator:
    """A combinator: ``anyOf`` or ``oneOf``.

    ``types`` are those of the members if the document has no combinator there, but a list of types. ``is_whole`` means
    that the only member is a schema that the document does not combine.
    """

    kind: str
    members: tuple[Conjunction, ...]
    types: tuple[str, ...] = ()
    is_whole: bool = False


@dataclass(frozen=True)
class Condition:
    """A condition: ``if``, ``then`` and ``else``."""

    if_schema: SubSchema
    then_schema: Conjunction
    else_schema: Conjunction


@dataclass
class AdditionalProperties:
    """The named properties of one object schema, and its schema for all others."""

    names: frozenset[str]
    patterns: tuple[str, ...]
    schema: SubSchema


@dataclass
class NormalizedSchema:
    """All conditions of a schema.

    ``types`` is None if any type is allowed, ``values`` if there is no list of values. ``also_null`` allows null in
    addition to the values that combinators allow. ``open_null`` says why null may or may not be allowed, or is empty.
    ``open_bounds`` are the bounds ``minimum`` and ``maximum`` as a boolean exclusive bound of 3.0 would make them.
    ``possible_types`` are those that types and combinators leave. ``parts`` are the schemas as written, if nothing was
    folded.
    """

    rejects_all: bool = False
    types: frozenset[str] | None = None
    values: list[JSON] | None = None
    is_const: bool = False
    lower: tuple[Fraction, bool] | None = None
    upper: tuple[Fraction, bool] | None = None
    sizes: dict[str, int] = field(default_factory=dict)
    open_bounds: dict[str, tuple[Fraction, bool]] = field(default_factory=dict)
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
    open_null: str = ""
    possible_types: frozenset[str] | None = field(default=None, compare=False)
    parts: tuple[SubSchema, ...] = field(default=(), compare=False)

    def allows_type(self, kind: str) -> bool:
        """Return True if values of a JSON type may be allowed; an integer is a number."""
        types = self.possible_types
        return types is None or kind in types or (kind == "integer" and "number" in types)

    @property
    def allows_null(self) -> bool:
        """True if null is allowed, as far as types and values say."""
        if self.values is not None:
            return None in self.values
        return self.also_null or self.types is None or "null" in self.types

    @property
    def may_be_null(self) -> bool:
        """True if null is allowed as far as the types of combinators say, too; those without types say no."""
        if self.possible_types is None:
            return not self.combinators
        return "null" in self.possible_types

    @property
    def has_only_combinators(self) -> bool:
        """Return True if there are no conditions except combinators."""
        bare = NormalizedSchema(combinators=self.combinators, discriminator=self.discriminator, default=self.default, read_only=self.read_only,
                    write_only=self.write_only, deprecated=self.deprecated, open_null=self.open_null, also_null=self.also_null)  # fmt: skip
        return self == bare

    def find_property(self, name: str) -> Conjunction:
        """Return the schemas that the value of a property has to match: its own and all others that apply to the name."""
        found = [
            part
            for expression, parts in self.pattern_properties.items()
            if _matches_literally(expression, name)
            for part in parts
        ]
        found += [
            additional.schema
            for additional in self.closed_objects
            if name not in additional.names and not any(_may_match(p, name) for p in additional.patterns)
        ]
        return (*self.properties.get(name, ()), *found)

    @property
    def additional_properties(self) -> Conjunction:
        """The schemas for the values of properties that the schema does not name."""
        return tuple(additional.schema for additional in self.closed_objects)

    @property
    def is_closed(self) -> bool:
        """True if properties that the schema does not name are rejected."""
        return any(additional.schema.raw is False for additional in self.closed_objects)

    def find_item(self, index: int) -> Conjunction:
        """Return the schemas for the item at an index; a large index gives those for additional items."""
        return tuple(
            part
            for prefix, rest in self.item_lists
            if (part := prefix[index] if index < len(prefix) else rest) is not None
        )

    @property
    def max_items(self) -> int | None:
        """The maximal number of items, or None; an array also ends where no further item is allowed."""
        ends = [len(prefix) for prefix, rest in self.item_lists if rest is not None and rest.raw is False]
        return min([*ends, self.sizes["maxItems"]] if "maxItems" in self.sizes else ends, default=None)

    @property
    def prefix_length(self) -> int:
        """The number of items with a schema of their own."""
        return max((len(prefix) for prefix, _ in self.item_lists), default=0)


def _may_match(expression: str, name: str) -> bool:
    """Return True if an expression of ``patternProperties`` may match a property; only literals are certain not to."""
    plain = expression.removeprefix("^").removesuffix("$")
    return _matches_literally(expression, name) or not plain.replace("_", "").replace("-", "").isalnum()


def _matches_literally(expression: str, name: str) -> bool:
    """Return True if an expression of ``patternProperties`` certainly matches a property, as a literal does."""
    plain = expression.removeprefix("^").removesuffix("$")
    if not plain.replace("_", "").replace("-", "").isalnum():
        return False
    begins, ends = expression.startswith("^"), expression.endswith("$")
    if begins and ends:
        return name == plain
    return name.startswith(plain) if begins else name.endswith(plain) if ends else plain in name
