"""Secrets kept out of everything that is stored or shown.

A value is a secret by schema (``format: password``), by the name it stands under, or because it equals a secret met
before. What replaces it says how long it was and nothing else.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from contracts.schema import Document

JSON = Any
_TELLING = re.compile(
    r"(?i:password|passwd|passphrase|pwd|secret|token|hash|authorization|api[-_]?key|(^|[-_. ])(keys?|pass)($|[-_. ]))"
    r"|[a-z0-9](Keys?|Pass)($|[A-Z])"
)
_MOST_NAMES = 1000
"""How many names' answers are remembered: names come from servers, and memory is bounded."""
_SHORTEST_KNOWN = 8
"""A value shorter than this is not looked for elsewhere: it would blank half a report."""


def password_names(document: Document) -> frozenset[str]:
    """The names of all properties that ``document`` gives the format ``password``."""

    def walk(node: JSON) -> Iterator[str]:
        if isinstance(node, dict):
            properties = node.get("properties")
            if isinstance(properties, dict):
                yield from (n for n, s in properties.items() if isinstance(s, dict) and s.get("format") == "password")
            for inner in node.values():
                yield from walk(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from walk(inner)

    return frozenset(walk(document))


class Redactor:
    """Replaces secrets. ``names`` are property and header names whose values are secrets whatever they look like.

    What stands in the text ``public`` is not looked for elsewhere, even where it was sent as a secret: random passwords may
    be any word, an operation's name for one.
    """

    def __init__(self, names: Iterable[str] = (), values: Iterable[str] = (), public: str = "") -> None:
        self._public = public
        self._names = {name.lower() for name in names}
        self._secret_names: dict[str, bool] = {}
        self._spellings: dict[str, str] = {}
        self._shortest = sys.maxsize
        self._search: re.Pattern[str] | None = None
        for value in values:
            self.learn(value)

    def secret_name(self, name: str) -> bool:
        """Whether what stands under ``name`` is a secret."""
        known = self._secret_names.get(name)
        if known is None:
            known = name.lower() in self._names or _TELLING.search(name) is not None
            if len(self._secret_names) < _MOST_NAMES:
                self._secret_names[name] = known
        return known

    def learn(self, value: JSON) -> None:
        """Remember ``value`` as a secret, to be replaced wherever it appears from now on."""
        text = value if isinstance(value, str) else None
        if text is None or len(text) < _SHORTEST_KNOWN or text in self._spellings or text in self._public:
            return
        for spelling in {
            text,
            json.dumps(text)[1:-1],
            json.dumps(text, ensure_ascii=False)[1:-1],
            quote(text, safe="", errors="surrogatepass"),
        }:
            self._spellings[spelling] = mark(text)
            self._shortest = min(self._shortest, len(spelling))
        self._search = None

    def learn_from(self, value: JSON) -> None:
        """Remember every secret that ``value``, a JSON body, carries under a telling name."""
        if isinstance(value, dict):
            for name, inner in value.items():
                if self.secret_name(name):
                    for text in _texts(inner):
                        self.learn(text)
                self.learn_from(inner)
        elif isinstance(value, list):
            for inner in value:
                self.learn_from(inner)

    def text(self, text: str) -> str:
        """``text`` with every known secret replaced."""
        if len(text) < self._shortest:
            return text
        if self._search is None:
            known = sorted(self._spellings, key=len, reverse=True)
            self._search = re.compile("|".join(map(re.escape, known)))
        return self._search.sub(lambda found: self._spellings[found.group()], text)

    def json(self, value: JSON) -> JSON:
        """``value`` with every secret replaced, in a new structure."""
        if isinstance(value, dict):
            return {
                self.text(name): blank(inner) if self.secret_name(name) else self.json(inner)
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self.json(inner) for inner in value]
        return self.text(value) if isinstance(value, str) else value

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """``headers`` with credentials and cookies replaced."""
        return {
            name: mark(value)
            if self.secret_name(name) or name.lower() in ("cookie", "set-cookie", "proxy-authorization")
            else self.text(value)
            for name, value in headers.items()
        }


def mark(value: str) -> str:
    """What stands in a secret's place."""
    return f"[redacted, {len(value)} characters]"


def _texts(value: JSON) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def blank(value: JSON) -> JSON:
    """A secret's value without its content: null and booleans tell nothing, the rest goes."""
    if value is None or isinstance(value, bool):
        return value
    return mark(value) if isinstance(value, str) else "[redacted]"
