"""Comparison of the parts of forms: the encoding of each property, by ``encoding`` or by its type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.diff.document.change_log import ChangeLog
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.normalized_schema import Conjunction, NormalizedSchema, SubSchema
from contract_watch.diff.document.parameters import describe_encoding, describe_style, find_schema, is_string_encoded
from contract_watch.diff.document.source import SourceDocument, as_object

_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/"
_STYLED = ("style", "explode", "allowReserved")
_SCALAR_TYPES = frozenset({"string", "integer", "number", "boolean"})
_BYTE_FORMATS = frozenset({"binary", "byte", "base64"})
_MAX_DEPTH = 20
_KEYWORDS = frozenset({"encoding", "prefixEncoding", "itemEncoding"})
_FURTHER = 1_000_000
"""The position that stands for all without an encoding of their own."""


@dataclass(frozen=True)
class _PartEncoding:
    """The encoding of a part: its media types or its style, and if reserved characters stay unescaped."""

    types: frozenset[str] = frozenset()
    style: tuple[str, bool] | None = None
    allows_reserved: bool = False


def compare(change_log: ChangeLog, base: Any, revision: Any, names: tuple[str, str], at: tuple[Tokens, Tokens]) -> None:
    """Record the changes of the encoding of two bodies.

    Args:
        change_log: the record of changes.
        base: the media type object in the base.
        revision: the media type object in the revision.
        names: their media types; only forms have parts.
        at: their locations.
    """
    kinds = tuple(map(_classify_form, names))
    if not kinds[0] or kinds[0] != kinds[1] or not any(_KEYWORDS & as_object(one).keys() for one in (base, revision)):
        return
    sides = [
        _read_parts(change_log, side, as_object(one), here)
        for side, (one, here) in enumerate(zip((base, revision), at, strict=True))
    ]
    for key in dict.fromkeys((*sides[0].specs, *sides[1].specs)):
        values = [value for side in sides if (value := side.find_value(key)) is not None]
        if len(values) < 2:
            continue
        (old, before), (new, after) = (side.find_spec(key) for side in sides)
        sources = change_log.base, change_log.revision
        encodings = [
            _read_encoding(change_log, side, sources[side], kinds[side], one, value)
            for side, (one, value) in enumerate(zip((old, new), values, strict=True))
        ]
        name = key if isinstance(key, str) else "each further part" if key == _FURTHER else f"part {key}"
        _compare_part(change_log, name, encodings[0], encodings[1], after if key in sides[1].specs else before)
        if kinds[0] == _MULTIPART:
            _compare_headers(change_log, old.get("headers"), new.get("headers"), (before, after))


@dataclass(frozen=True)
class _Parts:
    """The parts of a form: by the name of a property, or by position in a sequence (OpenAPI 3.2).

    ``specs`` are the encodings that the document states, with their locations; ``rest`` is the one of all further
    positions. ``item`` is the schema of each item of a sequence.
    """

    specs: Mapping[str | int, tuple[Mapping[str, Any], Tokens]]
    rest: tuple[Mapping[str, Any], Tokens] | None
    location: Tokens
    schema: NormalizedSchema
    item: NormalizedSchema | None
    read: Callable[[Conjunction], NormalizedSchema]

    def find_spec(self, key: str | int) -> tuple[Mapping[str, Any], Tokens]:
        """Return the encoding of a part, empty if the document states none, and its location."""
        default = self.rest if isinstance(key, int) and self.rest else ({}, (*self.location, "encoding", str(key)))
        return self.specs.get(key, default)

    def find_value(self, key: str | int) -> NormalizedSchema | None:
        """Return the schema of a part, or None if there is no such part."""
        if isinstance(key, str):
            return self.read(self.schema.find_property(key)) if key in self.schema.properties else None
        return self.item or self.read(self.schema.find_item(key))


def _read_parts(change_log: ChangeLog, side: int, media: Mapping[str, Any], at: Tokens) -> _Parts:
    def read(node: Conjunction) -> NormalizedSchema:
        return change_log.schemas.normalize(side, node)

    specs: dict[str | int, tuple[Mapping[str, Any], Tokens]] = {
        name: (as_object(spec), (*at, "encoding", name)) for name, spec in as_object(media.get("encoding")).items()
    }
    prefix = media.get("prefixEncoding")
    for number, spec in enumerate(prefix if isinstance(prefix, list) else ()):
        specs[number] = as_object(spec), (*at, "prefixEncoding", str(number))
    rest = None
    if isinstance(media.get("itemEncoding"), dict):
        rest = specs[_FURTHER] = media["itemEncoding"], (*at, "itemEncoding")
    item = read((SubSchema(media["itemSchema"]),)) if "itemSchema" in media else None
    return _Parts(specs, rest, at, read((SubSchema(media.get("schema", {})),)), item, read)


def _classify_form(media_type: str) -> str:
    essence = media_type.partition(";")[0].strip().lower()
    return essence if essence == _FORM else _MULTIPART if essence.startswith(_MULTIPART) else ""


def _read_encoding(
    change_log: ChangeLog,
    side: int,
    source: SourceDocument,
    kind: str,
    spec: Mapping[str, Any],
    value: NormalizedSchema,
) -> _PartEncoding:
    single = value.types is not None and value.types <= _SCALAR_TYPES | {"null"}
    # OpenAPI 3.0 ignores styles in multipart bodies; in other forms `contentType` replaces the style.
    styled = (kind == _FORM or not source.is_openapi_30) and any(key in spec for key in _STYLED)
    if styled or (kind == _FORM and "contentType" not in spec):
        style = str(spec.get("style", "form"))
        explode = bool(spec.get("explode", style == "form")) or style == "deepObject"
        reserved = spec.get("allowReserved") is True
        return (
            _PartEncoding(frozenset({"text/plain"}), None, reserved)
            if single
            else _PartEncoding(style=(style, explode), allows_reserved=reserved)
        )
    written = spec.get("contentType")
    if isinstance(written, str):
        return _PartEncoding(frozenset(one.partition(";")[0].strip().lower() for one in written.split(",")))
    return _PartEncoding(_list_default_types(change_log, side, value, old=source.is_openapi_30))


def _list_default_types(
    change_log: ChangeLog, side: int, value: NormalizedSchema, *, old: bool, depth: int = 0
) -> frozenset[str]:
    """Return the media types of a part without an explicit encoding."""
    if value.types is None or depth > _MAX_DEPTH:
        return frozenset({"text/plain" if old else "application/octet-stream"})
    found = set[str]()
    for type_ in value.types - {"null"}:
        if type_ == "object":
            found.add("application/json")
        elif type_ == "array":
            item = change_log.schemas.normalize(side, value.find_item(value.prefix_length))
            found |= _list_default_types(change_log, side, item, old=old, depth=depth + 1)
        else:
            encoded = type_ == "string" and (
                value.formats & _BYTE_FORMATS if old else value.content.get("contentEncoding")
            )
            found.add("application/octet-stream" if encoded else "text/plain")
    return frozenset(found)


def _compare_part(change_log: ChangeLog, name: str, old: _PartEncoding, new: _PartEncoding, at: Tokens) -> None:
    if (old.style is None) is not (new.style is None) or (old.style and old.style != new.style):
        change_log.record_change("request-body-part-style-changed", at, describe_style(name, old.style, new.style))
        return
    gone, added = _list_uncovered(old.types, new.types), _list_uncovered(new.types, old.types)
    if gone:
        change_log.record_change(
            "request-body-part-media-type-removed", at, f"{name} is no longer accepted as {', '.join(gone)}"
        )
    if added:
        change_log.record_change(
            "request-body-part-media-type-added", at, f"{name} is now also accepted as {', '.join(added)}"
        )
    if old.allows_reserved != new.allows_reserved:
        word = "allowed" if new.allows_reserved else "refused"
        message = f"{name}: unescaped reserved characters such as / are now {word}"
        change_log.record_change(f"request-body-part-reserved-signs-{word}", at, message)


def _list_uncovered(types: frozenset[str], others: frozenset[str]) -> list[str]:
    """Return the media types that are neither among the others nor in one of their ranges."""
    return sorted(one for one in types if not {one, f"{one.partition('/')[0]}/*", "*/*"} & others)


def _compare_headers(change_log: ChangeLog, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    """Record the changes of a part's headers."""
    found = [
        {name.lower(): (source.follow(raw), (*location, "headers", name)) for name, raw in as_object(one).items() if name.lower() != "content-type"}
        for source, one, location in zip((change_log.base, change_log.revision), (base, revision), at, strict=True)
    ]  # fmt: skip
    for key, (old, here) in found[0].items():
        if key in found[1]:
            _compare_header(change_log, old, found[1][key][0], (here, found[1][key][1]))
        else:
            change_log.record_change("request-body-part-header-removed", here, f"header {here[-1]} removed")
    for key, (new, here) in found[1].items():
        if key not in found[0]:
            needed = "required-" if new.get("required") is True else ""
            change_log.record_change(f"request-body-part-header-{needed}added", here, f"header {here[-1]} added")


def _compare_header(
    change_log: ChangeLog, old: Mapping[str, Any], new: Mapping[str, Any], at: tuple[Tokens, Tokens]
) -> None:
    was, is_ = old.get("required") is True, new.get("required") is True
    if was != is_:
        word = "required" if is_ else "optional"
        change_log.record_change(f"request-body-part-header-became-{word}", at[1], f"header {at[1][-1]} became {word}")
    before, after = find_schema(change_log.base, old), find_schema(change_log.revision, new)
    if before[0] != after[0]:
        message = describe_encoding(f"header {at[1][-1]}", before[0], after[0])
        change_log.record_change("request-body-part-header-media-type-changed", at[1], message)
        return
    locations = ((*at[0], *before[2]), (*at[1], *after[2]))
    change_log.compare_schemas("parameter", before[1], after[1], locations, as_string=is_string_encoded(after[0]))
