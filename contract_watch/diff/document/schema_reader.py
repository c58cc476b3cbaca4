"""Schemas read into views: references followed, `allOf` merged, spellings made one.

What the two dialects say differently (3.0's ``nullable`` and its boolean bounds), and what one dialect can say in several
ways (a list of types, a group of plain types, a group of one), is the same afterwards.
"""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.normalization import LARGEST, SIZES, common, fold, kinds, named
from contract_watch.diff.document.normalized_schema import Closer, Condition, Group, Node, Part, View
from contract_watch.diff.document.source import JSON, Source, mapping
from contract_watch.diff.document.unevaluated import fold_unevaluated

NO_MEANING = frozenset({"title", "description", "example", "examples", "externalDocs", "xml", "$comment", "deprecated",
                        "default", "readOnly", "writeOnly"})  # fmt: skip
"""Keywords that leave the set of allowed values as it is."""
_TRIVIAL_PATTERNS = frozenset({"", "^", "$", ".*", "^.*", ".*$", "^.*$", "^[\\s\\S]*$", "[\\s\\S]*"})
_HINTS = frozenset({"password", "textarea", "markdown", "commonmark", "html"})
"""Formats that say how a value is shown, and nothing of which values there are."""
_EXTENSIBLE = "x-extensible-enum"


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
        builder = _Builder(self.source, view)
        builder.add_all(node)
        fold_unevaluated(view, builder.said)
        fold(view)
        return view


class _Builder:
    def __init__(self, source: Source, view: View) -> None:
        self._source, self._view = source, view
        self._followed: set[str] = set()
        self.said: list[tuple[Tokens, Mapping[str, Any]]] = []
        """Every schema that was taken in, with its place."""

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
        self.said.append((at, raw))
        more = [Part(member, (*at, "allOf", str(n))) for n, member in enumerate(_list(raw.get("allOf")))]
        for kind in ("anyOf", "oneOf"):
            members = _members(kind, raw, at)
            if members and not (kind == "anyOf" and any(_anything(member.raw) for member in members)):
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
            view.values = listed if view.values is None else common(view.values, listed)
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
            view.values = nulled if view.values is None else common(view.values, nulled)
        if "const" in raw and not self._source.old:
            view.constant = view.values is None
            view.values = [raw["const"]] if view.values is None else common(view.values, [raw["const"]])

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
        others = raw.get("additionalProperties")
        if others is False or (isinstance(others, dict) and _meaning(others)):
            closer = Part(not _nothing(others) and others, (*at, "additionalProperties"))
            view.closers.append(Closer(frozenset(properties), tuple(patterns), closer))
        for name, wanted in mapping(raw.get("dependentRequired")).items():
            others_wanted = {one for one in _list(wanted) if isinstance(one, str)} - {name}
            view.dependent.setdefault(name, set()).update(others_wanted)
        for name, schema in mapping(raw.get("dependentSchemas")).items():
            if isinstance(schema, dict) and set(schema) == {"required"}:
                view.dependent.setdefault(name, set()).update(
                    one for one in _list(schema["required"]) if isinstance(one, str)
                )
                continue
            if not _anything(schema):
                view.dependent_schemas.setdefault(name, []).append(Part(schema, (*at, "dependentSchemas", name)))
        if not _any_text(raw.get("propertyNames", True)):
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
        if _anything(raw.get("not", False)):
            view.never = True
        elif raw.get("not", False) is not False:
            view.nots.append(Part(raw["not"], (*at, "not")))
        if "if" in raw and ("then" in raw or "else" in raw):
            then, otherwise = (() if _anything(raw.get(key, True)) else (Part(raw[key], (*at, key)),)
                               for key in ("then", "else"))  # fmt: skip
            if then or otherwise:
                view.conditions.append(Condition(Part(raw["if"], (*at, "if")), then, otherwise))
        for key in ("unevaluatedProperties", "unevaluatedItems"):
            if not _anything(raw.get(key, True)):
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
        if isinstance(raw.get(_EXTENSIBLE), list):
            view.extensible = raw[_EXTENSIBLE]


def _members(kind: str, raw: Mapping[str, Any], at: Tokens) -> list[Part]:
    """The members of a group; a member of ``anyOf`` that is one itself gives its own."""
    found: list[Part] = []
    for number, member in enumerate(_list(raw.get(kind))):
        here = (*at, kind, str(number))
        nested = kind == "anyOf" and isinstance(member, dict) and _meaning(member) == {"anyOf"}
        found += _members(kind, member, here) if nested else [Part(member, here)]
    return found


def _meaning(raw: Mapping[str, Any]) -> set[str]:
    """The keywords of a schema that are about which values there are."""
    return {key for key in raw if key not in NO_MEANING and (key == _EXTENSIBLE or not str(key).startswith("x-"))}


def _anything(raw: JSON) -> bool:
    """Whether a schema allows every value, for all that it says itself."""
    return raw is True or (isinstance(raw, dict) and not _meaning(raw))


def _nothing(raw: JSON) -> bool:
    """Whether a schema says itself that it allows no value."""
    return raw is False or (isinstance(raw, dict) and _anything(raw.get("not", False)))


def _any_text(raw: JSON) -> bool:
    """Whether a schema allows every text: names are nothing else."""
    return _anything(raw) or (isinstance(raw, dict) and _meaning(raw) == {"type"} and raw["type"] == "string")


def _plain_types(source: Source, raw: JSON) -> frozenset[str] | None:
    """The types that a schema allows, where it says nothing else; None where it does."""
    raw = source.followed(raw)
    said = raw.get("type")
    if _meaning(raw) - ({"nullable"} if source.old else set()) == {"type"}:
        types = frozenset([said] if isinstance(said, str) else [str(one) for one in _list(said)])
        return types | {"null"} if source.old and raw.get("nullable") is True else types
    if "type" not in raw or said == "null":
        rest = _meaning(raw) - {"type", "nullable"}
        if rest == {"enum"} and raw["enum"] == [None]:
            return frozenset({"null"})
        if rest == {"const"} and raw["const"] is None:
            return frozenset({"null"})
    return None


def _listed(source: Source, members: Sequence[Part], *, once: bool) -> list[JSON] | None:
    """All values of a group of constants and lists of values; None where it is something else. ``once``: each in one member."""
    found: list[JSON] = []
    known: set[Hashable] = set()
    for part in members:
        raw = source.followed(part.raw)
        said = _meaning(raw) - {"type"}
        values = raw.get("enum") if said == {"enum"} else [raw["const"]] if said == {"const"} else None
        if not isinstance(values, list):
            return None
        types = frozenset([raw["type"]] if isinstance(raw.get("type"), str) else _list(raw.get("type")))
        values = [one for one in values if not types or types & kinds(one)]
        names = set(map(named, values))
        if once and names & known:
            return None
        known |= names
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
