"""A schema as the set of conditions that a value has to meet: references followed, `allOf` merged, spellings made one.

What the two dialects say differently (3.0's ``nullable`` and its boolean bounds), and what one dialect can say in several
ways (a list of types, a group of plain types, a group of one), is the same here.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from typing import Any

from contracts.pattern import equal
from drift.document.changes import Tokens
from drift.document.source import JSON, Source, mapping

ALL_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
NO_MEANING = frozenset({"title", "description", "example", "examples", "externalDocs", "xml", "$comment", "deprecated",
                        "default", "readOnly", "writeOnly"})  # fmt: skip
"""Keywords that leave the set of allowed values as it is."""
SIZES = {"minLength": 0, "minItems": 0, "minProperties": 0}
"""Keywords with the value that is the same as leaving them out."""
LARGEST = ("maxLength", "maxItems", "maxProperties")
_TRIVIAL_PATTERNS = frozenset({"", "^", "$", ".*", "^.*", ".*$", "^.*$", "^[\\s\\S]*$", "[\\s\\S]*"})
_ANYTHING: tuple[JSON, ...] = (True, {})
_HINTS = frozenset({"password", "textarea", "markdown", "commonmark", "html"})
"""Formats that say how a value is shown, and nothing of which values there are."""


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

    ``null_too``: null is allowed beside what groups say; ``evaluated``: something is said of all properties.
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
    evaluated: bool = False

    def allows(self, kind: str) -> bool:
        """Whether values of a JSON type may be allowed; an integer is a number."""
        return self.types is None or kind in self.types or (kind == "integer" and "number" in self.types)

    @property
    def trivial(self) -> bool:
        """Whether there is no condition at all beside groups."""
        bare = View(groups=self.groups, evaluated=self.evaluated, discriminator=self.discriminator, default=self.default, read_only=self.read_only,
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
    def listed(self) -> int:
        """How many items have a schema of their own."""
        return max((len(prefix) for prefix, _ in self.arrays), default=0)


class Views:
    """The views of one document's schemas, each made once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._made: dict[tuple[object, ...], tuple[Node, View]] = {}

    def of(self, node: Node) -> View:
        """The conditions of a node. Do not change it."""
        key = tuple((id(part.raw), part.at) for part in node) if len(node) > 1 else tuple(id(part.raw) for part in node)
        made = self._made.get(key)
        if made is None:  # the places within one schema begin at it, those within several where they were found
            view = self._make(node if len(node) > 1 else tuple(Part(part.raw) for part in node))
            made = self._made[key] = (node, view)
        return made[1]

    def _make(self, node: Node) -> View:
        view = View()
        _Builder(self.source, view).add_all(node)
        _fold(view)
        return view


class _Builder:
    def __init__(self, source: Source, view: View) -> None:
        self._source, self._view = source, view
        self._followed: set[str] = set()

    def add_all(self, node: Iterable[Part]) -> None:
        waiting = list(reversed(list(node)))
        while waiting:
            part = waiting.pop()
            raw = part.raw
            if raw is False:
                self._view.never = True
            if not isinstance(raw, dict):
                continue
            reference = raw.get("$ref")
            if isinstance(reference, str):
                if reference not in self._followed:
                    self._followed.add(reference)
                    waiting.append(Part(self._source.target(reference), part.at))
                if self._source.old:
                    continue
            waiting += reversed(self._absorb(raw, part.at))

    def _absorb(self, raw: Mapping[str, Any], at: Tokens) -> list[Part]:
        """Take a schema's own conditions in; gives the further schemas that have to be met."""
        more = [Part(member, (*at, "allOf", str(n))) for n, member in enumerate(_list(raw.get("allOf")))]
        for kind in ("anyOf", "oneOf"):
            members = [Part(member, (*at, kind, str(n))) for n, member in enumerate(_list(raw.get(kind)))]
            if members:
                more += self._group(kind, members)
        self._types(raw)
        self._scalars(raw)
        self._objects(raw, at)
        self._arrays(raw, at)
        self._logic(raw, at)
        self._annotations(raw)
        return more

    # -- groups

    def _group(self, kind: str, members: list[Part]) -> list[Part]:
        """Take ``anyOf`` or ``oneOf`` in: as a list of types, as something that may also be null, or as it is."""
        view = self._view
        plain = [_plain_types(self._source, part.raw) for part in members]
        if all(types is not None for types in plain):
            union: frozenset[str] = frozenset().union(*(types for types in plain if types is not None))
            apart = sum(len(types) for types in plain if types is not None) == len(union)
            if kind == "anyOf" or (apart and not {"integer", "number"} <= union):
                view.types = _met(view.types, union)
                return []
        if (listed := _listed(self._source, members, once=kind == "oneOf")) is not None:
            view.values = listed if view.values is None else _common(view.values, listed)
            return []
        rest = [part for part, types in zip(members, plain, strict=True) if types != frozenset({"null"})]
        null = len(rest) < len(members) and view.types is None
        if null:
            view.null_too = True
        if len(rest) == 1 and (null or len(members) == 1):
            return rest
        view.groups.append(Group(kind, tuple((part,) for part in rest)))
        return []

    # -- what a schema says itself

    def _types(self, raw: Mapping[str, Any]) -> None:
        view = self._view
        said = raw.get("type")
        types = frozenset([said] if isinstance(said, str) else [one for one in _list(said) if isinstance(one, str)])
        nullable = self._source.old and raw.get("nullable") is True
        if types:
            view.types = _met(view.types, types | ({"null"} if nullable else set()))
        values = raw.get("enum")
        if isinstance(values, list):
            nulled = [*values, None] if nullable and None not in values else values
            view.values = nulled if view.values is None else _common(view.values, nulled)
        if "const" in raw and not self._source.old:
            view.constant = view.values is None
            view.values = [raw["const"]] if view.values is None else _common(view.values, [raw["const"]])

    def _scalars(self, raw: Mapping[str, Any]) -> None:
        view = self._view
        for low, key in ((True, "minimum"), (False, "maximum")):
            bound, exclusive = _number(raw.get(key)), raw.get("exclusive" + key.capitalize())
            if bound is not None:
                _bound(view, bound, exclusive is True and self._source.old, low=low)
            if (stricter := _number(exclusive)) is not None:
                _bound(view, stricter, True, low=low)
        self._sizes(raw)
        if (step := _number(raw.get("multipleOf"))) is not None and step > 0:
            view.multiples.add(step)
        pattern = raw.get("pattern")
        if isinstance(pattern, str) and pattern not in _TRIVIAL_PATTERNS:
            view.patterns.add(pattern)
        shape = raw.get("format")
        if isinstance(shape, str) and shape not in _HINTS:
            view.formats.add(shape)
        view.unique = view.unique or raw.get("uniqueItems") is True

    def _sizes(self, raw: Mapping[str, Any]) -> None:
        view = self._view
        for key in SIZES:
            if (size := _number(raw.get(key))) is not None:
                view.sizes[key] = max(view.sizes.get(key, 0), math.ceil(size))
        for key in LARGEST:
            if (size := _number(raw.get(key))) is not None:
                view.sizes[key] = min(view.sizes.get(key, math.floor(size)), math.floor(size))

    def _objects(self, raw: Mapping[str, Any], at: Tokens) -> None:
        view = self._view
        properties = mapping(raw.get("properties"))
        for name, schema in properties.items():
            view.properties.setdefault(name, []).append(Part(schema, (*at, "properties", name)))
        patterns = mapping(raw.get("patternProperties"))
        for expression, schema in patterns.items():
            place = (*at, "patternProperties", expression)
            view.by_pattern.setdefault(expression, []).append(Part(schema, place))
        view.required |= {name for name in _list(raw.get("required")) if isinstance(name, str)}
        view.evaluated = view.evaluated or "additionalProperties" in raw
        others = raw.get("additionalProperties")
        if others is False or (isinstance(others, dict) and set(others) - NO_MEANING):
            closer = Part(others, (*at, "additionalProperties"))
            view.closers.append(Closer(frozenset(properties), tuple(patterns), closer))
        for name, wanted in mapping(raw.get("dependentRequired")).items():
            view.dependent.setdefault(name, set()).update(one for one in _list(wanted) if isinstance(one, str))
        for name, schema in mapping(raw.get("dependentSchemas")).items():
            if isinstance(schema, dict) and set(schema) == {"required"}:
                view.dependent.setdefault(name, set()).update(
                    one for one in _list(schema["required"]) if isinstance(one, str)
                )
                continue
            view.dependent_schemas.setdefault(name, []).append(Part(schema, (*at, "dependentSchemas", name)))
        if raw.get("propertyNames", True) not in _ANYTHING:
            view.names.append(Part(raw["propertyNames"], (*at, "propertyNames")))

    def _arrays(self, raw: Mapping[str, Any], at: Tokens) -> None:
        view = self._view
        prefix = [Part(one, (*at, "prefixItems", str(n))) for n, one in enumerate(_list(raw.get("prefixItems")))]
        items = raw.get("items")
        rest = Part(items, (*at, "items")) if isinstance(items, dict | bool) and items is not True else None
        if prefix or rest is not None:
            view.arrays.append((tuple(prefix), rest))
        if "contains" in raw:
            least, most = _number(raw.get("minContains")), _number(raw.get("maxContains"))
            bounds = (1 if least is None else int(least), None if most is None else int(most))
            if bounds != (0, None):
                view.contains.append((Part(raw["contains"], (*at, "contains")), *bounds))

    def _logic(self, raw: Mapping[str, Any], at: Tokens) -> None:
        view = self._view
        if raw.get("not", False) is not False:
            view.nots.append(Part(raw["not"], (*at, "not")))
        if "if" in raw and ("then" in raw or "else" in raw):
            then, otherwise = ((Part(raw[key], (*at, key)),) if key in raw else () for key in ("then", "else"))
            view.conditions.append(Condition(Part(raw["if"], (*at, "if")), then, otherwise))
        for key in ("unevaluatedProperties", "unevaluatedItems"):
            if raw.get(key, True) not in _ANYTHING:
                view.unevaluated.setdefault(key, []).append(Part(raw[key], (*at, key)))
        for key in ("contentMediaType", "contentEncoding"):
            if key in raw:
                view.content[key] = raw[key]
        if "contentSchema" in raw:
            view.content_schema.append(Part(raw["contentSchema"], (*at, "contentSchema")))

    def _annotations(self, raw: Mapping[str, Any]) -> None:
        view = self._view
        view.read_only = view.read_only or raw.get("readOnly") is True
        view.write_only = view.write_only or raw.get("writeOnly") is True
        view.deprecated = view.deprecated or raw.get("deprecated") is True
        if "default" in raw:
            view.default = (raw["default"],)
        if isinstance(raw.get("discriminator"), dict):
            view.discriminator = raw["discriminator"]
        if isinstance(raw.get("x-extensible-enum"), list):
            view.extensible = raw["x-extensible-enum"]


def _fold(view: View) -> None:
    """Say in one way what can be said in several."""
    if view.null_too:
        if view.types is not None:
            view.types |= {"null"}
            view.null_too = bool(view.groups)
        if view.values is not None and None not in view.values:
            view.values = [*view.values, None]
    if view.types is not None:
        whole = any(step.denominator == 1 for step in view.multiples)
        if "number" in view.types:
            view.types = (view.types - {"number"}) | {"integer"} if whole else view.types - {"integer"}
        if "integer" in view.types:
            _whole_bounds(view)
            view.multiples -= {Fraction(1)}
    if len(view.multiples) > 1:
        view.multiples = {reduce(_least_common, view.multiples)}
    _fold_unevaluated(view)
    if view.values is not None:
        _fold_values(view, view.values)
    view.sizes = {key: size for key, size in view.sizes.items() if SIZES.get(key) != size}


def _fold_unevaluated(view: View) -> None:
    """Say what is unevaluated as what nothing names, where that is the same."""
    if view.evaluated:  # `additionalProperties` leaves none that is not evaluated
        view.unevaluated.pop("unevaluatedProperties", None)
    if not (view.groups or view.conditions or view.dependent_schemas):
        # Nothing but the schema's own properties is evaluated then.
        closers = [Closer(frozenset(view.properties), tuple(view.by_pattern), one)
                   for one in view.unevaluated.pop("unevaluatedProperties", ())]  # fmt: skip
        view.closers += closers


def _fold_values(view: View, listed: list[JSON]) -> None:
    """Leave out values of types that are not allowed; all values of a type are that type."""
    view.values = [one for one in listed if view.types is None or view.types & kinds(one)]
    view.types = frozenset(min(kinds(one)) for one in view.values)
    booleans = sum(isinstance(one, bool) for one in view.values)
    if view.values and view.types <= {"null", "boolean"} and booleans in (0, 2):
        view.values, view.constant = None, False


def _least_common(one: Fraction, other: Fraction) -> Fraction:
    """The least number that is a multiple of both."""
    return Fraction(math.lcm(one.numerator * other.denominator, other.numerator * one.denominator),
                    one.denominator * other.denominator)  # fmt: skip


def kinds(value: JSON) -> frozenset[str]:
    """The JSON types of a value: 1 is an integer and a number."""
    if value is None:
        return frozenset({"null"})
    if isinstance(value, bool):
        return frozenset({"boolean"})
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return frozenset({"integer", "number"})
    if isinstance(value, float):
        return frozenset({"number"})
    if isinstance(value, str):
        return frozenset({"string"})
    return frozenset({"array"}) if isinstance(value, list) else frozenset({"object"})


def _plain_types(source: Source, raw: JSON) -> frozenset[str] | None:
    """The types that a schema allows, where it says nothing else; None where it does."""
    raw = source.followed(raw)
    said = raw.get("type")
    if set(raw) - NO_MEANING - ({"nullable"} if source.old else set()) == {"type"}:
        types = frozenset([said] if isinstance(said, str) else [str(one) for one in _list(said)])
        return types | {"null"} if source.old and raw.get("nullable") is True else types
    if "type" not in raw or said == "null":
        rest = set(raw) - NO_MEANING - {"type", "nullable"}
        if rest == {"enum"} and raw["enum"] == [None]:
            return frozenset({"null"})
        if rest == {"const"} and raw["const"] is None:
            return frozenset({"null"})
    return None


def _listed(source: Source, members: Sequence[Part], *, once: bool) -> list[JSON] | None:
    """All values of a group of constants and lists of values; None where it is something else. ``once``: each in one member."""
    found: list[JSON] = []
    for part in members:
        raw = source.followed(part.raw)
        said = set(raw) - NO_MEANING - {"type"}
        values = raw.get("enum") if said == {"enum"} else [raw["const"]] if said == {"const"} else None
        if not isinstance(values, list):
            return None
        types = frozenset([raw["type"]] if isinstance(raw.get("type"), str) else _list(raw.get("type")))
        values = [one for one in values if not types or types & kinds(one)]
        if once and _common(values, found):
            return None
        found += values
    return found


def _met(one: frozenset[str] | None, other: frozenset[str]) -> frozenset[str]:
    """The types that both allow."""
    if one is None:
        return other
    both = one & other
    if ("number" in one and "integer" in other) or ("integer" in one and "number" in other):
        both |= {"integer"}
    return both


def _common(one: Sequence[JSON], other: Sequence[JSON]) -> list[JSON]:
    return [value for value in one if any(equal(value, known) for known in other)]


def _bound(view: View, value: Fraction, exclusive: bool, *, low: bool) -> None:
    """Keep the stricter of two bounds."""
    known = view.lower if low else view.upper
    new = (value, exclusive)
    if known is None or known[0] == value:
        kept = (value, exclusive or (known is not None and known[1]))
    else:
        kept = new if (value > known[0]) is low else known
    if low:
        view.lower = kept
    else:
        view.upper = kept


def _whole_bounds(view: View) -> None:
    """Bounds of integers, said without exclusion: above 0 is 1 and more."""
    if view.lower is not None:
        value, exclusive = view.lower
        view.lower = (Fraction(math.floor(value) + 1 if exclusive else math.ceil(value)), False)
    if view.upper is not None:
        value, exclusive = view.upper
        view.upper = (Fraction(math.ceil(value) - 1 if exclusive else math.floor(value)), False)


def _number(value: JSON) -> Fraction | None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or (isinstance(value, float) and not math.isfinite(value))
    ):
        return None
    return Fraction(str(value)) if isinstance(value, float) else Fraction(value)


def _list(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else []


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
