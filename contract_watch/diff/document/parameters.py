"""Comparison of parameters."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from contract_watch.diff.document import deprecation
from contract_watch.diff.document.change_log import ChangeLog
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.normalized_schema import SubSchema
from contract_watch.diff.document.renames import describe_rename, pair_names
from contract_watch.diff.document.source import SourceDocument
from contract_watch.diff.document.value_text import Default, describe_default, describe_need

_PLACEHOLDER = re.compile(r"\{([^{}/]+)\}")
_IGNORED = ("accept", "content-type", "authorization")
"""Headers that other parts of OpenAPI describe."""
_STYLES = {"query": "form", "querystring": "form", "cookie": "form", "path": "simple", "header": "simple"}
ParameterMap = dict[tuple[str, str], tuple[Mapping[str, Any], Tokens]]


def normalize_path(path: str) -> str:
    """Return a path without the names of its placeholders."""
    return _PLACEHOLDER.sub("{}", path)


def collect_parameters(source: SourceDocument, path: str, lists: Iterable[tuple[Any, Tokens]]) -> ParameterMap:
    """Return the parameters of an operation with their locations; later lists take precedence.

    Path parameters are identified by position, because renaming one changes no request.
    """
    locations = {name: str(number) for number, name in enumerate(_PLACEHOLDER.findall(path))}
    found: ParameterMap = {}
    for raw, at in lists:
        for number, one in enumerate(raw if isinstance(raw, list) else ()):
            spec = source.follow(one)
            where, name = str(spec.get("in", "")), str(spec.get("name", ""))
            if where not in _STYLES or (where == "header" and name.lower() in _IGNORED):
                continue
            found[where, _identify(where, name, locations)] = (spec, (*at, str(number)))
    return found


def _identify(where: str, name: str, positions: Mapping[str, str]) -> str:
    """Return what identifies a parameter in requests; the name of the one for the whole query string is not sent."""
    if where == "querystring":
        return ""
    return name.lower() if where == "header" else positions.get(name, name) if where == "path" else name


def compare(change_log: ChangeLog, base: ParameterMap, revision: ParameterMap) -> None:
    """Record the changes of parameters."""
    renamed = _find_renames(change_log, base, revision)
    for key, (old, at) in base.items():
        area, name = f"{key[0]}-parameter", old.get("name")
        if key in renamed:
            new, here = revision[renamed[key]]
            _record_rename(change_log, area, (old, new), (at, here))
        elif key not in revision:
            word = deprecation.classify_removal(old, change_log.today)
            word = "removed-after-deprecation" if word == "removed-while-unstable" else word
            change_log.record_change(f"{area}-{word}", at, f"{key[0]} parameter {name} removed")
        else:
            new, here = revision[key]
            _compare_parameter(change_log, area, old, new, (at, here))
    for key, (new, at) in revision.items():
        if key not in base and key not in renamed.values():
            needed = new.get("required") is True or key[0] == "path"
            word = "required-added" if needed else "added"
            default = _find_default(change_log, 1, new)
            message = (
                f"{'required ' if needed else ''}{key[0]} parameter {new.get('name')} added{describe_default(default)}"
            )
            change_log.record_change(f"{key[0]}-parameter-{word}", at, message)


def _find_renames(
    change_log: ChangeLog, base: ParameterMap, revision: ParameterMap
) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the new key of each parameter that was renamed; those of a path are identified by position anyway."""
    removed = [
        key
        for key, (spec, _) in base.items()
        if key not in revision
        and key[0] != "path"
        and deprecation.classify_removal(spec, change_log.today) == "removed"
    ]
    added = [key for key in revision if key not in base and key[0] != "path"]

    def is_same(old: tuple[str, str], new: tuple[str, str]) -> bool:
        return old[0] == new[0] and is_encoded_alike(change_log, base[old][0], revision[new][0])

    return pair_names(removed, added, is_same)


def is_encoded_alike(change_log: ChangeLog, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Return True if two parameters or headers have the same schema and encoding, whatever their names."""
    before, after = find_schema(change_log.base, old), find_schema(change_log.revision, new)
    flags = ("deprecated", "allowEmptyValue", "allowReserved")
    traits = [
        (schema[0], find_style(spec), *(spec.get(flag) is True for flag in flags))
        for spec, schema in ((old, before), (new, after))
    ]
    return traits[0] == traits[1] and change_log.schemas.is_same((SubSchema(before[1]),), (SubSchema(after[1]),))


def _record_rename(
    change_log: ChangeLog, area: str, specs: tuple[Mapping[str, Any], Mapping[str, Any]], at: tuple[Tokens, Tokens]
) -> None:
    """Record a rename, and the change of ``required`` that comes with it."""
    was, is_ = (spec.get("required") is True for spec in specs)
    old, new = (spec.get("name") for spec in specs)
    message = f"{area.replace('-', ' ')} {describe_rename(old, new)}"
    change_log.record_change(f"{area}-{'required-' if was and is_ else ''}renamed", at[1], message, previous=at[0])
    if was != is_:
        word = "required" if is_ else "optional"
        defaults = (_find_default(change_log, side, spec) for side, spec in enumerate(specs))
        change_log.record_change(f"{area}-became-{word}", at[1], describe_need(new, *defaults, is_required=is_))


def _find_default(change_log: ChangeLog, side: int, spec: Mapping[str, Any]) -> Default:
    source = (change_log.base, change_log.revision)[side]
    return change_log.schemas.normalize(side, (SubSchema(find_schema(source, spec)[1]),)).default


def _compare_parameter(
    change_log: ChangeLog, area: str, old: Mapping[str, Any], new: Mapping[str, Any], at: tuple[Tokens, Tokens]
) -> None:
    name, here = new.get("name"), at[1]
    was, is_ = old.get("required") is True, new.get("required") is True
    if was != is_ and area != "path-parameter":
        word = "required" if is_ else "optional"
        defaults = _find_default(change_log, 0, old), _find_default(change_log, 1, new)
        change_log.record_change(f"{area}-became-{word}", here, describe_need(name, *defaults, is_required=is_))
    was, is_ = old.get("deprecated") is True, new.get("deprecated") is True
    if was != is_:
        change_log.record_change(
            f"{area}-{'deprecated' if is_ else 'reactivated'}",
            here,
            f"{name} is {'now' if is_ else 'no longer'} deprecated",
        )
    was, is_ = old.get("allowEmptyValue") is True, new.get("allowEmptyValue") is True
    if was != is_ and area == "query-parameter":  # other parameters ignore it
        word = "allowed" if is_ else "refused"
        change_log.record_change(f"{area}-empty-value-{word}", here, f"{name}: an empty value is now {word}")
    was, is_ = old.get("allowReserved") is True, new.get("allowReserved") is True
    if was != is_ and area == "query-parameter":
        word = "allowed" if is_ else "refused"
        change_log.record_change(
            f"{area}-reserved-signs-{word}", here, f"{name}: unescaped reserved characters such as / are now {word}"
        )
    _compare_serialization(change_log, area, old, new, at)


def _compare_serialization(
    change_log: ChangeLog, area: str, old: Mapping[str, Any], new: Mapping[str, Any], at: tuple[Tokens, Tokens]
) -> None:
    """Record the changes of a parameter's encoding and of its schema."""
    name = new.get("name")
    before, after = find_schema(change_log.base, old), find_schema(change_log.revision, new)
    if before[0] != after[0]:
        change_log.record_change(f"{area}-media-type-changed", at[1], describe_encoding(name, before[0], after[0]))
        return
    styles = [find_style(spec) for spec in (old, new)]
    several = [is_composite(change_log, side, schema[1]) for side, schema in enumerate((before, after))]
    if after[0] == "" and several == [False, True] and _is_list_of_one(change_log, before[1], after[1], styles):
        items = change_log.schemas.normalize(1, (SubSchema(after[1]),)).find_item(0)
        item = items[0] if items else SubSchema({}, ("items",))
        change_log.record_change(f"{area}-became-list", at[1], f"{name} may now occur several times")
        change_log.compare_schemas(
            "parameter", before[1], item.raw, ((*at[0], *before[2]), (*at[1], *after[2], *item.path)), as_string=True
        )
        return
    of_one = area == "path-parameter" and styles[0][0] != styles[1][0]  # there the style also applies to single values
    if styles[0] != styles[1] and (any(several) or of_one):
        change_log.record_change(f"{area}-style-changed", at[1], describe_style(name, *styles))
    locations = ((*at[0], *before[2]), (*at[1], *after[2]))
    change_log.compare_schemas("parameter", before[1], after[1], locations, as_string=is_string_encoded(after[0]))


def is_string_encoded(media_type: str) -> bool:
    """Return True if values of the media type are strings, whatever type the schema gives; JSON has types."""
    return "json" not in media_type


def find_schema(source: SourceDocument, spec: Mapping[str, Any]) -> tuple[str, Any, Tokens]:
    """Return the media type of a parameter or header ("" if none), its schema, and the path of that schema."""
    content = spec.get("content")
    if isinstance(content, dict) and content:
        name = next(iter(content))
        inner = source.follow(content[name])
        return str(name).lower(), inner.get("schema", {}), ("content", str(name), "schema")
    return "", spec.get("schema", {}), ("schema",)


def find_style(spec: Mapping[str, Any]) -> tuple[str, bool]:
    name = spec.get("style", _STYLES.get(str(spec.get("in")), "simple"))
    return str(name), bool(spec.get("explode", name == "form")) or name == "deepObject"


def describe_style(name: object, old: tuple[str, bool] | None, new: tuple[str, bool] | None) -> str:
    """Return the words for another style, with those of both sides; None: the media type decides."""
    words = [f"{one[0]} (explode: {str(one[1]).lower()})" if one else "none" for one in (old, new)]
    return f"{name}: style changed from {words[0]} to {words[1]}"


def describe_encoding(name: object, old: str, new: str) -> str:
    """Return the words for another media type of a parameter or header; "" is a plain value."""
    return f"{name} is encoded as {new or 'a plain value'} now, not as {old or 'a plain value'}"


def is_composite(change_log: ChangeLog, side: int, schema: Any) -> bool:
    """Return True if a value of the base (0) or the revision (1) may have several parts, which a style joins."""
    types = change_log.schemas.normalize(side, (SubSchema(schema),)).types
    return types is None or bool(types & {"array", "object"})


def _is_list_of_one(change_log: ChangeLog, one: Any, several: Any, styles: list[tuple[str, bool]]) -> bool:
    """Return True if an array of one item is encoded as the single value was, and such an array is allowed."""
    before, after = (
        change_log.schemas.normalize(side, (SubSchema(schema),)) for side, schema in enumerate((one, several))
    )
    if after.types != frozenset({"array"}) or after.sizes.get("minItems", 0) > 1 or after.sizes.get("maxItems", 1) < 1:
        return False
    if len(after.find_item(0)) > 1:
        return False
    item = change_log.schemas.normalize(1, after.find_item(0))
    kinds = (item.types or frozenset({"string"})) - {"null"}
    if (before.types or frozenset({"string"})) - {"null"} - kinds or kinds & {"array", "object"}:
        return False
    # Other styles split a string at commas, spaces or bars; numbers and booleans contain none.
    undivided = "string" not in kinds and styles[0][0] == styles[1][0]
    return styles[1] == ("form", True) or undivided
