"""Text from elsewhere made safe to show: a server's words must not steer a terminal, a page or an XML parser."""

import re
import unicodedata

_LONGEST = 2000
_WWW = re.compile(r"(?i)(www)\.")
"""What Markdown makes a link of without being asked."""
_MARKS = {ord(sign): f"&#{ord(sign)};" for sign in "&<>\\`*_{}[]()#+!|~@:"}


def plain(text: str, longest: int = _LONGEST) -> str:
    """``text`` on one line, with everything that does not print shown as an escape, cut at ``longest``."""
    if len(text) > longest:
        text = f"{text[:longest]}… ({len(text)} characters)"
    return "".join(letter if _prints(letter) else _escape(letter) for letter in text)


def _prints(letter: str) -> bool:
    return letter == " " or unicodedata.category(letter)[0] in "LMNPS"


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def markdown(text: str) -> str:
    """``text`` as Markdown that says it literally, in a table cell too."""
    return _WWW.sub("\\1&#46;", plain(text).translate(_MARKS))


def fenced(text: str, language: str) -> list[str]:
    """``text`` as a Markdown code block that it cannot end; each line made plain."""
    lines = [plain(line, 4000) for line in text.split("\n")]
    longest = max((len(run) for line in lines for run in _backticks(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + language, *lines, fence]


def _backticks(line: str) -> list[str]:
    return re.findall("`+", line)
