"""Reproductions: requests as curl lines that anybody can paste, without secrets."""

import base64
import re
import shlex
import string
from collections.abc import Mapping

_OMITTED_HEADERS = {"host", "accept-encoding", "connection", "content-length", "user-agent", "accept", "traceparent"}


def synthesize_secret(secret: str) -> str:
    """Return a synthetic string of the same shape: the same length in characters and bytes, the same kind at each index.

    Characters vary as far as possible, since vendors measure the strength of passwords; a secret of one repeated character
    gives another repeated character. The same secret always gives the same string.
    """
    is_varied = len(set(secret)) > 1
    return "".join(_replace_character(character, index if is_varied else 0) for index, character in enumerate(secret))


def _replace_character(character: str, index: int) -> str:
    if character.isascii() and character.isdigit():
        return string.digits[(7 * index + 1) % 10]
    if character.isascii() and character.isalpha():
        letters = string.ascii_uppercase if character.isupper() else string.ascii_lowercase
        return letters[11 * index % 26]
    if character.isascii():
        return "!"
    return "é" if ord(character) < 0x800 else "€" if ord(character) < 0x10000 else "😀"


def format_curl(method: str, url: str, headers: Mapping[str, str], body: str | None, keys: Mapping[str, str]) -> str:
    """Return one curl line; ``keys`` maps each known credential to the shell expression that replaces it."""
    parts = ["curl -sS -i", "-X", shlex.quote(method), quote_shell(url, keys)]
    for name, value in headers.items():
        if name.lower() not in _OMITTED_HEADERS:
            parts += ["-H", quote_shell(f"{name}: {value}", keys)]
    if body is not None:
        parts += ["--data-raw", quote_shell(body, keys)]
    return " ".join(parts)


def quote_shell(text: str, keys: Mapping[str, str]) -> str:
    """Quote ``text`` for a shell, with the credentials of ``keys`` replaced by their shell expressions."""
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
    """Return one curl line that posts the bytes ``content``.

    ``ids`` maps ids in ``content`` to shell variables; the value of a variable must be as long as the id, since gRPC
    messages carry lengths. ``http2`` is curl's option for HTTP/2, or empty.
    """
    parts = ["curl -sS -i", *([http2] if http2 else []), "-X POST", shlex.quote(url)]
    parts += [
        "-H " + quote_shell(f"{name}: {value}", keys)
        for name, value in headers.items()
        if name.lower() not in _OMITTED_HEADERS
    ]
    replacements = [
        f"s/{known}/{variable}/g"
        for known, variable in ids.items()
        if known.encode("utf-8", "surrogatepass") in content
    ]
    sed = f""" | LC_ALL=C sed "{";".join(replacements)}\"""" if replacements else ""
    encoded = base64.b64encode(content).decode()
    return " ".join([*parts, f"--data-binary @<(base64 -d <<<'{encoded}'{sed})"])
