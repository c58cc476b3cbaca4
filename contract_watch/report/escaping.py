"""Text from elsewhere made safe to show: a server's words must not steer a terminal, a page or an XML parser."""

import re
import unicodedata

_MAX_LENGTH = 2000
_WWW = re.compile(r"(?i)(www)\.")
"""What Markdown makes a link of without being asked."""
_MARKDOWN_ESCAPES = {ord(sign): f"&#{ord(sign)};" for sign in "&<>\\`*_{}[]()#+!|~@:"}


def escape_text(text: str, max_length: int = _MAX_LENGTH) -> str:
    """``text`` on one line, with everything that does not print shown as an escape, cut at ``longest``."""
    if len(text) > max_length:
        text = f"{text[:max_length]}… ({len(text)} characters)"
    return "".join(letter if _is_printable(letter) else _escape_character(letter) for letter in text)


def _is_printable(character: str) -> bool:
    return character == " " or unicodedata.category(character)[0] in "LMNPS"


def _escape_character(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def escape_markdown(text: str) -> str:
    """``text`` as Markdown that says it literally, in a table cell too."""
    return _WWW.sub("\\1&#46;", escape_text(text).translate(_MARKDOWN_ESCAPES))


def format_code_block(text: str, language: str) -> list[str]:
    """``text`` as a Markdown code block that it cannot end; each line made plain."""
    lines = [escape_text(line, 4000) for line in text.split("\n")]
    longest = max((len(run) for line in lines for run in _find_backticks(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + language, *lines, fence]


def _find_backticks(line: str) -> list[str]:
    return re.findall("`+", line)
