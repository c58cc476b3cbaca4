"""Names of a new document that people take for other names: mixed scripts, similar letters, invisible characters."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from contract_watch.escaping import escape_text

# The code points of characters, most of Cyrillic and Greek, that look like a Latin letter in common fonts.
_SIMILAR_CODES = {
    "a": "0430 03b1 0251",
    "c": "0441 03f2",
    "d": "0501",
    "e": "0435 03b5",
    "g": "0261 0581",
    "h": "04bb 0570",
    "i": "0456 03b9 0269 0131",
    "j": "0458 03f3",
    "k": "043a 03ba",
    "l": "04cf 0031 0049 007c 0406 0399 04c0",
    "n": "043f 03b7 0578",
    "o": "043e 03bf 0585 03c3 004f 041e 039f 0555 0030",
    "p": "0440 03c1",
    "q": "051b 0566",
    "r": "0433",
    "s": "0455",
    "t": "03c4",
    "u": "03c5 057d 028b",
    "v": "03bd",
    "w": "051d 03c9",
    "x": "0445 03c7",
    "y": "0443 03b3 028f",
    "z": "1d22",
    "A": "0410 0391",
    "B": "0412 0392",
    "C": "0421 03f9",
    "E": "0415 0395",
    "H": "041d 0397",
    "J": "0408 037f",
    "K": "041a 039a",
    "M": "041c 039c",
    "N": "039d",
    "P": "0420 03a1",
    "Q": "051a",
    "S": "0405 054f",
    "T": "0422 03a4",
    "U": "054d",
    "W": "051c",
    "X": "0425 03a7",
    "Y": "04ae 03a5",
    "Z": "0396",
}
_SIMILAR = {int(code, 16): latin for latin, codes in _SIMILAR_CODES.items() for code in codes.split()}
_ALLOWED_MIXES = ({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}, {"CJK", "HANGUL"})
_MAX_NAME_LENGTH = 80
_MAX_CHARACTERS = 3
_ASCII = re.compile(r"[\x00-\x7f]*")


def describe_deceptive_names(base: Mapping[str, Any], revision: Mapping[str, Any]) -> list[str]:
    """Return a line for each name in ``revision``, and not in ``base``, that people may take for another one."""
    known = {name for _, names in _iterate_names(base) for name in names}
    lines: dict[str, None] = {}
    groups = [*_iterate_names(revision)]
    everywhere = known | {name for _, names in groups for name in names}
    similar: dict[str, list[str]] = {}
    for name in sorted(everywhere):
        similar.setdefault(_fold(name), []).append(name)
    for kind, names in groups:
        for name in names:
            if name not in known and (problems := list(_find_problems(name, names, similar))):
                lines[f'the {kind} "{escape_text(name, _MAX_NAME_LENGTH)}" {", and ".join(problems)}'] = None
    return list(lines)


def _find_problems(name: str, siblings: list[str], similar: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield the ways in which ``name`` deceives; ``similar`` has all names by what they look like."""
    if hidden := [character for character in name if not character.isprintable()]:
        yield f"has an invisible character ({_list_characters(hidden)})"
    scripts = _list_scripts(name)
    if len(scripts) > 1 and not any(scripts <= allowed for allowed in _ALLOWED_MIXES):
        foreign = [character for character in name if not character.isascii()]
        yield f"mixes {' and '.join(sorted(script.capitalize() for script in scripts))} letters ({_list_characters(foreign)})"
    normal = unicodedata.normalize("NFKC", name)
    if normal != name:
        yield f'is "{escape_text(normal, _MAX_NAME_LENGTH)}" to Python'
    others = [other for other in similar[_fold(name)] if other != name]
    # Two names of Latin letters alone, such as l1 and ll, mislead only next to each other.
    misleading = [other for other in others if other in siblings or not (_is_ascii(name) and _is_ascii(other))]
    if misleading:
        yield f'looks like "{escape_text(misleading[0], _MAX_NAME_LENGTH)}"'


def _fold(name: str) -> str:
    """Return what ``name`` looks like; accents count, invisible characters do not."""
    visible = "".join(filter(str.isprintable, name))
    return unicodedata.normalize("NFKC", visible).translate(_SIMILAR).replace("rn", "m")


def _is_ascii(name: str) -> bool:
    return _ASCII.fullmatch(name) is not None


def _list_scripts(name: str) -> set[str]:
    """Return the scripts of the letters, by the first word of their names in Unicode."""
    letters = (character for character in unicodedata.normalize("NFKC", name) if character.isalpha())
    return {unicodedata.name(letter, "UNKNOWN").split(" ")[0] for letter in letters}


def _list_characters(characters: list[str]) -> str:
    found = list(dict.fromkeys(characters))
    shown = [f"U+{ord(one):04X} {unicodedata.name(one, 'without a name')}" for one in found[:_MAX_CHARACTERS]]
    return ", ".join(shown) + (" and more" if len(found) > _MAX_CHARACTERS else "")


def _iterate_names(node: Any) -> Iterator[tuple[str, list[str]]]:
    """Yield the kind and the names of each group of properties and parameters, and of components and operations."""
    if isinstance(node, list):
        named = [str(one["name"]) for one in node if isinstance(one, dict) and "in" in one and "name" in one]
        if named:
            yield "parameter", named
        for item in node:
            yield from _iterate_names(item)
    elif isinstance(node, dict):
        for keyword, kind in (("properties", "property"), ("headers", "header"), ("schemas", "schema")):
            if isinstance(node.get(keyword), dict):
                yield kind, list(node[keyword])
        if isinstance(node.get("operationId"), str):
            yield "operation", [node["operationId"]]
        for inner in node.values():
            yield from _iterate_names(inner)
