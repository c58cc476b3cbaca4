"""Reproductions: a request as a curl line that anybody can paste, without secrets."""

import base64
import re
import shlex
import string
from collections.abc import Mapping

_OMITTED_HEADERS = {"host", "accept-encoding", "connection", "content-length", "user-agent", "accept", "traceparent"}


def synthesize_secret(secret: str) -> str:
    """A synthetic text of the same shape: as long by any measure, with letters, digits and the rest where they were.

    It has as many different signs as may be, since vendors measure passwords, unless the secret has but one; the same secret
    gives the same text.
    """
    varied = len(set(secret)) > 1
    return "".join(_replace_character(letter, number if varied else 0) for number, letter in enumerate(secret))


def _replace_character(character: str, number: int) -> str:
    if character.isascii() and character.isdigit():
        return string.digits[(7 * number + 1) % 10]
    if character.isascii() and character.isalpha():
        signs = string.ascii_uppercase if character.isupper() else string.ascii_lowercase
        return signs[11 * number % 26]
    if character.isascii():
        return "!"
    return "é" if ord(character) < 0x800 else "€" if ord(character) < 0x10000 else "😀"


def format_curl(method: str, url: str, headers: Mapping[str, str], body: str | None, keys: Mapping[str, str]) -> str:
    """One curl line. ``keys`` maps each known key to the shell expression that stands in for it."""
    parts = ["curl -sS -i", "-X", shlex.quote(method), quote_shell(url, keys)]
    for name, value in headers.items():
        if name.lower() not in _OMITTED_HEADERS:
            parts += ["-H", quote_shell(f"{name}: {value}", keys)]
    if body is not None:
        parts += ["--data-raw", quote_shell(body, keys)]
    return " ".join(parts)


def quote_shell(text: str, keys: Mapping[str, str]) -> str:
    """``text`` quoted for a shell, with keys as variables."""
    known = sorted((key for key in keys if key in text), key=len, reverse=True)
    if not known:
        return shlex.quote(text)
    parts = re.split(f"({'|'.join(map(re.escape, known))})", text)
    return "".join(f'"{keys[part]}"' if part in keys else shlex.quote(part) if part else "" for part in parts)


def format_binary_curl(
    url: str,
    headers: Mapping[str, str],
    content: bytes,
    keys: Mapping[str, str],
    ids: Mapping[str, str],
    *,
    http2: str = "",
) -> str:
    """One curl line that posts ``content``; ``ids`` in it, as long as what they stand for, become shell expressions too.

    ``http2`` is curl's option for it, where it is wanted.
    """
    parts = ["curl -sS -i", *([http2] if http2 else []), "-X POST", shlex.quote(url)]
    parts += [
        "-H " + quote_shell(f"{name}: {value}", keys)
        for name, value in headers.items()
        if name.lower() not in _OMITTED_HEADERS
    ]
    swaps = [f"s/{known}/{variable}/g" for known, variable in ids.items() if known.encode() in content]
    swap = f""" | LC_ALL=C sed "{";".join(swaps)}\"""" if swaps else ""
    said = base64.b64encode(content).decode()
    return " ".join([*parts, f"--data-binary @<(base64 -d <<<'{said}'{swap})"])
