"""Reproductions: requests as curl lines that anybody can paste, without secrets."""

import base64
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field

from contract_watch.escaping import quote_shell

PLAIN_ID = "[A-Za-z0-9_][A-Za-z0-9._~:@-]*"
"""The regular expression of an id that is text everywhere, for Python and for sed."""
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


@dataclass(frozen=True)
class ShellVariables:
    """The values that a command reads from variables of the shell, each with the shell expression that replaces it.

    ``keys`` are credentials. ``ids`` are ids from the server, which `is_plain_id` admits; the lines before the command read
    the new ones from responses.
    """

    keys: Mapping[str, str]
    ids: Mapping[str, str] = field(default_factory=dict)


def is_plain_id(text: str) -> bool:
    """Return True for an id that means the same in an address, in JSON and in a shell, so that a variable may hold it."""
    return re.fullmatch(PLAIN_ID, text) is not None


def quote_words(text: str, variables: Mapping[str, str]) -> str:
    """Quote ``text`` for a shell, with each string of ``variables`` replaced by its shell expression."""
    known = sorted((one for one in variables if one in text), key=len, reverse=True)
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")  # no argument holds it
    if not known:
        return quote_shell(text)
    parts = re.split(f"({'|'.join(map(re.escape, known))})", text)
    return "".join(f'"{variables[part]}"' if part in variables else quote_shell(part) if part else "" for part in parts)


def format_curl(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: str | None,
    variables: ShellVariables,
    placeholders: Mapping[str, str] = {},
) -> str:
    """Return one curl line; ``placeholders`` are strings of ``body`` that a shell expression replaces."""
    address = _quote_address(url, variables)
    parts = ["curl -sS -i", *_select_address_options(address), "-X", quote_shell(method), address]
    parts += _format_headers(headers, variables)
    if body is not None and "\0" in body:
        *lines, last = body.split("\0")
        printed = [f"printf '%s\\0' {quote_words(line, placeholders)}" for line in lines]
        printed.append(f"printf %s {quote_words(last, placeholders)}")
        parts.append(f"--data-binary @<({'; '.join(printed)})")
    elif body is not None:
        parts += ["--data-raw", quote_words(body, placeholders)]
    return " ".join(parts)


def format_binary_curl(
    url: str, headers: Mapping[str, str], content: bytes, variables: ShellVariables, *, http2: str = ""
) -> str:
    """Return one curl line that posts the bytes ``content``, in which each id has its length before it.

    The value of a variable must be as long as the id, since messages carry lengths. ``http2`` is curl's option for
    HTTP/2, or empty.
    """
    address = quote_shell(url)
    parts = ["curl -sS -i", *([http2] if http2 else []), *_select_address_options(address), "-X POST", address]
    parts += _format_headers(headers, variables)
    return " ".join([*parts, f"--data-binary @<({'; '.join(_print_bytes(content, variables.ids))})"])


def _quote_address(url: str, variables: ShellVariables) -> str:
    """Quote an address. No id replaces a part of scheme and authority: a server would choose where the key goes.

    A number replaces a segment of the path alone: in a query it may mean anything.
    """
    path = url.find("/", url.find("://") + 3) if "://" in url else 0
    path = len(url) if path < 0 else path
    known = "|".join(f"(?<=/){one}" if one.isdigit() else re.escape(one) for one in variables.ids)
    parts = re.split(f"(?<=[/?&=])({known})(?=[/?&=:#]|$)", url[path:]) if known else [url[path:]]
    if len(parts) == 1:
        return quote_words(url, variables.keys)
    words = [quote_words(url[:path] + parts[0], variables.keys)]
    for known_id, rest in zip(parts[1::2], parts[2::2], strict=True):
        words += [f'"{variables.ids[known_id]}"', quote_words(rest, variables.keys) if rest else ""]
    return "".join(words)


def _select_address_options(address: str) -> list[str]:
    """Return curl's options that keep it from reading an address as several, and from shortening its path."""
    globs = ["--globoff"] if re.search(r"[][{}$]", address) else []
    return globs + (["--path-as-is"] if re.search(r"/\.|%2[eE]", address) else [])


def _format_headers(headers: Mapping[str, str], variables: ShellVariables) -> list[str]:
    """Return curl's options for headers; a final semicolon is curl's way to send an empty one."""
    return [
        "-H " + quote_words(f"{name}: {value}" if value else f"{name};", variables.keys)
        for name, value in headers.items()
        if name.lower() not in _OMITTED_HEADERS
    ]


def _print_bytes(content: bytes, ids: Mapping[str, str]) -> list[str]:
    """Return the shell commands that print ``content``, ids from their variables."""
    fields = {bytes([len(known)]) + known.encode(): variable for known, variable in ids.items() if len(known) < 128}
    parts = re.split(b"(" + b"|".join(map(re.escape, fields)) + b")", content) if fields else [content]
    commands, rest = [], b""
    for part in parts:
        rest += part[:1] if part in fields else part
        if part in fields:
            commands += [_print_base64(rest), f'printf %s "{fields[part]}"']
            rest = b""
    return [*commands, _print_base64(rest)] if rest or not commands else commands


def _print_base64(content: bytes) -> str:
    return f"base64 -d <<<'{base64.b64encode(content).decode()}'"
