"""Escaping of untrusted strings, so that a server controls no terminal, no page and no XML parser."""

import re
import unicodedata

_MAX_LENGTH = 2000
_WWW = re.compile(r"(?i)(www)\.")
"""The start of an address that Markdown links automatically."""
_MARKDOWN_ESCAPES = {ord(character): f"&#{ord(character)};" for character in "&<>\\`*_{}[]()#+!|~@:"}


def escape_text(text: str, max_length: int = _MAX_LENGTH) -> str:
    """Return ``text`` on one line, with unprintable characters escaped, cut after ``max_length`` characters."""
    if len(text) > max_length:
        text = f"{text[:max_length]}… ({len(text)} characters)"
    return "".join(character if _is_printable(character) else _escape_character(character) for character in text)


def _is_printable(character: str) -> bool:
    return character == " " or unicodedata.category(character)[0] in "LMNPS"


def _escape_character(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def escape_markdown(text: str) -> str:
    """Return Markdown that renders as the literal ``text``, also in a table cell."""
    return _WWW.sub("\\1&#46;", escape_text(text).translate(_MARKDOWN_ESCAPES))


def format_code_block(text: str, language: str) -> list[str]:
    """Return the lines of a Markdown code block that ``text`` cannot end; each line is escaped."""
    lines = [escape_text(line, 4000) for line in text.split("\n")]
    longest = max((len(run) for line in lines for run in _find_backticks(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + language, *lines, fence]


def _find_backticks(line: str) -> list[str]:
    return re.findall("`+", line)
