"""Reproductions: a request as a curl line that anybody can paste, without secrets."""

import shlex
from collections.abc import Mapping

_LEFT_OUT = {"host", "accept-encoding", "connection", "content-length", "user-agent", "accept", "traceparent"}


def shape(secret: str) -> str:
    """A synthetic text of the same shape: as long by any measure, with letters, digits and the rest where they were."""
    return "".join(_alike(letter) for letter in secret)


def _alike(letter: str) -> str:
    if letter.isascii() and letter.isdigit():
        return "1"
    if letter.isascii() and letter.isalpha():
        return "A" if letter.isupper() else "a"
    if letter.isascii():
        return "!"
    return "é" if ord(letter) < 0x800 else "€" if ord(letter) < 0x10000 else "😀"


def curl(method: str, url: str, headers: Mapping[str, str], body: str | None, keys: Mapping[str, str]) -> str:
    """One curl line. ``keys`` maps each known key to the shell expression that stands in for it."""
    parts = ["curl -sS -i", "-X", shlex.quote(method), shlex.quote(url)]
    for name, value in headers.items():
        if name.lower() not in _LEFT_OUT:
            parts += ["-H", quoted(f"{name}: {value}", keys)]
    if body is not None:
        parts += ["--data-raw", quoted(body, keys)]
    return " ".join(parts)


def quoted(text: str, keys: Mapping[str, str]) -> str:
    """``text`` quoted for a shell, with keys as variables."""
    for key, variable in keys.items():
        if key in text:
            inner = f'"{variable}"'
            return inner.join(shlex.quote(part) if part else "" for part in text.split(key))
    return shlex.quote(text)
