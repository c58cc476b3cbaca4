"""Comparison of the parts of forms: the encoding of each property, by ``encoding`` or by its type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.diff.document.change_log import ChangeLog
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.normalized_schema import NormalizedSchema, SubSchema
from contract_watch.diff.document.parameters import find_schema, is_string_encoded
from contract_watch.diff.document.source import SourceDocument, as_object

_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/"
_STYLED = ("style", "explode", "allowReserved")
_SCALAR_TYPES = frozenset({"string", "integer", "number", "boolean"})
_BYTE_FORMATS = frozenset({"binary", "byte", "base64"})
_MAX_DEPTH = 20


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
    if not kinds[0] or kinds[0] != kinds[1]:
        return
    said = tuple(as_object(as_object(one).get("encoding")) for one in (base, revision))
    if not any(said):
        return
    views = [
        change_log.schemas.normalize(side, (SubSchema(as_object(one).get("schema", {})),))
        for side, one in enumerate((base, revision))
    ]
    for name in views[0].properties:
        if name in views[1].properties and any(name in one for one in said):
            old, new = as_object(said[0].get(name)), as_object(said[1].get(name))
            values = [change_log.schemas.normalize(side, view.find_property(name)) for side, view in enumerate(views)]
            here = (*at[0], "encoding", name), (*at[1], "encoding", name)
            place = here[1] if name in said[1] else here[0]
            sources = change_log.base, change_log.revision
            ways = [
                _read_encoding(change_log, side, sources[side], kinds[side], one, values[side])
                for side, one in enumerate((old, new))
            ]
            _compare_part(change_log, name, ways[0], ways[1], place)
            if kinds[0] == _MULTIPART:
                _compare_headers(change_log, old.get("headers"), new.get("headers"), here)


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
        change_log.record_change(
            "request-body-part-style-changed", at, f"{name} is written otherwise now (style, explode)"
        )
        return
    gone, added = _list_uncovered(old.types, new.types), _list_uncovered(new.types, old.types)
    if gone:
        change_log.record_change(
            "request-body-part-media-type-removed", at, f"{name} is not read as {', '.join(gone)} any more"
        )
    if added:
        change_log.record_change(
            "request-body-part-media-type-added", at, f"{name} may be written as {', '.join(added)} now"
        )
    if old.allows_reserved != new.allows_reserved:
        word = "allowed" if new.allows_reserved else "refused"
        words = f"{name}: signs such as / and ? as they are, {word} now"
        change_log.record_change(f"request-body-part-reserved-signs-{word}", at, words)


def _list_uncovered(types: frozenset[str], others: frozenset[str]) -> list[str]:
    """Return the media types that are neither among the others nor in one of their ranges."""
    return sorted(one for one in types if not {one, f"{one.partition('/')[0]}/*", "*/*"} & others)


def _compare_headers(change_log: ChangeLog, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    """Record the changes of a part's headers."""
    found = [
        {name.lower(): (source.follow(raw), (*place, "headers", name)) for name, raw in as_object(one).items() if name.lower() != "content-type"}
        for source, one, place in zip((change_log.base, change_log.revision), (base, revision), at, strict=True)
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
    before, after = find_schema(old), find_schema(new)
    if before[0] != after[0]:
        words = f"header {at[1][-1]} is written as {after[0] or 'a plain value'} now"
        change_log.record_change("request-body-part-header-media-type-changed", at[1], words)
        return
    places = ((*at[0], *before[2]), (*at[1], *after[2]))
    change_log.compare_schemas("parameter", before[1], after[1], places, as_string=is_string_encoded(after[0]))
