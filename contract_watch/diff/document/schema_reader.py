"""Reading of schemas into normal form: references are followed, `allOf` is merged, equivalent spellings become one.

The result hides the differences between the dialects (``nullable`` and boolean bounds in 3.0), and those between
equivalent forms in one dialect: a list of types, a combinator of plain types, a combinator with one member.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.idle_keywords import (
    EXTENSIBLE,
    TRIVIAL_PATTERNS,
    accepts_everything,
    allows_any_string,
    allows_anything,
    allows_nothing,
    lists_all_types,
)
from contract_watch.diff.document.normalization import (
    MAX_SIZES,
    MIN_SIZES,
    intersect_values,
    normalize_constraints,
)
from contract_watch.diff.document.normalized_schema import (
    AdditionalProperties,
    Combinator,
    Condition,
    Conjunction,
    NormalizedSchema,
    SubSchema,
)
from contract_watch.diff.document.nullability import explain_nullable, means_null
from contract_watch.diff.document.plain_groups import NULL, find_plain_types, flatten_members, list_values
from contract_watch.diff.document.possible_types import TypeFinder, includes_types, intersect_types
from contract_watch.diff.document.source import JSON, SourceDocument, as_list, as_object, read_types
from contract_watch.diff.document.unevaluated import normalize_unevaluated

_SCALARS = frozenset({*MIN_SIZES, *MAX_SIZES, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
                      "pattern", "format", "uniqueItems"})  # fmt: skip
_OBJECTS = frozenset({"properties", "patternProperties", "required", "additionalProperties", "dependentRequired",
                      "dependentSchemas", "propertyNames"})  # fmt: skip
_ARRAYS = frozenset({"items", "prefixItems", "contains"})
_LOGIC = frozenset({"not", "if", "unevaluatedProperties", "unevaluatedItems", "contentMediaType", "contentEncoding",
                    "contentSchema"})  # fmt: skip


class SchemaReader:
    """A reader of one document's schemas with a cache."""

    def __init__(self, source: SourceDocument) -> None:
        self.source = source
        self._type_finder = TypeFinder(source)
        self._cache: dict[tuple[object, ...], tuple[Conjunction, NormalizedSchema]] = {}

    def read(self, node: Conjunction, *, folded: bool = True) -> NormalizedSchema:
        """Return the conditions of a node. Callers must not change them.

        Without ``folded``, combinators of plain types, of values or with null stay what they are.
        """
        key = (
            tuple((id(part.raw), part.path) for part in node) if len(node) > 1 else tuple(id(part.raw) for part in node)
        )
        without_null = node[0].without_null if len(node) == 1 else any(part.without_null for part in node)
        cached = self._cache.get((folded, without_null, *key))
        if cached is None:  # paths are relative to a single schema, but complete for several
            whole = node if len(node) > 1 else (SubSchema(node[0].raw, (), without_null),) if node else ()
            cached = self._cache[folded, without_null, *key] = (node, self._build(whole, folded=folded))
        return cached[1]

    def _build(self, node: Conjunction, *, folded: bool) -> NormalizedSchema:
        schema = NormalizedSchema()
        without_null = any(part.without_null for part in node)
        builder = _SchemaBuilder(self.source, schema, self._type_finder, folded=folded, without_null=without_null)
        builder.add_all(node)
        builder.merge_single_members()
        builder.decide_null(node)
        normalize_unevaluated(schema, builder.schemas)
        schema.parts = tuple(SubSchema(raw, at, without_null) for at, raw in builder.schemas) if not folded else ()
        normalize_constraints(schema)
        self._normalize_types(schema)
        return schema

    def _normalize_types(self, schema: NormalizedSchema) -> None:
        """Drop a type that the combinators imply, and keep all types that are possible.

        Null that only the type allows stays: whoever writes it means it.
        """
        if lists_all_types(schema.types):
            schema.types = None
        for group in schema.combinators:
            types = self._type_finder.find_union(member[0].raw for member in group.members)
            schema.possible_types = intersect_types(schema.possible_types, types)
        implied = schema.possible_types
        if implied is not None and schema.also_null:
            implied |= {"null"}
        schema.possible_types = intersect_types(schema.types, implied)
        is_implied = implied is not None and schema.values is None and includes_types(schema.types, implied)
        if is_implied and ("null" not in (schema.types or ()) or "null" in (implied or ())):
            schema.types = None


class _SchemaBuilder:
    def __init__(
        self, source: SourceDocument, schema: NormalizedSchema, types: TypeFinder, *, folded: bool, without_null: bool
    ) -> None:
        self._source, self._schema, self._type_finder = source, schema, types
        self._folds, self._without_null = folded, without_null
        self._followed: set[str] = set()
        self._doubt = ""
        self.schemas: list[tuple[Tokens, Mapping[str, Any]]] = []
        """All merged schemas with their paths."""

    def add_all(self, node: Iterable[SubSchema]) -> None:
        waiting = list(reversed(list(node)))
        while waiting:
            part = waiting.pop()
            raw = part.raw
            if raw is False:
                self._schema.rejects_all = True
            if not isinstance(raw, dict):
                continue
            reference = raw.get("$ref")
            if isinstance(reference, str):
                if reference not in self._followed:
                    self._followed.add(reference)
                    waiting.append(SubSchema(self._source.resolve(reference), part.path))
                if self._source.is_openapi_30:  # which ignores whatever stands beside a reference
                    self._note_nullable(raw)
                    continue
            waiting += reversed(self._add_schema(raw, part.path))

    def _note_nullable(self, raw: Mapping[str, Any]) -> None:
        if raw.get("nullable") is True:
            self._doubt = self._doubt or explain_nullable(self._source, raw)

    def decide_null(self, node: Conjunction) -> None:
        """Decide if null is left open, once all schemas are merged, or leave it out."""
        schema = self._schema
        if self._without_null:
            schema.also_null = False
            schema.types = schema.types and schema.types - {"null"}
            schema.values = None if schema.values is None else [one for one in schema.values if one is not None]
        elif self._doubt and not (schema.allows_null and not (schema.combinators or schema.nots)):
            whole = {"allOf": [part.raw for part in node]}
            schema.open_null = self._doubt if means_null(self._source, whole, set()) else ""

    def merge_single_members(self) -> None:
        """Merge combinators with one member unless there is one combinator alone, which may have had or may get others."""
        found = self._schema.combinators
        if len(found) > 1 and (single := [group for group in found if len(group.members) == 1]):
            self._schema.combinators = [group for group in found if len(group.members) > 1]
            self.add_all(part for group in single for part in group.members[0])
            self.merge_single_members()

    def _add_schema(self, raw: Mapping[str, Any], at: Tokens) -> list[SubSchema]:
        """Add the conditions of a schema, and return further schemas that also have to match."""
        self.schemas.append((at, raw))
        self._add_types(raw)
        more = [SubSchema(member, (*at, "allOf", str(n))) for n, member in enumerate(as_list(raw.get("allOf")))]
        for kind in ("anyOf", "oneOf"):
            members = flatten_members(kind, raw, at) if kind in raw else ()
            if members and not (kind == "anyOf" and any(allows_anything(member.raw) for member in members)):
                more += self._add_combinator(kind, members)
        # Most schemas have a few keywords; to look for all of them takes most of the time of a small comparison.
        if not _SCALARS.isdisjoint(raw):
            self._add_scalars(raw)
        if not _OBJECTS.isdisjoint(raw):
            self._add_objects(raw, at)
        if not _ARRAYS.isdisjoint(raw):
            self._add_arrays(raw, at)
        if not _LOGIC.isdisjoint(raw):
            self._add_logic(raw, at)
        self._add_annotations(raw)
        return more

    def _allows_anything(self, raw: JSON) -> bool:
        return allows_anything(raw, self._source.resolve)

    # -- combinators

    def _add_combinator(self, kind: str, members: list[SubSchema]) -> list[SubSchema]:
        """Add ``anyOf`` or ``oneOf``: as a list of types or values, as nullable, or unchanged."""
        schema = self._schema
        if not self._folds:
            if self._without_null:
                members = [one for one in members if find_plain_types(self._source, one.raw) != NULL]
            schema.combinators.append(Combinator(kind, tuple((part,) for part in members)))
            return []
        plain = [find_plain_types(self._source, part.raw) for part in members]
        if all(types is not None for types in plain):
            union: frozenset[str] = frozenset().union(*(types for types in plain if types is not None))
            apart = sum(len(types) for types in plain if types is not None) == len(union)
            if kind == "anyOf" or (apart and not {"integer", "number"} <= union):
                schema.types = intersect_types(schema.types, union)
                return []
        if (listed := list_values(self._source, members, is_exclusive=kind == "oneOf")) is not None:
            schema.values = listed if schema.values is None else intersect_values(schema.values, listed)
            return []
        rest = [part for part, types in zip(members, plain, strict=True) if types != NULL]
        if len(rest) < len(members) and (schema.types is None or "null" in schema.types):
            if kind == "oneOf" and self._may_exclude_null(members, rest):
                rest = members
            else:
                schema.also_null = True
        if len(rest) == 1:
            return rest
        schema.combinators.append(Combinator(kind, tuple((part,) for part in rest)))
        return []

    def _may_exclude_null(self, members: Sequence[SubSchema], rest: Sequence[SubSchema]) -> bool:
        """Return True if two members of ``oneOf`` may allow null; ``rest`` are those that allow something else."""
        others = self._type_finder.find_union(part.raw for part in rest)
        return len(rest) < len(members) - 1 or others is None or "null" in others

    # -- keywords

    def _add_types(self, raw: Mapping[str, Any]) -> None:
        schema = self._schema
        types = read_types(raw)
        nullable = self._source.is_openapi_30 and raw.get("nullable") is True
        self._note_nullable(raw)
        if types:
            schema.types = intersect_types(schema.types, types | ({"null"} if nullable else set()))
        values = raw.get("enum")
        if isinstance(values, list):
            schema.values = values if schema.values is None else intersect_values(schema.values, values)
        if "const" in raw and not self._source.is_openapi_30:
            schema.is_const = schema.values is None
            schema.values = [raw["const"]] if schema.values is None else intersect_values(schema.values, [raw["const"]])

    def _add_scalars(self, raw: Mapping[str, Any]) -> None:
        schema = self._schema
        for low, key in ((True, "minimum"), (False, "maximum")):
            bound, exclusive = _read_number(raw.get(key)), raw.get("exclusive" + key.capitalize())
            if bound is not None:
                _tighten_bound(schema, bound, exclusive is True and self._source.is_openapi_30, low=low)
                if exclusive is True and not self._source.is_openapi_30:
                    schema.open_bounds[key] = bound, True
            if (stricter := _read_number(exclusive)) is not None:
                _tighten_bound(schema, stricter, True, low=low)
        self._add_sizes(raw)
        if (step := _read_number(raw.get("multipleOf"))) is not None and step > 0:
            schema.multiples.add(step)
        pattern = raw.get("pattern")
        if isinstance(pattern, str) and pattern not in TRIVIAL_PATTERNS:
            schema.patterns.add(pattern)
        shape = raw.get("format")
        if isinstance(shape, str):
            schema.formats.add(shape)
        schema.has_unique_items = schema.has_unique_items or raw.get("uniqueItems") is True

    def _add_sizes(self, raw: Mapping[str, Any]) -> None:
        schema = self._schema
        for key in MIN_SIZES:
            if (size := _read_number(raw.get(key))) is not None:
                schema.sizes[key] = max(schema.sizes.get(key, 0), math.ceil(size))
        for key in MAX_SIZES:
            if (size := _read_number(raw.get(key))) is not None:
                schema.sizes[key] = min(schema.sizes.get(key, math.floor(size)), math.floor(size))

    def _add_objects(self, raw: Mapping[str, Any], at: Tokens) -> None:
        normalized = self._schema
        properties = as_object(raw.get("properties"))
        for name, schema in properties.items():
            normalized.properties.setdefault(name, []).append(SubSchema(schema, (*at, "properties", name)))
        patterns = as_object(raw.get("patternProperties"))
        for expression, schema in patterns.items():
            location = (*at, "patternProperties", expression)
            normalized.pattern_properties.setdefault(expression, []).append(SubSchema(schema, location))
        normalized.required |= {name for name in as_list(raw.get("required")) if isinstance(name, str)}
        others = raw.get("additionalProperties")
        if others is False or (isinstance(others, dict) and not self._allows_anything(others)):
            additional = SubSchema(not allows_nothing(others) and others, (*at, "additionalProperties"))
            normalized.closed_objects.append(AdditionalProperties(frozenset(properties), tuple(patterns), additional))
        for name, wanted in as_object(raw.get("dependentRequired")).items():
            others_wanted = {one for one in as_list(wanted) if isinstance(one, str)} - {name}
            normalized.dependent_required.setdefault(name, set()).update(others_wanted)
        for name, schema in as_object(raw.get("dependentSchemas")).items():
            if isinstance(schema, dict) and set(schema) == {"required"}:
                normalized.dependent_required.setdefault(name, set()).update(
                    one for one in as_list(schema["required"]) if isinstance(one, str)
                )
                continue
            if not self._allows_anything(schema):
                normalized.dependent_schemas.setdefault(name, []).append(
                    SubSchema(schema, (*at, "dependentSchemas", name))
                )
        if not allows_any_string(raw.get("propertyNames", True), self._source.resolve):
            normalized.property_names.append(SubSchema(raw["propertyNames"], (*at, "propertyNames")))

    def _add_arrays(self, raw: Mapping[str, Any], at: Tokens) -> None:
        schema = self._schema
        prefix = [SubSchema(one, (*at, "prefixItems", str(n))) for n, one in enumerate(as_list(raw.get("prefixItems")))]
        items = raw.get("items")
        rest = SubSchema(items, (*at, "items")) if isinstance(items, dict | bool) and items is not True else None
        if prefix or rest is not None:
            schema.item_lists.append((tuple(prefix), rest))
        if "contains" in raw:
            minimum, maximum = _read_number(raw.get("minContains")), _read_number(raw.get("maxContains"))
            bounds = (1 if minimum is None else int(minimum), None if maximum is None else int(maximum))
            if bounds != (0, None):
                schema.contains.append((SubSchema(raw["contains"], (*at, "contains")), *bounds))

    def _add_logic(self, raw: Mapping[str, Any], at: Tokens) -> None:
        schema = self._schema
        if accepts_everything(raw.get("not", False)):
            schema.rejects_all = True
        elif raw.get("not", False) is not False:
            schema.nots.append(SubSchema(raw["not"], (*at, "not")))
        if "if" in raw and ("then" in raw or "else" in raw):
            then, otherwise = (() if self._allows_anything(raw.get(key, True)) else (SubSchema(raw[key], (*at, key)),)
                               for key in ("then", "else"))  # fmt: skip
            if then or otherwise:
                schema.conditions.append(Condition(SubSchema(raw["if"], (*at, "if")), then, otherwise))
        for key in ("unevaluatedProperties", "unevaluatedItems"):
            if not self._allows_anything(raw.get(key, True)):
                schema.unevaluated.setdefault(key, []).append(SubSchema(raw[key], (*at, key)))
        for key in ("contentMediaType", "contentEncoding"):
            if key in raw:
                schema.content[key] = raw[key]
        if "contentSchema" in raw:
            schema.content_schema.append(SubSchema(raw["contentSchema"], (*at, "contentSchema")))

    def _add_annotations(self, raw: Mapping[str, Any]) -> None:
        schema = self._schema
        schema.read_only = schema.read_only or raw.get("readOnly") is True
        schema.write_only = schema.write_only or raw.get("writeOnly") is True
        schema.deprecated = schema.deprecated or raw.get("deprecated") is True
        if "default" in raw:
            schema.default = (raw["default"],)
        if isinstance(raw.get("discriminator"), dict):
            schema.discriminator = raw["discriminator"]
        if isinstance(raw.get(EXTENSIBLE), list):
            schema.extensible_values = raw[EXTENSIBLE]


def _tighten_bound(schema: NormalizedSchema, value: Fraction, exclusive: bool, *, low: bool) -> None:
    """Replace a bound if the new one is stricter."""
    known = schema.lower if low else schema.upper
    new = (value, exclusive)
    if known is None or known[0] == value:
        stricter = (value, exclusive or (known is not None and known[1]))
    else:
        stricter = new if (value > known[0]) is low else known
    if low:
        schema.lower = stricter
    else:
        schema.upper = stricter


def _read_number(value: JSON) -> Fraction | None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or (isinstance(value, float) and not math.isfinite(value))
    ):
        return None
    return Fraction(str(value)) if isinstance(value, float) else Fraction(value)
