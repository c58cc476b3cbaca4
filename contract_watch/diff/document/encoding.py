"""Parts of a form: how each property of a body is written, as ``encoding`` says it, or its type where nothing does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.diff.document.change_log import Journal
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.normalized_schema import Part, View
from contract_watch.diff.document.parameters import is_text, notation
from contract_watch.diff.document.source import Source, mapping

_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/"
_STYLED = ("style", "explode", "allowReserved")
_PLAIN = frozenset({"string", "integer", "number", "boolean"})
_BYTES = frozenset({"binary", "byte", "base64"})
_DEEPEST = 20


@dataclass(frozen=True)
class _Written:
    """How a part is written: in which media types, or in a style; and whether signs such as / and ? stand as they are."""

    types: frozenset[str] = frozenset()
    style: tuple[str, bool] | None = None
    reserved: bool = False


def compare(journal: Journal, base: Any, revision: Any, names: tuple[str, str], at: tuple[Tokens, Tokens]) -> None:
    """Tell what changed in how the parts of two bodies are written; ``base`` and ``revision`` are media type objects.

    ``names`` are their media types: there are parts in forms alone.
    """
    kinds = tuple(map(_kind, names))
    if not kinds[0] or kinds[0] != kinds[1]:
        return
    said = tuple(mapping(mapping(one).get("encoding")) for one in (base, revision))
    if not any(said):
        return
    views = [
        journal.schemas.view(side, (Part(mapping(one).get("schema", {})),)) for side, one in enumerate((base, revision))
    ]
    for name in views[0].properties:
        if name in views[1].properties and any(name in one for one in said):
            old, new = mapping(said[0].get(name)), mapping(said[1].get(name))
            values = [journal.schemas.view(side, view.child(name)) for side, view in enumerate(views)]
            here = (*at[0], "encoding", name), (*at[1], "encoding", name)
            place = here[1] if name in said[1] else here[0]
            sources = journal.base, journal.revision
            ways = [
                _written(journal, side, sources[side], kinds[side], one, values[side])
                for side, one in enumerate((old, new))
            ]
            _way(journal, name, ways[0], ways[1], place)
            if kinds[0] == _MULTIPART:
                _headers(journal, old.get("headers"), new.get("headers"), here)


def _kind(media_type: str) -> str:
    essence = media_type.partition(";")[0].strip().lower()
    return essence if essence == _FORM else _MULTIPART if essence.startswith(_MULTIPART) else ""


def _written(journal: Journal, side: int, source: Source, kind: str, said: Mapping[str, Any], value: View) -> _Written:
    single = value.types is not None and value.types <= _PLAIN | {"null"}
    # Of multipart bodies, 3.0 leaves styles out; a type that is named in a form is how the value is written.
    styled = (kind == _FORM or not source.old) and any(key in said for key in _STYLED)
    if styled or (kind == _FORM and "contentType" not in said):
        style = str(said.get("style", "form"))
        explode = bool(said.get("explode", style == "form")) or style == "deepObject"
        reserved = said.get("allowReserved") is True
        return (
            _Written(frozenset({"text/plain"}), None, reserved)
            if single
            else _Written(style=(style, explode), reserved=reserved)
        )
    written = said.get("contentType")
    if isinstance(written, str):
        return _Written(frozenset(one.partition(";")[0].strip().lower() for one in written.split(",")))
    return _Written(_types(journal, side, value, old=source.old))


def _types(journal: Journal, side: int, value: View, *, old: bool, depth: int = 0) -> frozenset[str]:
    """The media types that a part has where nothing else is said."""
    if value.types is None or depth > _DEEPEST:
        return frozenset({"text/plain" if old else "application/octet-stream"})
    found = set[str]()
    for type_ in value.types - {"null"}:
        if type_ == "object":
            found.add("application/json")
        elif type_ == "array":
            item = journal.schemas.view(side, value.item(value.listed))
            found |= _types(journal, side, item, old=old, depth=depth + 1)
        else:
            encoded = type_ == "string" and (value.formats & _BYTES if old else value.content.get("contentEncoding"))
            found.add("application/octet-stream" if encoded else "text/plain")
    return frozenset(found)


def _way(journal: Journal, name: str, old: _Written, new: _Written, at: Tokens) -> None:
    if (old.style is None) is not (new.style is None) or (old.style and old.style != new.style):
        journal.tell("request-body-part-style-changed", at, f"{name} is written otherwise now (style, explode)")
        return
    gone, added = _not_in(old.types, new.types), _not_in(new.types, old.types)
    if gone:
        journal.tell("request-body-part-media-type-removed", at, f"{name} is not read as {', '.join(gone)} any more")
    if added:
        journal.tell("request-body-part-media-type-added", at, f"{name} may be written as {', '.join(added)} now")
    if old.reserved != new.reserved:
        word = "allowed" if new.reserved else "refused"
        words = f"{name}: signs such as / and ? as they are, {word} now"
        journal.tell(f"request-body-part-reserved-signs-{word}", at, words)


def _not_in(types: frozenset[str], others: frozenset[str]) -> list[str]:
    """The media types that no other is, or is a range of."""
    return sorted(one for one in types if not {one, f"{one.partition('/')[0]}/*", "*/*"} & others)


def _headers(journal: Journal, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    """What is said beside a part."""
    found = [
        {name.lower(): (source.followed(raw), (*place, "headers", name)) for name, raw in mapping(one).items() if name.lower() != "content-type"}
        for source, one, place in zip((journal.base, journal.revision), (base, revision), at, strict=True)
    ]  # fmt: skip
    for key, (old, here) in found[0].items():
        if key in found[1]:
            _header(journal, old, found[1][key][0], (here, found[1][key][1]))
        else:
            journal.tell("request-body-part-header-removed", here, f"header {here[-1]} removed")
    for key, (new, here) in found[1].items():
        if key not in found[0]:
            needed = "required-" if new.get("required") is True else ""
            journal.tell(f"request-body-part-header-{needed}added", here, f"header {here[-1]} added")


def _header(journal: Journal, old: Mapping[str, Any], new: Mapping[str, Any], at: tuple[Tokens, Tokens]) -> None:
    was, is_ = old.get("required") is True, new.get("required") is True
    if was != is_:
        word = "required" if is_ else "optional"
        journal.tell(f"request-body-part-header-became-{word}", at[1], f"header {at[1][-1]} became {word}")
    before, after = notation(old), notation(new)
    if before[0] != after[0]:
        words = f"header {at[1][-1]} is written as {after[0] or 'a plain value'} now"
        journal.tell("request-body-part-header-media-type-changed", at[1], words)
        return
    places = ((*at[0], *before[2]), (*at[1], *after[2]))
    journal.schema("parameter", before[1], after[1], places, textual=is_text(after[0]))
