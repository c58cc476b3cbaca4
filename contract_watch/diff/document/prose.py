"""Comparison of the prose of two documents: titles, summaries, descriptions and examples.

No prose changes what an API does, so `compare` ignores it. Docstrings and the README of a client show it, so nobody should
accept a document without having been told. Titles and summaries are names, of classes and of operations: a change is one of
the lowest level. Descriptions and examples are rewritten all the time: they are counted and the first are quoted.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contract_watch.diff.document.changes import ApiChange, Comparison, Tokens
from contract_watch.diff.document.json_pointer import format_pointer
from contract_watch.diff.document.parameters import normalize_path
from contract_watch.diff.document.rules import load_rules
from contract_watch.diff.document.source import OPERATION_KEYS
from contract_watch.escaping import escape_text
from contract_watch.generator.prose import NAME_MAPS, PROSE, VALUES

RULE = "prose-changed"
_MAX_TEXTS = 3
"""The texts of one part of a document that a message quotes."""
_MAX_TEXT_LENGTH = 100
_MAX_LINE_LENGTH = 400
_NAMING = ("title", "summary")
"""The keywords whose texts name something."""
_DEEP_PARTS = ("paths", "webhooks", "components")
"""The parts of a document whose operations and components have a change each."""


@dataclass
class _Texts:
    """The texts of a document and its objects, by keys that are equal in both documents, with their locations."""

    texts: dict[Tokens, tuple[Tokens, str]] = field(default_factory=dict)
    objects: set[Tokens] = field(default_factory=set)


def compare_prose(base: Mapping[str, Any], revision: Mapping[str, Any]) -> tuple[ApiChange, ...]:
    """Return a change for each operation, component and other part whose titles or summaries changed."""
    changed: dict[Tokens, list[str]] = {}
    for location, old, new in _iterate_changes(base, revision):
        if location[-1] in _NAMING:
            owner = location[: _measure_owner(location)]
            changed.setdefault(owner, []).append(_describe(location[len(owner) :], old, new))
    return tuple(_create_change(owner, messages) for owner, messages in changed.items())


def describe_rewording(base: Mapping[str, Any], revision: Mapping[str, Any]) -> list[str]:
    """Return a line with the number of changed descriptions and examples, and the first of them; none without any."""
    changed = [
        f"{format_pointer(location[:-1])}: {_describe(location[-1:], old, new)}"
        for location, old, new in _iterate_changes(base, revision)
        if location[-1] not in _NAMING
    ]
    texts = "; ".join(escape_text(text, _MAX_LINE_LENGTH) for text in changed[:_MAX_TEXTS])
    more = "; …" if len(changed) > _MAX_TEXTS else ""
    return [f"descriptions and examples changed, as docstrings will ({len(changed)}): {texts}{more}"] if changed else []


def _iterate_changes(base: Mapping[str, Any], revision: Mapping[str, Any]) -> Iterator[tuple[Tokens, str, str]]:
    """Yield the location of each text that changed, with the text before and after, empty if there is none.

    Texts of objects that only one document has belong to the change that `compare` reports.
    """
    before, after = _collect(base), _collect(revision)
    for key in dict.fromkeys((*after.texts, *before.texts)):
        if key[:-1] in before.objects and key[:-1] in after.objects:
            old, new = (side.texts.get(key, ((), ""))[1] for side in (before, after))
            if old != new:
                yield (after.texts.get(key) or before.texts[key])[0], old, new


def add_prose(comparison: Comparison, base: Mapping[str, Any], revision: Mapping[str, Any]) -> Comparison:
    """Return ``comparison``, which is of the same documents, with the changes of their prose."""
    return Comparison((*comparison.changes, *compare_prose(base, revision)))


def _create_change(owner: Tokens, messages: list[str]) -> ApiChange:
    rule = load_rules()[RULE]
    more = f", and {len(messages) - _MAX_TEXTS} more texts" if len(messages) > _MAX_TEXTS else ""
    level = rule.assess(rule.direction, rule.area).level
    return ApiChange(
        RULE, level, rule.direction, rule.area, format_pointer(owner), "; ".join(messages[:_MAX_TEXTS]) + more
    )


def _describe(inner: Tokens, old: str, new: str) -> str:
    name = escape_text("/".join(inner), _MAX_TEXT_LENGTH)
    texts = [f'"{escape_text(text, _MAX_TEXT_LENGTH)}"' for text in (old, new)]
    if not old:
        return f"{name} {texts[1]} added"
    return f"{name} {texts[0]} removed" if not new else f"{name} changed from {texts[0]} to {texts[1]}"


def _measure_owner(location: Tokens) -> int:
    """Return the length of the location of the operation, component or part of the document around a text."""
    if location[0] not in _DEEP_PARTS:
        return 1
    if location[0] == "components":
        return 3
    if len(location) > 4 and location[2] == "additionalOperations":
        return 4
    return 3 if len(location) > 3 and location[2] in OPERATION_KEYS else 2


def _collect(document: Mapping[str, Any]) -> _Texts:
    found = _Texts()
    _visit(document, (), (), found)
    return found


def _visit(node: Any, key: Tokens, at: Tokens, found: _Texts) -> None:
    if isinstance(node, list):
        for number, item in enumerate(node):
            _visit(item, (*key, _identify(item, number)), (*at, str(number)), found)
    if not isinstance(node, dict):
        return
    found.objects.add(key)
    for name, value in node.items():
        inner, location = (*key, name), (*at, name)
        if (name in PROSE and isinstance(value, str)) or name in ("example", "examples"):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
            found.texts[inner] = location, text
        elif name in NAME_MAPS and isinstance(value, dict):
            for child, part in _iterate_named(name, value):
                _visit(part, (*inner, child[0]), (*location, child[1]), found)
        elif name not in VALUES:
            _visit(value, inner, location, found)


def _iterate_named(keyword: str, value: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    """Yield the objects of a map with their names, as keys and as written; names of path parameters do not matter."""
    for name, inner in value.items():
        yield ((normalize_path(name) if keyword == "paths" else name), name), inner


def _identify(item: Any, number: int) -> str:
    """Return a key of an item of a list that does not depend on its position, if it has a name or an address."""
    names = [str(item[key]) for key in ("in", "name", "url", "$ref") if key in item] if isinstance(item, dict) else []
    return " ".join(names) or str(number)
