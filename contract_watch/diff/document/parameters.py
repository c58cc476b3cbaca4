"""Parameters: what callers say beside the body."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from contract_watch.diff.document import deprecation
from contract_watch.diff.document.change_log import Journal
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.source import Source, mapping

_PLACE = re.compile(r"\{([^{}/]+)\}")
_IGNORED = ("accept", "content-type", "authorization")
"""Headers that OpenAPI says elsewhere."""
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
Found = dict[tuple[str, str], tuple[Mapping[str, Any], Tokens]]


def form(path: str) -> str:
    """A path without the names of what stands in it."""
    return _PLACE.sub("{}", path)


def parameters(source: Source, path: str, lists: Iterable[tuple[Any, Tokens]]) -> Found:
    """All parameters of an operation, the later lists' before the earlier ones', with their places.

    Those of the path are known by their position: their name is nobody's business but the document's.
    """
    places = {name: str(number) for number, name in enumerate(_PLACE.findall(path))}
    found: Found = {}
    for raw, at in lists:
        for number, one in enumerate(raw if isinstance(raw, list) else ()):
            said = source.followed(one)
            where, name = str(said.get("in", "")), str(said.get("name", ""))
            if where not in _STYLES or (where == "header" and name.lower() in _IGNORED):
                continue
            key = name.lower() if where == "header" else places.get(name, name) if where == "path" else name
            found[where, key] = (said, (*at, str(number)))
    return found


def compare(journal: Journal, base: Found, revision: Found) -> None:
    """Tell what changed."""
    for key, (old, at) in base.items():
        area, name = f"{key[0]}-parameter", old.get("name")
        if key not in revision:
            word = deprecation.removal(old, journal.today)
            word = "removed-after-deprecation" if word == "removed-while-unstable" else word
            journal.tell(f"{area}-{word}", at, f"{key[0]} parameter {name} removed")
        else:
            new, here = revision[key]
            _kept(journal, area, old, new, (at, here))
    for key, (new, at) in revision.items():
        if key not in base:
            needed = new.get("required") is True or key[0] == "path"
            word = "required-added" if needed else "added"
            words = f"{'required ' if needed else ''}{key[0]} parameter {new.get('name')} added"
            journal.tell(f"{key[0]}-parameter-{word}", at, words)


def _kept(
    journal: Journal, area: str, old: Mapping[str, Any], new: Mapping[str, Any], at: tuple[Tokens, Tokens]
) -> None:
    name, here = new.get("name"), at[1]
    was, is_ = old.get("required") is True, new.get("required") is True
    if was != is_ and area != "path-parameter":
        word = "required" if is_ else "optional"
        journal.tell(f"{area}-became-{word}", here, f"{name} became {word}")
    was, is_ = old.get("deprecated") is True, new.get("deprecated") is True
    if was != is_:
        journal.tell(f"{area}-{'deprecated' if is_ else 'reactivated'}", here, f"{name}: deprecated is {is_} now")
    was, is_ = old.get("allowEmptyValue") is True, new.get("allowEmptyValue") is True
    if was != is_ and area == "query-parameter":  # it means nothing elsewhere
        word = "allowed" if is_ else "refused"
        journal.tell(f"{area}-empty-value-{word}", here, f"{name}: an empty value is {word} now")
    was, is_ = old.get("allowReserved") is True, new.get("allowReserved") is True
    if was != is_ and area == "query-parameter":
        word = "allowed" if is_ else "refused"
        journal.tell(f"{area}-reserved-signs-{word}", here, f"{name}: signs such as / and ? as they are, {word} now")
    _said(journal, area, old, new, at)


def _said(
    journal: Journal, area: str, old: Mapping[str, Any], new: Mapping[str, Any], at: tuple[Tokens, Tokens]
) -> None:
    """How the value is written, and its schema."""
    name = new.get("name")
    before, after = (notation(said) for said in (old, new))
    if before[0] != after[0]:
        journal.tell(f"{area}-media-type-changed", at[1], f"{name} is written as {after[0] or 'a plain value'} now")
        return
    styles = [style(said) for said in (old, new)]
    several = [has_parts(source.followed(schema[1])) for source, schema in
               ((journal.base, before), (journal.revision, after))]  # fmt: skip
    if after[0] == "" and several == [False, True] and _is_list_of_one(journal, before[1], after[1], styles):
        item = journal.revision.followed(after[1]).get("items", {})
        journal.tell(f"{area}-became-list", at[1], f"{name} may be given several times now")
        journal.schema("parameter", before[1], item, ((*at[0], *before[2]), (*at[1], *after[2], "items")), textual=True)
        return
    of_one = area == "path-parameter" and styles[0][0] != styles[1][0]  # there it stands before a single value too
    if styles[0] != styles[1] and (any(several) or of_one):
        journal.tell(f"{area}-style-changed", at[1], f"{name} is written otherwise now (style, explode)")
    places = ((*at[0], *before[2]), (*at[1], *after[2]))
    journal.schema("parameter", before[1], after[1], places, textual=is_text(after[0]))


def is_text(media_type: str) -> bool:
    """Whether a value of the media type is a text, whatever its schema calls it; JSON has types of its own."""
    return "json" not in media_type


def notation(said: Mapping[str, Any]) -> tuple[str, Any, Tokens]:
    """The media type that a parameter or header is written in, empty where it has none; its schema, and where that is."""
    content = said.get("content")
    if isinstance(content, dict) and content:
        name = next(iter(content))
        inner = mapping(content[name])
        return str(name).lower(), inner.get("schema", {}), ("content", str(name), "schema")
    return "", said.get("schema", {}), ("schema",)


def style(said: Mapping[str, Any]) -> tuple[str, bool]:
    name = said.get("style", _STYLES.get(str(said.get("in")), "simple"))
    return str(name), bool(said.get("explode", name == "form")) or name == "deepObject"


def has_parts(schema: Mapping[str, Any]) -> bool:
    """Whether a value may have parts, which a style sets side by side."""
    said = schema.get("type")
    types = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    return not types or bool({"array", "object"} & set(map(str, types)))


def _is_list_of_one(journal: Journal, one: Any, several: Any, styles: list[tuple[str, bool]]) -> bool:
    """Whether what one value was is written as a list of that one is, and may be such a list."""
    before, after = journal.base.followed(one), journal.revision.followed(several)
    item = journal.revision.followed(after.get("items", {}))
    if after.get("type") != "array" or before.get("type") != item.get("type") or after.get("minItems", 0) not in (0, 1):
        return False
    # Other styles split a text at its commas, spaces or bars; numbers and truth values have none.
    undivided = item.get("type") in ("integer", "number", "boolean") and styles[0][0] == styles[1][0]
    return styles[1] == ("form", True) or undivided
