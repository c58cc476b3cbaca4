"""Ids of operations: the document's where they are valid, else one of the kind and the path."""

import keyword
import re
from collections.abc import Mapping, Sequence
from typing import Any

from contract_watch.authoring.drafting.chosen_operations import Choice

_VALID = re.compile(r"[a-z][A-Za-z0-9]{1,60}")
_MAX_LENGTH = 40


def choose_ids(document: Mapping[str, Any], choices: Sequence[Choice]) -> list[str]:
    """Return an id for each choice, all different; `create`, `list` and so on come before the noun of the path."""
    chosen: list[str] = []
    published = [document["paths"][one.path][one.method.lower()].get("operationId") for one in choices]
    noun = find_noun(choices)
    for choice, given in zip(choices, published, strict=True):
        is_valid = isinstance(given, str) and _VALID.fullmatch(given) is not None and published.count(given) == 1
        name = str(given) if is_valid and not keyword.iskeyword(str(given)) else _derive_id(choice, noun)
        base, number = name, 2
        while name in chosen or (name != given and name in published):
            name, number = f"{base}{number}", number + 1
        chosen.append(name)
    return chosen


def find_noun(choices: Sequence[Choice]) -> str:
    """Return the singular of the word that the path of create ends with, such as ``Topic``."""
    create = next(choice for choice in choices if choice.kind == "create")
    words = [part for part in create.path.split("/") if part and not part.startswith("{")]
    plain = [word for word in words if not _is_verb(word)] or words
    return _make_singular(_join_words(plain[-1] if plain else "")) or "Object"


def _derive_id(choice: Choice, noun: str) -> str:
    last = choice.path.rstrip("/").rpartition("/")[2]
    if choice.kind == "action" and not last.startswith("{"):
        word = _join_words(last) or "act"
        return f"{word[0].lower()}{word[1:]}{noun}"
    if choice.kind == "get" and not choice.ends_with_parameter:
        return f"get{noun}{_join_words(last)}"
    if choice.kind == "list":
        return f"list{_make_plural(noun)}"
    return f"{'act' if choice.kind == 'action' else choice.kind}{noun}"


def _is_verb(word: str) -> bool:
    return word.lower() in ("add", "create", "new", "insert", "register")


def _join_words(text: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", text)
    joined = "".join(word[0].upper() + word[1:] for word in words)[:_MAX_LENGTH]
    return joined if joined[:1].isalpha() else ""


def _make_singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3 else word


def _make_plural(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "sh", "ch", "x")) else f"{word}s"
