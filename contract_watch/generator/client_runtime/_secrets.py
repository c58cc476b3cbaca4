"""Secrets: kept out of texts that people and logs see."""

import base64
import html
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

JSON = Any
MASK = "[secret]"
_SECRET_NAME = re.compile(
    r"(?i:passw|passphrase|pwd|secret|token|credential|authorization|cookie|api[-_]?key|(^|[-_. ])(keys?|pass)($|[-_. ]))"
    r"|[a-z0-9](Keys?|Pass)($|[A-Z])"
)
_SHORTEST = 4
"""The length of the shortest secret that is masked wherever it occurs; shorter ones are masked as words of their own."""
_DEPTH = 8
_ITEMS = 20


class Secret:
    """A string that no text shows."""

    __slots__ = ("value",)

    def __init__(self, value: JSON) -> None:
        self.value = value

    def __repr__(self) -> str:
        return MASK


def is_secret_name(name: str) -> bool:
    """Return True if the value under ``name``, a property or header, is a secret."""
    return _SECRET_NAME.search(name[:200]) is not None


def mask_header(name: str, value: str) -> str:
    """Return ``value``, masked if the header ``name`` holds a secret."""
    return MASK if is_secret_name(name) else value


def mask_text(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` with each of ``secrets`` masked, as a server may repeat it: in JSON, HTML, an address or Base64."""
    for secret in sorted(secrets, key=len, reverse=True):
        for spelling in _spell(secret) if secret else ():
            if len(secret) >= _SHORTEST:
                text = text.replace(spelling, MASK)
            else:
                text = re.sub(rf"(?<!\w){re.escape(spelling)}(?!\w)", MASK, text)
    return text


def _spell(secret: str) -> Iterable[str]:
    data = secret.encode("utf-8", "surrogatepass")
    quoted = json.dumps(secret, ensure_ascii=False)[1:-1]
    escaped = json.dumps(secret)[1:-1]
    return dict.fromkeys(
        (
            secret, quoted, escaped, json.dumps(escaped)[1:-1], repr(secret)[1:-1], ascii(secret)[1:-1], html.escape(secret), quote(data, safe=""), quote_plus(data),
            quote(data), base64.b64encode(data).decode(), data.hex(),
        )
    )  # fmt: skip


def mask_json(value: JSON, depth: int = 0) -> JSON:
    """Return ``value``, a parsed body, with the values of secret properties masked, cut to a size that people read."""
    if depth > _DEPTH:
        return "…"
    if isinstance(value, Mapping):
        shown = {}
        for name in list(value)[:_ITEMS]:
            shown[name] = MASK if is_secret_name(str(name)) else mask_json(value[name], depth + 1)
        return shown
    if isinstance(value, list):
        return [mask_json(item, depth + 1) for item in value[:_ITEMS]]
    return value


def show_extra(value: Mapping[str, JSON]) -> str:
    """Return the representation of a model's undocumented properties, without secrets."""
    return repr(mask_json(value))


def find_secrets(value: JSON) -> set[str]:
    """Return the strings and numbers under secret names in ``value``, a request body."""
    found: set[str] = set()
    waiting: list[tuple[JSON, bool]] = [(value, False)]
    while waiting:
        one, is_secret = waiting.pop()
        if isinstance(one, Mapping):
            waiting.extend((inner, is_secret or is_secret_name(str(name))) for name, inner in one.items())
        elif isinstance(one, list | tuple):
            waiting.extend((inner, is_secret) for inner in one)
        elif is_secret and isinstance(one, str | int | float) and not isinstance(one, bool):
            found.add(str(one))
    return found
